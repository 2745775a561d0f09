"""Pictures of a session: in the terminal, as lists of events, as SVG and as PNG.

    text = timeline_text(score, plan, width=80)
    Path("session.svg").write_text(svg(score, plan), "utf-8")

Each function takes a score and returns a picture, the same for the same score. The plan that the
score was arranged from adds positions, repetitions and effort; without it the picture shows only
what is in the score. The cover of a recording is in `draw.cover`.
"""

from __future__ import annotations

from voiceflow.core.errors import InputError
from voiceflow.draw.event_list import golden, listing
from voiceflow.draw.timeline import timeline_text
from voiceflow.plan.moments import Plan
from voiceflow.score.score import Score

LEAST_WIDTH, MOST_WIDTH = 200, 10_000


def svg(score: Score, plan: Plan | None = None) -> str:
    """The whole session as an SVG document, with colours for light and dark."""
    from voiceflow.draw.layout import layout
    from voiceflow.draw.paint_svg import paint_svg

    return paint_svg(layout(score, plan))


def is_svg(data: bytes) -> bool:
    """Whether `data` is a drawing of `svg`: what a cache holds may be anything."""
    from voiceflow.draw import paint_svg

    return paint_svg.is_svg(data)


def png(score: Score, plan: Plan | None = None, *, width: int = 2400) -> bytes:
    """The same picture as a PNG file.

    Parameters
    ----------
    width : int
        In pixels, 200 to 10,000. The picture of a very long session is narrower.

    Raises
    ------
    InputError
        `width` is out of range.
    """
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise InputError(
            f"a picture cannot be {width} pixels wide",
            hint=f"choose a width from {LEAST_WIDTH} to {MOST_WIDTH}",
        )
    from voiceflow.draw.layout import layout
    from voiceflow.draw.paint_png import paint_png

    return paint_png(layout(score, plan), width)


__all__ = ["golden", "is_svg", "listing", "png", "svg", "timeline_text"]
