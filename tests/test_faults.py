"""What goes wrong, goes wrong well: a right file or a clear error, and nothing left behind.

Whole processes are killed, stopped and starved here. A test knows its own by the folder that it
gave them: every process that voiceflow starts inherits it in its environment.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faults
import pytest
from conftest import BUNDLED, SOUNDS

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import VoiceError
from voiceflow.script.lookup import Library

if not os.environ.get("VOICEFLOW_FAULTS"):
    pytest.skip(
        "kills and hangs take minutes: VOICEFLOW_FAULTS=1 runs them", allow_module_level=True
    )


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

SESSION = """\
title: One Good Thing
phrases: plain
tones: none
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall with your feet hip-width apart, and let both arms hang by your sides.
    reps: 3
    rep:
      - inhale 2.5: Inhale and lift. | Lift.
      - exhale 3: Exhale and lower. | Lower.
"""
SETUP_LINE = 7
HUM, SILENT = "faulty:hum", "silent"


@dataclass(frozen=True)
class Place:
    """A folder with a session, a cache, a place for temporary files, and nothing else."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def target(self) -> Path:
        return self.out / "session.mp3"

    def environment(self, **more: str) -> dict[str, str]:
        package = str(Path(voiceflow.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        return {
            **os.environ,
            "PYTHONPATH": path,
            "VOICEFLOW_CACHE": str(self.cache),
            "VOICEFLOW_HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            **more,
        }

    def render(self, voice: str = HUM, *more: str, target: Path | None = None) -> list[str]:
        out = str(target or self.target)
        command = [sys.executable, "-m", "voiceflow", "render", "session.yaml"]
        return [*command, "-o", out, "--voice", voice, *more]

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> list[int]:
        """All that were started for this place and still run."""
        mark = f"VOICEFLOW_CACHE={self.cache}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def nothing_runs(self) -> bool:
        """Whether all processes end by themselves: a worker looks for its parent now and then."""
        return eventually(lambda: not self.processes())

    def left_over(self) -> list[str]:
        """Whatever lies about that is neither a whole recording nor a whole entry of the cache."""
        everything = [*self.out.rglob("*"), *(self.folder / "tmp").rglob("*")]
        scraps = [path for path in self.cache.rglob("*") if path.suffix == ".part"]
        found = [path for path in everything if path.is_file() and path.parent != self.out]
        hidden = [path for path in self.out.iterdir() if path.name.startswith(".")]
        return [str(path) for path in (*scraps, *found, *hidden)]


def eventually(true: Callable[[], bool], seconds: float = 100) -> bool:
    """Whether it comes true within a time that is generous on any machine."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "place")
    for folder in (made.out, made.folder / "tmp"):
        folder.mkdir(parents=True)
    (made.folder / "session.yaml").write_text(SESSION, encoding="utf-8")
    yield made
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Truth:
    """The bytes that the session comes to with each voice, and how long that took, cold."""

    data: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    place = Place(tmp_path_factory.mktemp("truth"))
    for folder in (place.out, place.folder / "tmp"):
        folder.mkdir()
    (place.folder / "session.yaml").write_text(SESSION, encoding="utf-8")
    data, seconds = {}, 0.0
    for voice in (SILENT, HUM):
        began = time.monotonic()
        assert place.run(place.render(voice)).returncode == 0
        seconds = time.monotonic() - began
        data[voice] = place.target.read_bytes()
    return Truth(data, seconds)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a user reads, which is never a traceback."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "internal error" not in said
    assert "has a fault" not in said
    return said


def within(place: Place, **more: Any) -> Context:
    """For a render in this process."""
    library = Library(place.folder / "home", BUNDLED, SOUNDS)
    return Context(library, more.pop("cache", None) or Cache(place.cache), **more)


def rendered(place: Place, context: Context, voice: str = SILENT) -> bytes:
    script = place.folder / "session.yaml"
    voiceflow.render(script, place.target, options=Options(voice=voice), context=context)
    return place.target.read_bytes()


# Killed, and stopped


@posix
@linux
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_and_rendered_again(place, truth, seed):
    moment = random.Random(seed).uniform(0.05, 1.1) * truth.seconds
    old = b"an older recording"
    place.target.write_bytes(old)
    process = place.start(place.render())
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    process.kill()
    process.communicate()
    assert place.target.read_bytes() in (old, truth.data[HUM])
    assert place.nothing_runs()
    assert place.run(place.render()).returncode == 0
    assert place.target.read_bytes() == truth.data[HUM]
    assert place.left_over() == []


def exporting(place: Place) -> list[str]:
    out = ["--to", str(place.out), "--voice", SILENT]
    return [sys.executable, "-m", "voiceflow", "export", "session.yaml", *out]


def test_an_export_to_a_full_disk_leaves_the_old_files_or_the_new_ones(place, small_disk):
    for path in ("One Good Thing.mp3", "One Good Thing.lrc"):
        (small_disk / path).write_bytes(b"older")
    command = exporting(place)
    command[command.index(str(place.out))] = str(small_disk)
    done = place.run(command)
    assert done.returncode == 1
    assert "no space left" in told(done)
    assert (small_disk / "One Good Thing.mp3").read_bytes() == b"older"
    assert not list(small_disk.glob(".*"))


@posix
@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_stopped_at_any_moment(place, truth, number, share):
    old = b"an older recording"
    place.target.write_bytes(old)
    process = place.start(place.render())
    assert eventually(lambda: bool(place.left_over()) or process.poll() is not None)
    time.sleep(share * truth.seconds)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    if process.returncode == 0:  # it was quicker
        assert place.target.read_bytes() == truth.data[HUM]
    else:
        assert (process.returncode, err.strip()) == (1, "stopped")
        assert place.target.read_bytes() == old
    assert place.nothing_runs()
    assert place.left_over() == []


@posix
@linux
def test_stopped_by_someone_impatient(place, truth):
    process = place.start(place.render())
    assert eventually(lambda: bool(place.left_over()) or process.poll() is not None)
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    assert process.returncode == 1
    assert not place.target.exists()
    assert place.nothing_runs()
    assert place.left_over() == []


@posix
@linux
def test_a_voice_that_is_killed_is_replaced(place, truth):
    process = place.start(place.render())
    killed = 0
    while process.poll() is None and killed < 1:
        for pid in place.processes():
            if pid != process.pid:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        time.sleep(0.005)
    out, err = process.communicate(timeout=120)
    assert killed
    assert (process.returncode, err) == (0, ""), out
    assert place.target.read_bytes() == truth.data[HUM]
    assert place.nothing_runs()
    assert place.left_over() == []


def test_many_at_once_on_one_cache_and_one_target(place, truth):
    targets = [place.target, place.target, place.out / "another.mp3"]
    running = [place.start(place.render(target=target)) for target in targets]
    for process, target in zip(running, targets, strict=True):
        _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert target.read_bytes() == truth.data[HUM]
    assert place.left_over() == []


# A cache that fails


def test_a_file_in_the_caches_place(place, truth):
    place.cache.write_text("mine")
    done = place.run(place.render())
    assert done.returncode == 0
    assert "the cache" in told(done)
    assert place.target.read_bytes() == truth.data[HUM]
    assert place.cache.read_text() == "mine"


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_cache_that_may_not_be_written(place, truth):
    place.cache.mkdir(mode=0o500)
    assert rendered(place, within(place)) == truth.data[SILENT]
    assert not list(place.cache.iterdir())


def test_a_cache_that_is_deleted_again_and_again(place, truth):
    over = threading.Event()

    def delete() -> None:
        while not over.is_set():
            shutil.rmtree(place.cache, ignore_errors=True)
            time.sleep(0.002)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        for voice in (SILENT, HUM):
            assert rendered(place, within(place), voice) == truth.data[voice]
    finally:
        over.set()
        deleting.join()


@linux
def test_clips_that_are_lost_before_they_are_stitched(place, truth, monkeypatch):
    class Forgetful(Cache):
        def get(self, kind: str, key: str) -> bytes | None:
            if kind == "clip" and threading.current_thread() is not threading.main_thread():
                return None
            return super().get(kind, key)

    monkeypatch.setenv("VOICEFLOW_CACHE", str(place.cache))  # workers are known by it
    before = set(place.processes())
    context = within(place, cache=Forgetful(place.cache), jobs=4)
    assert rendered(place, context, HUM) == truth.data[HUM]
    assert eventually(lambda: set(place.processes()) <= before)


def test_a_cache_of_another_version(place, truth):
    rendered(place, within(place))
    (layout,) = place.cache.iterdir()
    other = layout.rename(place.cache / "layout-0")
    for path in other.rglob("*"):
        if path.is_file():
            path.write_bytes(b"as it was done then")
    (place.cache / "layout-99").write_bytes(b"as it will be done")
    before = sorted(path.name for path in other.rglob("*"))
    for _ in range(2):
        assert rendered(place, within(place)) == truth.data[SILENT]
    assert sorted(path.name for path in other.rglob("*")) == before


@pytest.mark.parametrize("room", [0, 1_000, 20_000, 100_000])
def test_a_cache_on_a_disk_that_fills_up(place, truth, room):
    context = within(place)
    with faults.touching(place.cache, faults.Full(room)):
        assert rendered(place, context, HUM) == truth.data[HUM]
    assert "no space left" in context.cache.problem
    assert place.left_over() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte, where one may be made."""
    with faults.small_disk(tmp_path / "small") as folder:
        if folder is None:
            pytest.skip("no file system can be made here")
        yield folder


def test_a_cache_on_a_full_disk_of_its_own(place, truth, small_disk):
    done = place.run(place.render(), VOICEFLOW_CACHE=str(small_disk / "cache"))
    assert done.returncode == 0
    assert "no space left" in told(done)
    assert place.target.read_bytes() == truth.data[HUM]
    assert not [path for path in small_disk.rglob("*") if path.suffix == ".part"]
    again = place.run(place.render(), VOICEFLOW_CACHE=str(small_disk / "cache"))
    assert again.returncode == 0
    assert place.target.read_bytes() == truth.data[HUM]


@pytest.mark.parametrize("years", [-40, 5])
def test_a_clock_that_was_set(place, truth, years):
    rendered(place, within(place))
    then = time.time() + years * 365 * 86_400
    stale = place.out / ".voiceflow-0123456789ab-1-00000000.part"
    stale.write_bytes(b"of another recording")
    for path in place.folder.rglob("*"):
        os.utime(path, (then, then))
    assert rendered(place, within(place)) == truth.data[SILENT]
    (place.folder / "session.yaml").write_text(SESSION.replace("reps: 3", "reps: 2"))
    assert rendered(place, within(place)) != truth.data[SILENT]
    (place.folder / "session.yaml").write_text(SESSION)
    context = within(place, cache=Cache(place.cache, limit_bytes=1))
    assert rendered(place, context) == truth.data[SILENT]


# A place that cannot be written


def test_a_full_disk_under_the_recording(place, small_disk):
    target = small_disk / "session.mp3"
    target.write_bytes(b"an older recording")
    done = place.run(place.render(target=target))
    assert done.returncode == 1
    assert "no space left" in told(done)
    assert [path.name for path in small_disk.iterdir()] == ["session.mp3"]
    assert target.read_bytes() == b"an older recording"


@posix
def test_a_recording_that_grows_too_large(place):
    import resource

    command = place.render(SILENT, "--no-cache")
    limit = 100_000

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        command, cwd=place.folder, env=place.environment(), capture_output=True, text=True,
        preexec_fn=small,
    )  # fmt: skip
    assert done.returncode == 1
    assert "larger than a file may be" in told(done)
    assert list(place.out.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/dev/full", "is not an ordinary file"),
        ("out", "is a folder"),
        ("nowhere/session.mp3", "there is no folder"),
        ("session.yaml/session.mp3", "there is no folder"),
        ("/proc/session.mp3", ""),
        ("x" * 300 + ".mp3", "too long"),
    ],
)
def test_targets_that_cannot_be_written(place, target, words):
    form = () if target.endswith(".mp3") else ("--format", "mp3")
    before = sorted(place.folder.rglob("*"))
    done = place.run(place.render(SILENT, *form, "--no-cache", target=Path(target)))
    assert done.returncode == 1
    assert told(done).startswith("error: ")
    assert words in done.stderr
    assert sorted(place.folder.rglob("*")) == before


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_folder_that_is_read_only(place):
    place.out.chmod(0o500)
    done = place.run(place.render(SILENT))
    assert done.returncode == 1
    assert "permission to write" in told(done)
    assert list(place.out.iterdir()) == []


