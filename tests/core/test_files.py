"""Files are written whole or not at all, whatever happens to the writer or the disk."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from voiceflow.core import files
from voiceflow.core.cache import Cache
from voiceflow.core.errors import OutputError
from voiceflow.core.files import (
    PendingFile,
    drop_unfinished,
    is_abandoned,
    is_draft,
    locked,
    unfinished,
    write_atomic,
    write_new,
    writing,
)
from voiceflow.server.auth.phones import Phones
from voiceflow.server.jobs.render_records import RenderRecords

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def stream(path: Path, data: bytes) -> None:
    with writing(path) as draft:
        draft.write(data)


# Each writes (path, data), and raises OSError or OutputError.
WRITERS: dict[str, Callable[[Path, bytes], None]] = {"atomic": write_atomic, "stream": stream}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Callable[[Path, bytes], None]:
    return WRITERS[request.param]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run(code: str, *args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], stdout=subprocess.PIPE)


def test_a_file_is_made_and_replaced(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    for data in (b"", b"one", os.urandom(300_000)):
        write(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == data
        assert names(tmp_path) == ["file"]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with writing(target) as draft:
        draft.write(b"n")
        assert target.read_bytes() == b"old"
        draft.write(b"ew")
        assert is_draft(draft.path.name)
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "write"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_or_broken_disk_leaves_the_old_file_and_no_draft(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path, bytes], None],
    call: str,
    number: int,
) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if call == "write":
            patch.setattr("voiceflow.core.files.FileIO", _filling(number))
        else:
            patch.setattr(call, fail)
        with pytest.raises((OSError, OutputError)) as caught:
            write(target, b"new content")
    if number == errno.ENOSPC:
        assert "space left" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
    write(target, b"new content")
    assert target.read_bytes() == b"new content"


def _filling(number: int) -> type:
    """A file that takes four bytes, as a disk does that is nearly full, and then fails."""
    from io import FileIO

    class Filling(FileIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            if self.tell() >= 4:
                raise OSError(number, os.strerror(number))
            return super().write(memoryview(data)[:4])

    return Filling


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import FileIO

    class Short(FileIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(memoryview(data)[:3])

    monkeypatch.setattr("voiceflow.core.files.FileIO", Short)
    write_atomic(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_durable_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))
        )
    write_atomic(tmp_path / "file", b"x")
    stream(tmp_path / "file", b"x")
    assert calls == ["fsync", "replace"] * 2
    calls.clear()
    write_atomic(tmp_path / "file", b"x", durable=False)
    Cache(tmp_path / "cache").put("kind", Cache.key(1), b"x")
    assert calls == ["replace", "replace"]


@POSIX
def test_permissions(tmp_path: Path) -> None:
    private = tmp_path / "state" / "deep" / "secret.json"
    before = os.umask(0o022)
    try:
        write_atomic(private, b"x", mode=0o600)
        assert mode_of(private) == 0o600
        assert mode_of(private.parent) == 0o700
        private.chmod(0o644)
        write_atomic(private, b"y", mode=0o600)
        assert mode_of(private) == 0o600
        write_atomic(tmp_path / "open" / "file", b"x")
        assert mode_of(tmp_path / "open" / "file") == 0o644
        assert mode_of(tmp_path / "open") == 0o755
        (tmp_path / "open" / "file").chmod(0o640)
        stream(tmp_path / "open" / "file", b"y")
        assert mode_of(tmp_path / "open" / "file") == 0o640
    finally:
        os.umask(before)


@POSIX
def test_a_private_file_is_never_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = os.fsync

    def look(handle: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", look)
    write_atomic(tmp_path / "secret.json", b"x", mode=0o600)
    assert seen == [0o600]


@POSIX
def test_a_link_is_followed(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(tmp_path) == ["link", "there"]
    assert names(tmp_path / "there") == ["real"]


@POSIX
def test_a_link_that_leads_nowhere_yet(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    write(link, b"new")
    assert (tmp_path / "real").read_bytes() == b"new"


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    values = [bytes([number]) * 200_000 for number in range(4)]
    wrong: list[object] = []
    write_atomic(target, values[0])

    def write_often(value: bytes) -> None:
        for _ in range(20):
            write_atomic(target, value, durable=False)
            if target.read_bytes() not in values:
                wrong.append(value[:1])

    threads = [threading.Thread(target=write_often, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert target.read_bytes() in values
    assert names(tmp_path) == ["file"]


COUNT = """
import sys
from pathlib import Path
from voiceflow.core.files import locked, write_atomic
path = Path(sys.argv[1])
for _ in range(25):
    with locked(path):
        count = int(path.read_bytes()) if path.exists() else 0
        write_atomic(path, str(count + 1).encode(), durable=False)
"""


@POSIX
def test_a_lock_lets_processes_change_a_file_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "count"
    for worker in [run(COUNT, path) for _ in range(3)]:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    assert path.read_bytes() == b"75"


@POSIX
def test_a_lock_ends_with_an_exception(tmp_path: Path) -> None:
    for _ in range(2):
        with suppress(RuntimeError), locked(tmp_path / "file"):
            raise RuntimeError


KILLED = """
import os, signal, sys
from pathlib import Path
from voiceflow.core import files
real = os.replace
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
kind, path = sys.argv[1], Path(sys.argv[2])
if kind == "atomic":
    files.write_atomic(path, b"half")
elif kind == "stream":
    with files.writing(path) as draft:
        draft.write(b"half")
elif kind == "phones":
    from voiceflow.server.auth.phones import Phones
    Phones(path).pair("phone")
elif kind == "cache":
    from voiceflow.core.cache import Cache
    Cache(path).put("kind", Cache.key(1), b"half")
