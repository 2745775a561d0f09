"""The session to look at: in the terminal, as lists of events, as SVG and as PNG.

    text = timeline_text(score, plan, width=80)
    Path("session.svg").write_text(svg(score, plan), "utf-8")

All are pure: the same score and plan give the same picture. The plan adds positions, repetitions
and effort; without it the picture shows what the score alone tells.
"""

from __future__ import annotations

from voiceflow.core.errors import InputError
from voiceflow.draw.event_list import golden, listing
from voiceflow.draw.timeline import timeline_text
from voiceflow.plan.moments import Plan
from voiceflow.score.score import Score

LEAST_WIDTH, MOST_WIDTH = 200, 10_000


def svg(score: Score, plan: Plan | None = None) -> str:
    """The whole session as a picture: an SVG document, in light and dark."""
    from voiceflow.draw.layout import layout
    from voiceflow.draw.paint_svg import paint_svg

    return paint_svg(layout(score, plan))


def png(score: Score, plan: Plan | None = None, *, width: int = 2400) -> bytes:
    """The same picture as a PNG file.

    Parameters
    ----------
    width : int
        Pixels, from 200 to 10,000; very long sessions come out narrower.

    Raises
    ------
    InputError
        `width` is out of its range.
    """
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise InputError(
            f"a picture {width} pixels wide cannot be drawn",
            hint=f"from {LEAST_WIDTH} to {MOST_WIDTH}",
        )
    from voiceflow.draw.layout import layout
    from voiceflow.draw.paint_png import paint_png

    return paint_png(layout(score, plan), width)


__all__ = ["golden", "listing", "png", "svg", "timeline_text"]
