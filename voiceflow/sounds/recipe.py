"""What a tone set is made of: plain, frozen values that say everything a sound needs.

The whole of a recipe shows in its `repr`, which is what content keys are made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

BREATHS = ("inhale", "exhale", "hold")
# Hz, under the Nyquist frequency: a partial above it is left out.
HIGHEST = 11_000.0
SIGNALS = ("start", "change", "switch", "wake", "count", "bell", "end")


@dataclass(frozen=True, slots=True)
class Course:
    """A value that moves from the start of a tone to its end; level where both are the same."""

    start: float
    end: float

    @property
    def level(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of a tone: seconds, or a share of its length (0 to 1)."""

    amount: float
    share: bool = False

    def samples(self, total: int, rate: int) -> int:
        """How many of `total` samples this is; never more than all of them."""
        return min(total, round(self.amount * (total if self.share else rate)))


@dataclass(frozen=True, slots=True)
class Partials:
    """A sounding body that is kept in motion, like the rim of a bowl.

    Attributes
    ----------
    pitch : Course
        Hz of the lowest partial; it glides evenly in musical steps.
    ratios, weights : tuple of float, of one length
        Each partial as a multiple of `pitch`, and how strong it is.
    bright : Course
        The k-th partial is weighted by ``bright ** k`` too, so that below 1 the sound is darker.
    beat : float >= 0
        Hz at which the lowest partial beats against its twin; higher ones beat faster.
    """

    pitch: Course
    ratios: tuple[float, ...]
    weights: tuple[float, ...]
    bright: Course
    beat: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise between two edges (Hz) that move over the tone, falling 3 dB an octave in between."""

    low: Course
    high: Course


@dataclass(frozen=True, slots=True)
class Notes:
    """Single notes that ring: struck or plucked.

    Attributes
    ----------
    pitches : tuple of float
        Hz, in the order they sound.
    every : float
        Seconds between two notes, each sounding once. 0: see `fill`.
    fill : float
        Seconds between two notes, about, as many as the tone takes; the pitches are spread over
        them in order. 0: see `every`.
    ring : float
        Seconds until the lowest partial has sunk by 60 dB. Higher ones sink faster.
    onset : float
        Seconds that a note takes to speak.
    """

    pitches: tuple[float, ...]
    every: float
    fill: float
    ring: float
    onset: float
    ratios: tuple[float, ...]
    weights: tuple[float, ...]
    beat: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording. Its path is not part of its `repr`: what it holds is, by `digest`.

    `length_ms` counts whole milliseconds at 24 kHz, rounded up.
    """

    path: Path = field(repr=False)
    digest: str
    length_ms: int
    loop: bool


Sound = Partials | Noise | Notes | Sample


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound and how it comes and goes.

    Attributes
    ----------
    gain : float
        dB against the other layers, which all start out equally loud.
    swell : Course
        dB; how much louder or softer it is at the start and at the end.
    pulse, depth : float
        Hz and share (0 to 1) of a slow throb.
    """

    sound: Sound
    gain: float
    attack: Extent
    release: Extent
    swell: Course
    pulse: float
    depth: float


@dataclass(frozen=True, slots=True)
class Tone:
    """A finished recipe: layers, loudness (LUFS of the stereo tone), and a signal's length."""

    layers: tuple[Layer, ...]
    level: float
    length_ms: int = 0

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The recordings that this tone needs."""
        return tuple(one.sound for one in self.layers if isinstance(one.sound, Sample))
