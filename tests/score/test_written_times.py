"""Written times, measured in the sound: MP3s decoded by libsndfile and held against their script.

What a script says is read without voiceflow (`written`). The score only says *which* onset to
look for; where that onset is, the decoded sound says. Ten kinds of session, at the three paces, in
the three details, with all tone sets, with `--minutes` and `--set rest=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from listening import decode, loudest, onset
from written import Stretch, Timed, rests, root_of, stretches, wrote

import voiceflow
from voiceflow.core.cache import Cache
from voiceflow.core.errors import TimingError
from voiceflow.lint import Finding, prove
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.score.score import Event

FOLDER = Path(__file__).parent / "written_times"
NEAR_MS = 24
# A clip or a bell ends anywhere, and the silence after it begins on the grid.
ROUNDED_MS = 24
TEMPO = {"calm": 0.9, "steady": 1.0, "brisk": 1.15}
# Speech and signals begin at once. A wake tone runs into the word that follows it, but it is far
# softer. A breath tone alone swells up from nothing: what is heard of it first is very soft, and
# a bowl or a wave is heard so many milliseconds late (measured; within 7 of them).
SHARP_DB, WOKEN_DB, SWELLING_DB = -60, -40, -95
SWELLING_MS = {"inhale": 17, "hold": 8}
QUIET_DB = -60


@dataclass(frozen=True)
class Asked:
    """A render, and the rests in it that `check` must call longer than written."""

    session: str
    pace: str = "steady"
    detail: str = "full"
    tones: str = "bowl"
    voice: str = "faulty:hum"
    minutes: float | None = None
    rest: float | None = None
    longer: frozenset[str] = frozenset()

    @property
    def options(self) -> Options:
        rest = () if self.rest is None else (("rest", self.rest),)
        minutes_ms = None if self.minutes is None else round(self.minutes * 60_000)
        return Options(
            pace=self.pace, voice=self.voice, tones=self.tones, mono=True,
            pacing=(("detail", self.detail), *rest), minutes_ms=minutes_ms,
        )  # fmt: skip

    def __str__(self) -> str:
        told = (getattr(self, one.name) for one in fields(self) if one.name != "longer")
        return " ".join(str(one) for one in told if one is not None).replace("faulty:", "")


# Words that no one may leave out need more than the 6 seconds that are written: on purpose.
HURRIED = frozenset({"Cat and Cow"})
QUICK = (
    Asked("tabata"),
    Asked("mat-class", tones="none", longer=HURRIED),
    Asked("nidra", "calm", tones="ocean"),
    Asked("clinic-sheet", "brisk", "tones", "pluck"),
    Asked("pyramid", "calm", "brief", minutes=4),
    Asked("run-walk", "brisk"),
)
SLOW = (
    Asked("mat-class", "calm", tones="ocean", voice="natural", longer=HURRIED),
    Asked("mat-class", "brisk", "brief", minutes=6, longer=HURRIED),
    Asked("mat-class", detail="tones", tones="pluck", rest=30),
    Asked("clinic-sheet", "calm", voice="natural"),
    Asked("clinic-sheet", detail="brief", tones="none", minutes=5.5),
    Asked("tabata", "calm", tones="none", voice="natural"),
    Asked("tabata", "brisk", "brief", "pluck", minutes=4),
    Asked("tabata", detail="tones", rest=15),
    Asked("run-walk", "calm", tones="none", voice="natural"),
    Asked("run-walk", detail="brief", tones="ocean", minutes=4),
    Asked("nidra", "brisk", tones="none", voice="natural", minutes=4.8),
    Asked("nidra", detail="tones"),
    Asked("box-breath", tones="none", voice="natural"),
    Asked("box-breath", "calm", "tones", "ocean"),
    Asked("box-breath", "brisk", "brief", "pluck", minutes=7),
    Asked("retention", "calm", voice="natural"),
    Asked("retention", "brisk", "brief", "none"),
    # Tones alone, but plucked: a wave of half a minute comes too slowly to tell when it begins.
    Asked("retention", detail="tones", tones="pluck", minutes=4.8),
    Asked("pyramid", voice="natural"),
    Asked("pyramid", "brisk", "tones", "none"),
    Asked("stretches", "calm", tones="ocean", voice="natural"),
    Asked("stretches", "brisk", "brief", minutes=5),
    Asked("stretches", detail="tones", tones="pluck"),
    Asked("prenatal", "brisk", voice="natural"),
    Asked("prenatal", "calm", "brief", "pluck"),
    Asked("prenatal", detail="tones", minutes=8.4),
)
# Shorter than its silences allow: it is refused, or met without them.
REFUSED = Asked("nidra", detail="tones", minutes=3.9)
RENDERS = [*QUICK, *(pytest.param(one, marks=pytest.mark.slow) for one in (*SLOW, REFUSED))]


@dataclass
class Heard:
    """A recording, and what its script, its plan and `check` say of it. Times in milliseconds."""

    asked: Asked
    decision: Decision
    findings: tuple[Finding, ...]
    level: np.ndarray
    rate: int
    longer: set[str] = field(default_factory=set)

    @cached_property
    def found(self) -> list[Stretch]:
        root = root_of(FOLDER / f"{self.asked.session}.yaml")
        return stretches(self.decision, wrote(root, self.asked.rest))

    @cached_property
    def events(self) -> list[Event]:
        return [one for one in self.decision.score.events if one.name != "wake"]

    @cached_property
    def woken(self) -> dict[int, int]:
        """For each end of a wake tone, its start."""
        wakes = (one for one in self.decision.score.events if one.name == "wake")
        return {one.end_ms: one.start_ms for one in wakes}

    def at(self, start_ms: int) -> float | None:
        """When the sound that the score has at `start_ms` is heard to begin."""
        here = [one for one in self.events if one.start_ms == start_ms]
        if not here:
            return None
        if start_ms in self.woken:
            return onset(self.level, self.rate, start_ms, WOKEN_DB)
        if any(one.kind == "speech" or not one.breath for one in here):
            return onset(self.level, self.rate, start_ms, SHARP_DB)
        late = 0 if self.asked.tones == "pluck" else SWELLING_MS.get(here[0].name, 0)
        heard = onset(self.level, self.rate, start_ms, SWELLING_DB)
        return None if heard is None else heard - late

    def start(self, index: int) -> float | None:
        return self.at(self.decision.arranged.starts[index])

    def next_event(self, after_ms: float) -> int:
        return min(one.start_ms for one in self.events if one.start_ms >= after_ms)

    def length_ms(self, stretch: Stretch, index: int) -> float | None:
        """What the script says of the moment at `index`; None for words and bells."""
        if stretch.wrote.box or stretch.wrote.work:
            return (stretch.wrote.box or stretch.wrote.work or 0) * 1000
        step = stretch.step(index)
        tempo = 1 if step.exact else TEMPO[self.asked.pace]
        return step.seconds * 1000 / tempo or None

    def ends(self, index: int, length_ms: float) -> tuple[float | None, float | None]:
        """When a moment of `length_ms` must end by its own onset; the onset heard there.

        A silence has no onset: it ends where the next sound begins.
        """
        start = self.start(index)
        if self.decision.plan.moments[index].kind == "silence":
            heard = self.at(self.next_event(self.decision.arranged.starts[index]))
            return heard, heard
        if start is None:
            return None, None
        due = start + length_ms
        after = self.next_event(due - 4 * NEAR_MS)
        return due, self.at(after) if after < due + 4 * NEAR_MS else None

    def faults(self) -> Iterator[str]:
        for stretch in self.found:
            for index in range(stretch.first, stretch.last + 1):
                yield from self.step_faults(stretch, index)
        for one, after in rests(self.found):
            yield from self.rest_faults(one, after)
        yield from self._unheard_warnings()

    def step_faults(self, stretch: Stretch, index: int) -> Iterator[str]:
        length = self.length_ms(stretch, index)
        if length is None:
            return
        what = f"{stretch.wrote.name}, moment {index}, {length / 1000:.2f} s"
        if stretch.wrote.steps and stretch.step(index).kind == "silence":
            yield from self._silence(stretch, index, length, what)
            return
        if index < stretch.last and stretch.step(index + 1).kind == "silence":
            return  # that tells its end
        due, heard = self.ends(index, length)
        if due is None:
            if self._sounds(index):
                yield f"{what}: its beginning is not heard"
        elif heard is None:
            yield f"{what}: nothing begins at its end"
        elif abs(heard - due) > NEAR_MS:
            yield f"{what}: {heard - due:+.0f} ms at its end"

    def _sounds(self, index: int) -> bool:
        """Whether the score has anything at the beginning of a moment: else there is no onset."""
        start = self.decision.arranged.starts[index]
        return any(one.start_ms == start for one in self.events) or self.asked.detail != "tones"

    def _silence(self, stretch: Stretch, index: int, length: float, what: str) -> Iterator[str]:
        starts = self.decision.arranged.starts
        after = self.next_event(starts[index])
        end = self.at(after)
        if end is None:
            yield f"{what}: its end is not heard"
            return
        quiet_to = min(end, self.woken.get(after, end)) - 2 * NEAR_MS
        if self._loudest(end - length + 2 * NEAR_MS, quiet_to) > QUIET_DB:
            yield f"{what}: it is not silent"
        before = stretch.step(index - 1) if index > stretch.first else None
        begin = self._end_before(index, stretch, before)
        rounded = 0 if before and before.seconds else ROUNDED_MS
        if begin and not -NEAR_MS <= end - begin - length <= NEAR_MS + rounded:
            yield f"{what}: {end - begin:.0f} ms of silence"

    def _end_before(self, index: int, stretch: Stretch, before: Timed | None) -> float | None:
        """When what comes before a silence ends: a breath by the script, words by their clip."""
        if before is None:
            return None
        if before.seconds:
            start = self.start(index - 1)
            return start and start + (self.length_ms(stretch, index - 1) or 0)
        limit = self.decision.arranged.starts[index]
        last = max((one for one in self.events if one.start_ms < limit), key=lambda e: e.start_ms)
        start = self.at(last.start_ms)
        return start and start + last.length_ms

    def _loudest(self, start_ms: float, end_ms: float) -> float:
        part = self.level[int(start_ms * self.rate / 1000) : int(end_ms * self.rate / 1000)]
        return 20 * np.log10(max(1e-6, float(part.max(initial=0))))

    def rest_faults(self, one: Stretch, after: Stretch) -> Iterator[str]:
        length = self.length_ms(one, one.last)
        begin = self.start(after.first)
        if length is None or one.wrote.rest is None:
            return
        due, end = self.ends(one.last, length)
        end = end or due
        what = f"rest after {one.wrote.name}, {one.wrote.rest:g} s"
        if end is None or begin is None:
            if self._sounds(one.last) and self._sounds(after.first):
                yield f"{what}: its ends are not heard"
            return
        lasts = (begin - end) / 1000
        if lasts - one.wrote.rest > NEAR_MS / 1000 and self._told(one.wrote.rest, lasts):
            self.longer.add(one.wrote.name)
        elif abs(lasts - one.wrote.rest) > NEAR_MS / 1000:
            yield f"{what}: {lasts:.3f} s are heard"

    def _told(self, written: float, heard: float) -> bool:
        """Whether `check` tells of a rest of so many seconds that lasts so many."""
        return any(
            abs(told[0] - heard) <= 0.1 and abs(told[1] - written) < 0.001
            for told in map(_seconds, self.findings)
            if len(told) >= 2
        )

    def _unheard_warnings(self) -> Iterator[str]:
        warned = {one.exercise for one in self.findings if one.rule == "rest-longer"}
        for name in sorted(str(one) for one in warned - self.longer):
            yield f"`check` warns of the rest after {name}, which is as written"


def _seconds(finding: Finding) -> list[float]:
    """The seconds that a warning of a rest tells: as heard, then as written."""
    if finding.rule != "rest-longer":
        return []
    return sorted((float(n) for n in re.findall(r"([\d.]+) s\b", finding.message)), reverse=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """One for all: the clips of a voice are spoken once."""
    return Cache(tmp_path_factory.mktemp("written") / "cache")


def listen(asked: Asked, target: Path, context: Context) -> Heard:
    path = FOLDER / f"{asked.session}.yaml"
    voiceflow.render(path, target, options=asked.options, context=context)
    prepared = prepare(path, asked.options, context, ahead=False)
    proof = prove(prepared.decision, prepared.instruments.tones)
    samples, rate = decode(target)
    return Heard(asked, prepared.decision, proof.findings, loudest(samples), rate)


@pytest.mark.parametrize("asked", RENDERS, ids=str)
def test_every_written_time_is_heard(asked: Asked, tmp_path: Path, cache: Cache) -> None:
    try:
        heard = listen(asked, tmp_path / "heard.mp3", Context(cache=cache))
    except TimingError as error:
        if asked != REFUSED:
            raise
        pytest.skip(f"written times leave no such length: {error.message}")
    assert heard.found
    faults = list(heard.faults())
    assert not faults, "\n" + "\n".join(faults)
    assert heard.longer == asked.longer


SILENCES = """\
title: Still
exercises:
  - name: Lie
    position: supine
    setup: Lie down.
    air: AIR
    flow:
      - say: Let the floor carry you.
      - silence 3s
      - say: Feel your right hand. Feel each finger of it.
      - silence 60s
      - say: Your right hand is heavy.
    finish: Move your toes.
