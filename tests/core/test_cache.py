"""The cache: right, missing or gone; never wrong and never in the way."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from voiceflow.cli.main import cli
from voiceflow.core.cache import Cache
from voiceflow.core.files import alive
from voiceflow.server.jobs.store import store_of

KEY = Cache.key("one")


def files(root: Path) -> list[Path]:
    """All but what is known of the cache's size."""
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != "held")


def run(code: str, *args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], stdout=subprocess.PIPE)


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache")
    for value in (b"", b"x", os.urandom(300_000)):
        cache.put("clip", KEY, value)
        assert cache.get("clip", KEY) == value
    assert cache.get("piece", KEY) is None
    assert cache.get("clip", Cache.key("two")) is None
    assert cache.problem == ""


def test_the_size_of_an_entry_is_known_without_reading_it(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path), Cache.key("a")
    assert cache.size("kind", key) is None
    cache.put("kind", key, b"twelve bytes")
    assert cache.size("kind", key) == 12
    assert Cache(None).size("kind", key) is None


def test_no_root_is_no_cache() -> None:
    cache = Cache(None)
    cache.put("clip", KEY, b"x")
    cache.trim()
    assert cache.get("clip", KEY) is None
    assert (cache.info().entries, cache.clear(), cache.problem) == (0, 0, "")


def test_keys_are_160_bits_and_unambiguous() -> None:
    parts = [
        ("ab", "c"),
        ("a", "bc"),
        ("abc",),
        (b"abc",),
        ("1",),
        (1,),
        (1.5,),
        (None,),
        ("None",),
        ("", ""),
        ("",),
        (),
        ("\udc80",),
    ]
    keys = {Cache.key(*one) for one in parts}
    assert len(keys) == len(parts)
    assert all(len(key) == 40 and int(key, 16) >= 0 for key in keys)
    assert Cache.key("a", 1, None) == Cache.key("a", 1, None)


def test_default_root_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOICEFLOW_CACHE", str(tmp_path))
    assert Cache.default_root() == tmp_path
    monkeypatch.setenv("VOICEFLOW_CACHE", "")
    assert Cache.default_root().name.lower().startswith(("voiceflow", "cache"))


@pytest.mark.parametrize("how", ["truncated", "empty", "scribbled", "grown", "moved"])
def test_a_broken_entry_is_missing_and_gone(tmp_path: Path, how: str) -> None:
    cache = Cache(tmp_path)
    cache.put("clip", KEY, b"a" * 1000)
    (path,) = files(tmp_path)
    raw = bytearray(path.read_bytes())
    if how == "moved":
        other = Cache.key("other")
        cache.put("clip", other, b"b" * 1000)
        raw = bytearray(next(one for one in files(tmp_path) if one.name == other).read_bytes())
    elif how == "scribbled":
        raw[500] ^= 1
    path.write_bytes({"truncated": raw[:-1], "empty": b"", "grown": raw + b"a"}.get(how, raw))
    assert cache.get("clip", KEY) is None
    assert not path.exists()
    cache.put("clip", KEY, b"new")
    assert cache.get("clip", KEY) == b"new"


