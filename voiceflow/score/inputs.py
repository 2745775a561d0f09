"""Inputs: everything that is read before anything is decided, in one frozen object.

In: a session's name or path, options, the library. Out: `Inputs`. After this, deciding reads no
file: the same inputs and the same lengths of clips give the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voiceflow import voices
from voiceflow.core.errors import (
    InputError,
    Mark,
    Problem,
    ScriptError,
    TimingError,
    UnknownNameError,
)
from voiceflow.core.units import snap
from voiceflow.plan.moments import Wishes, pacing_of
from voiceflow.plan.phrases import Phrases, load_phrases
from voiceflow.score.option_table import checked
from voiceflow.score.options import Context, Options
from voiceflow.score.told_where import told_where
from voiceflow.script.choose import choose
from voiceflow.script.load import (
    load_pace,
    load_session,
    load_settings,
    pronunciations,
    settings_file,
)
from voiceflow.script.lookup import Library, default_library
from voiceflow.script.models import Session
from voiceflow.script.pacing import Layer, layer
from voiceflow.script.positions import Positions, load_positions
from voiceflow.script.pronunciation import Pronunciation, load_pronunciation
from voiceflow.sounds import ToneSet
from voiceflow.sounds import load as load_tones

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed

DEFAULT_PACE = "steady"
DEFAULT_PHRASES = "coach"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision depends on, but for the lengths of its clips.

    Attributes
    ----------
    session : Session
        With the exercises chosen, at their level, with the equipment at hand.
    pace : str
        The name of the pace.
    wishes : Wishes
        The person's name, known exercises, and the layers of pacing around the session's own.
    target_ms : int or None
        The length asked for, on the grid.
    target_mark : Mark or None
        Where a script asks for it; None where the command line does.
    """

    session: Session
    pace: str
    wishes: Wishes
    phrases: Phrases
    positions: Positions
    tones: ToneSet
    voice: voices.Voice
    pronounce: Mapping[str, str]
    target_ms: int | None
    target_mark: Mark | None
    bed: Bed | None
    pronunciation: Pronunciation

    @property
    def rate(self) -> int:
        """Words a minute."""
        return pacing_of(self.session, self.wishes).speech

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of pacing, the strongest last."""
        return (*self.wishes.before, self.session.pacing, *self.wishes.after)

    def refusal(self, message: str, hint: str) -> InputError:
        """That the length asked for cannot be had: at its place, if a script asks for it."""
        if self.target_mark is None:
            return TimingError(message, hint=hint)
        return ScriptError([Problem(self.target_mark, message, hint)])


def read_inputs(reference: str | Path, options: Options, context: Context) -> Inputs:
    """Read the session called `reference` and all that it needs.

    Raises
    ------
    InputError
        A script, a name or an option is wrong.
    VoiceError
        The voice is not here.
    """
    options = checked(options)
    library = context.library
    settings = load_settings(library)
    level = options.level or settings.get("level")
    # An empty list is an answer, too: nothing is at hand, whatever the settings say.
    equipment = settings.get("with", ()) if options.equipment is None else options.equipment
    session = choose(
        load_session(reference, library, level=level, equipment=equipment),
        only=options.only, skip=options.skip, focus=options.focus, shuffle=options.shuffle,
    )  # fmt: skip
    file = Path(session.mark.file)
    beside = file.resolve().parent
    pace, before, after = _pacing(session, options, settings, library)
    # An empty name is an answer, too: nobody is called by the name of whoever set this up.
    name = session.name or settings.get("name", "") if options.name is None else options.name
    wishes = Wishes(
        name=name, client=options.client, known=settings.get("known", ()),
        before=before, after=after,
    )  # fmt: skip
    phrases = options.phrases or session.phrases or settings.get("phrases") or DEFAULT_PHRASES
    length_ms = options.minutes_ms or session.length_ms
    own = (file, settings_file(library))
    with told_where("phrases", phrases, () if options.phrases else own):
        book = load_phrases(phrases, session.language, library, beside)
    named = pacing_of(session, wishes).tones
    any_of = (*own, library.find("paces", pace, beside))
    with told_where("tones", named, () if options.tones else any_of):
        tones = load_tones(named, library.folders("sounds", beside))
    usual = session.voice or str(settings.get("voice"))
    with told_where("voice", usual, () if options.voice else own):
        voice = _voice(options, session, settings)
    return Inputs(
        session=session,
        pace=pace,
        wishes=wishes,
        phrases=book,
        positions=load_positions(library, session.language),
        tones=tones,
        voice=voice,
        pronounce=pronunciations(settings.get("pronounce", ()), session.pronounce),
        target_ms=length_ms and snap(length_ms),
        target_mark=None if options.minutes_ms else session.length_mark,
        bed=_bed(options.bed or session.bed),
        pronunciation=load_pronunciation(library, session.language),
    )


def pacing_layers(
    reference: str | Path | None, options: Options, library: Library | None = None
) -> tuple[Layer, ...]:
    """The layers of pacing that a session gets with `options`, the strongest last.

    Raises
    ------
    InputError
        A script, a name or an option is wrong.
    """
    library, options = library or default_library(), checked(options)
    session = None if reference is None else load_session(reference, library)
    _, before, after = _pacing(session, options, load_settings(library), library)
    return (*before, *((session.pacing,) if session else ()), *after)


def usual_voice(session: Session, settings: Mapping[str, Any]) -> voices.Voice:
    """The voice that speaks a session where no other is asked for.

    The session's own; else the user's, if it speaks the language; else the natural one for
    English, and espeak for any other language.

    Raises
    ------
    UnknownNameError, VoiceError
        The session or the settings name a voice that does not exist, or not here.
    InputError
        No voice speaks the language.
    """
    if session.voice:
        return voices.find(session.voice)
    tongue = session.language.split("-")[0]
    if named := settings.get("voice"):
        own = voices.find(str(named))
        if own.language.split("-")[0] == tongue:
            return own
    if tongue == "en":
        return voices.find("natural")
    try:
        return voices.find(f"espeak:{session.language}")
    except UnknownNameError as error:
        message = f"{session.mark}: no voice speaks the language {session.language!r}"
        raise InputError(message, hint=error.hint) from None


def _voice(options: Options, session: Session, settings: Mapping[str, Any]) -> voices.Voice:
    return voices.find(options.voice) if options.voice else usual_voice(session, settings)


def _pacing(
    session: Session | None, options: Options, settings: Mapping[str, Any], library: Library
) -> tuple[str, tuple[Layer, ...], tuple[Layer, ...]]:
    """The pace's name, and the layers of pacing under and over the session's own.

    The person's own values win over the pace of a session, or over the usual one, but not over a
    pace that is asked for by name.
    """
    beside = Path(session.mark.file).resolve().parent if session else None
    name = options.pace or (session and session.pace) or settings.get("pace") or DEFAULT_PACE
    # That of a session was looked up when the session was read.
    with told_where("pace", name, () if options.pace else (settings_file(library),)):
        pace = load_pace(name, library, beside)
    own = layer("settings", settings)
    after = layer("command line", {**dict(options.pacing), "tones": options.tones})
    return name, (own, pace) if options.pace else (pace, own), (after,)


def _bed(asked: str | None) -> Bed | None:
    if asked is None or asked == "none":
        return None
    from voiceflow.sounds import load_bed

    return load_bed(asked)
