"""What lies in the cache is never trusted: whatever else is found under a key is a miss.

Entries are put there with a right checksum, as somebody would who can write to the folder.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import BUNDLED, SOUNDS
from odd_files import odd

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.script.lookup import Library

SESSION = """\
title: One Good Thing
phrases: plain
tones: pluck
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 2
    rep:
      - inhale 2.5: Inhale and lift. | Lift.
      - exhale 3: Exhale and lower. | Lower.
"""
OPTIONS = Options(voice="faulty:hum")
KINDS = ("clip", "code", "cover", "head", "length", "memo", "piece")

# To unpickle it would make a file; so would to run what the other is compiled to.
PICKLE = b"cposix\nsystem\n(S'touch MARK'\ntR."
JSON = [b"null", b"[]", b"{}", b"1", b'"x"', b"[" * 100_000, b"[[1, 2], 3]", b"NaN"]
RUBBISH = [
    b"", b"\0", b"\0" * 64, b"\xff" * 4_001, bytes(range(256)) * 8, b"-5", b"99999999999", b"0x10",
    "\N{SUPERSCRIPT TWO}".encode(), PICKLE, b"\xe3" + bytes(60), *JSON,
]  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session, its recording, and the cache that it left."""
    room = tmp_path_factory.mktemp("room")
    (room / "s.yaml").write_text(SESSION, encoding="utf-8")
    rendered(room, room / "cache", room / "right.mp3")
    return room


def rendered(room: Path, cache: Path, target: Path, options: Options = OPTIONS) -> bytes:
    context = Context(Library(room / "user", BUNDLED, SOUNDS), Cache(cache), jobs=1)
    voiceflow.render(room / "s.yaml", target, options=options, context=context)
    return target.read_bytes()


def entries(cache: Path) -> list[tuple[str, str]]:
    """Kind and key of each entry."""
    return [(path.parents[1].name, path.name) for path in cache.glob("*/*/*/*") if path.is_file()]


def test_these_are_all_kinds_of_entries(room: Path) -> None:
    assert {kind for kind, _ in entries(room / "cache")} == set(KINDS)


@pytest.mark.parametrize("number", range(len(RUBBISH)))
@pytest.mark.parametrize("kind", KINDS)
def test_rubbish_under_a_key_is_a_miss(kind: str, number: int, room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "cache", tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    for found, key in entries(tmp_path / "cache"):
        if found == kind:
            cache.put(kind, key, RUBBISH[number])
        elif found == "memo":  # else nothing but it, the head and the pieces would be looked at
            (path,) = (tmp_path / "cache").rglob(key)
            path.unlink(missing_ok=kind in ("head", "piece"))
    assert (
        rendered(room, tmp_path / "cache", tmp_path / "o.mp3") == (room / "right.mp3").read_bytes()
    )
    assert not list(tmp_path.rglob("MARK"))


@pytest.mark.parametrize("kind", ["head", "piece"])
def test_rubbish_in_a_render_that_is_remembered(kind: str, room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "cache", tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    for found, key in entries(tmp_path / "cache"):
        if found == kind:
            cache.put(kind, key, b"ID3" + bytes(4_000))
    right = (room / "right.mp3").read_bytes()
    assert rendered(room, tmp_path / "cache", tmp_path / "o.mp3") == right


MEMO = ("length_ms", "chapters", "loudness", "peak", "channels", "head", "pieces", "length_changes")
WRONG = {
    "length_ms": [10**15, -1, 0, "1", 1.5, None, True],
    "chapters": [None, [["a"]], [[1, 2]], ["a"], [["a", "b"]]],
    "loudness": [None, "loud", 1],
    "channels": [0, 3, "2", None],
    "head": ["../../../etc/passwd", "", None, 5],
    "pieces": [None, [[0, "../x"]], [[-24, "0" * 40]], [[10**12, "0" * 40]], [["0", "0" * 40]]],
    "length_changes": [None, [1], 5],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in WRONG for v in WRONG[n]])
def test_a_remembered_render_that_is_wrong(
    name: str, value: object, room: Path, tmp_path: Path
) -> None:
    shutil.copytree(room / "cache", tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    (key,) = (key for kind, key in entries(tmp_path / "cache") if kind == "memo")
    told = json.loads(cache.get("memo", key) or b"")
    told[MEMO.index(name)] = value
    cache.put("memo", key, json.dumps(told).encode())
    right = (room / "right.mp3").read_bytes()
    assert rendered(room, tmp_path / "cache", tmp_path / "o.mp3") == right


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "/dev/full", "loop", "folder", "elsewhere"])
def test_an_entry_that_is_no_ordinary_file(what: str, room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "cache", tmp_path / "cache")
    secret = tmp_path / "secret"
    secret.write_text("mine")
    for path in [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]:
        path.unlink()
        odd(path, str(secret) if what == "elsewhere" else what)
    right = (room / "right.mp3").read_bytes()
    assert rendered(room, tmp_path / "cache", tmp_path / "o.mp3") == right
    assert secret.read_text() == "mine"


def test_an_entry_without_an_end_is_not_read(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path, limit_bytes=10_000), Cache.key("a")
    cache.put("kind", key, b"small")
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    os.truncate(path, 1 << 40)  # a hole: it takes no room on the disk, and all memory to read
    assert cache.get("kind", key) is None


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"{}", b"[" * 100_000, b"\xe3\0\0", PICKLE])
def test_rubbish_among_the_voices_tables_is_a_miss(
    rubbish: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hibari import g2p

    from voiceflow.voices.drivers import hibari_model

    real = g2p._load_json
    monkeypatch.setattr(g2p, "_load_json", real)
    monkeypatch.setenv("VOICEFLOW_TABLES", str(tmp_path))
    hibari_model._keep_tables()
    name = "tokenizer_exceptions.json"
    right = g2p._load_json(name)
    assert g2p._load_json(name) == right
    cache = Cache(tmp_path)
    ((kind, key),) = entries(tmp_path)
    cache.put(kind, key, rubbish)
    assert g2p._load_json(name) == right
    assert not list(tmp_path.rglob("MARK"))


def test_nothing_that_can_run_is_ever_read_from_a_file() -> None:
    """marshal, pickle, and the compiled templates of Jinja."""
    package = Path(voiceflow.__file__).parent
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            names = [one.name for one in getattr(node, "names", []) if isinstance(one, ast.alias)]
            module = getattr(node, "module", None) or ""
            for name in (*names, module):
                assert not re.match(r"(marshal|c?[pP]ickle|shelve|dill|joblib)\b", name), path
        assert "bytecode_cache" not in source, path
        assert "allow_pickle=True" not in source, path
