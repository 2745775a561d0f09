"""pyttsx3 driver for hibari-tts: natural English, offline, the same samples every time.

    install_drivers()
    engine = pyttsx3.init("hibari")

Rates are words a minute as measured, see `PACES`.
"""

from __future__ import annotations

import functools
import marshal
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyttsx3.voice import Voice

from voiceflow.core.cache import Cache
from voiceflow.voices.drivers.base import WaveDriver

SEED = 20_260_101
"""Of the noise in breath and fricatives: fixed, so that a text always sounds the same."""

PACES = (
    (114.0, 0.50), (117.4, 0.54), (120.9, 0.56), (135.0, 0.58), (136.4, 0.60), (138.2, 0.62),
    (140.1, 0.64), (144.5, 0.66), (160.4, 0.68), (162.9, 0.70), (167.5, 0.74), (172.2, 0.78),
    (186.6, 0.80), (204.5, 0.82), (206.7, 0.84), (213.3, 0.86), (218.3, 0.88), (224.2, 0.92),
    (228.4, 0.96), (231.7, 1.00), (235.1, 1.05), (238.7, 1.10), (243.5, 1.15), (252.2, 1.20),
    (260.7, 1.25), (265.4, 1.30), (338.6, 1.35), (343.6, 1.40), (348.3, 1.45), (354.8, 1.55),
    (360.4, 1.60),
)  # fmt: skip
"""Words a minute of 29 cues of 6 to 17 words (trimmed, pauses counted), and the model's speed.

The model counts each sound in whole frames of 12.5 ms, so the rate climbs in steps."""

_NO_SOUND = -4.5
"""A frame without a bin above e to this power cannot be heard: it stays under -75 dBFS (measured;
what is under -65 is trimmed from every clip anyway)."""

_MARGIN = 4  # frames kept beyond what can be heard: 50 ms
_VOICED_HZ = 35.0  # under it the model takes a frame for unvoiced, with a little room
_NOISE_FRAMES = 512

_PAUSE_S = 0.42  # between sentences at speed 1; the model itself leaves 0.7 s
_SILENT = 0.001
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
# Letters that have no accent to drop, and are not in the model's alphabet.
_FOLDED = {
    "Ð": "D",
    "Ħ": "H",
    "ħ": "h",
    "Ĳ": "IJ",
    "ĳ": "ij",
    "ĸ": "k",
    "Ŋ": "Ng",
    "Ŧ": "T",
    "ŧ": "t",
}
_LINK = re.compile(r"(\[[^\]]+\]\([^)]*\))")

Floats = npt.NDArray[np.float32]


@contextmanager
def _without_scipy() -> Iterator[None]:
    """hibari takes scipy's transforms where it is installed. numpy's are as quick, load sooner,
    and a clip must not depend on what else is installed."""
    if "hibari" in sys.modules:
        yield
        return
    hidden = {name: sys.modules.get(name) for name in ("scipy", "scipy.fft")}
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, module in hidden.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


with _without_scipy():
    from hibari import Hibari, dsp


def buildDriver(proxy: Any) -> HibariDriver:  # noqa: N802
    return HibariDriver(proxy)


class Model(Hibari):  # type: ignore[misc]
    """hibari, but what nobody will hear is not made into sound: a quarter of what it predicts are
    the silent ends of sentences, and a third of the rest of the work is drawing noise anew."""

    def from_ids(self, ids: Sequence[int], speed: float = 1.0, rng: object = None) -> Floats:
        """Phonemes of one sentence as sound [shape=(n,), full scale 1], silent ends left away.

        `rng` is not asked: the noise is the same for all sentences.
        """
        if len(ids) < 3:  # nothing between the pads
            return np.zeros(0, np.float32)
        given = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        found = [one[0] for one in self.sess.run(None, given)]
        heard = _audible(*found)
        # The frames [shape=(bins, frames)] and, last, the pitch [shape=(frames,)].
        sound: Floats = dsp.synth(*(one[..., heard] for one in found), _Noise())
        return sound


def _audible(
    harmonic: Floats, _turn: Floats, noise: Floats, rest: Floats, _phase: Floats, pitch: Floats
) -> slice:
    """Where a sentence's frames can be heard, from their log magnitudes [shape=(bins, frames)]."""
    voiced = np.convolve(pitch >= _VOICED_HZ, np.ones(5), "same")[: pitch.size] > 0
    loudest = np.maximum(noise.max(axis=0), rest.max(axis=0))
    loudest = np.maximum(loudest, np.where(voiced, harmonic.max(axis=0), loudest))
    found = np.flatnonzero(loudest > _NO_SOUND)
    if not found.size:
        return slice(0, pitch.size)
    return slice(max(0, int(found[0]) - _MARGIN), int(found[-1]) + 1 + _MARGIN)


