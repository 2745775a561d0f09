"""The library's own door: load a session, arrange it, render it, stream it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow import pipeline, rendering
from voiceflow.options import Context, Options, Report, quiet
from voiceflow.pipeline import Decision
from voiceflow.rendering import Summary
from voiceflow.script.load import load_session
from voiceflow.script.models import Session

if TYPE_CHECKING:
    from pydub import AudioSegment


def load(reference: str | Path, *, level: int | None = None) -> Session:
    """The session called `reference`: a bundled name, a name in the user's library, or a path.

    Raises
    ------
    ScriptError
        Every problem of the session and of all exercises it names.
    InputError
        There is no such session.
    """
    return load_session(reference, Context().library, level=level)


def arrange(
    reference: str | Path,
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Decision:
    """The session decided: `.score` holds every word, tone and silence with its time in ms.

    Raises
    ------
    VoiceflowError
        It is wrong (`InputError`) or cannot be spoken (`VoiceError`).
    """
    return pipeline.decide(reference, options, context, report)


def render(
    reference: str | Path,
    target: str | Path,
    form: str = "mp3",
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Summary:
    """The session as a file at `target`, written as a whole or not at all.

    Parameters
    ----------
    form : {"mp3", "wav", "flac", "ogg", "opus"}

    Raises
    ------
    VoiceflowError
        It is wrong or cannot be done.
    """
    return rendering.render(reference, Path(target), form, options, context, report)


def segment(
    reference: str | Path, options: Options = Options(), context: Context | None = None
) -> AudioSegment:
    """The session as one pydub segment: 24 kHz, 16 bit. Raises VoiceflowError."""
    return rendering.segment(reference, options, context)


class Stream:
    """The bytes of a session's MP3 file, as they are made; its length is known beforehand.

    Attributes
    ----------
    length : int
        Bytes in all.
    chapters : tuple of (str, int)
        Title and byte at which each chapter begins.
    """

    def __init__(self, decision: Decision, context: Context, *, mono: bool = False) -> None:
        from voiceflow.recording.head import head
        from voiceflow.recording.mp3 import stream_length
        from voiceflow.sounding import Sounding

        self.decision = decision
        self._sounding = Sounding(decision, context.cache, mono=mono, jobs=context.jobs)
        self._head = head(decision.score, context.cache)
        self.length = len(self._head) + self._sounding.length
        channels = self._sounding.channels
        self.chapters = tuple(
            (one.title, len(self._head) + stream_length(one.start_ms, channels))
            for one in decision.score.chapters
        )

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from self._sounding.stream()


def stream(
    reference: str | Path, options: Options = Options(), context: Context | None = None
) -> Stream:
    """The session's MP3 file as an iterator of bytes. Raises VoiceflowError."""
    context = context or Context()
    return Stream(pipeline.decide(reference, options, context), context, mono=options.mono)
