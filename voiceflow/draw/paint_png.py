"""The PNG painter.

Takes a drawing and returns a PNG file. Pillow draws without smooth edges, so everything is drawn
larger and then reduced, band by band to keep memory small.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from voiceflow.draw.font import face, settable
from voiceflow.draw.shapes import LIGHT, Area, Bar, Disc, Drawing, Label, Line, Point, Shape

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_OVER = 3
_BAND = 256
# Some programs do not open larger pictures, and they take much memory: they are drawn narrower.
MOST_PIXELS, MOST_HEIGHT = 60_000_000, 32_000
# As Pillow names them; `s` is the baseline, where a label has its y.
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_BOLD = 0.04


def paint_png(drawing: Drawing, width: int) -> bytes:
    """The drawing as a PNG file, `width` pixels wide, in the light colours.

    It is narrower if it would be higher than 32,000 pixels or larger than 60 megapixels.
    The same drawing gives the same bytes with the same Pillow and the same fonts.
    """
    from PIL import Image

    scale = min(
        width / drawing.width,
        MOST_HEIGHT / drawing.height,
        math.sqrt(MOST_PIXELS / (drawing.width * drawing.height)),
    )
    size = max(round(drawing.width * scale), 1), max(round(drawing.height * scale), 1)
    image = Image.new("RGB", size, LIGHT["paper"])
    # Bands in which nothing is drawn stay as the image was made: paper.
    for top, shapes in _banded(drawing.shapes, scale, size[1]):
        image.paste(_band(shapes, scale, top, size), (0, top))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _banded(
    shapes: Iterable[Shape], scale: float, height: int
) -> Iterator[tuple[int, tuple[Shape, ...]]]:
    """Each band with shapes: its top in pixels, and the shapes that touch it, back to front."""
    bands: dict[int, list[Shape]] = {}
    for shape in shapes:
        low, high = _reach(shape)
        # A pixel more on either side, as Pillow rounds places to whole pixels.
        first, last = int(low * scale - 1) // _BAND, int(high * scale + 1) // _BAND
        for band in range(max(first, 0), last + 1):
            bands.setdefault(band, []).append(shape)
    for band, held in sorted(bands.items()):
        if band * _BAND < height:
            yield band * _BAND, tuple(held)


def _reach(shape: Shape) -> tuple[float, float]:
    """The least and the greatest y of a shape."""
    if isinstance(shape, Label):
        # With room for accents and descenders: in a band that does not know of a label it is cut.
        return shape.y - shape.size * 1.3, shape.y + shape.size * 0.6
    if isinstance(shape, Bar):
        return shape.y, shape.y + shape.height
    if isinstance(shape, Disc):
        reach = shape.radius + shape.ring
        return shape.y - reach, shape.y + reach
    extra = shape.width / 2 if isinstance(shape, Line) else 0.0
    return min(y for _, y in shape.points) - extra, max(y for _, y in shape.points) + extra


def _band(shapes: Iterable[Shape], scale: float, top: int, size: tuple[int, int]) -> Image.Image:
    from PIL import Image, ImageDraw

    height = min(_BAND, size[1] - top)
    large = Image.new("RGB", (size[0] * _OVER, height * _OVER), LIGHT["paper"])
    brush = _Brush(ImageDraw.Draw(large), scale * _OVER, top * _OVER)
    for shape in shapes:
        brush.draw(shape)
    return large.reduce(_OVER)


class _Brush:
    """Draws shapes on one band, in the larger pixels."""

    def __init__(self, pen: ImageDraw.ImageDraw, scale: float, top: int) -> None:
        self.pen, self.scale, self.top = pen, scale, top

    def draw(self, shape: Shape) -> None:
        if isinstance(shape, Bar):
            self._bar(shape)
        elif isinstance(shape, Area):
            self.pen.polygon([self._at(point) for point in shape.points], LIGHT[shape.colour])
        elif isinstance(shape, Line):
            self._line(shape)
        elif isinstance(shape, Disc):
            self._disc(shape)
        else:
            self._label(shape)

    def _at(self, point: Point) -> Point:
        return point[0] * self.scale, point[1] * self.scale - self.top

    def _bar(self, bar: Bar) -> None:
        left, upper = self._at((bar.x, bar.y))
        right, lower = self._at((bar.x + bar.width, bar.y + bar.height))
        # Pillow counts the corners in, and a bar should not be thinner than a pixel.
        box = (left, upper, max(right - 1, left), max(lower - 1, upper))
        radius = min(bar.radius * self.scale, (box[2] - box[0]) / 2, (box[3] - box[1]) / 2)
        self.pen.rounded_rectangle(box, radius, LIGHT[bar.colour])

    def _line(self, line: Line) -> None:
        width, colour = max(round(line.width * self.scale), 1), LIGHT[line.colour]
        points = [self._at(point) for point in line.points]
        if line.dashed:
            # Only pauses are dashed, and they are straight: the two ends are enough.
            self._dots(points[0], points[-1], width / 2, colour)
            return
        self.pen.line(points, colour, width, joint="curve")
        # Pillow ends its lines flat.
        if line.width > 1.2:
            for x, y in (points[0], points[-1]):
                self._round(x, y, width / 2, colour)

    def _dots(self, start: Point, end: Point, radius: float, colour: str) -> None:
        count = max(round((end[0] - start[0]) / (6 * self.scale)), 1)
        for n in range(count):
            share = (n + 0.5) / count
            y = start[1] + (end[1] - start[1]) * share
            self._round(start[0] + (end[0] - start[0]) * share, y, radius * 1.1, colour)

    def _disc(self, disc: Disc) -> None:
        x, y = self._at((disc.x, disc.y))
        self._round(x, y, (disc.radius + disc.ring / 2) * self.scale, LIGHT[disc.colour])
        if disc.ring:
            # The middle is painted over, so nothing behind a ring shows through it.
            self._round(x, y, (disc.radius - disc.ring / 2) * self.scale, LIGHT["paper"])

    def _round(self, x: float, y: float, radius: float, colour: str) -> None:
        self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def _label(self, label: Label) -> None:
        text, name = settable(label.text)
        size = label.size * self.scale
        font = face(size, name)
        x, y = self._at((label.x, label.y))
        anchor, colour = _ANCHORS[label.anchor], LIGHT[label.colour]
        if label.halo:
            # A box serves as well as an outline and takes a tenth of the time.
            box = (
                x - size * 0.2,
                y - size * 0.8,
                x + font.getlength(text) + size * 0.2,
                y + size * 0.25,
            )
            self.pen.rectangle(box, LIGHT["paper"])
        self.pen.text((x, y), text, colour, font, anchor)
        if label.bold:
            # The font has one weight: drawn twice, slightly apart, it looks bold.
            self.pen.text((x + max(round(size * _BOLD), 1), y), text, colour, font, anchor)