class _Noise:
    """White noise that is drawn once, in the place of a generator.

    A frame's noise depends on its place alone, so that it does not matter how many are drawn.
    """

    def standard_normal(self, shape: tuple[int, int], dtype: type) -> Floats:
        """Noise [shape=(bins, 2 * frames)], as a new array."""
        bins, width = shape
        most = _NOISE_FRAMES
        while 2 * most < width:
            most *= 2
        return _drawn(bins, most)[:, :width].astype(dtype)


@functools.lru_cache(maxsize=2)
def _drawn(bins: int, frames: int) -> Floats:
    """Noise [shape=(bins, 2 * frames)], drawn frame by frame."""
    drawn = np.random.default_rng(SEED).standard_normal((frames, bins, 2), np.float32)
    return drawn.transpose(1, 0, 2).reshape(bins, 2 * frames)


class HibariDriver(WaveDriver):
    """One loaded model. Its voice is `heart` until another that is on this machine is set."""

    def __init__(self, proxy: Any) -> None:
        super().__init__(proxy)
        self._values["voice"] = "heart"
        self._model = _load("heart")

    def known_voices(self) -> list[Voice]:
        from hibari.voices import VOICES

        return [
            Voice(name, name.title(), [facts["language"]], facts["gender"])
            for name, facts in VOICES.items()
            if _is_here(name)
        ]

    def use_voice(self, voice_id: str) -> None:
        super().use_voice(voice_id)
        if voice_id != self._values["voice"]:
            self._model = _load(voice_id)

    def samples_of(self, text: str) -> bytes:
        speed = speed_of(self._values["rate"])
        sentences = [*self._model.stream(fold(text), speed=speed, seed=SEED)]
        sound = _joined(sentences, round(_PAUSE_S / speed * self.sample_rate))
        if not sound.size:
            raise ValueError(f"nothing to pronounce in {text!r}")
        return (np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def speed_of(rate: float) -> float:
    """The model's speed whose measured rate is nearest to `rate` words a minute."""
    return min(PACES, key=lambda pace: abs(pace[0] - rate))[1]


def fold(text: str) -> str:
    """`text` with letters that the model's alphabet lacks as their nearest in it.

    Accented letters of Western Europe stay: the model reads `plié` better than `plie`.
    """
    parts = _LINK.split(" ".join(unicodedata.normalize("NFC", text).split()))
    return "".join(part if _LINK.fullmatch(part) else "".join(map(_fold, part)) for part in parts)


def _fold(char: str) -> str:
    if char in _LIGATURES:
        return _LIGATURES[char]
    if char <= "\xff" and char != "Ð":
        return char
    if char in _FOLDED:
        return _FOLDED[char]
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isalpha() else char


def _joined(sentences: list[Floats], pause: int) -> Floats:
    """The sentences with a pause of `pause` samples between what is heard of them."""
    parts: list[Floats] = []
    for sentence in sentences:
        heard = np.flatnonzero(np.abs(sentence) > _SILENT)
        if not heard.size:
            continue
        if parts:
            parts.append(np.zeros(pause, np.float32))
        parts.append(sentence[heard[0] : heard[-1] + 1])
    if len(parts) == 1:
        return sentences[0]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _is_here(voice: str) -> bool:
    """Whether the voice's model is on this machine: none is ever downloaded for a session."""
    from hibari.voices import voice_path

    try:
        return bool(voice_path(voice, download_missing=False))
    except FileNotFoundError:
        return False


def _load(voice: str) -> Any:
    """The model, its reading rules loaded beside it: both take long, one without the lock."""
    from hibari.g2p import G2P
    from hibari.voices import VOICES

    _keep_tables()
    rules = ThreadPoolExecutor(1)
    try:
        reader = rules.submit(G2P, british=VOICES[voice]["british"])
        return Model(voice=voice, g2p=lambda text: reader.result()(text))
    finally:
        rules.shutdown(wait=True)


def _keep_tables() -> None:
    """Has hibari's reading tables kept unpacked: reading their JSON is half of what loading takes.

    Where there is no cache, or hibari reads its tables in another way, it goes on as it does.
    """
    from hibari import __version__, g2p

    root, packed = os.environ.get("VOICEFLOW_TABLES"), getattr(g2p, "_load_json", None)
    if not root or packed is None or hasattr(packed, "kept"):
        return
    cache = Cache(Path(root))

    def load(name: str) -> Any:
        stat = Path(g2p.ASSETS, name).stat()
        given = (__version__, name, stat.st_size, stat.st_mtime_ns)
        key = Cache.key(*given, sys.version, marshal.version)
        found = cache.get("table", key)
        if found is not None:
            with suppress(EOFError, ValueError, TypeError):
                return marshal.loads(found)
        table = packed(name)
        cache.put("table", key, marshal.dumps(table))
        return table

    load.kept = True  # type: ignore[attr-defined]
    g2p._load_json = load
