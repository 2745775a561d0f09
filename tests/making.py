"""Exercises and sessions made by hand or by hypothesis, and decided with clips of known length."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from conftest import BUNDLED, SOUNDS, FakeSignals
from hypothesis import strategies as st

from voiceflow.core.errors import Mark
from voiceflow.plan.cues import CueSheet, Facts, write
from voiceflow.plan.moments import Plan, Wishes
from voiceflow.plan.phrases import Phrases, load_phrases
from voiceflow.plan.unroll import unroll
from voiceflow.score.arrange import Arranged, arrange
from voiceflow.score.laid import Voicing
from voiceflow.script.fields import Text
from voiceflow.script.lookup import Library
from voiceflow.script.models import POSITIONS, Exercise, Section, Session
from voiceflow.script.pacing import Layer, layer
from voiceflow.script.positions import Positions, load_positions
from voiceflow.script.steps import Phase, Step

MARK = Mark("made.yaml", 1, 1)
BUNDLE = Library(Path("/nowhere/at/all"), BUNDLED, SOUNDS)
_VOCABULARY = (
    "lift your heel and let the long line of your side open while your ribs stay soft and wide"
).split()


def words(count: int, start: int = 0) -> str:
    """A sentence of `count` words."""
    picked = [_VOCABULARY[(start + n) % len(_VOCABULARY)] for n in range(count)]
    return " ".join(picked).capitalize() + "."


def text(*versions: str) -> Text:
    return Text(versions, MARK)


def phase(breath: str = "inhale", seconds: float = 4, *versions: str) -> Phase:
    said = versions or (f"{breath.capitalize()} long and slow.", f"{breath.capitalize()}, slow.")
    return Phase(breath, seconds, text(*said), MARK)


def exercise(name: str = "Bridge", **changes: Any) -> Exercise:
    """Two breaths, six times, lying down, unless `changes` say otherwise; pacing values too."""
    pacing = layer("exercise", {key: value for key, value in changes.items() if key != "tips"})
    own = {key: value for key, value in changes.items() if key in Exercise.__dataclass_fields__}
    if not own.keys() & {"rep", "work_s", "flow"}:
        own["rep"] = (phase("inhale", 4), phase("exhale", 5))
    slug = name.lower().replace(" ", "-")
    base = {"position": "supine", "setup": text("Lie down. Bend your knees.", "Lie down.")}
    return Exercise(slug=slug, name=name, mark=MARK, pacing=pacing, **{**base, **own})


def session(*exercises: Exercise, sections: tuple[Section, ...] = (), **changes: Any) -> Session:
    parts = sections or (Section("", exercises),)
    return Session(slug="made", title="A Made Session", mark=MARK, sections=parts, **changes)


def wishes(name: str = "", known: tuple[str, ...] = (), **pacing: Any) -> Wishes:
    """Wishes with pacing values from the command line, which win over all."""
    return Wishes(name=name, known=known, after=(layer("command line", pacing),))


@lru_cache
def positions(language: str = "en") -> Positions:
    return load_positions(BUNDLE, language)


@lru_cache
def phrases(name: str = "coach", language: str = "en") -> Phrases:
    return load_phrases(name, language, BUNDLE)


def length_of(spoken: str) -> int:
    """Milliseconds of a clip: by its words, and seldom on the grid."""
    return 170 + 310 * len(spoken.split()) + 7 * (len(spoken) % 13)


class Lengths(dict[str, int]):
    """All lengths, known without being asked for. Counts how often it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def get(self, key: str, default: Any = None) -> int:
        self.looks += 1
        return length_of(key)


class Decided:
    """A session decided: plan, cue sheet and what came of arranging it."""

    def __init__(
        self,
        made: Session,
        asked: Wishes | None = None,
        *,
        signals: FakeSignals | None = None,
        target_ms: int | None = None,
        book: str = "coach",
        bounded: bool = True,
    ) -> None:
        self.session, self.asked = made, asked or Wishes()
        self.signals = signals or FakeSignals()
        self.lengths = Lengths()
        self.plan: Plan = unroll(made, positions(made.language), self.asked)
        facts = Facts(12, tuple(range(40, 40 - len(made.sections), -1)))
        self.cue_sheet: CueSheet = write(self.plan, phrases(book, made.language), facts)
        self.voicing = Voicing(lambda _, said: said, self.lengths.get, length_of)
        self.arranged: Arranged = arrange(
            self.plan,
            self.cue_sheet,
            self.voicing,
            self.signals,
            target_ms=target_ms,
            bounded=bounded,
        )
        assert self.arranged.score is not None
        self.score = self.arranged.score
        self.speech = [e for e in self.score.events if e.kind == "speech"]

    @property
    def ends(self) -> list[int]:
        """When each moment ends: where the next one starts."""
        return [*self.arranged.starts[1:], self.score.length_ms]

    def said(self, *kinds: str) -> list[str]:
        """What is said in moments of these kinds (in all, when none are named)."""
        return [e.name for e in self.speech if not kinds or e.moment in kinds]


# What hypothesis makes


