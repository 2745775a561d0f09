"""The recipe of a tone: plain, frozen values that determine its sound completely.

The `repr` of a recipe contains everything, so cache keys are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

BREATHS = ("inhale", "exhale", "hold")
# Hz. It is below the Nyquist frequency (12 kHz); partials above it are left out.
HIGHEST = 11_000.0
SIGNALS = ("start", "change", "switch", "wake", "count", "bell", "end")


@dataclass(frozen=True, slots=True)
class Course:
    """A value that moves from the start of a tone to its end, or stays level."""

    start: float
    end: float

    @property
    def level(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a tone: seconds, or a share of its length (0 to 1)."""

    amount: float
    share: bool = False

    def samples(self, total: int, rate: int) -> int:
        """The number of samples, at most `total`."""
        return min(total, round(self.amount * (total if self.share else rate)))


@dataclass(frozen=True, slots=True)
class Partials:
    """A sustained sound of partials, like the rubbed rim of a bowl.

    Attributes
    ----------
    pitch : Course
        Hz of the lowest partial; it glides evenly in pitch, not in Hz.
    ratios, weights : tuple of float, of one length
        Each partial as a multiple of `pitch`, and its strength.
    bright : Course
        The k-th partial is also weighted by ``bright ** k``: below 1 the sound is darker.
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
    """Noise between two edges (Hz) that may move; between them it falls 3 dB per octave."""

    low: Course
    high: Course


@dataclass(frozen=True, slots=True)
class Notes:
    """Single notes that ring out: struck or plucked.

    Attributes
    ----------
    pitches : tuple of float
        Hz, in the order of the notes.
    every : float
        Seconds between notes; each sounds once. 0 if `fill` is used.
    fill : float
        Approximate seconds between notes, as many as fit the tone; the pitches are spread over
        them in order. 0 if `every` is used.
    ring : float
        Seconds until the lowest partial has decayed by 60 dB. Higher ones decay faster.
    onset : float
        Seconds that a note takes to reach its full loudness.
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
    """A recording. Its `repr` leaves out the path: the content counts, by its `digest`.

    `length_ms` is its length at 24 kHz, rounded up.
    """

    path: Path = field(repr=False)
    digest: str
    length_ms: int
    loop: bool


Sound = Partials | Noise | Notes | Sample


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound with its fades, its swell and its gain.

    Attributes
    ----------
    gain : float
        dB relative to the other layers; without it, all are equally loud.
    swell : Course
        dB; how much louder or softer the sound is at the start and at the end.
    pulse, depth : float
        Rate (Hz) and depth (0 to 1) of a slow tremolo.
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
    """A complete recipe: layers, loudness (LUFS in stereo), and the length of a signal."""

    layers: tuple[Layer, ...]
    level: float
    length_ms: int = 0

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The recordings in this tone."""
        return tuple(one.sound for one in self.layers if isinstance(one.sound, Sample))
