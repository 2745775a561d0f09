"""The cover: a session's breath as rings in water, drawn from its score.

One ring a chapter, the first innermost; a ring rises with every inhale and falls with every
exhale of its chapter, so that a session of bridges looks unlike one of long holds. The colours
come from the title, the rest is quiet.
"""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from voiceflow.core.cache import Cache
from voiceflow.draw.lettering import Lettering
from voiceflow.score.score import Event, Score

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION: Final = "cover 1"  # counts up with every change that can be seen
SIZE: Final = 1000

_SCALE: Final = 2  # drawn at twice the size, then made smooth
_CENTRE: Final = (SIZE * 0.5, SIZE * 0.41)
_INNER: Final = 96.0
_OUTER: Final = 352.0
_MARGIN: Final = 72
_GOLDEN: Final = math.pi * (3 - math.sqrt(5))  # so that no two rings begin at one place
_STEPS: Final = 1440  # points of one ring
_RINGS: Final = (8, 16)
_BREATHS: Final = ("inhale", "exhale")

Colour = tuple[int, int, int]
Palette = tuple[Colour, Colour, Colour]
Wave = list[float]


def cover(score: Score) -> bytes:
    """JPEG, 1000 by 1000, under 150 kB; the same for the same score."""
    palette = _palette(score.title)
    image = _ground(palette)
    image.paste(palette[2], mask=_rings(score).reduce(_SCALE))
    image.paste(_blend(palette[2], (255, 255, 255), 0.5), mask=_words(score).reduce(_SCALE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88, optimize=True)
    return file.getvalue()


def cover_of(score: Score, cache: Cache) -> bytes:
    """The cover of a score, drawn once: from then on the cache has it."""
    key = cover_key(score)
    found = cache.get("cover", key)
    if found is None:
        found = cover(score)
        cache.put("cover", key, found)
    return found


def cover_key(score: Score) -> str:
    """The key under which the cache keeps a score's cover: all that shows in the drawing."""
    from PIL import __version__

    spans = " ".join(f"{one.start_ms}-{one.end_ms}" for one in score.chapters)
    breaths = " ".join(
        f"{one.name}{one.start_ms}-{one.end_ms}" for one in score.events if is_breath(one)
    )
    return Cache.key(VERSION, __version__, score.title, score.length_ms, spans, breaths)


def waves(score: Score) -> list[Wave]:
    """The rings from the innermost: breath, 0 empty to 1 full, at even steps around each.

    One a chapter, as long as they are 8 to 16: the longest are halved, neighbours joined. Without
    breath, still water (0.5 all around).
    """
    spans = [(one.start_ms, one.end_ms) for one in score.chapters] or [(0, score.length_ms)]
    while len(spans) < _RINGS[0]:
        longest = max(range(len(spans)), key=lambda at: spans[at][1] - spans[at][0])
        start, end = spans[longest]
        spans[longest : longest + 1] = [(start, (start + end) // 2), ((start + end) // 2, end)]
    while len(spans) > _RINGS[1]:
        shortest = min(range(len(spans) - 1), key=lambda at: spans[at + 1][1] - spans[at][0])
        spans[shortest : shortest + 2] = [(spans[shortest][0], spans[shortest + 1][1])]
    breaths = [one for one in score.events if is_breath(one)]
    return [_wave(start, end, breaths) for start, end in spans]


def is_breath(event: Event) -> bool:
    """Whether the rings move with `event`."""
    return event.kind != "speech" and event.name in _BREATHS


def _wave(start_ms: int, end_ms: int, breaths: Sequence[Event]) -> Wave:
    span = max(end_ms - start_ms, 1)
    inside = [one for one in breaths if start_ms <= one.start_ms < end_ms]
    if not inside:
        return [0.5] * _STEPS
    # A ring with more breaths moves less with each: it stays a line, not a saw.
    depth = min(1.0, 24 / len(inside))
    wave = [-1.0] * _STEPS
    for event in inside:
        first = (event.start_ms - start_ms) * _STEPS // span
        last = min((event.end_ms - start_ms) * _STEPS // span, _STEPS)
        for step in range(first, last):
            part = math.cos(math.pi * (step - first + 0.5) / max(last - first, 1)) * depth / 2
            wave[step] = 0.5 - part if event.name == "inhale" else 0.5 + part
    return _smooth(_closed(_held(wave)))


def _held(wave: Wave) -> Wave:
    """Between breaths the last level holds."""
    level = next((value for value in wave if value >= 0), 0.5)
    for step, value in enumerate(wave):
        level = value if value >= 0 else level
        wave[step] = level
    return wave


def _closed(wave: Wave) -> Wave:
    """The last twelfth of the ring comes home to where it began."""
    reach = len(wave) // 12
    for step in range(reach):
        share = (1 + math.cos(math.pi * (step + 0.5) / reach)) / 2
        wave[-1 - step] += (wave[0] - wave[-1 - step]) * share
    return wave


def _smooth(wave: Wave, reach: int = 5) -> Wave:
    """A running mean around the ring, which has no seam."""
    width = 2 * reach + 1
    around = wave[-reach:] + wave + wave[:reach]
    return [sum(around[at : at + width]) / width for at in range(len(wave))]


def _palette(title: str) -> Palette:
    """Deep ground above, lighter ground below, and the light that the rings are drawn in."""
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

    column = Image.new("RGB", (1, SIZE))
    for row in range(SIZE):
        column.putpixel((0, row), _blend(palette[0], palette[1], (row / SIZE) ** 1.4))
    return column.resize((SIZE, SIZE), Image.Resampling.NEAREST)


def _rings(score: Score) -> Image:
    """Rings from the outermost in, each a little lighter than the water around it."""
    from PIL import Image, ImageDraw

    rings = waves(score)
    gap = (_OUTER - _INNER) / (len(rings) - 1)
    swell = min(gap * 0.62, 30.0)
    veil = Image.new("L", (SIZE * _SCALE, SIZE * _SCALE), 0)
    pen = ImageDraw.Draw(veil)
    depth = 0.0
    for index in reversed(range(len(rings))):
        outline = _outline(rings[index], _INNER + index * gap, swell, index * _GOLDEN)
        share = 1 - 0.75 * index / (len(rings) - 1)
        depth += (255 - depth) * (0.035 + 0.04 * share)
        pen.polygon(outline, fill=round(depth))
        line = depth + (255 - depth) * (0.3 + 0.5 * share)
        pen.line([*outline, outline[0]], fill=round(line), width=4, joint="curve")
    return veil


def _outline(wave: Wave, radius: float, swell: float, turn: float) -> list[tuple[float, float]]:
    """Clockwise from the top, `turn` radians on."""
    x, y = (part * _SCALE for part in _CENTRE)
    points = []
    for step, level in enumerate(wave):
        angle = 2 * math.pi * step / len(wave) - math.pi / 2 + turn
        reach = (radius + (level - 0.5) * swell) * _SCALE
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return points


def _words(score: Score) -> Image:
    """Title and length at the foot, in as large a letter as fits."""
    from PIL import Image

    veil = Image.new("L", (SIZE * _SCALE, SIZE * _SCALE), 0)
    left, foot = _MARGIN * _SCALE, (SIZE - _MARGIN + 8) * _SCALE
    minutes = max(1, (score.length_ms + 30_000) // 60_000)
    Lettering.of(30 * _SCALE).write(veil, (left, foot), f"{minutes} min")
    for size in (76, 64, 54, 46, 38, 30):
        letters = Lettering.of(size * _SCALE)
        lines = _wrapped(letters.drawable(score.title), letters)
        if len(lines) * size <= 160:
            break
    for number, line in enumerate(reversed(lines[:4])):
        letters.write(veil, (left, foot - (58 + number * size * 1.14) * _SCALE), line)
    return veil


def _wrapped(text: str, letters: Lettering) -> list[str]:
    width = (SIZE - 2 * _MARGIN) * _SCALE
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters.width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
