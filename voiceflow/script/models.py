"""The scripts: exercise, session, pace and settings, each as a table of fields and what it becomes.

The tables are the only place that knows a script's keys: reading, `check` and the JSON Schemas
for editors all follow them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from voiceflow.core.errors import Mark, did_you_mean
from voiceflow.script.fields import (
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
from voiceflow.script.steps import Phase, Phases, Step, Steps
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

PACING: tuple[Field, ...] = (
    Field("tempo", Number(0.25, 4), "Speed of the breath: 1 as written, 0.9 slower."),
    Field("speech", Number(80, 300, whole=True), "Words per minute."),
    Field("detail", Choice(("full", "brief", "tones")), "How much is said."),
    Field("teach", Number(0, 1000, whole=True), "Repetitions said in full before going brief."),
    Field("transition", Number(0.25, 4), "Factor on the time to change position."),
    Field("rest", Seconds(0, 3600), "Rest after an exercise."),
    Field("count_in", Number(0, 10, whole=True), "Beats counted before the first repetition."),
    Field("air", Seconds(0, 5), "Quiet between any two clips, at least."),
    Field("switch_time", Seconds(0, 120), "Time to change sides."),
    Field("settle", Seconds(0, 60), "Quiet after a set-up, to get into place."),
    Field("tones", Words(slug=True), "The tone set."),
    Field("count", Choice(("down", "up", "none", "last3")), "How holds and intervals are counted."),
    Field("tips", Flag(), "Whether tips are said."),
    Field("halfway", Flag(), "Whether `halfway` is said."),
    Field("last", Flag(), "Whether the last repetition is announced."),
    Field("more", Flag(), "Whether `two more` is said."),
    Field("say_sets", Flag(), "Whether sets and rounds are numbered aloud."),
    Field("remaining", Flag(), "Whether the time left is said at each section."),
    Field("breath_in", _BREATH, "A person's own usual inhale."),
    Field("breath_out", _BREATH, "A person's own usual exhale."),
)

_TIPS_FIELD = Field("tips", Several(Spoken(), most=20), "Each said once, where there is room.")
# In an exercise `tips` are the texts themselves.
_EXERCISE_PACING = tuple(
    f for f in PACING if f.name not in ("tips", "tones", "speech", "remaining")
)

_SCALED = (
    Field("inhale", _BREATH, "Seconds of every inhale."),
    Field("exhale", _BREATH, "Seconds of every exhale."),
    Field("hold", _BREATH, "Seconds of every hold."),
)
_BODY = (
    Field("rep", Phases(), "One repetition: `- inhale 4: full | brief`."),
    Field("work", Seconds(1, 7200), "Length of a work interval, for exercises in seconds."),
    Field("flow", Steps(), "Free steps: say, silence, bell, breath phases."),
)
_CHANGES = (
    Field("position", Choice(POSITIONS), "Where the body is."),
    Field("purpose", Spoken(), "One sentence: what it is for."),
    Field("setup", Spoken(), "How to get into place, complete without sight."),
    Field("needs", Several(Words(), commas=True, most=20), "What is always needed: mat, chair."),
    Field("reps", Number(1, 10_000, whole=True), "Repetitions (on each side)."),
    Field("sets", Number(1, 100, whole=True), "Sets, or rounds of an interval."),
    Field("sides", Choice(("none", "each", "alternate")), "One side, then the other; or in turn."),
    Field("first", Choice(("right", "left")), "The first working side."),
    Field("switch", Spoken(), "How the body changes sides."),
    *_SCALED,
    *_BODY,
    _TIPS_FIELD,
    Field("caution", Spoken(), "Said before the first repetition."),
    Field("finish", Spoken(), "Said after the last: how to come out of it."),
    Field("effort", Choice(EFFORTS), "How hard it is."),
    Field("tags", Several(Words(), commas=True, most=50), "Words to choose by: hips, back."),
    Field("pronounce", Table(Words()), "Word: respelling, or /IPA/ where the voice takes it."),
    *_EXERCISE_PACING,
)
CHANGES = (
    Field("name", Words(), "The name, as it is heard."),
    *_CHANGES,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes to an exercise under a level or an equipment: kept as written, checked when read."""

    words: tuple[str, ...]

    def read(self, node: Node, problems: list[Any]) -> Any:
        if node.kind != "map":
            return complain(problems, node, "`key: {changes}` lines are needed here")
        for key, value in node.pairs:
            if key.text not in self.words:
                hint = did_you_mean(key.text, self.words)
                complain(problems, key, f"{key.text!r} is none of the words", hint)
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
    Field("name", Words(), "The name, as it is heard.", required=True),
    *_CHANGES,
    Field("extends", Words(), "Another exercise that this one builds on."),
    Field("levels", Changes(tuple(map(str, LEVELS))), "Changes at level 2 and 3."),
    Field("equipment", Changes(EQUIPMENT), "Changes where the equipment is at hand."),
)
# What an exercise needs once `extends`, level and equipment are merged in.
NEEDED = ("position", "setup")

