"""A session rendered to a recording: decided, sounded, tagged, written as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError
from voiceflow.core.files import writing
from voiceflow.core.units import clock, counted
from voiceflow.formats import RENDERED
from voiceflow.formats.id3 import is_tag
from voiceflow.formats.mp3 import Splice, stream_length
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.score.prepare import Prepared, prepare
from voiceflow.stitch.encoded import EncodedPiece, Tally
from voiceflow.stitch.rerender import Remembered, memo_key, recall, remember

# What decides and sounds is loaded only where something is to be decided or sounded.
if TYPE_CHECKING:
    from pydub import AudioSegment

    from voiceflow.stitch.stitcher import Stitcher


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a render. `warning` is about its bed, and mostly empty."""

    path: Path
    length_ms: int
    chapters: int
    loudness: float
    peak: float
    seconds: float
    tally: Tally
    stages: tuple[tuple[str, float], ...]
    length_changes: tuple[str, ...] = ()
    warning: str = ""

    def line(self) -> str:
        """File, length, chapters, loudness, time taken; below, what a wanted length has changed."""
        line = (
            f"{self.path}  {clock(self.length_ms)}  {counted(self.chapters, 'chapter')}  "
            f"{self.loudness:.1f} LUFS  in {self.seconds:.1f} s"
        )
        return "\n".join([line, *(f"  {one}" for one in self.length_changes)])

    def profile(self) -> str:
        """Seconds by stage, and how much was there already."""
        tally = self.tally
        rows = [f"  {stage:<8} {seconds:7.3f} s" for stage, seconds in self.stages]
        # Of a render that was only joined anew, nobody has counted its texts.
        if tally.speech:
            rows.append(f"  {tally.speech} texts said, {tally.clips} different clips")
        rows.append(
            f"  {tally.pieces} pieces, {tally.different} different: "
            f"{tally.hits} from the cache, {tally.made} made"
        )
        rows.append(f"  true peak {self.peak:.1f} dBTP")
        return "\n".join(rows)


