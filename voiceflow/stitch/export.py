"""Exports sessions into a folder: recordings, covers, words, chapters and a playlist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from voiceflow.core.errors import (
    InputError,
    OutputError,
    ScriptError,
    UnfinishedError,
    VoiceflowError,
)
from voiceflow.core.files import Draft
from voiceflow.core.plain import printable
from voiceflow.draw.cover import cover_of
from voiceflow.formats import EXPORTED, m4b, sidecars
from voiceflow.formats.containers import write
from voiceflow.formats.filenames import FileNames, safe
from voiceflow.formats.id3 import tag
from voiceflow.formats.labels import Labels, plain
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.score.prepare import Prepared, prepare
from voiceflow.score.score import Event, Score
from voiceflow.script.load import load_session
from voiceflow.stitch.render import recording, stitcher_of
from voiceflow.stitch.sync import Result, folder, put, put_file
from voiceflow.stitch.tracks import Frames, Samples, Track, tracks

_SEVERAL: Final = "voiceflow sessions"
"""What the playlist is called where there are several; no session's files are."""
_NUMBERED: Final = re.compile(r"\d{2,} .*\.(\w+)")

Entry = tuple[str, int, str]
"""One line of a playlist: path, length in milliseconds, title."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Which files an export writes.

    Attributes
    ----------
    form : str
        One of `formats.EXPORTED`.
    split : bool
        A file for each exercise, in a folder for the session.
    """

    form: str = "mp3"
    split: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """One session of several that could not be exported."""

    reference: str
    error: VoiceflowError

    def line(self) -> str:
        """What is wrong, and with which session."""
        # Lines about scripts begin with the file's name by themselves.
        if isinstance(self.error, ScriptError):
            return str(self.error)
        return f"{printable(self.reference)}: error: {self.error}"


def export(
    references: Iterable[str | Path],
    into: Path,
    files: ExportOptions = ExportOptions(),
    options: Options = Options(),
    context: Context | None = None,
    report: Report = quiet,
) -> Iterator[Result | Failure]:
    """Export sessions into a folder, which is made if it is missing.

    Yields
    ------
    Result or Failure
        A result for each file, as soon as it is written: recordings first, the playlist last. A
        failure for each session of several that is wrong; the others are exported all the same.

    Raises
    ------
    InputError
        An option is wrong, or the only session, or every one of them.
    UnfinishedError
        At the end, if some of several sessions failed.
    OutputError
        A file cannot be written. Those before it are complete.
    """
    _check(files)
    folder(into)
    # A session named twice is exported once. A dict keeps the order, which the playlist has too.
    wanted = tuple(dict.fromkeys(references))
    batch = _Batch(into, files, options, context or Context(), report)
    if len(wanted) == 1:
        yield from batch.session(wanted[0])
    else:
        yield from batch.several(wanted)
    if batch.entries:
        called = batch.bases[0] if len(wanted) == 1 else _SEVERAL
        yield _text(into / f"{called}.m3u8", sidecars.playlist(batch.entries))
    if batch.failures:
        raise _unfinished([one.error for one in batch.failures], len(wanted))


class _Batch:
    """Sessions on their way into one folder, and what became of them."""

    def __init__(
        self, into: Path, files: ExportOptions, options: Options, context: Context, report: Report
    ) -> None:
        self.into, self.files = into, files
        self.options, self.context, self.report = options, context, report
        self.names = FileNames()
        self.names.give(_SEVERAL)
        self.entries: list[Entry] = []
        self.bases: list[str] = []
        self.failures: list[Failure] = []

    def several(self, wanted: tuple[str | Path, ...]) -> Iterator[Result | Failure]:
        """Each of several sessions; those that are wrong are told and passed over."""
        readable = []
        for reference in wanted:  # a wrong name or script shows before the work
            try:
                load_session(reference, self.context.library, level=self.options.level)
                readable.append(reference)
            except VoiceflowError as error:
                yield self._failed(reference, error)
        for reference in readable:
            try:
                yield from self.session(reference)
            # A disk that is full, or gone, is no fault of this session: the next would meet it too.
            except OutputError:
                raise
            except VoiceflowError as error:
                yield self._failed(reference, error)

    def session(self, reference: str | Path) -> Iterator[Result]:
        """The files of one session."""
        prepared = prepare(reference, self.options, self.context, self.report)
        made = _SessionFiles(prepared, self.options, self.context, self.report)
        base = self.names.give(made.score.title)
        self.bases.append(base)
        make = made.split if self.files.split else made.whole
        entries: list[Entry] = []
        yield from make(self.into, base, self.files.form, entries)
        # Only now: a playlist names no session that is there in part.
        self.entries += entries
        # Between sessions, as all of them together may be more than the cache may hold.
        self.context.cache.trim()

    def _failed(self, reference: str | Path, error: VoiceflowError) -> Failure:
        failure = Failure(str(reference), error)
        self.failures.append(failure)
        return failure