def _texts(most: int) -> st.SearchStrategy[Text | None]:
    def made(sizes: tuple[int, int, int]) -> Text:
        full, brief, start = sizes
        return text(words(full, start), words(min(brief, full), start))

    sized = st.tuples(st.integers(1, most), st.integers(1, 4), st.integers(0, 16))
    return st.one_of(st.none(), sized.map(made))


_SECONDS = st.one_of(
    st.sampled_from([0.5, 1.0, 3.0, 4.0, 5.0, 8.0, 20.0]),
    st.floats(0.5, 15).map(lambda s: round(s, 1)),
)
_PHASES = st.builds(
    Phase,
    breath=st.sampled_from(["inhale", "exhale", "hold", "pause"]),
    seconds=_SECONDS,
    text=_texts(14),
    mark=st.just(MARK),
)
_STEPS = st.one_of(
    st.builds(Step, st.just("say"), st.just(0.0), st.just(text(words(9))), st.just(MARK)),
    st.builds(Step, st.just("bell"), st.just(0.0), _texts(5), st.just(MARK)),
    st.builds(Step, st.just("silence"), _SECONDS, _texts(5), st.just(MARK)),
    st.builds(Step, st.sampled_from(["inhale", "exhale", "hold"]), _SECONDS, _texts(5),
              st.just(MARK)),
)  # fmt: skip
_TIPS = st.integers(0, 4).map(
    lambda count: tuple(text(f"Tip {n}: " + words(3 + 4 * n, n)) for n in range(count))
)
PACING = st.fixed_dictionaries(
    {},
    optional={
        "tempo": st.sampled_from([0.25, 0.85, 0.9, 1.0, 1.15, 2.0, 4.0]),
        "detail": st.sampled_from(["full", "brief", "tones"]),
        "teach": st.integers(0, 4),
        "transition": st.sampled_from([0.25, 1.0, 2.5]),
        "rest": st.sampled_from([0, 1, 8, 8.5, 30]),
        "count_in": st.integers(0, 6),
        "air": st.sampled_from([0, 0.05, 0.2, 0.25, 0.4, 1.0, 3.0]),
        "switch_time": st.sampled_from([0, 8, 15]),
        "settle": st.sampled_from([0, 2, 10]),
        "count": st.sampled_from(["down", "up", "none", "last3"]),
        "tips": st.booleans(),
        "halfway": st.booleans(),
        "last": st.booleans(),
        "more": st.booleans(),
        "say_sets": st.booleans(),
        "remaining": st.booleans(),
        "breath_in": st.sampled_from([2.0, 5.0]),
        "breath_out": st.sampled_from([2.5, 7.0]),
    },
)


@st.composite
def exercises(draw: st.DrawFn, kinds: str = "rep rep rep work flow") -> Exercise:
    kind = draw(st.sampled_from(kinds.split()))
    number = draw(st.integers(1, 99))
    given: dict[str, Any] = {
        "position": draw(st.sampled_from(POSITIONS)),
        "setup": text(words(draw(st.integers(3, 30))), words(3)),
        "purpose": draw(_texts(8)),
        "sides": draw(st.sampled_from(["none", "each", "alternate"])),
        "first": draw(st.sampled_from(["right", "left"])),
        "switch": draw(_texts(12)),
        "caution": draw(_texts(8)),
        "finish": draw(_texts(8)),
        "tips": draw(_TIPS),
        "sets": draw(st.sampled_from([1, 1, 1, 2, 3])),
    }
    if kind == "rep":
        given["rep"] = tuple(draw(st.lists(_PHASES, min_size=1, max_size=4)))
        given["reps"] = draw(st.integers(1, 9))
        return exercise(f"Exercise {number}", **given)
    given["sides"] = draw(st.sampled_from(["none", "each"]))
    if kind == "work":
        given["work_s"] = draw(st.sampled_from([1.0, 5.0, 15.0, 20.0, 40.0, 61.3]))
    else:
        given["flow"] = tuple(draw(st.lists(_STEPS, min_size=1, max_size=5)))
    return exercise(f"Exercise {number}", **given)


@st.composite
def sessions(draw: st.DrawFn, kinds: str = "rep rep rep work flow", least: int = 1) -> Session:
    sections = tuple(
        Section(
            draw(st.sampled_from(["", "Warm up", "Work"])),
            tuple(draw(st.lists(exercises(kinds), min_size=least, max_size=3))),
            rounds=draw(st.sampled_from([1, 1, 1, 2])),
            box_s=draw(st.sampled_from([None, None, None, 60.0])),
        )
        for _ in range(draw(st.integers(1, 2)))
    )
    return session(sections=sections)


SIGNALS = st.sampled_from(["all", "all", "none", "no wake"])


def signals_called(name: str) -> FakeSignals:
    from conftest import NoSignals

    return {"all": FakeSignals, "none": NoSignals, "no wake": lambda: FakeSignals(wake=0)}[name]()


__all__ = ["Decided", "Layer", "exercise", "exercises", "phase", "session", "sessions", "text"]
