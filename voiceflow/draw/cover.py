"""The cover: a session's breath as rings in water, with its title and length.

Takes a score and returns a JPEG. There is one ring for each chapter, the first one innermost. A
ring rises with each inhale of its chapter and falls with each exhale, so a session of bridges looks
different from one of long holds. The colours depend on the title.
"""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from voiceflow.core.cache import Cache
from voiceflow.draw.breath import Breath, breaths
from voiceflow.draw.font import face, settable
from voiceflow.draw.text import clean, wrap
from voiceflow.score.score import Score

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION: Final = "cover 2"  # goes up with every change that can be seen
SIZE: Final = 1000

_SCALE: Final = 2  # the rings are drawn at twice the size, then made smooth
_CENTRE: Final = (500, 410)
_INNER: Final = 96.0
_OUTER: Final = 352.0
_REACH: Final = 370  # from the centre; no ring goes beyond
_MARGIN: Final = 72
_GOLDEN: Final = math.pi * (3 - math.sqrt(5))  # so that no two rings begin at one place
_STEPS: Final = 720  # points of one ring
_RINGS: Final = (8, 16)
_SMALL: Final = 30
# How a title may be set, best first: the size of its letters, and the most lines.
_SETTINGS: Final = ((76, 1), (64, 1), (54, 1), (64, 2), (54, 2), (46, 3), (38, 4), (30, 4))
_WIDTH: Final = SIZE - 2 * _MARGIN

Colour = tuple[int, int, int]
Palette = tuple[Colour, Colour, Colour]
Wave = list[float]


def cover(score: Score) -> bytes:
    """The cover as a JPEG, 1000 by 1000 pixels, under 150 kB; the same for the same score."""
    palette = _palette(score.title)
    image = _ground(palette)
    corner = _CENTRE[0] - _REACH, _CENTRE[1] - _REACH
    image.paste(palette[2], corner, _rings(score).reduce(_SCALE))
    _write(image, score, _blend(palette[2], (255, 255, 255), 0.5))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88, optimize=True)
    return file.getvalue()


def cover_of(score: Score, cache: Cache) -> bytes:
    """The cover of a score, drawn once: from then on the cache has it."""
    key = cover_key(score)
    found = cache.get("cover", key)
    # What is no JPEG was not kept here.
    if found is None or not found.startswith(b"\xff\xd8\xff"):
        found = cover(score)
        cache.put("cover", key, found)
    return found


def cover_key(score: Score) -> str:
    """The key under which the cache keeps a score's cover: all that shows in the drawing."""
    from PIL import __version__

    spans = " ".join(f"{one.start_ms}-{one.end_ms}" for one in score.chapters)
    breathed = " ".join(
        f"{one.start_ms}-{one.end_ms}:{one.before}-{one.after}" for one in breaths(score.events)
    )
    # Another version of Pillow may draw the same letters otherwise.
    return Cache.key(__version__, VERSION, score.title, str(score.length_ms), spans, breathed)


