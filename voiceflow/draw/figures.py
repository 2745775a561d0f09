"""The body in each position, and the signals, as a few strokes.

Takes a name and a place, and returns shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from voiceflow.draw.shapes import Area, Disc, Line, Point, Shape

BOX = 24.0

# How high the body is in each position, as a share of standing: the heights of the skyline.
HEIGHTS = MappingProxyType(
    {
        "supine": 0.2,
        "prone": 0.2,
        "side-lying": 0.28,
        "quadruped": 0.46,
        "seated": 0.52,
        "kneeling": 0.7,
        "half-kneeling": 0.7,
        "standing": 1.0,
    }
)

# The head's centre, then limbs as lines, in a box of 24 by 24 with the floor at y = 22.
_BODIES: MappingProxyType[str, tuple[Point, tuple[tuple[Point, ...], ...]]] = MappingProxyType(
    {
        "standing": (
            (12, 3.6),
            (
                ((12, 7.4), (12, 14.2), (9.6, 22)),
                ((12, 14.2), (14.4, 22)),
                ((8.6, 13.6), (12, 8.4), (15.4, 13.6)),
            ),
        ),
        "seated": (
            (8.2, 6.4),
            (((8, 10.2), (7.6, 20.6), (14, 14.6), (18.6, 21.6)), ((8, 12), (13.2, 15.4))),
        ),
        "kneeling": (
            (12.6, 4.8),
            (((12.4, 8.6), (12, 15), (12.6, 21.6), (5.4, 21.6)), ((12.4, 9.8), (15.6, 15.2))),
        ),
        "half-kneeling": (
            (11.6, 4.8),
            (
                ((11.4, 8.6), (11, 15), (10, 21.6), (3.6, 21.6)),
                ((11, 15), (17.2, 15.2), (17.2, 21.6), (19.4, 21.6)),
                ((11.4, 9.8), (15.2, 13.4)),
            ),
        ),
        "quadruped": (
            (20.4, 10.6),
            (((16.8, 12.4), (7, 13.2), (7, 21.6), (1.8, 21.6)), ((16.8, 12.4), (16.8, 21.6))),
        ),
        "supine": (
            (3.6, 19),
            (((7.2, 20.4), (14.2, 20.8), (17.6, 14), (20.6, 21.6)), ((8.6, 20.4), (12.4, 21.8))),
        ),
        "prone": (
            (3.6, 18.8),
            (((7, 20), (14, 21.2), (22.6, 21.4)), ((8.6, 20.4), (5.2, 22), (1.6, 22))),
        ),
        "side-lying": (
            (3.8, 16.8),
            (
                ((7.2, 18.8), (14, 20.2), (22.4, 21.4)),
                ((14, 20.2), (22, 15.2)),
                ((7.6, 19.2), (6.4, 21.4), (1.4, 21.4)),
            ),
        ),
    }
)


def body(
    position: str, x: float, floor: float, size: float, colour: str = "ink"
) -> Iterator[Shape]:
    """A figure in `position`, `size` wide, its left at `x`; nothing for an unknown position."""
    if position not in _BODIES:
        return
    scale = size / BOX
    top = floor - 22 * scale
    head, limbs = _BODIES[position]
    yield Disc(x + head[0] * scale, top + head[1] * scale, 2.7 * scale, colour, role="body")
    for limb in limbs:
        points = tuple((x + px * scale, top + py * scale) for px, py in limb)
        yield Line(points, colour, 1.9 * scale, role="body")


def signal(name: str, x: float, y: float, about: str = "") -> Iterator[Shape]:
    """The mark of a signal with its centre at (x, y), about 9 wide; a ring for an unknown name."""
    # One shape of each mark has role and tooltip: so it is found, and described, once.
    role = "signal"
    if name == "wake":
        yield Disc(x, y, 1.5, "muted", role=role, about=about)
    elif name == "change":
        yield Area(((x, y - 5), (x + 4.5, y), (x, y + 5), (x - 4.5, y)), "ink", role, about)
    elif name == "switch":
        yield Area(((x - 1, y - 4.5), (x - 1, y + 4.5), (x - 6, y)), "ink", role, about)
        yield Area(((x + 1, y - 4.5), (x + 1, y + 4.5), (x + 6, y)), "ink")
    elif name == "start":
        yield Area(((x - 3, y - 5), (x + 5, y), (x - 3, y + 5)), "ink", role, about)
    elif name == "end":
        yield Area(((x - 4, y - 6), (x - 2.6, y - 6), (x - 2.6, y + 6), (x - 4, y + 6)), "ink")
        yield Area(
            ((x - 0.6, y - 6), (x + 3, y - 6), (x + 3, y + 6), (x - 0.6, y + 6)), "ink", role, about
        )
    elif name == "count":
        yield Disc(x, y, 2.2, "ink", role=role, about=about)
    else:
        yield Disc(x, y, 4, "ink", 1.6, role, about)
