"""The stitcher: a score and its instruments become sound, piece by piece, in order.

Each different piece is stitched and encoded once, in parallel. Memory holds what is in flight and
a little more: a piece that returns is taken from a small store, else from the cache, else made
again.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from voiceflow.audio.pcm import segment_of
from voiceflow.core.cache import Cache
from voiceflow.formats import mp3
from voiceflow.score.instruments import Instruments
from voiceflow.score.options import Report, quiet
from voiceflow.score.score import Score
from voiceflow.stitch.bed_mix import underlaid
from voiceflow.stitch.encoded import EncodedPiece, Tally
from voiceflow.stitch.mixdown import stitch
from voiceflow.stitch.pieces import Piece, cut, piece_keys
from voiceflow.stitch.session_loudness import VERSION, measure

if TYPE_CHECKING:
    from pydub import AudioSegment

_STORE_BYTES = 24 << 20
_AHEAD = 4  # pieces begun ahead of the one being written, for each worker


def load() -> None:
    """Imports what sounding takes, which else the first piece does."""
    import lameenc  # noqa: F401
    import numpy as np  # noqa: F401

    # An empty segment is enough to import pydub, whose seam is in `audio.pcm`.
    segment_of(b"")


class Stitcher:
    """The pieces of one score, sounded as they are asked for.

    Parameters
    ----------
    score : Score
    instruments : Instruments
        They are used from several threads at once.
    cache : Cache
    mono : bool
    jobs : int
        Threads; 0 for one a core.
    """

    def __init__(
        self,
        score: Score,
        instruments: Instruments,
        cache: Cache,
        *,
        mono: bool = False,
        jobs: int = 0,
    ) -> None:
        self.score, self.instruments, self.cache, self.mono = score, instruments, cache, mono
        self.channels = 1 if mono else 2
        self.jobs = jobs or os.cpu_count() or 1
        self.pieces = cut(score)
        said = [event.spoken for event in score.events if event.kind == "speech"]
        self.tally = Tally(len(said), len(set(said)), len(self.pieces))
        self._store: OrderedDict[str, EncodedPiece] = OrderedDict()
        self._stored = 0
        self._lock = threading.Lock()

    @property
    def length(self) -> int:
        """Bytes of the MP3 stream, without tags: known before it is made."""
        return mp3.stream_length(self.score.length_ms, self.channels)

    def stream(self, report: Report = quiet) -> Iterator[bytes]:
        """The MP3 stream, chunk by chunk, as pieces arrive.

        Yields
        ------
        bytes
            `length` in all.

        Raises
        ------
        SoundError
            A piece cannot be sounded.
        """
        if self.instruments.bed is not None:
            yield from mp3.encode_stream((pcm for _, pcm in self.samples(report)), self.channels)
            return
        splice = mp3.Splice(self.channels)
        yield from splice.join(self._frames(splice, report), self.score.length_ms)

    def _frames(self, splice: mp3.Splice, report: Report) -> Iterator[tuple[int, bytes]]:
        keys = self.keys()
        self.tally.different = len(set(keys))
        # The pool ends first: until then its threads may ask the speaker for clips.
        with self._speaking(), _pool(self.jobs) as pool:
            waiting: dict[str, Future[EncodedPiece]] = {}
            ahead = 0
            for at, (piece, key) in enumerate(zip(self.pieces, keys, strict=True)):
                # Not far ahead even of what is cached: it would leave the store before its turn.
                while ahead < min(len(keys), at + self.jobs * _AHEAD):
                    self._begin(pool, splice, self.pieces[ahead], keys[ahead], waiting)
                    ahead += 1
                sounded = self._kept(key)
                if sounded is None:
                    # Begun ahead it still waits; or it has left the store and is begun again.
                    self._begin(pool, splice, piece, key, waiting)
                    sounded = self._kept(key) or waiting.pop(key).result()
                    self._keep(key, sounded)
                self.tally.powers.append((piece.start_ms, sounded.levels.powers))
                self.tally.peaks.add(sounded.levels.peak)
                report("stitching", at + 1, len(keys))
                yield piece.start_ms, sounded.frames

    def _begin(
        self,
        pool: ThreadPoolExecutor,
        splice: mp3.Splice,
        piece: Piece,
        key: str,
        waiting: dict[str, Future[EncodedPiece]],
    ) -> None:
        if key in waiting or key in self._store:
            return
        cached = self._cached(key)
        if cached is not None:
            self.tally.hits += 1
            self._keep(key, cached)
        else:
            self.tally.made += 1
            waiting[key] = pool.submit(self._make, splice, piece, key)

    def keys(self) -> list[str]:
        """The content key of each piece, as MP3."""
        speaker, tones = self.instruments.speaker, self.instruments.tones
        settings = (*mp3.settings(self.channels), VERSION)
        return piece_keys(self.pieces, speaker.clip_key, tones, *settings)

    def pcm(self, piece: Piece) -> bytes:
        """One piece as int16 little-endian samples, interleaved, 24 kHz."""
        return bytes(self._stitched(piece).set_channels(self.channels).raw_data)

    def _stitched(self, piece: Piece) -> AudioSegment:
        """One piece; one channel where both ears hear the same."""
        speaker = self.instruments.speaker
        return stitch(piece, lambda text: speaker.clip(text).pcm, self.instruments.tones, self.mono)

    def samples(self, report: Report = quiet) -> Iterator[tuple[int, bytes]]:
        """Start in milliseconds and samples of each piece, in order; levels are tallied.

        With a bed, of blocks without gaps.
        """
        with self._speaking():
            yield from self._measured(report)

    def _measured(self, report: Report) -> Iterator[tuple[int, bytes]]:
        stretches = self._plain(report)
        if self.instruments.bed is not None:
            stretches = underlaid(stretches, self.score, self.instruments.bed, self.channels)
        for start_ms, pcm in stretches:
            levels = measure(pcm, self.channels)
            self.tally.powers.append((start_ms, levels.powers))
            self.tally.peaks.add(levels.peak)
            yield start_ms, pcm

    def _plain(self, report: Report) -> Iterator[tuple[int, bytes]]:
        for at, piece in enumerate(self.pieces):
            report("stitching", at + 1, len(self.pieces))
            yield piece.start_ms, self.pcm(piece)

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Gives up the workers that came back for clips which the cache had lost."""
        try:
            yield
        finally:
            self.instruments.speaker.give_up()

    def _make(self, splice: mp3.Splice, piece: Piece, key: str) -> EncodedPiece:
        segment = self._stitched(piece)
        pcm, given = bytes(segment.raw_data), segment.channels
        # Where one channel stands for both ears, it is measured as both hear it.
        sounded = EncodedPiece(splice.piece(pcm, given), measure(pcm, given, ears=self.channels))
        self.cache.put("piece", key, sounded.pack())
        return sounded

    def _cached(self, key: str) -> EncodedPiece | None:
        value = self.cache.get("piece", key)
        return EncodedPiece.unpack(value) if value else None

    def _kept(self, key: str) -> EncodedPiece | None:
        with self._lock:
            if key in self._store:
                self._store.move_to_end(key)
            return self._store.get(key)

    def _keep(self, key: str, sounded: EncodedPiece) -> None:
        with self._lock:
            if key not in self._store:
                self._stored += len(sounded.frames)
            self._store[key] = sounded
            # The newest stays even if it alone is over the limit: it is what is asked for next.
            while self._stored > _STORE_BYTES and len(self._store) > 1:
                self._stored -= len(self._store.popitem(last=False)[1].frames)


@contextmanager
def _pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that are given up at once where the reader goes away or fails."""
    # Threads will do: LAME lets go of the interpreter while it encodes.
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="stitch")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