SESSION_HEAD: tuple[Field, ...] = (
    Field("title", Words(), "The title, as it is heard.", required=True),
    Field("about", Spoken(), "One or two sentences, said in the welcome."),
    Field("pace", Words(slug=True), "The pace, unless another is asked for."),
    Field("phrases", Words(slug=True), "The phrases, unless others are asked for."),
    Field("voice", Words(), "The voice, unless another is asked for."),
    Field("language", Words(slug=True), "The language of the texts: en, es."),
    Field("level", Number(1, 3, whole=True), "The level, unless another is asked for."),
    Field("name", Words(), "Whom the session is for."),
    Field("minutes", Seconds(5, 6 * 3600, bare=60), "How long it lasts: 20, or 12:30."),
    Field("bed", Choice(("none", "ocean", "rain")), "What sounds under everything."),
    Field("needs", Several(Words(), commas=True, most=20), "What is needed, said in the welcome."),
    Field("pronounce", Table(Words()), "Word: respelling, or /IPA/ where the voice takes it."),
    *PACING,
)
PACE: tuple[Field, ...] = (Field("about", Words(), "What this pace is for."), *PACING)
SETTINGS: tuple[Field, ...] = (
    Field("pace", Words(slug=True), "Your usual pace."),
    Field("phrases", Words(slug=True), "Your usual phrases."),
    Field("voice", Words(), "Your usual voice."),
    Field("name", Words(), "Your name, for the welcome."),
    Field("level", Number(1, 3, whole=True), "Your usual level."),
    Field("with", Several(Choice(EQUIPMENT), commas=True), "Equipment you have at hand."),
    Field("known", Several(Words(slug=True), commas=True), "Exercises you know: they start brief."),
    Field("pronounce", Table(Words()), "Word: respelling, or /IPA/ where the voice takes it."),
    *PACING,
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise, complete: level, equipment and the session's changes are merged in.

    Exactly one of `rep` (breath by breath), `work_s` (an interval) and `flow` (free steps) is
    there. `slug` is the name it was called by, `mark` where it was called.
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
    tags: tuple[str, ...] = ()
    pronounce: tuple[tuple[str, str], ...] = ()
    level: int = 1
    pacing: Layer = Layer("exercise", ())


@dataclass(frozen=True, slots=True)
class Section:
    """A named stretch of a session; `rounds` over 1 makes it a circuit, `box_s` a time box."""

    title: str
    exercises: tuple[Exercise, ...]
    rounds: int = 1
    box_s: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session, complete: every exercise found, merged and read."""

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
    bed: str | None = None
    needs: tuple[str, ...] = ()
    pronounce: tuple[tuple[str, str], ...] = ()
    pacing: Layer = Layer("session", ())

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(exercise for section in self.sections for exercise in section.exercises)


def scaled(phases: tuple[Phase, ...], values: dict[str, Any]) -> tuple[Phase, ...]:
    """`phases` with the seconds that `inhale:`, `exhale:` and `hold:` set for all of a kind."""
    return tuple(
        replace(phase, seconds=values[phase.breath]) if phase.breath in values else phase
        for phase in phases
    )
