"""The score of a render, with where the body is: what the player's page follows."""

from __future__ import annotations

from typing import Any

from voiceflow.score.score import as_dict
from voiceflow.server.jobs.render_records import Render


def score_json(render: Render) -> dict[str, Any]:
    """The score as `show --json` prints it, with where the body is."""
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
