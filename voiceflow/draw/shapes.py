"""A picture as plain geometry, and its colours.

The layout makes these shapes; one painter writes them as SVG, another draws them as PNG. Lengths
are in units of the picture; y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

# Text has a contrast of 4.5:1 or more to the paper, marks 3:1 (WCAG 2.2, 1.4.3 and 1.4.11). The
# tints only fill areas that a line or a word also shows.
LIGHT = MappingProxyType(
    {
        "paper": "#fbfaf6",
        "ink": "#1f2d3a",
        "words": "#3b4854",
        "muted": "#5c6773",
        "line": "#c9c6bc",
        "grid": "#ebe8df",
        "inhale": "#17798a",
        "inhale-tint": "#cfe8e8",
        "exhale": "#4c589f",
        "exhale-tint": "#dcdff1",
        "hold": "#9c6208",
        "hold-tint": "#f4e4c6",
        "speech": "#c4614b",
        "rest-tint": "#f1ede3",
        "move-tint": "#ece6ef",
        "work-tint": "#f8dfd3",
        "effort-0": "#dedbd1",
        "effort-1": "#c4e0df",
        "effort-2": "#8cc3c4",
        "effort-3": "#4f9ea5",
    }
)
DARK = MappingProxyType(
    {
        "paper": "#12181e",
        "ink": "#e9edf0",
        "words": "#c3ccd4",
        "muted": "#98a5b1",
        "line": "#46525d",
        "grid": "#1f2830",
        "inhale": "#5fc4d1",
        "inhale-tint": "#173b43",
        "exhale": "#a3abef",
        "exhale-tint": "#272d4e",
        "hold": "#e2b25c",
        "hold-tint": "#40331a",
        "speech": "#f08a72",
        "rest-tint": "#1c2329",
        "move-tint": "#262231",
        "work-tint": "#3c2620",
        "effort-0": "#333b42",
        "effort-1": "#1f4a50",
        "effort-2": "#2c6f77",
        "effort-3": "#41949c",
    }
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle. `about` is the tooltip that describes it."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    radius: float = 0.0
    # Nothing is painted by it: it says what a shape is for, and tests find shapes by it.
    role: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    colour: str
    role: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points, with round ends and corners."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.0
    dashed: bool = False
    role: str = ""


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle, or a ring if `ring` is the width of its line."""

    x: float
    y: float
    radius: float
    colour: str
    ring: float = 0.0
    role: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """Text with its baseline at (x, y). `halo` keeps lines behind it away from the letters."""

    x: float
    y: float
    text: str
    size: float
    colour: str = "ink"
    anchor: Anchor = "start"
    bold: bool = False
    halo: bool = False
    role: str = ""


Shape = Bar | Area | Line | Disc | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: size, title, what it shows in words, and its shapes from back to front."""

    width: float
    height: float
    title: str
    about: str
    language: str
    shapes: tuple[Shape, ...]
