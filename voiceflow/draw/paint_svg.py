"""The SVG painter.

Takes a drawing and returns an SVG document that holds everything it needs, with colours for light
and dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from voiceflow.draw.shapes import (
    DARK,
    LIGHT,
    Area,
    Bar,
    Disc,
    Drawing,
    Label,
    Line,
    Point,
    Shape,
)

# None is embedded: the reader's own is used, so the widths of texts are only estimated.
_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif"


def paint_svg(drawing: Drawing) -> str:
    """The drawing as a complete SVG document, in the light or dark scheme of whoever sees it."""
    width, height = _number(drawing.width), _number(drawing.height)
    language = f" lang={quoteattr(drawing.language)}" if drawing.language else ""
    # To a screen reader this is one image with a title and a description, not a heap of shapes.
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="voiceflow-title voiceflow-about"{language}>'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        head,
        f'<title id="voiceflow-title">{escape(drawing.title)}</title>',
        f'<desc id="voiceflow-about">{escape(drawing.about)}</desc>',
        f"<style>{_style()}</style>",
        '<rect class="paper" width="100%" height="100%"/>',
        *(_shape(shape) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


_FRAME = re.compile(
    r'<\?xml version="1\.0" encoding="UTF-8"\?>\n'
    r'<svg xmlns="http://www\.w3\.org/2000/svg" width="[\d.]+" height="[\d.]+" '
    r'viewBox="0 0 [\d.]+ [\d.]+" role="img" '
    r'aria-labelledby="voiceflow-title voiceflow-about"(?: lang="[\w-]*")?>\n'
    r'<title id="voiceflow-title">[^<>]*</title>\n<desc id="voiceflow-about">[^<>]*</desc>\n'
    r"<style>(?P<style>[^<>]*)</style>\n(?P<shapes>.*)\n</svg>\n",
    re.DOTALL,
)
# No element and no attribute but those of `_shape`: nothing that runs, loads or leads elsewhere.
_OURS = re.compile(
    r"[^<>]+|<(?:rect|polygon|polyline|circle|text)"
    r'(?: (?:class|points|stroke-width|font-size|width|height|x|y|rx|cx|cy|r)="[^"<>]*")*/?>'
    r"|<title>|</(?:rect|polygon|polyline|circle|text|title)>"
)


def is_svg(data: bytes) -> bool:
    """Whether `data` is what `paint_svg` makes, and nothing else: it may come from a cache."""
    try:
        framed = _FRAME.fullmatch(data.decode())
    except UnicodeDecodeError:
        return False
    if framed is None or framed["style"] != _style():
        return False
    return not _OURS.sub("", framed["shapes"])


def _style() -> str:
    # By classes, because a file for two colour schemes can have no colours in its elements. `.d` is
    # dotted: short dashes with round caps. `.h` paints its halo first, so it lies under the
    # letters.
    shared = (
        f"svg{{max-width:100%;height:auto}}text{{font-family:{_FONTS};font-variant-numeric:tabular-nums}}"
        ".l{fill:none;stroke-linecap:round;stroke-linejoin:round}.d{stroke-dasharray:1 5}"
        ".b{font-weight:600}.h{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}"
        ".m{text-anchor:middle}.e{text-anchor:end}"
    )
    return f"{shared}{_colours(LIGHT)}@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(palette: Mapping[str, str]) -> str:
    fills = "".join(f".{name}{{fill:{value}}}" for name, value in palette.items())
    lines = "".join(f".l-{name}{{stroke:{value}}}" for name, value in palette.items())
    return f"{fills}{lines}.h{{stroke:{palette['paper']}}}"


def _shape(shape: Shape) -> str:
    if isinstance(shape, Bar):
        return _bar(shape)
    if isinstance(shape, Area):
        return _element(
            "polygon", f'class="{shape.colour}" points="{_points(shape.points)}"', shape.about
        )
    if isinstance(shape, Line):
        dash = " d" if shape.dashed else ""
        lead = f'class="l l-{shape.colour}{dash}" stroke-width="{_number(shape.width)}"'
        return _element("polyline", f'{lead} points="{_points(shape.points)}"')
    if isinstance(shape, Disc):
        return _disc(shape)
    return _label(shape)


def _bar(bar: Bar) -> str:
    radius = f' rx="{_number(bar.radius)}"' if bar.radius else ""
    place = f'x="{_number(bar.x)}" y="{_number(bar.y)}"'
    # A negative size is an error in SVG.
    size = f'width="{_number(max(bar.width, 0))}" height="{_number(max(bar.height, 0))}"'
    return _element("rect", f'class="{bar.colour}" {place} {size}{radius}', bar.about)


def _disc(disc: Disc) -> str:
    style = f'class="{disc.colour}"'
    if disc.ring:
        style = f'class="l l-{disc.colour}" stroke-width="{_number(disc.ring)}"'
    place = f'cx="{_number(disc.x)}" cy="{_number(disc.y)}" r="{_number(disc.radius)}"'
    return _element("circle", f"{style} {place}", disc.about)


def _label(label: Label) -> str:
    marks = [label.colour, "b" if label.bold else "", "h" if label.halo else ""]
    marks.append({"start": "", "middle": "m", "end": "e"}[label.anchor])
    place = f'x="{_number(label.x)}" y="{_number(label.y)}" font-size="{_number(label.size)}"'
    return f'<text class="{" ".join(filter(None, marks))}" {place}>{escape(label.text)}</text>'


def _element(name: str, attributes: str, about: str = "") -> str:
    if about:
        return f"<{name} {attributes}><title>{escape(about)}</title></{name}>"
    return f"<{name} {attributes}/>"


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    """At most two decimals, without zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