# Voices that fail

# Patient only with how long a voice takes to load, which says how busy the machine is.
HASTY = (
    "from voiceflow.voices import pool; pool._LOAD_FACTOR = 60;"
    "from voiceflow.voices.speaker import Speaker;"
    "Speaker.__init__.__kwdefaults__['timeout_s'] = 2.0;"
    "from voiceflow.cli.main import main; main()"
)
FAULTS = {
    "hang": "took more than 2 s",
    "crash": "the voice crashed",
    "error": "an error on purpose",
    "empty": "wrote no sound",
    "nothing": "wrote an empty sound",
    "noise": "not audio",
    "silence": "gave silence",
    "short": "too short for its words",
}


@linux
@pytest.mark.parametrize("fault", FAULTS)
def test_a_voice_that_fails_ends_the_render(place, fault):
    render = place.render(f"faulty:{fault}", "--jobs", "1")
    if fault == "hang":
        render[1:3] = ["-c", HASTY]
    done = place.run(render)
    assert done.returncode == 1
    said = told(done)
    assert said.startswith(f"error: session.yaml:{SETUP_LINE}:")
    assert FAULTS[fault] in said
    assert "Stand tall with your feet" in said
    assert said.count("\n") == 1
    assert list(place.out.iterdir()) == []
    assert place.nothing_runs()
    assert place.left_over() == []


