"""The scripts as data: the fields of exercise, session, pace and settings, and what they become.

The tables of fields are the only place that lists a script's keys: reading, `check` and the JSON
Schemas for editors all use them. `Exercise`, `Section` and `Session` are what loading returns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from voiceflow.core.errors import Mark, did_you_mean
from voiceflow.script.fields import (
    MAX_CARRIED,
    Choice,
    Field,
    Flag,
    Number,
    Seconds,
    Several,
    Spoken,
    Table,
    Text,
    Words,
    complain,
    read_fields,
)
from voiceflow.script.pacing import Layer
from voiceflow.script.steps import BreathTime, Phase, Phases, Step, Steps
from voiceflow.script.yaml import Node

POSITIONS = (
    "supine",
    "prone",
    "side-lying",
    "quadruped",
    "kneeling",
    "half-kneeling",
    "seated",
    "standing",
)
EFFORTS = ("easy", "moderate", "hard")
EQUIPMENT = ("circle", "ball", "weight", "band", "reformer")
LEVELS = (1, 2, 3)

_BREATH = Seconds(0.5, 60)
_PRONOUNCE = Field(
    "pronounce", Table(Words()), "How to pronounce words: a respelling, or /IPA/ if the voice can."
)

PACING: tuple[Field, ...] = (
    Field("tempo", Number(0.25, 4), "Speed of the breath: 1 is as written, 0.9 is slower."),
    Field("speech", Number(80, 300, whole=True), "Words per minute."),
    Field("detail", Choice(("full", "brief", "tones")), "How much is said: full, brief or tones."),
    Field(
        "teach",
        Number(0, 1000, whole=True),
        "Number of repetitions said in full, before the brief ones.",
    ),
    Field("transition", Number(0.25, 4), "Factor for the time to change position."),
    Field("rest", Seconds(0, 3600), "Length of the rest after an exercise."),
    Field("count_in", Number(0, 10, whole=True), "Beats counted before the first repetition."),
    Field("air", Seconds(0, 5), "Shortest pause between two spoken texts."),
    Field("switch_time", Seconds(0, 120), "Shortest time to change sides."),
    Field("settle", Seconds(0, 60), "Pause after a set-up, to get into place."),
    Field("tones", Words(slug=True), "The tone set: bowl, ocean, pluck or none."),
    Field("count", Choice(("down", "up", "none", "last3")), "How holds and intervals are counted."),
    Field("tips", Flag(), "Whether tips are said."),
    Field("halfway", Flag(), "Whether halfway is announced."),
    Field("last", Flag(), "Whether the last repetition is announced."),
    Field("more", Flag(), 'Whether "two more" is announced.'),
    Field("say_sets", Flag(), "Whether the number of each set and round is said."),
    Field("remaining", Flag(), "Whether the time left is said at the start of each section."),
    Field("breath_in", _BREATH, "Length of your own usual inhale."),
    Field("breath_out", _BREATH, "Length of your own usual exhale."),
)

_TIPS_FIELD = Field(
    "tips", Several(Spoken(MAX_CARRIED), most=20), "Tips, each said once where there is room."
)
# Speech, tones and the time left belong to the session as a whole.
# In an exercise `tips` are the texts themselves.
_EXERCISE_PACING = tuple(
    f for f in PACING if f.name not in ("tips", "tones", "speech", "remaining")
)

_SCALED = (
    Field("inhale", BreathTime(0.5, 60), "Length of every inhale."),
    Field("exhale", BreathTime(0.5, 60), "Length of every exhale."),
    Field("hold", BreathTime(0.5, 60), "Length of every hold; with a unit, at every tempo."),
)
_BODY = (
    Field("rep", Phases(), "One repetition: `- inhale 4: full | brief`."),
    Field(
        "work", Seconds(1, 7200), "Length of a work interval, for exercises without repetitions."
    ),
    Field("flow", Steps(), "Free steps: say, silence, bell and breath phases."),
)
# Texts that phrases say (`{{ purpose }}`, `{{ tip }}`, `{{ caution }}`) have the lower bound,
# MAX_CARRIED.
_CHANGES = (
    Field("position", Choice(POSITIONS), "Position of the body."),
    Field("purpose", Spoken(MAX_CARRIED), "What the exercise is for, in one sentence."),
    Field("setup", Spoken(), "How to get into place, for someone who cannot look."),
    Field(
        "needs",
        Several(Words(), commas=True, most=20),
        "What is always needed, such as mat or chair.",
    ),
    Field("reps", Number(1, 10_000, whole=True), "Number of repetitions (on each side)."),
    Field("sets", Number(1, 100, whole=True), "Number of sets, or of rounds of an interval."),
    Field(
        "sides",
        Choice(("none", "each", "alternate")),
        "each: one side, then the other; alternate: in turn.",
    ),
    Field("first", Choice(("right", "left")), "The side that works first."),
    Field("switch", Spoken(), "How to change sides."),
    *_SCALED,
    *_BODY,
    _TIPS_FIELD,
    Field("caution", Spoken(MAX_CARRIED), "A warning, said before the first repetition."),
    Field("finish", Spoken(), "How to come out of the position, said at the end."),
    Field("effort", Choice(EFFORTS), "How hard the exercise is."),
    Field(
        "dose",
        Choice(("free", "fixed")),
        "fixed: as prescribed, no length that is asked for changes repetitions, sets or rounds.",
    ),
    Field(
        "tags", Several(Words(), commas=True, most=50), "Words for --focus, such as hips or back."
    ),
    _PRONOUNCE,
    *_EXERCISE_PACING,
)
# The name is not required here: a change may leave out anything.
CHANGES = (
    Field("name", Words(), "The name, as it is spoken."),
    *_CHANGES,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that an exercise makes for each level or piece of equipment.

    They are checked when they are read and kept as a node, because they are merged into the
    exercise before it becomes values.
    """

    words: tuple[str, ...]

    def read(self, node: Node, problems: list[Any]) -> Any:
        if node.kind != "map":
            return complain(
                problems, node, f"expected `key: {{changes}}` lines, found {node.described}"
            )
        for key, value in node.pairs:
            if key.text not in self.words:
                hint = did_you_mean(key.text, self.words)
                complain(problems, key, f"unknown key `{key.text[:60]}`", hint)
            elif not value.empty:
                read_fields(value, CHANGES, problems, "a change")
        return node

    def schema(self) -> dict[str, Any]:
        changes = {"$ref": "#/$defs/changes"}
        return {
            "type": "object",
            "properties": dict.fromkeys(self.words, changes),
            "additionalProperties": False,
        }


