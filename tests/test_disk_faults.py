"""Whatever fails while voiceflow writes: each file is the old one or the new one, and all goes on.

Everything that is written (`writers.py`) meets every fault (`faults.py`): it is killed at each of
its changes, the system fails each of them, the disk is full at any byte.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import CHANGES, READS, Failing, Fault, Full, evenly, killed_at_each_step, small_disk
from faults import touching as harmed
from writers import WRITERS, Writer, scraps

from voiceflow.core.errors import VoiceflowError

if not os.environ.get("VOICEFLOW_FAULTS"):
    pytest.skip("each step of all writing: VOICEFLOW_FAULTS=1 runs it", allow_module_level=True)
if os.name != "posix" or not Path("/proc/self/fd").exists():
    pytest.skip("needs processes and descriptors as Linux has them", allow_module_level=True)

# So many steps of an operation are harmed, evenly over all; VOICEFLOW_FAULTS=1000 takes every one.
STEPS = int(os.environ.get("VOICEFLOW_FAULTS") or 0)
_LONG = ("recording.wav", "recording.flac", "recording.ogg", "recording.opus", "export.m4b")
SERVED = ("keeping", "removing", "playing")

REASONS = {
    errno.ENOSPC: "no space left",
    errno.EIO: "the disk reports an error",
    errno.EMFILE: "too many files are open at once",
}
JARGON = re.compile(r"Errno|Error\b|Traceback|<class|NoneType|\bNone\b|Exception")


@dataclass(frozen=True)
class Known:
    """What there was before an operation, and what there is after it; how much it does."""

    name: str
    writer: Writer
    before: Path
    old: Mapping[str, object]
    new: Mapping[str, object]
    acts: Fault

    def count(self, kinds: tuple[str, ...]) -> int:
        return sum(act.kind in kinds for act in self.acts.acts)

    def whole(self, folder: Path) -> Mapping[str, object]:
        """What is there; fails if anything is neither the old nor the new."""
        found = self.writer.standing(folder)
        assert set(found) <= set(self.old) | set(self.new)
        for name in set(self.old) | set(self.new):
            assert found.get(name) in (self.old.get(name), self.new.get(name)), name
        return found

    def goes_on(self, folder: Path) -> None:
        """Once nothing fails any more, it is done, and nothing is left of the time before."""
        self.writer.act(folder)
        found = self.writer.standing(folder)
        if self.writer.again:
            assert found == self.new
        else:
            # A session that was kept is kept once more, under another name: the first is whole,
            # and its sound is made when it is asked for.
            assert set(found) >= {name for name in self.new if not name.endswith(".mp3")}
        assert scraps(folder) == []


@pytest.fixture(scope="module")
def known_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Known]:
    made: dict[str, Known] = {}

    def of(name: str) -> Known:
        if name not in made:
            if "m4b" in name:
                pytest.importorskip("av", reason="the extra `m4b` is not installed")
            if WRITERS[name].modules[-1].startswith("server") or name in SERVED:
                pytest.importorskip("starlette", reason="the extra `serve` is not installed")
            root = tmp_path_factory.mktemp("known")
            writer, acts = WRITERS[name], Fault()
            writer.prepare(root / "before")
            shutil.copytree(root / "before", root / "after")
            with harmed(root / "after", acts):
                writer.act(root / "after")
            old, new = writer.standing(root / "before"), writer.standing(root / "after")
            assert old != new, "a test of it could not fail"
            made[name] = Known(name, writer, root / "before", old, new, acts)
        return made[name]

    return of


@pytest.fixture
def known(request: pytest.FixtureRequest, known_of: Callable[[str], Known]) -> Known:
    return known_of(request.param)


every = pytest.mark.parametrize("known", WRITERS, indirect=True)


@every
def test_killed_at_each_step(known: Known, tmp_path: Path) -> None:
    most = max(STEPS, 3 if known.name in _LONG else 6)
    count = killed_at_each_step(known.name, tmp_path, most)
    for step in evenly(count, most):
        folder = tmp_path / str(step)
        known.whole(folder)
        known.goes_on(folder)


def fails_well(known: Known, folder: Path, fault: Fault, number: int, *, code: int = 1) -> None:
    """The operation is done, or ends with an error of ours that says why; then it works again."""
    wrong: VoiceflowError | None = None
    try:
        with harmed(folder, fault):
            known.writer.act(folder)
    except VoiceflowError as error:
        wrong = error
    if wrong is not None:
        said = str(wrong)
        assert wrong.exit_code <= code, said
        assert REASONS[number] in said
        # What could not be read may be any file, a script among them.
        assert known.writer.named in said or (set(fault.kinds) & set(READS) and "/" in said)
        assert not JARGON.search(said), said
        assert known.writer.told, said
    known.whole(folder)
    left = scraps(folder)
    if "open" in fault.kinds:  # without a descriptor no folder is looked into, nor emptied
        left = [one for one in left if not one.startswith("tmp/")]
    # On a disk that does not even delete, a draft waits for the next time.
    assert "remove" in fault.kinds or left == []
    known.goes_on(folder)


KINDS = {
    "full": (errno.ENOSPC, ("make", "write", "sync", "mkdir")),
    "broken": (errno.EIO, CHANGES),
    "unreadable": (errno.EIO, READS),
    "no descriptor": (errno.EMFILE, ("open", "make")),
}


@every
@pytest.mark.parametrize("kind", KINDS)
def test_failed_at_each_step(known: Known, kind: str, tmp_path: Path) -> None:
    number, kinds = KINDS[kind]
    for step in evenly(known.count(kinds), max(STEPS, 2 if known.name in _LONG else 3)):
        folder = tmp_path / str(step)
        shutil.copytree(known.before, folder)
        # What cannot be read may be a script, and then what was given is wrong.
        fails_well(known, folder, Failing(number, kinds, at=step), number, code=2)


@every
@pytest.mark.parametrize("kind", KINDS)
def test_failed_for_good(known: Known, kind: str, tmp_path: Path) -> None:
    number, kinds = KINDS[kind]
    if known.name in _LONG and STEPS < 10:
        pytest.skip("long, and much like the others")
    folder = tmp_path / "place"
    shutil.copytree(known.before, folder)
    fault = Failing(number, kinds, at=1 + known.count(kinds) // 2, times=float("inf"))
    fails_well(known, folder, fault, number, code=2)


@every
def test_a_disk_that_fills_up(known: Known, tmp_path: Path) -> None:
    size = sum(act.size for act in known.acts.acts)
    for number, room in enumerate((0, size // 3)):
        folder = tmp_path / str(number)
        shutil.copytree(known.before, folder)
        fails_well(known, folder, Full(room), errno.ENOSPC)


@pytest.mark.parametrize("kind", ["render", "export", "keep", "pair", "settings"])
def test_killed_at_random_moments(kind: str, tmp_path: Path) -> None:
    """As often as one likes: `tests/long/test_killed_long.py`."""
    pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
    from killing import kill_again_and_again

    kill_again_and_again(kind, tmp_path / "place", 2, seed=1)


NATIVE = [name for name in WRITERS if name.startswith(("recording", "export"))]


@pytest.mark.parametrize("known", NATIVE, indirect=True)
def test_a_real_disk_that_is_full(known: Known, tmp_path: Path) -> None:
    """Also of what writes past Python: libsndfile and FFmpeg."""
    folder = tmp_path / "place"
    shutil.copytree(known.before, folder)
    shutil.rmtree(folder / "out")
    # A page for each of the old files, and too few for the new.
    size = 4 * (len(known.old) + 5)
    with small_disk(folder / "out", f"{size}k") as disk:
        if disk is None:
            pytest.skip("no file system can be made here")
        for path in (known.before / "out").iterdir():
            shutil.copy(path, disk)
        with pytest.raises(VoiceflowError) as caught:
            known.writer.act(folder)
        said = str(caught.value)
        assert "no space left" in said
        assert known.writer.named in said
        assert caught.value.exit_code == 1
        assert not JARGON.search(said)
        known.whole(folder)
        assert scraps(folder) == []
