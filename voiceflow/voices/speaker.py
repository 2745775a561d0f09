"""Cues become clips: what the cache knows is taken from it, the rest is spoken by workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from voiceflow.core.cache import Cache
from voiceflow.core.errors import VoiceError, VoiceflowError
from voiceflow.core.machine import cores
from voiceflow.core.units import ms_to_samples, samples_to_ms
from voiceflow.voices.estimates import estimate
from voiceflow.voices.pronounce import check
from voiceflow.voices.resident import given_back, stays, taken
from voiceflow.voices.voice import Voice, find

if TYPE_CHECKING:
    from voiceflow.voices.pool import Order, Pool

_LEVELLING = "level-4"  # `level.VERSION`, known here without numpy; a test holds them together
_FORMAT = "s16le mono 24000"
_AHEAD = ("hibari", "espeak")  # drivers that can load before it is known which of their voices
_LENGTH_DIGITS = 7  # nearly three hours of milliseconds
_WORTH = 6  # texts that are worth the loading of one more worker


@dataclass(frozen=True, slots=True)
class Clip:
    """One cue as speech: mono int16 little-endian at 24 kHz, trimmed and levelled."""

    text: str
    pcm: bytes

    @property
    def length_ms(self) -> int:
        return samples_to_ms(len(self.pcm) // 2)


class Speaker:
    """A voice at one rate, with its workers and its memory.

    Parameters
    ----------
    rate : int > 0
        Words a minute.
    jobs : int >= 0
        Worker processes at most; 0 is one for each core.
    timeout_s : float > 0
        For one clip. What takes longer is tried once more, then given up.

    A context manager: leaving it gives up all workers. It can be used on; they come back as needed.
    """

    def __init__(
        self, voice: Voice, rate: int, cache: Cache, *, jobs: int = 0, timeout_s: float = 30
    ) -> None:
        self.voice, self.rate = voice, rate
        self._cache, self._jobs, self._timeout_s = cache, jobs or cores(), timeout_s
        self._pool: Pool | None = None
        # The workers have one listener: threads that stitch and miss a clip take turns.
        # Re-entrant, because speech that fails within a turn closes the workers in another.
        self._turn = threading.RLock()
        self._held: dict[str, bytes] = {}
        self._keys: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.give_up()
        else:
            self.close()

    def give_up(self) -> None:
        """Ends all workers, or leaves them to the next session: see `voices.resident`."""
        with self._turn:
            if self._pool is not None:
                given_back(self._order(), self._jobs, self._pool)
                self._pool = None

    def close(self) -> None:
        """Ends all workers. Clips that are known stay known."""
        with self._turn:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def start(self, texts: int | None = None) -> None:
        """Begins loading workers, and returns at once.

        Parameters
        ----------
        texts : int or None
            How many are going to be spoken, if that is known: few texts need few workers.
        """
        if self.voice.driver != "silent" and texts != 0:
            self._workers().start(self._jobs if texts is None else -(-texts // _WORTH))

    def known(self, texts: Iterable[str]) -> dict[str, int]:
        """Lengths in milliseconds of those texts whose clip needs not be spoken."""
        if self.voice.driver == "silent":
            return {text: estimate(text, self.rate) for text in texts}
        lengths: dict[str, int] = {}
        for text in texts:
            if text in self._held:
                lengths[text] = samples_to_ms(len(self._held[text]) // 2)
            elif (length := self._length(self.clip_key(text))) is not None:
                lengths[text] = length
        return lengths

    def _length(self, key: str) -> int | None:
        """The length that was kept with a clip; None if it is no length, or that of another."""
        entry = self._cache.get("length", key)
        if entry is None or not entry.isdigit() or len(entry) > _LENGTH_DIGITS:
            return None
        # By its size alone, as to read all clips takes long. One that is gone is spoken again.
        size = self._cache.size("clip", key)
        return int(entry) if size is None or samples_to_ms(size // 2) == int(entry) else None

    def speak(
        self, texts: Iterable[str], on_clip: Callable[[str], None] | None = None
    ) -> dict[str, int]:
        """Lengths in milliseconds of all `texts`, in their order; what is not known is spoken.

        Parameters
        ----------
        on_clip : function of the text
            Called after each clip that had to be made.

        Raises
        ------
        VoiceError
            A text cannot be spoken; its `text` is the text.
        """
        wanted = dict.fromkeys(texts)
        lengths = self.known(wanted)
        missing = [text for text in wanted if text not in lengths]
        # The silent voice knows every length: nothing would ever be missing, and nothing checked.
        check(wanted if self.voice.driver == "silent" else missing, self.voice)
        for text, pcm in self._made(missing):
            lengths[text] = self._keep(text, pcm)
            if on_clip is not None:
                on_clip(text)
        return {text: lengths[text] for text in wanted}

    def clip(self, text: str) -> Clip:
        """The clip of a known text. One that the cache has lost meanwhile is spoken again.

        Raises
        ------
        VoiceError
        """
        if self.voice.driver == "silent":
            return Clip(text, bytes(2 * ms_to_samples(estimate(text, self.rate))))
        pcm = self._found(text)
        if pcm is None:
            with self._turn:
                pcm = self._found(text)  # another thread may have had it made meanwhile
                if pcm is None:
                    for _, pcm in self._made([text]):
                        self._keep(text, pcm)
        assert pcm is not None
        return Clip(text, pcm)

    def _found(self, text: str) -> bytes | None:
        kept = self._held.get(text) or self._cache.get("clip", self.clip_key(text))
        # Two bytes to a sample: anything else was not kept here.
        return kept if kept and len(kept) % 2 == 0 else None

    def clip_key(self, text: str) -> str:
        """Of everything that decides the clip's samples, and of nothing else."""
        if text not in self._keys:
            voice = self.voice
            self._keys[text] = Cache.key(
                voice.driver, voice.version, voice.voice_id, self.rate, _FORMAT, _LEVELLING, text
            )
        return self._keys[text]

    def _made(self, texts: list[str]) -> Iterable[tuple[str, bytes]]:
        """Each text with its clip, as it is done; the workers are gone if it goes wrong."""
        if not texts:
            return
        longest_first = sorted(texts, key=lambda text: (-estimate(text, self.rate), text))
        pool = self._workers()
        pool.start(-(-len(texts) // _WORTH))
        try:
            yield from pool.speak(longest_first)
        # An interrupt, or a caller that stops listening, ends the workers too.
        except BaseException:
            self.close()
            raise

    def _keep(self, text: str, pcm: bytes) -> int:
        """Remembers a clip, on disk if that can be, and gives its length."""
        key, length = self.clip_key(text), samples_to_ms(len(pcm) // 2)
        # The clip before its length, because `known` believes a length without a look at the clip.
        kept = self._cache.put("clip", key, pcm)
        if not (self._cache.put("length", key, str(length).encode()) and kept):
            self._held[text] = pcm
        return length

    def _workers(self) -> Pool:
        if self._pool is None:
            from voiceflow.voices.pool import Pool

            if self.voice.driver == "silent":
                raise VoiceError("the silent voice has no engine")
            order = self._order()
            self._pool = taken(order, self._jobs) or Pool(order, self._jobs)
        return self._pool

    def _order(self) -> Order:
        from voiceflow.voices.pool import Order

        voice = self.voice
        return Order(voice.driver, voice.voice_id, self.rate, self._timeout_s, voice.language)


@contextmanager
def expecting(name: str, cache: Cache) -> Iterator[None]:
    """Meanwhile the voice `name` loads on other cores than this, for it is going to be needed.

    Whoever needs workers for it takes these; what nobody took is gone at the end. Where nothing
    was ever spoken, there will be work for all cores. A name that is wrong is for others to tell.
    """
    voice = None
    with suppress(VoiceflowError):
        voice = find(name)
    if voice is None or voice.driver not in _AHEAD or cores() < 2 or stays():
        yield
        return
    from voiceflow.voices import pool

    count = 1 if cache.holds("length") else cores()
    with pool.begun(voice.driver, count):
        yield
