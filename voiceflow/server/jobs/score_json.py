"""The score of a render, with where the body is: what the player's page follows."""

from __future__ import annotations

from typing import Any

from voiceflow.score.score import as_dict
from voiceflow.server.jobs.render_records import Record


def score_json(record: Record) -> dict[str, Any]:
    """The score as `show --json` prints it, with where the body is."""
    score = record.score
    return {
        "id": record.id,
        "session": record.slug,
        "about": " ".join(score.about.split()),
        "language": score.language,
        **as_dict(score),
        "positions": record.position_spans(),
        "close_ms": record.close_ms,
    }
