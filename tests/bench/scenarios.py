"""What is measured: each scenario a few whole processes, in folders of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processes import FailedError, Run, cores, median, run, together

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SESSION = "hip-back"
CUES = ("softly", "evenly", "gently", "slowly", "smoothly", "quietly", "easily")
TEMPOS = (0.96, 0.94, 0.98, 0.92, 0.97, 0.93, 0.95)
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Times:
    """How often: of what takes long, of what takes a second or two, of what takes no time."""

    long: int
    short: int
    tiny: int


QUICK = Times(1, 3, 5)
FULL = Times(3, 5, 15)


@dataclass
class Bench:
    """All runs so far, by name. Everything it writes stands in `folder`."""

    folder: Path
    times: Times
    ffmpeg: str | None
    tell: Callable[[str], None] = print
    runs: dict[str, list[Run]] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    # Helpers

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the bench: should it fail, the rest goes on and the report says so."""
        try:
            yield
        except (FailedError, OSError, ValueError, LookupError) as error:
            self.failed[name] = str(error)
            self.tell(f"  {name} failed: {error}")

    def seconds(self, name: str) -> float | None:
        """The median of all runs called `name`."""
        found = self.runs.get(name)
        return median([one.seconds for one in found]) if found else None

    def cpu(self, name: str) -> float | None:
        """The median of the processor seconds of all runs called `name`."""
        found = [one.cpu for one in self.runs.get(name, ()) if one.cpu is not None]
        return median(found) if found else None

    def peak_mb(self, name: str) -> float | None:
        """The most memory that any process of any run called `name` took."""
        found = [one.peak_mb for one in self.runs.get(name, ()) if one.peak_mb is not None]
        return max(found, default=None)

    def environment(self, cache: str, home: str = "home") -> dict[str, str]:
        path = [str(ROOT)] if (ROOT / "voiceflow").is_dir() else []
        path += filter(None, [os.environ.get("PYTHONPATH", "")])
        own = {
            "PYTHONPATH": os.pathsep.join(path),
            "VOICEFLOW_CACHE": str(self.folder / "caches" / cache),
            "VOICEFLOW_HOME": str(self.folder / home),
        }
        return {**os.environ, **own}

    def measure(
        self,
        name: str,
        command: Sequence[str],
        cache: str = "none",
        home: str = "home",
        timeout_s: float = 300,
    ) -> Run:
        done = run(command, self.environment(cache, home), self.folder, timeout_s)
        self.runs.setdefault(name, []).append(done)
        cpu = f"{done.cpu:8.3f} CPU-s" if done.cpu is not None else ""
        peak = f"{done.peak_mb:5.0f} MB" if done.peak_mb else ""
        self.tell(f"  {name:<44} {done.seconds:8.3f} s {cpu} {peak}")
        return done

    def quietly(self, command: Sequence[str], cache: str, home: str = "home") -> Run:
        """Run what only prepares a measurement."""
        return run(command, self.environment(cache, home), self.folder)

    def forget(self, cache: str) -> None:
        shutil.rmtree(self.folder / "caches" / cache, ignore_errors=True)

    def copy(self, cache: str, to: str) -> None:
        self.forget(to)
        shutil.copytree(self.folder / "caches" / cache, self.folder / "caches" / to)

    # Parts

    def begin(self) -> None:
        """Let every module be compiled, so that the first run is no other than the next."""
        self.quietly(voiceflow("list"), "begin")
        self.quietly(voiceflow("render", "breathing", "-o", "begin.mp3"), "begin")
        self.quietly(voiceflow("render", "breathing", "-o", "begin.wav", "--bed", "rain"), "begin")

    def starts(self) -> None:
        """Turn by turn, so that a busy moment meets all of them."""
        for _ in range(self.times.tiny):
            self.measure("python", [sys.executable, "-c", "pass"])
            self.measure("import click", [sys.executable, "-c", "import click"])
            self.measure("--help", voiceflow("--help"))
            self.measure("list", voiceflow("list"))

    def main_session(self) -> None:
        """Cold and warm, natural (which is the default) and espeak."""
        for voice, short, options in (("natural", "n", ()), ("espeak", "e", ("--voice", "espeak"))):
            command = render(SESSION, *options)
            for _ in range(self.times.long):
                self.forget(short)
                self.measure(f"cold, {voice}", command, short)
            for _ in range(self.times.short):
                self.measure(f"warm, {voice}", command, short)
        self._held_to(self.folder / "out.mp3", "length, espeak")

    def encode_only(self) -> None:
        """FFmpeg's libmp3lame on the finished WAV; half before and half after the rest."""
        if self.ffmpeg is None:
            raise FailedError("there is no FFmpeg: pip install imageio-ffmpeg")
        wav = self.folder / "session.wav"
        if not wav.exists():
            self.quietly(voiceflow("render", SESSION, "-o", str(wav)), "n")
        command = [self.ffmpeg, "-v", "error", "-y", "-i", str(wav), "-c:a", "libmp3lame"]
        for _ in range(self.times.long):
            self.measure("encode-only", [*command, "-b:a", "96k", "-ac", "2", "encoded.mp3"])

    def naive(self) -> None:
        if self.ffmpeg is None:
            raise FailedError("there is no FFmpeg: pip install imageio-ffmpeg")
        score = self.quietly(voiceflow("show", SESSION, "--voice", "espeak", "--json"), "e").said
        (self.folder / "score.json").write_text(score, encoding="utf-8")
        script = [sys.executable, str(HERE / "naive.py"), "score.json", "naive.mp3", self.ffmpeg]
        for _ in range(self.times.long):
            self.measure("naive", script, timeout_s=900)
        self._held_to(self.folder / "naive.mp3", "length, naive")

    def floor(self) -> None:
        """The engines alone, on all cores."""
        folder = self.folder / "floor"
        folder.mkdir(exist_ok=True)
        script = [sys.executable, str(HERE / "floor.py")]
        said = self.quietly([*script, "prepare", SESSION, str(folder)], "n").said
        self.facts.update({f"different {key}": one for key, one in json.loads(said).items()})
        alone = self.environment("none") | dict.fromkeys(ONE_THREAD, "1")
        spoken, worked, encoded = [], [], []
        for _ in range(self.times.long):
            parts = [[*script, "speak", str(folder), str(n), str(cores())] for n in range(cores())]
            seconds, told = together(parts, alone, self.folder)
            spoken.append(seconds)
            worked.append(max(json.loads(one)["work"] for one in told))
            done = self.quietly([*script, "encode", str(folder), str(cores())], "none")
            encoded.append(json.loads(done.said)["work"])
            self.tell(f"  floor: speak {seconds:.3f} s, encode {encoded[-1]:.3f} s")
        start = self.seconds("python") or 0.0
        self.facts["floor, speech"] = median(spoken)
        self.facts["floor, speech without loading"] = median(worked)
        self.facts["floor, encoding"] = median(encoded)
        self.facts["floor"] = median(spoken) + median(encoded) + start
        self.facts["floor without loading"] = median(worked) + median(encoded) + start

    def tempo(self) -> None:
        """Another pace. `show` has its few new words spoken before, so that speech is known."""
        for tempo in TEMPOS[: self.times.short]:
            options = (SESSION, "--set", f"tempo={tempo}")
            self.copy("n", "t")
            self.measure("tempo changed", render(*options), "t")
            self.copy("n", "t")
            self.quietly(voiceflow("show", *options), "t")
            self.measure("tempo changed, speech known", render(*options), "t")

    def edited(self) -> None:
        """The session in a library of the user's own, one cue of it in other words."""
        home = self.folder / "edited"
        for kind in ("sessions", "exercises"):
            shutil.copytree(ROOT / "scripts" / kind, home / kind, dirs_exist_ok=True)
        path = home / "exercises" / "bridge.yaml"
        before = path.read_text(encoding="utf-8")
        self.copy("n", "u")
        self.quietly(render(SESSION), "u", "edited")
        for cue in CUES[: self.times.short]:
            new = rf"\1Exhale, and lift your hips {cue}."
            after, count = re.subn(r"(- exhale [\d.]+: )Exhale[^|\n]*\.", new, before, count=1)
            if not count:
                raise FailedError("bridge has no cue to edit")
            path.write_text(after, encoding="utf-8")
            self.measure("one cue edited", render(SESSION), "u", "edited")

    def lengths(self) -> None:
        """`--minutes`, first with the few words that are new, then again."""
        for minutes in (10, 30, 60):
            self.copy("n", "m")
            command = render(SESSION, "--minutes", str(minutes))
            self._first_and_again(f"--minutes {minutes}", command, "m")

    def three_hours(self) -> None:
        """The same session, all repetitions many times over, set to 180 minutes."""
        text = (ROOT / "scripts" / "sessions" / f"{SESSION}.yaml").read_text(encoding="utf-8")
        long = re.sub(r"reps: (\d+)", lambda found: f"reps: {7 * int(found[1])}", text)
        path = self.folder / "three-hours.yaml"
        path.write_text(long, encoding="utf-8")
        command = render(str(path), "--minutes", "180")
        for _ in range(self.times.long):
            self.forget("h")
            self.measure("180 min, cold", command, "h")
        for _ in range(self.times.short):
            self.measure("180 min, warm", command, "h")
        shutil.rmtree(self.folder / "caches" / "h" / "layout-1" / "memo", ignore_errors=True)
        self.measure("180 min, warm, decided anew", command, "h")
        self.forget("h")

    def repetitions(self) -> None:
        for count in (10, 1000):
            path = self.folder / f"reps-{count}.yaml"
            path.write_text(f"title: Many\nexercises:\n  - bridge: {{reps: {count}}}\n")
            for _ in range(self.times.short):
                self.forget("r")
                self.measure(f"{count} repetitions, cold", render(str(path)), "r")

    def looking(self) -> None:
        for _ in range(self.times.short):
            self.measure("show", voiceflow("show", SESSION), "n")
            self.measure("check", voiceflow("check", SESSION), "n")
        script = [sys.executable, str(HERE / "arranging.py"), SESSION, "60"]
        found = [json.loads(self.quietly(script, "n").said) for _ in range(self.times.short)]
        self.facts["arranging 60 minutes, clips known"] = median([one["seconds"] for one in found])

    def first_bytes(self) -> None:
        """The library's iterator, to its first bytes and no further."""
        script = [sys.executable, str(HERE / "first_bytes.py"), SESSION]
        for _ in range(self.times.long):
            self.forget("f")
            self.measure("first bytes, cold", script, "f")
        for _ in range(self.times.short):
            told = json.loads(self.measure("first bytes, warm", script, "n").said)
            self.measure("whole iterator, warm", [*script, "whole"], "n")
        self.facts["first tag, warm, after Python's start"] = told["tag"]
        self.facts["first sound, warm, after Python's start"] = told["sound"]

    def _first_and_again(self, name: str, command: Sequence[str], cache: str) -> None:
        self.measure(f"{name}, new", command, cache)
        for _ in range(self.times.short):
            self.measure(f"{name}, again", command, cache)

    def _held_to(self, path: Path, name: str) -> None:
        """Remember how long a recording is, so that the report shows like held against like."""
        import mutagen.mp3

        self.facts[name] = mutagen.mp3.MP3(path).info.length


def voiceflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "voiceflow", *arguments]


def render(session: str, *options: str) -> list[str]:
    return voiceflow("render", session, "-o", "out.mp3", "--profile", *options)