"""
UNWOKEN = "about: Signals, and no wake tone.\nlike: none\nwake: none\n"


@pytest.mark.parametrize(
    ("voice", "air"),
    [
        ("faulty:hum", 0.4),
        ("faulty:hum", 0.1),
        pytest.param("natural", 0.4, marks=pytest.mark.slow),
    ],
)
def test_a_silence_lasts_from_the_last_word_to_the_next(
    voice: str, air: float, tmp_path: Path, cache: Cache
) -> None:
    """Nothing but the sound is asked: how long it is quiet between two words."""
    script, tones = tmp_path / "still.yaml", tmp_path / "sounds" / "unwoken.yaml"
    script.write_text(SILENCES.replace("AIR", str(air)), encoding="utf-8")
    tones.parent.mkdir()
    tones.write_text(UNWOKEN, encoding="utf-8")
    options = Options(voice=voice, tones="unwoken", mono=True)
    voiceflow.render(script, tmp_path / "a.mp3", options=options, context=Context(cache=cache))
    samples, rate = decode(tmp_path / "a.mp3")
    sounding = np.flatnonzero(loudest(samples) > 10 ** (QUIET_DB / 20))
    quiets = np.diff(sounding) / rate * 1000
    long = list(quiets[quiets > 2_000])
    minute = max(long)
    three = long[long.index(minute) - 1]
    # A clip ends softly, and a silence begins on the grid.
    soft = 2 * NEAR_MS if voice == "natural" else NEAR_MS
    assert 60_000 - NEAR_MS <= minute <= 60_000 + 24 + soft
    assert 3_000 - NEAR_MS <= three <= 3_000 + 24 + soft


@pytest.mark.parametrize("detail", ["full", "brief", "tones"])
@pytest.mark.parametrize("pace", list(TEMPO))
def test_without_rest_the_change_is_on_the_beat(pace: str, detail: str) -> None:
    """What comes next is named before the last counts, and again as it begins."""
    path, asked = FOLDER / "run-walk.yaml", Asked("run-walk", pace, detail, voice="silent")
    decision = voiceflow.arrange(path, asked.options, Context(cache=Cache(None)))
    starts = decision.arranged.starts
    speech = [one for one in decision.score.events if one.kind == "speech"]
    for one, after in rests(stretches(decision, wrote(root_of(path)))):
        begin, end = starts[one.first], starts[after.first]
        assert abs(end - begin - (one.wrote.work or 0) * 1000) <= NEAR_MS
        within = [event.name for event in speech if begin <= event.start_ms < end]
        assert after.wrote.name in " ".join(within[:-2])
        assert within[-2:] == ["2", "1"]
        assert after.wrote.name in next(e.name for e in speech if e.start_ms == end)


def test_the_ear_tells_two_steps_of_the_grid(tmp_path: Path, cache: Cache) -> None:
    """A script that said 48 ms more, or less, would be contradicted by the same sound."""
    heard = listen(Asked("tabata"), tmp_path / "heard.mp3", Context(cache=cache))
    for one in heard.found:
        assert not list(heard.step_faults(one, one.first))
        for more in (-0.048, 0.048):
            other = replace(one, wrote=replace(one.wrote, work=20 + more))
            assert list(heard.step_faults(other, one.first))


def test_the_renders_have_every_value_at_least_twice() -> None:
    renders = [*QUICK, *SLOW]
    values = {
        "session": [path.stem for path in FOLDER.glob("*.yaml")],
        "pace": list(TEMPO),
        "detail": ["full", "brief", "tones"],
        "tones": ["bowl", "ocean", "pluck", "none"],
        "voice": ["faulty:hum", "natural"],
    }
    for key, wanted in values.items():
        has = [getattr(one, key) for one in renders]
        assert {value for value in wanted if has.count(value) < 2} == set(), key
    assert len([one for one in renders if one.minutes]) >= 6
    assert len([one for one in renders if one.rest is not None]) >= 2
    assert len(values["session"]) == 10
