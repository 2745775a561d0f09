"""Instruments: what sounds a decision. They stand beside it, so that the decision is plain data.

In: `Inputs`, or the names that a finished score holds. Out: a speaker with its worker processes,
the tone set, and the bed. A machine that is sent a decision makes its own instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow import voices
from voiceflow.score.inputs import Inputs
from voiceflow.score.options import Context
from voiceflow.score.score import Score
from voiceflow.sounds import ToneSet, load_bed
from voiceflow.sounds import load as load_tones

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed


@dataclass(frozen=True, slots=True)
class Instruments:
    """A voice that speaks, tones, and a bed or None."""

    speaker: voices.Speaker
    tones: ToneSet
    bed: Bed | None = None

    @staticmethod
    def of(inputs: Inputs, context: Context) -> Instruments:
        """The instruments that `inputs` ask for; no worker is started yet."""
        speaker = voices.Speaker(inputs.voice, inputs.rate, context.cache, jobs=context.jobs)
        return Instruments(speaker, inputs.tones, inputs.bed)

    @staticmethod
    def for_score(
        score: Score, rate: int, bed: str | None, context: Context, beside: Path | None
    ) -> Instruments:
        """The instruments of a score that was decided earlier, found again by their names.

        Parameters
        ----------
        rate : int > 0
            Words a minute.
        bed : str or None
            The bed's name.
        beside : Path or None
            The session's folder, where a tone set of its own may lie.

        Raises
        ------
        VoiceflowError
            Its voice, its tones or its bed are no longer here.
        """
        speaker = voices.Speaker(voices.find(score.voice), rate, context.cache, jobs=context.jobs)
        tones = load_tones(score.tones, context.library.folders("sounds", beside))
        return Instruments(speaker, tones, load_bed(bed) if bed else None)