def test_every_cut_of_an_entry_is_seen(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("clip", KEY, b"abc")
    (path,) = files(tmp_path)
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        assert cache.get("clip", KEY) is None


def test_another_layout_is_neither_read_nor_touched(tmp_path: Path) -> None:
    other = tmp_path / "layout-0" / "clip" / KEY[:2] / KEY
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another version")
    cache = Cache(tmp_path)
    assert cache.get("clip", KEY) is None
    cache.put("clip", KEY, b"mine")
    assert cache.clear() == 1
    assert files(tmp_path) == [other]


@pytest.mark.parametrize("place", ["", "layout-1", "layout-1/clip", f"layout-1/clip/{KEY[:2]}"])
def test_unwritable_is_remembered_not_raised(tmp_path: Path, place: str) -> None:
    blocked = tmp_path / "cache" / place
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_bytes(b"a file where a folder should be")
    cache = Cache(tmp_path / "cache")
    cache.put("clip", KEY, b"x")
    assert cache.get("clip", KEY) is None
    assert "cannot be written" in cache.problem
    cache.trim()
    assert cache.info().entries == cache.clear() == 0
    assert blocked.is_file()


def test_a_folder_in_an_entrys_place(tmp_path: Path) -> None:
    (tmp_path / "layout-1" / "clip" / KEY[:2] / KEY / "sub").mkdir(parents=True)
    cache = Cache(tmp_path)
    cache.put("clip", KEY, b"x")
    assert cache.get("clip", KEY) is None
    assert cache.problem
    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_nothing_half_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    cache.put("clip", KEY, b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        cache.put("clip", KEY, b"new")
        cache.put("clip", Cache.key("two"), b"new")
    assert "no space left" in cache.problem
    assert [path.name for path in files(tmp_path)] == [KEY]
    assert cache.get("clip", KEY) == b"old"
    cache.put("clip", KEY, b"new")
    assert cache.get("clip", KEY) == b"new"


def test_the_folder_may_vanish_at_any_time(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    for number in range(3):
        cache.put("clip", KEY, bytes([number]))
        assert cache.get("clip", KEY) == bytes([number])
        assert Cache(tmp_path / "cache").clear() == 1
        assert not (tmp_path / "cache" / "layout-1").exists()
        assert cache.get("clip", KEY) is None
    assert cache.problem == ""


def fill(cache: Cache, count: int, size: int = 1000) -> list[str]:
    """`count` entries, each a minute younger than the one before."""
    keys = [Cache.key("entry", number) for number in range(count)]
    now = time.time()
    for number, key in enumerate(keys):
        cache.put("clip", key, bytes(size))
        age(cache, key, now - 60 * (count - number))
    return keys


def age(cache: Cache, key: str, mtime: float) -> None:
    assert cache.root is not None
    (path,) = cache.root.rglob(key)
    os.utime(path, (mtime, mtime))


def test_trim_takes_the_least_recently_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=10_500)
    keys = fill(cache, 20)
    assert cache.get("clip", keys[3]) is not None
    cache.trim()
    left = {key for key in keys if cache.get("clip", key) is not None}
    assert cache.info().bytes <= 10_500
    assert keys[3] in left
    assert left - {keys[3]} == set(keys[-(len(left) - 1) :])
    assert len(left) >= 8


def test_trim_leaves_a_small_cache_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    keys = fill(cache, 20)
    cache.trim()
    assert all(cache.get("clip", key) is not None for key in keys)


def test_an_entry_over_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=100)
    cache.put("clip", KEY, bytes(1000))
    assert cache.get("clip", KEY) is None
    assert files(tmp_path) == []


def held(cache: Cache) -> int:
    return sum(path.stat().st_size for path in files(cache.root or Path()))


def test_trim_looks_at_all_files_only_when_the_limit_may_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = []
    scan = Cache._scan
    monkeypatch.setattr(Cache, "_scan", lambda self: scans.append(1) or scan(self))
    for number in range(200):
        # Each as a process of its own would.
        cache = Cache(tmp_path, limit_bytes=50_000)
        cache.put("clip", Cache.key(number), bytes(1_000))
        cache.trim()
        assert held(cache) <= 50_000
    # A tenth of the limit is five of these.
    assert 20 < len(scans) < 40


def test_what_nobody_counted_is_found_in_time(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=50_000)
    for number in range(300):
        # A writer that is killed before it trims.
        Cache(tmp_path).put("clip", Cache.key("lost", number), bytes(1_000))
        cache.put("length", Cache.key(number), b"1")
        cache.trim()
        assert held(cache) <= 50_000 + 70 * 1_100


@pytest.mark.parametrize(
    "rubbish", [b"", b"-5\n", b"1e3\n", b"9" * 40, b"\xff", "²".encode(), b"1\n" * 5_000, None]
)
def test_a_wrong_size_is_not_believed(tmp_path: Path, rubbish: bytes | None) -> None:
    cache = Cache(tmp_path, limit_bytes=5_000)
    path = tmp_path / "layout-1" / "held"
    fill(cache, 10)
    if rubbish is None:
        path.mkdir()
    else:
        path.write_bytes(rubbish)
    cache.trim()
    assert held(cache) <= 5_000


def test_clock_set_back(tmp_path: Path) -> None:
    """Entries from the future count as old, and using one brings it into the present."""
    cache = Cache(tmp_path, limit_bytes=5_200)
    keys = fill(cache, 10)
    future = time.time() + 86_400
    for key in keys[6:]:
        age(cache, key, future)
    assert cache.get("clip", keys[9]) is not None
    cache.trim()
    left = {key for key in keys if cache.get("clip", key) is not None}
    assert keys[9] in left
    assert not left & set(keys[6:9])


def test_scrap_of_a_killed_writer_is_swept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("clip", KEY, b"x")
    (path,) = files(tmp_path)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert not alive(dead.pid)
    assert alive(os.getpid())
    hour, day = 3600, 86_400
    mine, old, theirs = (
        path.with_name(f".voiceflow-0123456789ab-{pid}-{number:08x}.part")
        for number, pid in enumerate((os.getpid(), os.getpid(), dead.pid))
    )
    notes = path.with_name("notes.txt")
    for scrap in (mine, old, theirs, notes):
        scrap.write_bytes(b"half")
    os.utime(mine, (time.time() - hour,) * 2)
    os.utime(old, (time.time() - day - hour,) * 2)
    assert cache.info().entries == 1
    cache.trim()
    assert files(tmp_path) == sorted([path, mine, notes])
    assert (tmp_path / "layout-1" / "held").read_text() == f"{path.stat().st_size}\n"
    assert cache.clear() == 1
    assert not list(tmp_path.rglob("held"))
    assert files(tmp_path) == [notes]


def test_info_counts_by_kind(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, 3, size=100)
    cache.put("piece", KEY, bytes(500))
    info = cache.info()
    assert info.entries == 4
    assert [(one.kind, one.entries) for one in info.kinds] == [("clip", 3), ("piece", 1)]
    assert info.bytes == sum(one.bytes for one in info.kinds) >= 800


HAMMER = """
import random, sys
from pathlib import Path
from voiceflow.core.cache import Cache
root, seed = Path(sys.argv[1]), int(sys.argv[2])
pick = random.Random(seed)
cache = Cache(root, limit_bytes=60_000)
wrong = 0
for turn in range(400):
    number = pick.randrange(40)
    key, value = Cache.key(number), bytes([number]) * (1000 + 50 * number)
    found = cache.get("clip", key)
    wrong += found not in (None, value)
    cache.put("clip", key, value)
    if turn % 40 == 0:
        cache.trim()
    if turn % 133 == 132:
        cache.clear()
    if turn % 25 == 0:
        try:
            for path in root.rglob(key):
                path.write_bytes(b"scribble")
        except OSError:
            pass
print(wrong, cache.problem)
"""


def test_four_processes_at_once(tmp_path: Path) -> None:
    workers = [run(HAMMER, tmp_path, seed) for seed in range(4)]
    for worker in workers:
        out, _ = worker.communicate(timeout=200)
        assert worker.returncode == 0
        assert out.split()[0] == b"0"
    cache = Cache(tmp_path, limit_bytes=60_000)
    cache.put("clip", KEY, b"x")
    cache.trim()
    assert cache.info().bytes <= 60_000
    assert not list(tmp_path.rglob("*.part"))


ENDLESS = """
import sys
from pathlib import Path
from voiceflow.core.cache import Cache
cache = Cache(Path(sys.argv[1]))
print(flush=True)
turn = 0
while True:
    turn += 1
    cache.put("clip", Cache.key(turn % 7), bytes([turn % 7]) * 2_000_000)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_kill_in_the_middle_of_a_put(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for delay in (0.0, 0.003, 0.011, 0.023, 0.041):
        worker = run(ENDLESS, tmp_path)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(delay)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        for number in range(7):
            assert cache.get("clip", Cache.key(number)) in (None, bytes([number]) * 2_000_000)
        cache.put("clip", KEY, b"x")
        cache.trim(always=True)
        assert not list(tmp_path.rglob("*.part"))


# The command.


def test_the_command_counts_and_clears_what_was_made_for_phones(tmp_path: Path) -> None:
    def said(action: str) -> str:
        done = CliRunner().invoke(cli, ["cache", action])
        assert done.exit_code == 0, done.output
        return done.output

    assert said("info").startswith("0 entries, 0.0 MB")
    cache = Cache(Cache.default_root())
    cache.put("clip", KEY, b"speech")
    store = store_of(cache)
    assert store.parent == tmp_path / "cache"
    (store / "spool").mkdir(parents=True)
    (store / "spool" / "one.mp3").write_bytes(bytes(2_000_000))
    (store / "spool" / "two.12-abc.part").touch()
    (store / "renders").mkdir()
    (store / "renders" / "one.json").touch()
    told = said("info")
    assert told.startswith("2 entries, 2.0 MB")
    assert [line.split()[:2] for line in told.splitlines()[1:]] == [["clip", "1"], ["phones", "1"]]
    assert said("clear") == "2 entries forgotten\n"
    left = sorted(path.name for path in store.rglob("*") if path.is_file())
    assert left == ["one.json", "two.12-abc.part"], "what is being made goes on"
    assert said("info").startswith("0 entries, 0.0 MB")
    assert said("path").strip() == str(tmp_path / "cache")
