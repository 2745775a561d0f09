"""The whole corridor, walked: script, plan, cues, voices, score, stitch, recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voiceflow import voices
from voiceflow.core.errors import (
    InputError,
    TimingError,
    UnknownNameError,
    VoiceError,
    VoiceflowError,
)
from voiceflow.core.units import GRID_MS, clock, snap, snap_up
from voiceflow.plan import cues
from voiceflow.plan.moments import Plan, Wishes, pacing_of
from voiceflow.plan.phrases import Phrases, load_phrases
from voiceflow.plan.unroll import unroll
from voiceflow.score import arrange as arranging
from voiceflow.score.fit import Reach, left_over, reach, repetitions, rounds
from voiceflow.score.option_checks import checked
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.score.score import Score
from voiceflow.script.choose import choose, drop_one
from voiceflow.script.load import load_pace, load_session, load_settings, pronunciations
from voiceflow.script.lookup import default_library
from voiceflow.script.models import Session
from voiceflow.script.pacing import Layer, layer
from voiceflow.script.positions import Positions, load_positions
from voiceflow.sounds import ToneSet
from voiceflow.sounds import load as load_tones

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed

DEFAULT_PACE = "steady"
DEFAULT_PHRASES = "coach"
_PASSES = 5
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Decision:
    """A session, fully decided, and what sounds it."""

    session: Session
    plan: Plan
    cue_sheet: cues.CueSheet
    arranged: arranging.Arranged
    score: Score
    voice: voices.Voice
    speaker: voices.Speaker
    tones: ToneSet
    layers: tuple[Layer, ...]
    bed: Bed | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """All that is read before anything is decided."""

    session: Session
    pace: str
    wishes: Wishes
    phrases: Phrases
    tones: ToneSet
    voice: voices.Voice
    pronounce: Mapping[str, str]
    target_ms: int | None
    bed: Bed | None


def decide(
    reference: str | Path,
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Decision:
    """The score of a session: everything is settled, nothing sounded but the clips it measures.

    Raises
    ------
    InputError
        The session, or what is asked of it, is wrong.
    VoiceError
        The voice cannot speak it.
    """
    context = context or Context()
    ground = _read(reference, checked(options), context)
    return _settle(ground, context, report)


def _read(reference: str | Path, options: Options, context: Context) -> _Ground:
    library = context.library
    settings = load_settings(library)
    level = options.level or settings.get("level")
    equipment = settings.get("with", ()) if options.equipment is None else options.equipment
    session = load_session(reference, library, level=level, equipment=equipment)
    session = choose(
        session, only=options.only, skip=options.skip, focus=options.focus, shuffle=options.shuffle
    )
    beside = Path(session.mark.file).resolve().parent
    pace = options.pace or session.pace or settings.get("pace") or DEFAULT_PACE
    wishes = Wishes(
        name=options.name or session.name or settings.get("name", ""),
        known=settings.get("known", ()),
        before=_ground_layers(options, load_pace(pace, library, beside), settings),
        after=(layer("command line", {**dict(options.pacing), "tones": options.tones}),),
    )
    phrases = options.phrases or session.phrases or settings.get("phrases") or DEFAULT_PHRASES
    voice = _voice(options, session, settings)
    tones = pacing_of(session, wishes).tones
    length_ms = options.minutes_ms or session.length_ms
    return _Ground(
        session=session,
        pace=pace,
        wishes=wishes,
        phrases=load_phrases(phrases, session.language, library, beside),
        tones=load_tones(tones, library.folders("sounds", beside)),
        voice=voice,
        pronounce=pronunciations(settings.get("pronounce", ()), session.pronounce),
        target_ms=length_ms and snap(length_ms),
        bed=_bed(options.bed or session.bed),
    )


def _bed(asked: str | None) -> Bed | None:
    if asked is None or asked == "none":
        return None
    from voiceflow.sounds import load_bed

    return load_bed(asked)


def layers(reference: str | Path | None, options: Options) -> tuple[Layer, ...]:
    """The layers of pacing that a session gets with `options`, the strongest last."""
    library = default_library()
    settings = load_settings(library)
    session = None if reference is None else load_session(reference, library)
    beside = Path(session.mark.file).resolve().parent if session else None
    pace = options.pace or (session and session.pace) or settings.get("pace") or DEFAULT_PACE
    own = (session.pacing,) if session else ()
    after = layer("command line", {**dict(options.pacing), "tones": options.tones})
    return (*_ground_layers(options, load_pace(pace, library, beside), settings), *own, after)


def _ground_layers(options: Options, pace: Layer, settings: Mapping[str, Any]) -> tuple[Layer, ...]:
    """The pace and the person's own values: over the pace of a session, or the usual one, but
    under a pace that is asked for in so many words."""
    own = layer("settings", settings)
    return (own, pace) if options.pace else (pace, own)


def _voice(options: Options, session: Session, settings: Mapping[str, Any]) -> voices.Voice:
    """Raises UnknownNameError, VoiceError, and InputError for a language that no voice speaks."""
    if asked := options.voice or session.voice:
        return voices.find(asked)
    usual = _usual_voice(settings, session.language)
    try:
        return voices.find(usual)
    except UnknownNameError as error:
        if usual != f"espeak:{session.language}":
            raise
        message = f"{session.mark}: no voice speaks the language {session.language!r}"
        raise InputError(message, hint=error.hint) from None


def _usual_voice(settings: Mapping[str, Any], language: str) -> str:
    """The user's voice where it speaks the language; else the natural one, else espeak."""
    asked = settings.get("voice")
    tongue = language.split("-")[0]
    if asked and voices.find(str(asked)).language.split("-")[0] == tongue:
        return str(asked)
    return "natural" if tongue == "en" else f"espeak:{language}"


