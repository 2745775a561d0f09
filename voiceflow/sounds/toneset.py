"""Tone sets: a name or file in, a `ToneSet` out, which makes tones of any length."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from voiceflow.audio.pcm import segment_of
from voiceflow.core.errors import (
    Mark,
    Problem,
    ScriptError,
    SoundError,
    UnknownNameError,
    did_you_mean,
)
from voiceflow.core.units import ms_to_samples
from voiceflow.script.fields import Schema
from voiceflow.script.yaml import read
from voiceflow.sounds import parse
from voiceflow.sounds.recipe import BREATHS, SIGNALS, Tone

if TYPE_CHECKING:
    from pydub import AudioSegment

# The score asks for 288 s at most.
MAX_MS = 300_000
# Raise this when the same recipe would sound different: it is part of the cache key.
VERSION = 2
# In stereo these are 1.5 MB, so the tones kept below take 74 MB at most.
_KEPT_MS = 16_000
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ToneSet:
    """The tones of the breath, and short signals.

    Attributes
    ----------
    name, about : str
    tones : tuple of (str, Tone)
        Those of `BREATHS` and `SIGNALS` that the set has.
    lean : float, 0 to 1
        How far a side's tones lean to its ear: 0 not at all, 1 completely.
    """

    name: str
    about: str
    tones: tuple[tuple[str, Tone], ...]
    lean: float = 0.4

    def has(self, name: str) -> bool:
        """Whether there is a tone or a signal called `name`."""
        return any(known == name for known, _ in self.tones)

    def length_ms(self, signal: str) -> int:
        """The length of a signal, on the grid; 0 for a breath tone, or if the set lacks it."""
        return self._tone(signal).length_ms if self.has(signal) else 0

    def kind(self, name: str) -> Literal["tone", "sample"]:
        """``"sample"`` if it contains a recording, ``"tone"`` if all of it is synthesised."""
        return "sample" if self.has(name) and self._tone(name).samples else "tone"

    def key(self, name: str) -> str:
        """A hex digest of what `tone(name, …)` depends on, apart from its arguments."""
        content = repr((VERSION, self.lean, self._tone(name)))
        return hashlib.blake2b(content.encode(), digest_size=20).hexdigest()

    def tone(self, name: str, length_ms: int, side: str | None = None) -> AudioSegment:
        """The tone `name` with the given length.

        Parameters
        ----------
        name : str
            One of `BREATHS` or `SIGNALS` that the set has.
        length_ms : int, 1 to 300,000
            The usual length of a signal is `length_ms(name)`.
        side : {"left", "right"} or None
            The ear to which it leans.

        Returns
        -------
        AudioSegment
            Stereo, 24 kHz, 16 bit, exactly ``ms_to_samples(length_ms)`` frames; the first and the
            last frame are silent.

        Raises
        ------
        SoundError
            The set has no such tone, the length is out of bounds, or a sample cannot be read.
        """
        if not 0 < length_ms <= MAX_MS:
            raise SoundError(f"cannot make a tone of {length_ms} ms", hint="use 1 ms to 5 minutes")
        make = _kept if length_ms <= _KEPT_MS else _sounded
        return make(self._tone(name), length_ms, _balance(side, self.lean))

    def _tone(self, name: str) -> Tone:
        for known, tone in self.tones:
            if known == name:
                return tone
        known_names = [known for known, _ in self.tones]
        raise SoundError(
            f"the tone set {self.name!r} has no tone {name!r}", hint=did_you_mean(name, known_names)
        )


def _balance(side: str | None, lean: float) -> tuple[float, float] | None:
    """Gains in dB for the left and the right ear, at equal power; None for the middle."""
    if side not in ("left", "right") or not lean:
        return None
    # A complete lean would leave the far ear nothing, for which there is no gain in dB.
    angle = (1 + min(lean, 0.99)) * math.pi / 4
    far, near = (
        20 * math.log10(math.sqrt(2) * part) for part in (math.cos(angle), math.sin(angle))
    )
    return (near, far) if side == "left" else (far, near)


def _sounded(tone: Tone, length_ms: int, balance: tuple[float, float] | None) -> AudioSegment:
    import numpy as np

    from voiceflow.sounds.synth import render

    mono = np.rint(render(tone, ms_to_samples(length_ms)) * 32767).astype("<i2")
    middle = segment_of(mono.tobytes())
    return middle.set_channels(2) if balance is None else middle.apply_gain_stereo(*balance)


# The same few tones return in many pieces, under different words.
_kept = functools.lru_cache(maxsize=48)(_sounded)


def load(name_or_path: str, folders: Sequence[Path]) -> ToneSet:
    """The tone set with that name, or in that file.

    Parameters
    ----------
    name_or_path : str
        A name is looked up as ``NAME.yaml`` in `folders`; the first that has it wins.

    Raises
    ------
    UnknownNameError
        No folder has a set with this name.
    ScriptError
        All errors of its recipe.
    """
    path = find(name_or_path, folders)
    found: list[Problem] = []
    tone_set = _read(path, folders, found)
    if found:
        raise ScriptError(found)
    return tone_set


def find(name_or_path: str, folders: Sequence[Path]) -> Path:
    """The file of a tone set. Raises UnknownNameError."""
    path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111  `~nobody` must not raise
    if path.suffix in _SUFFIXES or len(path.parts) > 1:
        return path
    for file in _files(folders):
        if file.stem == name_or_path:
            return file
    raise UnknownNameError("tone set", name_or_path, {file.stem for file in _files(folders)})


def names(folders: Sequence[Path]) -> tuple[tuple[str, str], ...]:
    """The name of each tone set in `folders` and a line about it, sorted."""
    found: dict[str, str] = {}
    for file in _files(folders):
        if file.stem not in found:
            found[file.stem] = _about(file)
    return tuple(sorted(found.items()))


def problems(path: Path, folders: Sequence[Path] = ()) -> tuple[Problem, ...]:
    """Every error and warning of the tone set in the file `path`, sorted by place."""
    found: list[Problem] = []
    try:
        tone_set = _read(path, folders, found)
        # A signal that says `none` is left out on purpose: no warning for it.
        refused = {key.text for key, value in read(path).pairs if value.text == "none"}
    except ScriptError as error:
        return tuple(sorted({*found, *error.problems}))
    missing = [one for one in SIGNALS if not tone_set.has(one) and one not in refused]
    # Not beside errors: a signal may be missing only because it could not be read.
    if missing and not found:
        hint = "add them, take them from another set with `like: bowl`, or write `none`"
        message = "the tone set has no signal for " + ", ".join(missing)
        found.append(Problem(Mark(str(path)), message, hint, "warning"))
    return tuple(sorted(set(found)))


def schema() -> Schema:
    """The JSON Schema of a tone set."""
    return parse.schema()


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        with contextlib.suppress(OSError):  # a folder that cannot be read has no sets
            yield from sorted(file for file in folder.iterdir() if file.suffix in _SUFFIXES)


def _about(path: Path) -> str:
    try:
        about = read(path).get("about")
    except ScriptError:
        return "has errors: `voiceflow check` shows them"
    return " ".join(about.text.split()) if about else ""


def _real(path: Path) -> Path:
    # Path's own raises a RuntimeError for a link that leads back to itself.
    return Path(os.path.realpath(path))


def _read(
    path: Path, folders: Sequence[Path], found: list[Problem], chain: tuple[Path, ...] = ()
) -> ToneSet:
    """The set in `path` merged over the one it is like; problems are added to `found`."""
    script = parse.read_script(read(path), path.parent, found)
    chain = (*chain, _real(path))
    base = ToneSet("", "", ())
    if script.like and script.like_node:
        # A user's set may be like the bundled set of the same name, but not like itself.
        near = [one for one in _files((path.parent, *folders)) if _real(one) not in chain]
        file = next((one for one in near if one.stem == script.like), None)
        if file is None:
            error = UnknownNameError("other tone set", script.like, {one.stem for one in near})
            found.append(Problem(script.like_node.mark, error.message, error.hint))
        else:
            base = _read(file, folders, found, chain)
    lean = base.lean if script.lean is None else script.lean
    return ToneSet(path.stem, script.about, _merged(base.tones, script.tones), lean)


def _merged(
    base: tuple[tuple[str, Tone], ...], own: Mapping[str, Tone | None]
) -> tuple[tuple[str, Tone], ...]:
    tones = {**dict(base), **own}
    ordered = ((name, tones.get(name)) for name in (*BREATHS, *SIGNALS))
    return tuple((name, tone) for name, tone in ordered if tone is not None)
