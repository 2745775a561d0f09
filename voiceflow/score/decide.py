"""Deciding: inputs and a speaker become a decision, in a loop of attempts.

In: `Inputs` (read before) and a speaker that says how long its clips are. Out: a `Decision`, plain
data with every word, tone and silence at its time. No sample is touched but those of the clips
whose lengths are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from voiceflow import voices
from voiceflow.core.errors import (
    Problem,
    ScriptError,
    TimingError,
    VoiceError,
    VoiceflowError,
)
from voiceflow.core.units import clock
from voiceflow.plan.cues import CueSheet
from voiceflow.plan.moments import Plan
from voiceflow.score.arrange import Arranged
from voiceflow.score.fit_minutes import length_changes
from voiceflow.score.inputs import Inputs
from voiceflow.score.laid import Voicing
from voiceflow.score.length_attempts import (
    Attempt,
    Written,
    facts_of,
    first_attempt,
    lay_out,
    next_attempt,
    write,
)
from voiceflow.score.options import Report, quiet
from voiceflow.score.score import Score
from voiceflow.script.models import Exercise, Session
from voiceflow.script.pacing import Layer

# What is said of the time may change how long it takes to say it; it settles at once, or never.
_PASSES = 5
_TRIES = 60

Speak = Callable[[Written, frozenset[str]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Decision:
    """A session, fully decided: plain data that can be pickled and sent to another machine.

    Attributes
    ----------
    session, plan, cue_sheet, arranged
        What the score was made of.
    score : Score
        Every word, tone and silence with its time in milliseconds.
    rate : int > 0
        Words a minute.
    layers : tuple of Layer
        The layers of pacing, the strongest last.
    bed : str or None
        The name of what sounds under everything.
    """

    session: Session
    plan: Plan
    cue_sheet: CueSheet
    arranged: Arranged
    score: Score
    voice: voices.Voice
    rate: int
    layers: tuple[Layer, ...]
    bed: str | None = None


def decide(inputs: Inputs, speaker: voices.Speaker, report: Report = quiet) -> Decision:
    """The score of a session: everything is settled, nothing sounded but the clips it measures.

    Raises
    ------
    InputError
        The session, or what is asked of it, is wrong.
    VoiceError
        The voice cannot speak it.
    """
    guessed = _guessed(inputs)
    spelling, guess = guessed.spelled, guessed.guess
    speak = _speaking(speaker, spelling, report)
    with _length_placed(inputs), speaker:
        attempt, arranged = first_attempt(inputs, guessed)
        _call_workers(speaker, arranged)
        lengths: dict[str, int] = {}
        written: Written | None = None
        for _ in range(_PASSES):
            measured = Voicing(spelling, lengths.get, guess)
            written, arranged = _settle(inputs, attempt, written, measured, guessed, lengths, speak)
            facts = facts_of(written.plan, arranged)
            if facts == written.attempt.facts:
                break
            attempt = replace(written.attempt, facts=facts)
    return _decision(inputs, written, arranged)


def foresee(inputs: Inputs) -> int:
    """About how long a session is going to be, in milliseconds, by guessed lengths of its words.

    Raises
    ------
    InputError
        It can never be decided: a text lacks a value, or its length is out of reach. No voice is
        asked, so that the voice may still refuse it.
    """
    with _length_placed(inputs):
        _, arranged = first_attempt(inputs, _guessed(inputs))
    return inputs.target_ms or (arranged.score.length_ms if arranged.score else 0)


@contextmanager
def _length_placed(inputs: Inputs) -> Iterator[None]:
    """Tell of a session that is too long where it stands, if nobody asked for a length."""
    try:
        yield
    except TimingError as error:
        if inputs.target_ms is not None:
            raise
        raise ScriptError([Problem(inputs.session.mark, error.message, error.hint)]) from None


def _guessed(inputs: Inputs) -> Voicing:
    """How long all texts are, as far as that is known before any is spoken."""
    guess = _guessing(inputs.rate)
    return Voicing(_spelling(inputs), guess, guess)


def _settle(
    inputs: Inputs,
    attempt: Attempt,
    before: Written | None,
    measured: Voicing,
    guessed: Voicing,
    lengths: dict[str, int],
    speak: Speak,
) -> tuple[Written, Arranged]:
    """The first attempt, from `attempt` on, that meets the time with measured lengths."""
    target = inputs.target_ms
    for _ in range(_TRIES):
        written = before = write(inputs, attempt, before)
        while (arranged := lay_out(inputs, written, measured)).score is None:
            lengths.update(speak(written, arranged.missing))
        again = next_attempt(inputs, written, arranged, guessed)
        if again is None:
            if target is not None:
                arranged = lay_out(inputs, written, measured, target)
            return written, arranged
        attempt = again
    raise inputs.refusal(f"{clock(target or 0)} cannot be met", "ask for another length")


def _decision(inputs: Inputs, written: Written | None, arranged: Arranged) -> Decision:
    if written is None or arranged.score is None:
        raise inputs.refusal("the session's length does not settle", "ask for another length")
    score = replace(arranged.score, length_changes=length_changes(inputs.session, written.plan))
    return Decision(
        session=written.attempt.session,
        plan=written.plan,
        cue_sheet=written.cue_sheet,
        arranged=arranged,
        score=score,
        voice=inputs.voice,
        rate=inputs.rate,
        layers=inputs.layers,
        bed=inputs.bed.name if inputs.bed else None,
    )


def _guessing(rate: int) -> Callable[[str], int]:
    return lambda text: voices.estimate(text, rate)


def _spelling(inputs: Inputs) -> Callable[[Exercise | None, str], str]:
    """How the voice is given a text: read by the language's tables, with the pronunciations of
    exercise and session.

    Every text is asked for many times over, so what was worked out once is remembered.
    """
    known: dict[tuple[str, str], str] = {}

    def spelled(exercise: Exercise | None, text: str) -> str:
        own = exercise.pronounce if exercise else ()
        # Exercises without pronunciations of their own share what was worked out.
        key = (exercise.slug if exercise and own else "", text)
        if key not in known:
            table = {**inputs.pronounce, **dict(own)}
            known[key] = voices.spoken(text, table, inputs.voice, inputs.pronunciation)
        return known[key]

    return spelled


def _call_workers(speaker: voices.Speaker, arranged: Arranged) -> None:
    """Has the voice load while the rest is decided, if there is going to be work for it."""
    events = arranged.score.events if arranged.score else ()
    said = {event.spoken for event in events if event.kind == "speech"}
    speaker.start(len(said) - len(speaker.known(said)))


def _speaking(
    speaker: voices.Speaker, spelling: Callable[[Exercise | None, str], str], report: Report
) -> Speak:
    """A function that gives the lengths of texts, having spoken those that are not known."""

    def speak(written: Written, texts: frozenset[str]) -> Mapping[str, int]:
        known = speaker.known(texts)
        wanted = sorted(texts - known.keys())
        if not wanted:
            return known
        done = 0

        def on_clip(_: str) -> None:
            nonlocal done
            done += 1
            report("speaking", done, len(wanted))

        report("speaking", 0, len(wanted))
        try:
            return {**known, **speaker.speak(wanted, on_clip)}
        except VoiceError as error:
            raise _placed(error, written, spelling) from None

    return speak


def _placed(
    error: VoiceError, written: Written, spelling: Callable[[Exercise | None, str], str]
) -> VoiceflowError:
    """`error` with the place of its text in the scripts, where it has one."""
    bouts = written.plan.bouts
    for moment, cue in zip(written.plan.moments, written.cue_sheet.cues, strict=True):
        exercise = bouts[moment.exercise].exercise if moment.exercise >= 0 else None
        # The error holds the text as spoken, so all texts are spelled again to find it.
        if not any(spelling(exercise, text) == error.text for text in cue.texts):
            continue
        marks = [line.text.mark for line in moment.lines if line.text is not None]
        if marks:
            message = f"{marks[0]}: {error.message}"
            return type(error)(message, hint=error.hint, text=error.text)
    return error