def _settle(ground: _Ground, context: Context, report: Report) -> Decision:
    """Arranges until all lengths are known, the time is met, and what is said of it is true."""
    positions = load_positions(context.library, ground.session.language)
    desk = _Desk(ground, positions, context, report)
    with desk.speaker:
        # What is decided of exercises, repetitions and times at first comes from guesses alone,
        # so that a cold render and a warm one go the same way.
        session = desk.session_that_fits()
        for _ in range(_PASSES):
            session, plan, sheet, arranged = desk.arrange(session)
            if desk.agrees(arranged):
                break
    if arranged.score is None:
        raise TimingError("the session's length does not settle", hint="ask for another length")
    layers = (*ground.wishes.before, ground.session.pacing, *ground.wishes.after)
    return Decision(
        session,
        plan,
        sheet,
        arranged,
        arranged.score,
        ground.voice,
        desk.speaker,
        ground.tones,
        layers,
        ground.bed,
    )


class _Desk:
    """Plans and arranges, having clips spoken as they are asked for."""

    def __init__(
        self, ground: _Ground, positions: Positions, context: Context, report: Report
    ) -> None:
        self.ground, self.positions, self.report = ground, positions, report
        rate = pacing_of(ground.session, ground.wishes).speech
        self.rate = rate
        self.speaker = voices.Speaker(ground.voice, rate, context.cache, jobs=context.jobs)
        self.lengths: dict[str, int] = {}
        self.reps: dict[int, int] = {}
        self.rounds: dict[int, int] = {}
        self.spare_ms = 0
        self.facts = cues.Facts(30)
        self.plan: Plan | None = None
        self._wishes: Wishes | None = None  # with which it was made
        self._spoken: dict[tuple[str, str], str] = {}

    def spoken(self, exercise: int, text: str) -> str:
        """`text` as the voice is given it: the pronounce tables of exercise and session applied."""
        assert self.plan is not None
        own = self.plan.bouts[exercise].exercise if exercise >= 0 else None
        key = (own.slug if own and own.pronounce else "", text)
        if key not in self._spoken:
            table = {**self.ground.pronounce, **dict(own.pronounce if own else ())}
            self._spoken[key] = voices.spoken(text, table, self.ground.voice)
        return self._spoken[key]

    # Deciding by guesses

    def session_that_fits(self) -> Session:
        """The session, less what has no room in the time; what is decided to begin with."""
        session, target = self.ground.session, self.ground.target_ms
        while True:
            arranged, span = self._in_rounds(session)
            if target is None:
                break
            if target > span.longest_ms and self._is_most(session):
                raise self._out_of_reach()
            if target >= span.shortest_ms:
                break
            less = drop_one(session)
            if less is None:
                raise self._out_of_reach()
            session = less
        if target is not None:
            assert self.plan is not None
            self.reps = repetitions(self.plan, arranged, target)
            arranged = self._guessed(session)
        self.facts = self._facts(arranged)
        self._call_workers(arranged)
        return session

    def _in_rounds(self, session: Session) -> tuple[arranging.Arranged, Reach]:
        """`session` by guesses, its circuits in as many rounds as come nearest to the time."""
        target, ways = self.ground.target_ms, rounds(session)
        if target is None or len(ways) == 1:
            self.rounds = {}
            return self._planned_guess(session)
        tried: dict[int, tuple[arranging.Arranged, Reach, int]] = {}

        def miss(at: int) -> int:
            """By how much the time is missed with whole repetitions and all glue."""
            self.rounds = ways[at]
            arranged, span = self._planned_guess(session)
            assert self.plan is not None
            reps = repetitions(self.plan, arranged, target)
            over = left_over(self.plan, arranged, reps, target)
            tried[at] = arranged, span, over
            return arranged.natural_ms

        low, high = 0, len(ways) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if miss(middle) < target else (low, middle)
        for at in (low - 1, low):
            if at >= 0 and at not in tried:
                miss(at)

        def cost(at: int) -> tuple[bool, int, int]:
            arranged, _, over = tried[at]
            # Too short can be mended with quiet, too long cannot.
            return over < 0, abs(over), abs(arranged.natural_ms - target)

        self.rounds = ways[min(tried, key=cost)]
        return self._planned_guess(session)

    def _is_most(self, session: Session) -> bool:
        """Whether nothing was left away: what lies between a round more and less is not so."""
        return session is self.ground.session and self.rounds == rounds(session)[-1]

    def _out_of_reach(self) -> TimingError:
        """The shortest and the longest that the session can last, by guesses."""
        smaller = self.ground.session
        ways = rounds(smaller)
        self.rounds = ways[-1]
        longest = self._planned_guess(smaller)[1].longest_ms
        while (less := drop_one(smaller)) is not None:
            smaller = less
        self.rounds = rounds(smaller)[0]
        shortest = self._planned_guess(smaller)[1].shortest_ms
        asked = clock(self.ground.target_ms or 0)
        hint = f"from about {clock(shortest)} to about {clock(longest)}"
        return TimingError(f"this session cannot last {asked}", hint=hint)

    def _planned_guess(self, session: Session) -> tuple[arranging.Arranged, Reach]:
        self.reps, self.spare_ms = {}, 0
        arranged = self._guessed(session)
        assert self.plan is not None
        return arranged, reach(self.plan, arranged)

    def _call_workers(self, arranged: arranging.Arranged) -> None:
        """Has the voice load while the rest is decided, where it is going to be needed."""
        assert arranged.score is not None
        said = {event.spoken for event in arranged.score.events if event.kind == "speech"}
        self.speaker.start(len(said) - len(self.speaker.known(said)))

    def _guessed(self, session: Session) -> arranging.Arranged:
        sheet = self._write(session)
        return self._arranged(sheet, _Guesses(self._guess), None)

    # Deciding by clips

    def arrange(self, session: Session) -> tuple[Session, Plan, cues.CueSheet, arranging.Arranged]:
        """The session arranged with clips of known length, to the time asked for."""
        target = self.ground.target_ms
        sheet = self._write(session)
        for _ in range(_TRIES):
            arranged = self._spoken_out(sheet)
            assert self.plan is not None
            if target is None:
                return session, self.plan, sheet, arranged
            if target < reach(self.plan, arranged).shortest_ms:
                # The guess was too hopeful: a round or an exercise more has no room.
                session = self._less(session)
            elif (reps := repetitions(self.plan, arranged, target)) != self.reps:
                self.reps = reps
            elif (over := left_over(self.plan, arranged, reps, target)) > 0:
                # Not even all glue makes up for half a repetition: it is quiet before the end.
                self.spare_ms += snap_up(over) + GRID_MS
            else:
                arranged = self._arranged(sheet, self.lengths, target)
                return session, self.plan, sheet, arranged
            sheet = self._write(session)
        raise TimingError(f"{clock(target or 0)} cannot be met", hint="ask for another length")

    def _less(self, session: Session) -> Session:
        """`session` with one round less, or with one exercise less."""
        ways = rounds(session)
        self.reps = {}
        if self.rounds in ways[1:]:
            self.rounds = ways[ways.index(self.rounds) - 1]
            return session
        less = drop_one(session)
        if less is None:
            raise self._out_of_reach()
        self.rounds = rounds(less)[0]
        return less

    def _spoken_out(self, sheet: cues.CueSheet) -> arranging.Arranged:
        """The arrangement once every clip it asks for is spoken."""
        while True:
            arranged = self._arranged(sheet, self.lengths, None)
            if arranged.score is not None:
                return arranged
            self._speak(sheet, arranged.missing)

    def agrees(self, arranged: arranging.Arranged) -> bool:
        """Whether what was said of the time is true; what is true is kept for the next pass."""
        true = self._facts(arranged)
        same, self.facts = true == self.facts, true
        return same

    def _write(self, session: Session) -> cues.CueSheet:
        wishes = replace(
            self.ground.wishes,
            reps=tuple(self.reps.items()),
            rounds=tuple(self.rounds.items()),
            spare_ms=self.spare_ms,
        )
        if self.plan is None or self.plan.session is not session or self._wishes != wishes:
            self.plan = unroll(session, self.positions, wishes)
            self._wishes = wishes
        return cues.write(self.plan, self.ground.phrases, self.facts)

    def _arranged(
        self, sheet: cues.CueSheet, lengths: Mapping[str, int], target_ms: int | None
    ) -> arranging.Arranged:
        assert self.plan is not None
        voicing = arranging.Voicing(self.spoken, lengths, self._guess)
        return arranging.arrange(
            self.plan, sheet, voicing, self.ground.tones,
            voice=self.ground.voice.name, pace=self.ground.pace, target_ms=target_ms,
            bounded=self.ground.target_ms is None,
        )  # fmt: skip

    def _guess(self, text: str) -> int:
        return voices.estimate(text, self.rate)

    def _speak(self, sheet: cues.CueSheet, texts: frozenset[str]) -> None:
        known = self.speaker.known(texts)
        self.lengths.update(known)
        wanted = sorted(texts - known.keys())
        if not wanted:
            return
        done = 0

        def on_clip(_: str) -> None:
            nonlocal done
            done += 1
            self.report("speaking", done, len(wanted))

        self.report("speaking", 0, len(wanted))
        try:
            self.lengths.update(self.speaker.speak(wanted, on_clip))
        except VoiceError as error:
            raise self._placed(error, sheet) from None

    def _placed(self, error: VoiceError, sheet: cues.CueSheet) -> VoiceflowError:
        """`error` with the place of its cue in the scripts, where it has one."""
        assert self.plan is not None
        for moment, cue in zip(self.plan.moments, sheet.cues, strict=True):
            said = (*cue.sentences, *cue.versions, *cue.counts, cue.halfway)
            if not any(text and self.spoken(moment.exercise, text) == error.text for text in said):
                continue
            marks = [line.text.mark for line in moment.lines if line.text is not None]
            if marks:
                message = f"{marks[0]}: {error.message}"
                return type(error)(message, hint=error.hint, text=error.text)
        return error

    def _facts(self, arranged: arranging.Arranged) -> cues.Facts:
        """What an arrangement makes true of the time, in whole minutes."""
        score = arranged.score
        assert score is not None
        minutes = max(1, round(score.length_ms / 60_000))
        assert self.plan is not None
        count = len(self.plan.session.sections)
        first = [score.length_ms] * count
        for moment, start in zip(self.plan.moments, arranged.starts, strict=True):
            if moment.exercise >= 0:
                first[moment.section] = min(first[moment.section], start)
        left = tuple(max(1, round((score.length_ms - start) / 60_000)) for start in first)
        return cues.Facts(minutes, left)


class _Guesses(dict[str, int]):
    """Lengths that are all known, because they are all guessed."""

    def __init__(self, guess: Callable[[str], int]) -> None:
        super().__init__()
        self._guess = guess

    def get(self, key: str, default: Any = None) -> int:
        return self._guess(key)
