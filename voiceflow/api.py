"""The library's own door: load a session, arrange it, render it, stream it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow.core.errors import InputError
from voiceflow.formats.mp3 import stream_length
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.score.prepare import Prepared, prepare
from voiceflow.stitch import render as rendering
from voiceflow.stitch.render import ForgottenError, Summary
from voiceflow.stitch.rerender import memo_key, recall

# What is known already is streamed without anything that decides or sounds.
if TYPE_CHECKING:
    from pydub import AudioSegment

    from voiceflow.score.decide import Decision
    from voiceflow.script.models import Session


def load(reference: str | Path, *, level: int | None = None) -> Session:
    """The session called `reference`: a bundled name, a name in the user's library, or a path.

    Raises
    ------
    ScriptError
        Every problem of the session and of all exercises it names.
    InputError
        There is no such session.
    """
    from voiceflow.score.option_table import checked
    from voiceflow.script.load import load_session

    level = checked(Options(level=level)).level
    return load_session(_named(reference), Context().library, level=level)


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
    return prepare(_named(reference), options, context, report, ahead=False).decision


def render(
    reference: str | Path,
    target: str | Path,
    form: str | None = None,
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Summary:
    """The session as a file at `target`, written as a whole or not at all.

    Parameters
    ----------
    reference : str or Path
        A bundled name, a name in the user's library, or a path.
    form : {"mp3", "wav", "flac", "ogg", "opus"} or None
        None is what the ending of `target` says, MP3 where it has none.
    report : function of a stage, steps done, steps in all

    Raises
    ------
    VoiceflowError
        It is wrong or cannot be done.
    """
    if not isinstance(target, str | Path):
        raise InputError(f"expected the path of a file to write, found {target!r}")
    return rendering.render(_named(reference), Path(target), form, options, context, report)


def segment(
    reference: str | Path, options: Options = Options(), context: Context | None = None
) -> AudioSegment:
    """The session as one pydub segment: 24 kHz, 16 bit. Raises VoiceflowError."""
    return rendering.segment(_named(reference), options, context)


class Stream:
    """The bytes of a session's MP3 file, as they are made; its length is known beforehand.

    What was rendered or streamed before, and has not changed, is read from the cache.

    Attributes
    ----------
    length : int
        Bytes in all.
    chapters : tuple of (str, int)
        Title and byte at which each chapter begins.
    decision : Decision
        Every word, tone and silence; worked out where it is asked for.
    """

    def __init__(self, reference: str | Path, options: Options, context: Context) -> None:
        self._asked = (reference, options, context)
        self._cache = context.cache
        # A music file may change under its name: with a bed, nothing is remembered.
        plain = options.bed in (None, "none")
        self._key = memo_key(reference, options, context) if plain else None
        self._known = recall(context.cache, self._key)
        head = self._cache.get("head", self._known.head) if self._known else None
        if self._known is not None and head is not None:
            chapters, channels = self._known.chapters, self._known.channels
            length = stream_length(self._known.length_ms, channels)
        else:
            # The cache may have lost the head, without which the length is not known.
            self._known, head = None, self._head
            score, channels = self.decision.score, 1 if options.mono else 2
            chapters = tuple((one.title, one.start_ms) for one in score.chapters)
            length = stream_length(score.length_ms, channels)
        self.length = len(head) + length
        self.chapters = tuple(
            (title, len(head) + stream_length(start_ms, channels)) for title, start_ms in chapters
        )

    @cached_property
    def _prepared(self) -> Prepared:
        return prepare(*self._asked)

    @property
    def decision(self) -> Decision:
        return self._prepared.decision

    @cached_property
    def _head(self) -> bytes:
        from voiceflow.formats.id3 import tag_of

        return tag_of(self.decision.score, self._cache)

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        if self._known is not None:
            try:
                for chunk in rendering.rejoined(self._known, self._cache):
                    yield chunk
                    done += len(chunk)
                return
            except ForgottenError:
                self._known = None
        # The same to the byte, so that it goes on where the cache left off.
        for chunk in self._made():
            if len(chunk) > done:
                yield chunk[done:]
            done = max(done - len(chunk), 0)

    def _made(self) -> Iterator[bytes]:
        _, options, context = self._asked
        stitcher = rendering.stitcher_of(self._prepared, options, context)
        yield from rendering.recording(stitcher)
        rendering.keep(stitcher, self.decision.voice.driver, self._cache, self._key)


def stream(
    reference: str | Path, options: Options = Options(), context: Context | None = None
) -> Stream:
    """The session's MP3 file as an iterator of bytes. Raises VoiceflowError."""
    return Stream(_named(reference), options, context or Context())


def _named(reference: str | Path) -> str | Path:
    if not isinstance(reference, str | Path):
        raise InputError(f"expected the name or the path of a session, found {reference!r}")
    return reference