"""


def drafts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if is_draft(path.name)]


def killed(kind: str, path: Path) -> None:
    worker = run(KILLED, kind, path)
    worker.communicate(timeout=60)
    assert worker.returncode < 0


@POSIX
@pytest.mark.parametrize("first", WRITERS)
def test_the_next_write_deletes_the_draft_of_a_killed_writer(
    tmp_path: Path, write: Callable[[Path, bytes], None], first: str
) -> None:
    target, other = tmp_path / "file", tmp_path / "other"
    target.write_bytes(b"old")
    killed(first, target)
    killed(first, other)
    assert target.read_bytes() == b"old"
    assert len(drafts(tmp_path)) == 2
    write(target, b"new")
    assert len(drafts(tmp_path)) == 1, "the draft of another file is not touched"
    write(other, b"new")
    assert names(tmp_path) == ["file", "other"]


@POSIX
def test_killed_writers_of_phones_and_cache_leave_nothing_for_long(tmp_path: Path) -> None:
    state, store = tmp_path / "phones.json", tmp_path / "cache"
    killed("phones", state)
    killed("cache", store)
    assert len(drafts(tmp_path)) == 2
    assert Phones(state).all() == ()
    Phones(state).pair("phone")
    cache = Cache(store)
    cache.put("kind", Cache.key(2), b"x")
    cache.trim()
    assert cache.info().entries == 1
    assert drafts(tmp_path) == []


def test_a_record_replaces_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    records = RenderRecords(tmp_path / "renders")
    monkeypatch.setattr("voiceflow.server.jobs.render_records._to_dict", lambda record: {})
    record = type("Record", (), {"id": "0" * 40})()
    records.put(record)
    before = (tmp_path / "renders" / f"{'0' * 40}.json").read_bytes()
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="space"):
        records.put(record)
    assert names(tmp_path / "renders") == [f"{'0' * 40}.json"]
    assert (tmp_path / "renders" / f"{'0' * 40}.json").read_bytes() == before


def test_a_draft_has_a_writer_for_a_day_at_most(tmp_path: Path) -> None:
    now = time.time()
    mine = f".voiceflow-0123456789ab-{os.getpid()}-01234567.part"
    assert is_draft(mine)
    assert not is_abandoned(mine, now, now)
    assert not is_abandoned(mine, now - 80_000, now)
    assert is_abandoned(mine, now - 90_000, now)
    assert is_abandoned(mine, now + 90_000, now), "the clock was set back"
    for name in ("session.mp3", ".voiceflow-notes", mine + ".mp3", f".{os.getpid()}-01234567.tmp"):
        assert not is_draft(name)
        assert not is_abandoned(name, 0, now)


def test_a_missing_folder_is_made_for_state_but_not_for_recordings(tmp_path: Path) -> None:
    write_atomic(tmp_path / "made" / "file", b"x")
    assert names(tmp_path / "made") == ["file"]
    with pytest.raises(OutputError, match="no folder"):
        stream(tmp_path / "missing" / "file", b"x")
    with pytest.raises(OSError, match=r"exists|directory"):
        write_atomic(tmp_path / "made" / "file" / "file", b"x")


def test_who_is_told_to_end_leaves_no_draft(tmp_path: Path) -> None:
    """An interrupt may come when a draft is made and no block that would drop it has begun."""
    pending = PendingFile(str(tmp_path / "a"))
    kept = PendingFile(str(tmp_path / "b"))
    kept.keep()
    drop_unfinished()
    assert names(tmp_path) == ["b"]
    pending.drop()


def test_what_could_not_be_begun_is_not_remembered(tmp_path: Path) -> None:
    before = set(files._unfinished)
    with pytest.raises(FileNotFoundError):
        PendingFile(str(tmp_path / "nowhere" / "a"))
    assert files._unfinished == before


# A new file, which replaces nothing


@pytest.fixture(params=["second names", "none"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that lets a file have two names, and one that does not."""
    if request.param == "none":

        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("links")
def test_a_new_file_is_written_and_none_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "made" / "file"
    write_new(target, b"new")
    assert target.read_bytes() == b"new"
    with pytest.raises(FileExistsError):
        write_new(target, b"newer")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "dangling", b"new")
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["file"]
    assert names(tmp_path) == ["dangling", "made"]


@pytest.mark.usefixtures("links")
def test_a_file_that_comes_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, sync = tmp_path / "file", os.fsync

    def another(handle: int) -> None:
        target.write_bytes(b"another's")
        sync(handle)

    monkeypatch.setattr(os, "fsync", another)
    with pytest.raises(FileExistsError):
        write_new(target, b"new")
    assert target.read_bytes() == b"another's"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("error", "free", "words"),
    [
        (OSError(errno.EIO, os.strerror(errno.EIO)), 1 << 30, "the disk reports an error"),
        # As mutagen wraps what the system says.
        (RuntimeError(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))), 1 << 30, "no space left"),
        # As libsndfile and FFmpeg say it, or nothing at all.
        (RuntimeError("Error : flush failed."), 1 << 30, "could not be written completely"),
        (ValueError("[Errno 1094995529] Invalid data found: 'x.m4b'"), 4_096, "no space left"),
        (EOFError(), 4_096, "no space left"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_what_a_library_could_not_write_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, free: int, words: str
) -> None:
    class Usage:
        def __init__(self, _: object) -> None:
            self.free = free

    with writing(tmp_path / "x.m4b") as draft:
        monkeypatch.setattr("shutil.disk_usage", Usage)
        told = str(unfinished(error, draft))
    assert words in told
    assert "x.m4b" in told
    for foreign in ("Errno", "flush", "Invalid data"):
        assert foreign not in told