EXERCISE: tuple[Field, ...] = (
    Field("name", Words(), "The name, as it is spoken.", required=True),
    *_CHANGES,
    Field("extends", Words(), "The exercise that this one is based on."),
    Field(
        "levels", Changes(tuple(map(str, LEVELS))), "Changes at each level, such as 2: {reps: 10}."
    ),
    Field(
        "equipment",
        Changes(EQUIPMENT),
        "Changes when equipment is available, such as ball: {reps: 8}.",
    ),
)

SESSION_HEAD: tuple[Field, ...] = (
    Field("title", Words(), "The title, as it is spoken.", required=True),
    Field("about", Spoken(MAX_CARRIED), "One or two sentences, said in the welcome."),
    Field("pace", Words(slug=True), "The pace, unless --pace gives another."),
    Field("phrases", Words(slug=True), "The phrases, unless --phrases gives others."),
    Field("voice", Words(), "The voice, unless --voice gives another."),
    Field("language", Words(slug=True), "The language of the texts, such as en or es."),
    Field("level", Number(1, 3, whole=True), "The level, unless --level gives another."),
    Field("name", Words(), "The name of the person to greet."),
    # A number without a unit counts minutes here, and seconds everywhere else.
    Field(
        "minutes", Seconds(5, 6 * 3600, bare=60), "Length of the session in minutes: 20, or 12:30."
    ),
    Field("bed", Choice(("none", "ocean", "rain")), "The background sound."),
    Field("needs", Several(Words(), commas=True, most=20), "What is needed, said in the welcome."),
    _PRONOUNCE,
    *PACING,
)
PACE: tuple[Field, ...] = (Field("about", Words(), "What this pace is for."), *PACING)
SETTINGS: tuple[Field, ...] = (
    Field("pace", Words(slug=True), "Your usual pace."),
    Field("phrases", Words(slug=True), "Your usual phrases."),
    Field("voice", Words(), "Your usual voice."),
    Field("name", Words(), "Your name, for the welcome."),
    Field("level", Number(1, 3, whole=True), "Your usual level."),
    Field("with", Several(Choice(EQUIPMENT), commas=True), "Equipment that you have."),
    Field(
        "known",
        Several(Words(slug=True), commas=True),
        "Exercises that you know: they are brief from the start.",
    ),
    _PRONOUNCE,
    *PACING,
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """A complete exercise: level, equipment and the session's changes are merged in.

    Exactly one of `rep` (breath by breath), `work_s` (an interval) and `flow` (free steps) is
    set. `slug` is the name that the session uses, `mark` where it uses it. `fixed`: its dose is
    prescribed, and --minutes may not change it. `reps_mark` is where `reps` are written.
    """

    slug: str
    name: str
    mark: Mark
    position: str
    setup: Text | None
    rep: tuple[Phase, ...] = ()
    work_s: float | None = None
    flow: tuple[Step, ...] = ()
    purpose: Text | None = None
    needs: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    reps: int = 6
    sets: int = 1
    sides: str = "none"
    first: str = "right"
    switch: Text | None = None
    tips: tuple[Text, ...] = ()
    caution: Text | None = None
    finish: Text | None = None
    effort: str = "easy"
    fixed: bool = False
    tags: tuple[str, ...] = ()
    pronounce: tuple[tuple[str, str], ...] = ()
    level: int = 1
    pacing: Layer = Layer("exercise", ())
    reps_mark: Mark | None = None

    @property
    def uneven(self) -> bool:
        """Whether its sides are in turn and its repetitions odd: one is added."""
        return bool(self.rep) and self.sides == "alternate" and self.reps % 2 == 1


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of a session; `rounds` above 1 make it a circuit, `box_s` a time box.

    It has `rounds` as it is written, and up to `most_rounds` where a length is asked for.
    """

    title: str
    exercises: tuple[Exercise, ...]
    rounds: int = 1
    box_s: float | None = None
    most_rounds: int = 1


@dataclass(frozen=True, slots=True)
class Session:
    """A complete session: every exercise is looked up, merged and read.

    `length_mark` is the place of `minutes:`, where the length is written.
    """

    slug: str
    title: str
    mark: Mark
    sections: tuple[Section, ...]
    about: Text | None = None
    pace: str | None = None
    phrases: str | None = None
    voice: str | None = None
    language: str = "en"
    level: int = 1
    name: str = ""
    length_ms: int | None = None
    length_mark: Mark | None = None
    bed: str | None = None
    needs: tuple[str, ...] = ()
    pronounce: tuple[tuple[str, str], ...] = ()
    pacing: Layer = Layer("session", ())

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(exercise for section in self.sections for exercise in section.exercises)


def scaled(phases: tuple[Phase, ...], values: dict[str, Any]) -> tuple[Phase, ...]:
    """`phases` with the times that `inhale:`, `exhale:` and `hold:` set for all of a kind."""

    def timed(phase: Phase) -> Phase:
        if phase.breath not in values:
            return phase
        # How it is written there counts, not how the phase was written that it replaces.
        seconds, unit = values[phase.breath]
        exact = unit is not None and phase.breath == "hold"
        return replace(phase, seconds=seconds, exact=exact, united=None if exact else unit)

    return tuple(map(timed, phases))