def render(
    reference: str | Path,
    target: Path,
    form: str | None = None,
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Summary:
    """Render the session called `reference` to the file `target`.

    Parameters
    ----------
    reference : str or Path
        A bundled name, a name in the user's library, or a path.
    target : Path
        Written as a whole or not at all.
    form : {"mp3", "wav", "flac", "ogg", "opus"} or None
        None is what the ending of `target` says, MP3 where it has none.

    Raises
    ------
    VoiceflowError
        It is wrong or cannot be done; `target` is then as it was.
    """
    form = form_of(target, form)
    context = context or Context()
    key = None
    # A recording with a bed is not joined from pieces, so there would be nothing to join again.
    if form == "mp3" and options.bed in (None, "none"):
        key = memo_key(reference, options, context)
        remembered = recall(context.cache, key)
        if remembered is not None:
            # Pieces may have left the cache: the draft is then dropped and everything made anew.
            with suppress(ForgottenError):
                return _again(remembered, target, context.cache)
    return _anew(reference, target, form, options, context, report, key)


def form_of(target: Path, form: str | None = None) -> str:
    """The format of a file at `target`: what its ending says, or what is asked for.

    Raises
    ------
    InputError
        There is no such format, or the ending says another.
    """
    ending = target.suffix.lstrip(".").lower()
    if form is not None and form not in RENDERED:
        raise InputError(f"there is no format {form!r}", hint=", ".join(RENDERED))
    if ending in RENDERED and form not in (None, ending):
        hint = f"write {target.with_suffix('.' + str(form))}, or leave the format out"
        raise InputError(f"{target} would not be what it says: the format is {form}", hint=hint)
    if ending and ending not in RENDERED and form is None:
        known = ", ".join(f".{one}" for one in RENDERED)
        hint = f"{known}, or --format"
        raise InputError(f"{target}: voiceflow does not write .{ending}", hint=hint)
    return form or ending or "mp3"


class ForgottenError(Exception):
    """A part of a remembered render has left the cache."""


def rejoined(remembered: Remembered, cache: Cache) -> Iterator[bytes]:
    """The MP3 file of a render that is known, its tag first.

    Raises
    ------
    ForgottenError
        Before a chunk that is not there any more.
    """

    def part(kind: str, key: str) -> bytes:
        value = cache.get(kind, key)
        if value is None:
            raise ForgottenError
        return value

    def pieces() -> Iterator[tuple[int, bytes]]:
        for start_ms, key in remembered.pieces:
            piece = EncodedPiece.unpack(part("piece", key))
            if piece is None:
                raise ForgottenError
            yield start_ms, piece.frames

    head = part("head", remembered.head)
    if not is_tag(head):
        raise ForgottenError
    yield head
    yield from Splice(remembered.channels).join(pieces(), remembered.length_ms)


def _again(remembered: Remembered, target: Path, cache: Cache) -> Summary:
    """A render that is known, joined from its parts."""
    watch, tally = _Watch(), Tally(pieces=len(remembered.pieces))
    # The least that it takes, without its tag: a full disk is told at once.
    with writing(target, stream_length(remembered.length_ms, remembered.channels)) as draft:
        for chunk in rejoined(remembered, cache):
            draft.write(chunk)
    tally.different = tally.hits = len({key for _, key in remembered.pieces})
    watch.lap("join")
    return Summary(
        path=target,
        length_ms=remembered.length_ms,
        chapters=len(remembered.chapters),
        loudness=remembered.loudness,
        peak=remembered.peak,
        seconds=watch.total,
        tally=tally,
        stages=tuple(watch.laps),
        length_changes=remembered.length_changes,
    )


def _anew(
    reference: str | Path,
    target: Path,
    form: str,
    options: Options,
    context: Context,
    report: Report,
    key: str | None,
) -> Summary:
    watch = _Watch()
    # The draft is begun first: a place that cannot be written to shows before the work.
    with writing(target) as draft:
        prepared = prepare(reference, options, context, _loading(report))
        watch.lap("decide")
        stitcher = stitcher_of(prepared, options, context)
        score = stitcher.score
        if form == "mp3":
            for chunk in recording(stitcher, report):
                draft.write(chunk)
        else:
            from voiceflow.draw.cover import cover_of
            from voiceflow.formats.containers import write
            from voiceflow.formats.labels import Labels

            labels, cover = Labels.of(score), cover_of(score, context.cache)
            write(draft, form, stitcher.samples(report), stitcher.channels, labels, cover)
        watch.lap("sound")
    summary = Summary(
        path=target,
        length_ms=score.length_ms,
        chapters=len(score.chapters),
        loudness=stitcher.tally.loudness(score.length_ms),
        peak=stitcher.tally.peak(),
        seconds=watch.total,
        tally=stitcher.tally,
        stages=tuple(watch.laps),
        length_changes=score.length_changes,
        warning=bed.warning() if (bed := prepared.instruments.bed) else "",
    )
    keep(stitcher, prepared.decision.voice.driver, context.cache, key)
    return summary


def stitcher_of(prepared: Prepared, options: Options, context: Context) -> Stitcher:
    """What stitches a prepared session."""
    from voiceflow.stitch.stitcher import Stitcher

    score, instruments = prepared.decision.score, prepared.instruments
    return Stitcher(score, instruments, context.cache, mono=options.mono, jobs=context.jobs)


def _loading(report: Report) -> Report:
    """`report`; while a voice is waited for, what sounds its clips is loaded."""
    begun = False

    def told(stage: str, done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            # Beside the voice, whose workers are processes of their own.
            threading.Thread(target=_load, daemon=True).start()
        report(stage, done, total)

    return told


def _load() -> None:
    from voiceflow.stitch.stitcher import load

    load()


def keep(stitcher: Stitcher, driver: str, cache: Cache, key: str | None) -> None:
    """Remember under `key` what a render came to, once all of it is sounded; trim the cache.

    A voice or a music file of one's own may change under its name: neither is remembered.
    """
    if key is not None and driver != "piper" and stitcher.instruments.bed is None:
        remember(cache, key, _parts(stitcher))
    cache.trim()


def _parts(stitcher: Stitcher) -> Remembered:
    from voiceflow.formats.id3 import tag_key

    score, tally = stitcher.score, stitcher.tally
    starts = [piece.start_ms for piece in stitcher.pieces]
    return Remembered(
        length_ms=score.length_ms,
        chapters=tuple((chapter.title, chapter.start_ms) for chapter in score.chapters),
        loudness=tally.loudness(score.length_ms),
        peak=tally.peak(),
        channels=stitcher.channels,
        head=tag_key(score),
        pieces=tuple(zip(starts, stitcher.keys(), strict=True)),
        length_changes=score.length_changes,
    )


def recording(stitcher: Stitcher, report: Report = quiet) -> Iterator[bytes]:
    """The whole MP3 file, chunk by chunk: its tag, then the stream as pieces arrive."""
    from concurrent.futures import ThreadPoolExecutor

    from voiceflow.formats.id3 import tag_of

    stream = stitcher.stream(report)
    # The tag's cover takes a while to draw: the first pieces are begun meanwhile.
    with ThreadPoolExecutor(1) as pool:
        drawn = pool.submit(tag_of, stitcher.score, stitcher.cache)
        # The stream is a generator: nothing is begun before its first chunk is asked for.
        first = next(stream, b"")
        yield drawn.result()
    yield first
    yield from stream


def segment(
    reference: str | Path, options: Options = Options(), context: Context | None = None
) -> AudioSegment:
    """The session called `reference` as one pydub segment: 24 kHz, 16 bit.

    Raises
    ------
    VoiceflowError
        It is wrong or cannot be done.
    """
    context = context or Context()
    stitcher = stitcher_of(prepare(reference, options, context), options, context)
    from voiceflow.audio.pcm import continuous, segment_of

    blocks = continuous(stitcher.samples(), stitcher.score.length_ms, stitcher.channels)
    return segment_of(b"".join(blocks), stitcher.channels)


class _Watch:
    """Seconds by stage, on a clock that never runs back."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self.laps: list[tuple[str, float]] = []

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.laps.append((stage, now - self._last))
        self._last = now

    @property
    def total(self) -> float:
        return self._last - self._start
