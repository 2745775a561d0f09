"""The seam with hibari-tts: all that voiceflow uses of it beyond its documented interface.

In comes the name of a voice; out comes its model, loaded, with `stream(text, speed, seed)`. Relied
on, and held by tests/voices/test_seams.py, which names what changed when hibari does:

- `hibari.dsp` imports `scipy.fft`, if that is there, and nothing else of scipy (`_without_scipy`);
- `Hibari(voice, g2p)` has its network in `sess`; `stream` calls `from_ids(ids, speed, rng)` for
  each sentence; `sess` takes `ids` and `speed` and gives six arrays, which `dsp.synth` makes into
  sound with noise from `rng.standard_normal` (`Model`);
- `hibari.g2p.G2P` reads its tables by name with `hibari.g2p._load_json` (`_keep_tables`);
- `hibari.voices` has `VOICES`, facts by name, and `voice_path` (`known`, `is_here`).
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voiceflow.core.cache import Cache

SEED = 20_260_101
"""Of the noise in breath and fricatives: fixed, so that a text always sounds the same."""

_NO_SOUND = -4.5
"""A frame without a bin above e to this power cannot be heard: it stays under -75 dBFS (measured;
what is under -65 is trimmed from every clip anyway)."""

_MARGIN = 4  # frames kept beyond what can be heard: 50 ms
_VOICED_HZ = 35.0  # under it the model takes a frame for unvoiced, with a little room
_NOISE_FRAMES = 512


Floats = npt.NDArray[np.float32]


@contextmanager
def _without_scipy() -> Iterator[None]:
    """Have hibari use numpy's Fourier transforms, even if scipy is installed.

    They are as quick and load sooner, and a clip must not depend on what else is installed.
    """
    if "hibari" in sys.modules:
        yield
        return
    hidden = {name: sys.modules.get(name) for name in ("scipy", "scipy.fft")}
    # A module that is None in this table raises ImportError when it is imported.
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


class Model(Hibari):  # type: ignore[misc]
    """hibari without the work that nobody hears.

    A quarter of what it predicts is the silence at the ends of sentences, which is cut off before
    it is made into sound; a third of the rest of the work is drawing noise, which is drawn once.
    """

    def from_ids(self, ids: Sequence[int], speed: float = 1.0, rng: object = None) -> Floats:
        """Phonemes of one sentence as sound [shape=(n,), full scale 1], without silent ends.

        `rng` is not used: the noise is the same for all sentences.
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


def known() -> Mapping[str, Mapping[str, Any]]:
    """Every voice of hibari by name, with its ``language``, ``gender`` and ``british``."""
    from hibari.voices import VOICES

    return dict(VOICES)


def is_here(voice: str) -> bool:
    """Whether a voice's model is on this machine. voiceflow never downloads one."""
    from hibari.voices import voice_path

    try:
        return bool(voice_path(voice, download_missing=False))
    except FileNotFoundError:
        return False


def load(voice: str) -> Model:
    """A voice's model with its reading rules.

    Both take long to load. The model does so without holding Python's lock, so the rules load in a
    thread at the same time.
    """
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
    """Have hibari's reading tables kept in the cache: half of its loading is unpacking them.

    Without a cache, or if hibari does not read its tables with `_load_json` any more, hibari reads
    them as it always does.
    """
    from hibari import __version__, g2p

    root, from_json = os.environ.get("VOICEFLOW_TABLES"), getattr(g2p, "_load_json", None)
    if not root or from_json is None or hasattr(from_json, "kept"):
        return
    cache = Cache(Path(root))

    def load_table(name: str) -> Any:
        stat = Path(g2p.ASSETS, name).stat()
        # Not its time: the same version may be installed again.
        given = (__version__, name, stat.st_size, "utf-8")
        key = Cache.key(*given)
        if (found := cache.get("table", key)) is not None and (kept := _table(found)) is not None:
            return kept
        table = from_json(name)
        # JSON again, but unpacked and without spaces: hardly slower to read than Python's own
        # formats, which a file that somebody put there could crash or take over.
        # Its letters as they are, not as \u0259: a quarter less to read.
        text = json.dumps(table, separators=(",", ":"), ensure_ascii=False)
        cache.put("table", key, text.encode("utf-8", "surrogatepass"))
        return table

    load_table.kept = True  # type: ignore[attr-defined]
    g2p._load_json = load_table


def _table(kept: bytes) -> dict[str, Any] | None:
    """A table as the cache kept it; None where that is no table."""
    with suppress(ValueError, RecursionError):
        table = json.loads(kept)
        if isinstance(table, dict) and table:
            return table
    return None
