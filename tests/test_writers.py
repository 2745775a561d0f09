"""Every module that writes is known to the tests of faults, or says here why it need not be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from writers import WRITERS

import voiceflow

ROOT = Path(voiceflow.__file__).parent

# What changes files, by the name under which it is called.
CALLS = frozenset(
    "write_text write_bytes touch mkdir makedirs unlink rmdir rmtree mkstemp mkdtemp link"
    " symlink_to hardlink_to ftruncate fsync TemporaryDirectory NamedTemporaryFile PendingFile"
    " write_atomic write_new writing locked copyfile copytree move".split()
)
# Of these names a text, a list and a cache have functions, too: told apart by whose they are.
OF_OS = frozenset({"remove", "rename", "replace", "open", "write"})
WRITES = re.compile(r"[wax+]")

# Writes nothing that anyone would miss.
NOT_HARMED = {
    "__main__": "a word to the terminal",
    "core.opening": "opens to read",
    "audio.decode": "the null device, to keep libmpg123 quiet",
    "player.device": "the null device, to keep a library quiet",
    "cli.main": "the null device, when the reader of a pipe is gone",
    "cli.streams": "the null device, when an output is closed",
    # Its files are renders. It is killed, and its folders and stores fail, in tests/roster.
    "roster.addresses": "sends files to a store, and removes drafts",
    "roster.making": "a folder for a forecast, in the system's temporary folder",
    "roster.shared_cache": "a store that others share; it is checked like the cache when read",
    "roster.workers": "the folders of the files that it renders",
    "script.schema": "for who makes voiceflow, into the checkout",
    "voices.pool": "the folders of workers, in the system's temporary folder",
    "voices.worker": "a clip on its way, in the system's temporary folder",
    "voices.drivers.base": "a clip on its way, in the system's temporary folder",
    "voices.drivers.faulty": "a voice for tests",
    "voices.drivers.hibari_model": "tables in the cache, which is harmed by itself",
    "voices.speaker": "clips in the cache, which is harmed by itself, and in test_faults.py",
}


def writes(node: ast.Call) -> bool:
    """Whether a call changes files."""
    called = node.func
    name = getattr(called, "attr", getattr(called, "id", ""))
    whose = getattr(called, "value", None)
    owner = getattr(whose, "id", getattr(whose, "attr", ""))
    if owner == "self":  # a function of our own
        return False
    if name in CALLS or (owner == "os" and name in OF_OS):
        return True
    # `path.rename(other)`, but `text.replace(old, new)`.
    if name in ("rename", "replace") and len(node.args) == 1 and not node.keywords:
        return isinstance(called, ast.Attribute)
    if name == "put" and owner.endswith("cache"):
        return True
    if name in ("open", "FileIO", "SoundFile"):
        given = [*node.args, *(word.value for word in node.keywords if word.arg == "mode")]
        modes = [one.value for one in given if isinstance(one, ast.Constant)]
        return any(
            isinstance(one, str) and len(one) <= 3 and WRITES.search(one) is not None
            for one in modes
        )
    # What libraries write into a draft, by its path.
    return name == "save" and owner in ("file", "mp4")


def found() -> Iterator[tuple[str, str]]:
    """Each module that writes, and the first place where it does."""
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT).with_suffix("")
        if inside.parts[0] in ("_content", "__pycache__"):
            continue
        lines = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and writes(node)
        ]
        if lines:
            yield ".".join(inside.parts), f"{path.relative_to(ROOT.parent)}:{min(lines)}"


def test_every_module_that_writes_is_harmed_by_the_tests_of_faults() -> None:
    listed = {module for writer in WRITERS.values() for module in writer.modules}
    unknown = [f"{where}: {module}" for module, where in found() if module not in NOT_HARMED]
    missing = [one for one in unknown if one.rpartition(" ")[2] not in listed]
    assert not missing, "put it into tests/writers.py:\n" + "\n".join(missing)


def test_what_is_listed_writes() -> None:
    writing = {module for module, _ in found()}
    assert set(NOT_HARMED) - writing == set(), "it writes nothing any more"
    listed = {module for writer in WRITERS.values() for module in writer.modules}
    assert listed - writing == set(), "it writes nothing any more"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path.write_text('x')", True),
        ("open(path, 'w')", True),
        ("path.open('xb', buffering=0)", True),
        ("path.open(mode='r+b')", True),
        ("path.open('rb')", False),
        ("path.open()", False),
        ("os.replace(a, b)", True),
        ("draft.replace(target)", True),
        ("text.replace('a', 'b')", False),
        ("self._cache.put('clip', key, pcm)", True),
        ("queue.put(one)", False),
        ("shutil.rmtree(folder)", True),
    ],
)
def test_the_look_sees_what_writes(text: str, told: bool) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert writes(call) == told