@linux
def test_a_voice_that_cannot_be_loaded(place):
    done = place.run(place.render("faulty:load"))
    assert done.returncode == 1
    assert "cannot be loaded, on purpose" in told(done)
    assert list(place.out.iterdir()) == []
    assert place.nothing_runs()


@linux
def test_a_voice_that_crashes_once_is_given_another_chance(place, truth):
    mark = place.folder / "crashed"
    done = place.run(place.render(f"faulty:once:{mark}"))
    assert (done.returncode, done.stderr) == (0, "")
    assert mark.exists()
    assert len(place.target.read_bytes()) > 0
    assert place.nothing_runs()
    assert place.left_over() == []


def test_a_failure_is_an_error_of_the_librarys_own(place):
    with pytest.raises(VoiceError, match=r"session\.yaml:7:12: .*Stand tall") as caught:
        rendered(place, within(place, jobs=1), "faulty:error")
    assert caught.value.exit_code == 1
    assert caught.value.text.startswith("Stand tall")
    assert list(place.out.iterdir()) == []


# What the command line answers

ANSWERS = [
    (0, ["--version"], "voiceflow"),
    (0, ["list", "paces"], "calm"),
    (0, ["show", "session.yaml", "--voice", "silent"], "Arm Float"),
    (2, ["render", "hip-bakc"], "hip-back"),
    (2, ["render", "session.yaml", "--pace", "clam"], "calm"),
    (2, ["render", "session.yaml", "--voice", "nobody"], "no voice"),
    (2, ["render", "session.yaml", "--tones", "bowls"], "bowl"),
    (2, ["render", "session.yaml", "--set", "tempi=1"], "tempo"),
    (2, ["render", "session.yaml", "--minutes", "90", "--voice", "silent"], "cannot last"),
    (2, ["render", "session.yaml", "-o", "out.mp4"], ".mp4"),
    (2, ["render", "wrong.yaml"], "wrong.yaml:10:9"),
    (2, ["render", "nowhere.yaml"], "nowhere.yaml"),
    (2, ["render"], "SESSION"),
    (2, ["rendre", "session.yaml"], "rendre"),
    (1, ["render", "session.yaml", "--voice", "piper:/none.onnx"], "Piper"),
]


@pytest.mark.parametrize(("code", "command", "words"), ANSWERS, ids=lambda one: str(one)[:50])
def test_exit_codes_and_clear_words(place, code, command, words):
    (place.folder / "wrong.yaml").write_text(SESSION.replace("- inhale 2.5", "- inhail 2.5"))
    done = place.run([sys.executable, "-m", "voiceflow", *command])
    said = told(done)
    assert done.returncode == code, said
    assert words in (said if code == 0 else done.stderr)
    assert not [path for path in place.folder.iterdir() if path.suffix in (".mp3", ".part")]