def _unfinished(errors: list[VoiceflowError], count: int) -> VoiceflowError:
    if len(errors) < count:
        return UnfinishedError(f"{len(errors)} of {count} sessions could not be exported")
    message = f"none of the {count} sessions could be exported"
    wrong = all(isinstance(error, InputError) for error in errors)
    return InputError(message) if wrong else UnfinishedError(message)


def _check(files: ExportOptions) -> None:
    if files.form not in EXPORTED:
        raise InputError(f"there is no format {files.form!r}", hint=", ".join(EXPORTED))
    if files.form == "m4b":
        if files.split:
            hint = "leave out --split, or use --format mp3"
            raise InputError("m4b cannot be split: it holds the whole session", hint=hint)
        # A missing package is told before the work.
        m4b.ready()


class _SessionFiles:
    """One decided session, and the files made of it."""

    def __init__(
        self, prepared: Prepared, options: Options, context: Context, report: Report
    ) -> None:
        self.stitcher, self.report = stitcher_of(prepared, options, context), report
        self.score, self.channels = self.stitcher.score, self.stitcher.channels
        self.labels = Labels.of(self.score)
        self.cover = cover_of(self.score, context.cache)

    def whole(self, into: Path, base: str, form: str, entries: list[Entry]) -> Iterator[Result]:
        """One recording, with cover, words and chapters beside it."""
        target = into / f"{base}.{form}"
        if form == "mp3":
            yield put(target, recording(self.stitcher, self.report))
        else:
            yield put_file(target, lambda draft: self._write(draft, form))
        yield put(into / f"{base}.jpg", [self.cover])
        yield _text(into / f"{base}.lrc", sidecars.lyrics(self.labels))
        yield _text(into / f"{base}.vtt", sidecars.transcript(self.score))
        yield _text(into / f"{base}.chapters.json", _json(sidecars.chapters(self.score)))
        entries.append((target.name, self.score.length_ms, self.score.title))

    def _write(self, draft: Draft, form: str) -> None:
        samples = self.stitcher.samples(self.report)
        if form == "m4b":
            m4b.write(draft, samples, self.channels, self.labels, self.cover)
        else:
            write(draft, form, samples, self.channels, self.labels, self.cover)

    def split(self, into: Path, base: str, form: str, entries: list[Entry]) -> Iterator[Result]:
        """A folder with a numbered recording and its words for each exercise, and a cover."""
        inside = into / base
        folder(inside)
        # Two chapters that begin within one piece begin at one place: the first of them is empty.
        listed = [one for one in tracks(self.score, self.stitcher.pieces) if one.length_ms]
        # As many digits for all: players sort names as text.
        digits = max(2, len(str(len(listed))))
        # One source for all tracks: each takes on where the one before it stopped.
        source = self._source(form)
        made = set()
        for number, track in enumerate(listed, 1):
            name = safe(track.title, prefix=f"{number:0{digits}} ", ending=f".{form}")
            made.add(name)
            labels = track_labels(self.score, track, number, len(listed))
            yield self._track(inside / name, form, source, track, labels)
            yield _text((inside / name).with_suffix(".lrc"), sidecars.lyrics(labels))
            entries.append((f"{base}/{name}", track.length_ms, labels.title))
        yield put(inside / "cover.jpg", [self.cover])
        yield from _left_over(inside, made)

    def _source(self, form: str) -> Frames | Samples:
        if form == "mp3":
            return Frames(self.stitcher.stream(self.report), self.channels)
        samples = self.stitcher.samples(self.report)
        return Samples(samples, self.score.length_ms, self.channels)

    def _track(
        self, target: Path, form: str, source: Frames | Samples, track: Track, labels: Labels
    ) -> Result:
        if isinstance(source, Frames):
            return put(target, _joined(tag(labels, self.cover), source.take(track.length_ms)))
        pieces = source.take(track.length_ms)
        return put_file(
            target, lambda draft: write(draft, form, pieces, self.channels, labels, self.cover)
        )


def track_labels(score: Score, track: Track, number: int, count: int) -> Labels:
    """The labels of one track; its album is the session."""
    whole = Labels.of(score)
    lines = tuple(
        (event.start_ms - track.start_ms, plain(event.name)) for event in _said(score, track)
    )
    return replace(
        whole,
        title=plain(track.title),
        album=whole.title,
        length_ms=track.length_ms,
        chapters=(),
        lines=lines,
        track=(number, count),
    )


def _said(score: Score, track: Track) -> Iterator[Event]:
    for event in score.events:
        if event.kind == "speech" and track.start_ms <= event.start_ms < track.end_ms:
            yield event


def _joined(head: bytes, frames: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from frames


def _text(target: Path, text: str) -> Result:
    return put(target, [text.encode()])


def _json(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _left_over(inside: Path, made: set[str]) -> Iterator[Result]:
    """Numbered recordings of an earlier export: reported, but not ours to delete."""
    for path in sorted(inside.iterdir()):
        numbered = _NUMBERED.fullmatch(path.name)
        if numbered and numbered[1] in EXPORTED and path.name not in made and path.is_file():
            yield Result(path, "left over", path.stat().st_size)