def waves(score: Score) -> list[Wave]:
    """The rings from the innermost: breath, 0 empty to 1 full, at even steps around each.

    There is one for each chapter if that makes 8 to 16. If there are fewer, the longest are halved;
    if there are more, short neighbours are joined. Without breath a ring is still water: 0.5 all
    around.
    """
    spans = [(one.start_ms, one.end_ms) for one in score.chapters] or [(0, score.length_ms)]
    while len(spans) < _RINGS[0]:
        longest = max(range(len(spans)), key=lambda at: spans[at][1] - spans[at][0])
        start, end = spans[longest]
        spans[longest : longest + 1] = [(start, (start + end) // 2), ((start + end) // 2, end)]
    while len(spans) > _RINGS[1]:
        shortest = min(range(len(spans) - 1), key=lambda at: spans[at + 1][1] - spans[at][0])
        spans[shortest : shortest + 2] = [(spans[shortest][0], spans[shortest + 1][1])]
    found = breaths(score.events)
    return [
        _wave(start, end, [one for one in found if start <= one.start_ms < end])
        for start, end in spans
    ]


def _wave(start_ms: int, end_ms: int, inside: Sequence[Breath]) -> Wave:
    span = max(end_ms - start_ms, 1)
    moving = sum(one.before != one.after for one in inside)
    if not moving:
        return [0.5] * _STEPS
    # With many breaths in a ring each one moves it less, so that it does not look like a saw.
    depth = min(1.0, 24 / moving)
    wave: Wave = []
    level = inside[0].before
    for one in inside:
        first = (one.start_ms - start_ms) * _STEPS // span
        # A breath belongs to the ring in which it begins, and may end after it.
        last = min((one.end_ms - start_ms) * _STEPS // span, _STEPS)
        wave += [level] * (first - len(wave))
        level = one.after
        for step in range(last - first):
            wave.append(one.level((step + 0.5) / (last - first)))
    wave += [level] * (_STEPS - len(wave))
    return _smooth(_closed([0.5 + (level - 0.5) * depth for level in wave]))


def _closed(wave: Wave) -> Wave:
    """The last twelfth of the ring leads back to where it began."""
    reach = len(wave) // 12
    for step in range(reach):
        share = (1 + math.cos(math.pi * (step + 0.5) / reach)) / 2
        wave[-1 - step] += (wave[0] - wave[-1 - step]) * share
    return wave


def _smooth(wave: Wave, reach: int = 2) -> Wave:
    """A running mean around the ring, across its start."""
    width = 2 * reach + 1
    around = wave[-reach:] + wave + wave[:reach]
    return [sum(around[at : at + width]) / width for at in range(len(wave))]


def _palette(title: str) -> Palette:
    """The ground at the top, the lighter ground at the bottom, and the colour of the rings."""
    # Not `hash`, which differs from process to process. Lone surrogates have no UTF-8.
    seed = blake2b(title.encode("utf-8", "replace"), digest_size=2).digest()
    hue = int.from_bytes(seed, "big") / 65536
    near = (hue + 0.09) % 1
    return _rgb(hue, 0.17, 0.48), _rgb(near, 0.36, 0.42), _rgb((near + 0.04) % 1, 0.88, 0.62)


def _rgb(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ground(palette: Palette) -> Image:
    from PIL import Image

    rows = (_blend(palette[0], palette[1], (row / SIZE) ** 1.4) for row in range(SIZE))
    column = Image.frombytes("RGB", (1, SIZE), bytes(part for colour in rows for part in colour))
    return column.resize((SIZE, SIZE), Image.Resampling.NEAREST)


def _rings(score: Score) -> Image:
    """The rings as a mask, from the outermost in, each a little lighter than the one around it."""
    from PIL import Image, ImageDraw

    rings = waves(score)
    # There are 8 rings or more, see `waves`.
    gap = (_OUTER - _INNER) / (len(rings) - 1)
    # Less than the gap: neighbours never cross. Half of 30 keeps the outermost in _REACH.
    swell = min(gap * 0.62, 30.0)
    veil = Image.new("L", (2 * _REACH * _SCALE, 2 * _REACH * _SCALE), 0)
    pen = ImageDraw.Draw(veil)
    depth = 0.0
    for index in reversed(range(len(rings))):
        outline = _outline(rings[index], _INNER + index * gap, swell, index * _GOLDEN)
        share = 1 - 0.75 * index / (len(rings) - 1)
        depth += (255 - depth) * (0.035 + 0.04 * share)
        pen.polygon(outline, fill=round(depth))
        line = depth + (255 - depth) * (0.3 + 0.5 * share)
        pen.line([*outline, outline[0]], fill=round(line), width=4)
    return veil


def _outline(wave: Wave, radius: float, swell: float, turn: float) -> list[tuple[float, float]]:
    """The points of a ring, clockwise; it begins `turn` radians after the top."""
    centre = _REACH * _SCALE
    points = []
    for step, level in enumerate(wave):
        angle = 2 * math.pi * step / len(wave) - math.pi / 2 + turn
        reach = (radius + (level - 0.5) * swell) * _SCALE
        points.append((centre + reach * math.cos(angle), centre + reach * math.sin(angle)))
    return points


def _write(image: Image, score: Score, colour: Colour) -> None:
    """Write title and length at the foot, the title as large as it fits."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    foot = SIZE - _MARGIN + 8
    # Halves go up: `round` would make 12 of 12.5 and 14 of 13.5.
    minutes = max(1, (score.length_ms + 30_000) // 60_000)
    pen.text((_MARGIN, foot), f"{minutes} min", colour, face(_SMALL), "ls")
    title, name = settable(clean(score.title))
    size, lines = _title(title, name)
    for number, line in enumerate(reversed(lines)):
        at = _MARGIN, foot - 58 - number * size * 1.14
        pen.text(at, line, colour, face(size, name), "ls")


def _title(text: str, name: str) -> tuple[int, tuple[str, ...]]:
    """The size of the title's letters, and its lines."""
    for size, most in _SETTINGS:
        font = face(size, name)
        lines = wrap(text, _WIDTH, font.getlength)
        widest = max(map(font.getlength, text.split()), default=0)
        if widest <= _WIDTH and len(lines) <= most:
            break
    # If nothing fits, these are the smallest letters, and the title is cut.
    return size, lines[:most]
