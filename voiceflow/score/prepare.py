"""Preparing: a session's name becomes a decision and the instruments that sound it.

The voice loads on another core while scripts are read and decided, hence nothing heavy is imported
before it has begun.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from voiceflow.score.options import Context, Options, Report, quiet

if TYPE_CHECKING:
    from voiceflow.score.decide import Decision
    from voiceflow.score.instruments import Instruments


class Prepared(NamedTuple):
    """A decision, and beside it what sounds it."""

    decision: Decision
    instruments: Instruments


def prepare(
    reference: str | Path,
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
    *,
    ahead: bool = True,
) -> Prepared:
    """Read and decide the session called `reference`.

    Parameters
    ----------
    ahead : bool
        Whether the voice begins to load at once, before it is known what it has to say.

    Raises
    ------
    InputError
        The session, or what is asked of it, is wrong.
    VoiceError
        The voice cannot speak it.
    """
    context = context or Context()
    if not ahead:
        return _decided(reference, options, context, report)
    from voiceflow import voices

    with voices.expecting(_voice_of(options), context.cache):
        return _decided(reference, options, context, report)


def _voice_of(options: Options) -> str:
    """The voice that is going to be needed, as far as it can be told before anything is read."""
    named = getattr(options, "voice", None)  # a program may hand over anything
    return named if isinstance(named, str) and named else "natural"


def _decided(reference: str | Path, options: Options, context: Context, report: Report) -> Prepared:
    from voiceflow.score.decide import decide
    from voiceflow.score.inputs import read_inputs
    from voiceflow.score.instruments import Instruments
    from voiceflow.score.told_where import length_told_where

    inputs = read_inputs(reference, options, context)
    instruments = Instruments.of(inputs, context)
    # A length that was asked for outside of the script is no error of the script's.
    session = None if options.minutes_ms else inputs.session
    with length_told_where(session):
        return Prepared(decide(inputs, instruments.speaker, report), instruments)
