"""The score of a render as JSON, with the body's position at each time; the player follows it."""

from __future__ import annotations

from typing import Any

from voiceflow.score.score import as_dict
from voiceflow.server.jobs.render_records import Render


def score_json(render: Render) -> dict[str, Any]:
    """The score as `show --json` prints it, plus positions and the start of the close."""
    score = render.score
    return {
        "id": render.id,
        "session": render.slug,
        "about": " ".join(score.about.split()),
        "language": score.language,
        **as_dict(score),
        "positions": render.position_spans(),
        "close_ms": render.close_ms,
    }
