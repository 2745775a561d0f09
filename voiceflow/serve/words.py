"""What goes with an MP3: its score, chapters and words in the forms that players read."""

from __future__ import annotations

from typing import Any

from voiceflow.score import as_dict
from voiceflow.serve.records import Record


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


def chapters_json(record: Record, image: str = "") -> dict[str, Any]:
    """Chapters as Podcasting 2.0 has them (JSON chapters 1.2)."""
    chapters: list[dict[str, Any]] = [
        {"startTime": one.start_ms / 1000, "endTime": one.end_ms / 1000, "title": one.title}
        for one in record.score.chapters
    ]
    if image and chapters:
        chapters[0]["img"] = image
    return {"version": "1.2.0", "title": record.title, "chapters": chapters}


def transcript(record: Record) -> str:
    """What is said, as WebVTT. Cues do not overlap: one ends where the next begins."""
    said = [event for event in record.score.events if event.kind == "speech"]
    lines = ["WEBVTT", f"Language: {record.score.language}", ""]
    for at, event in enumerate(said):
        after = said[at + 1].start_ms if at + 1 < len(said) else record.score.length_ms
        end = max(event.start_ms + 1, min(event.end_ms, after))
        lines += [f"{stamp(event.start_ms)} --> {stamp(end)}", _cue(event.name), ""]
    return "\n".join(lines)


def stamp(ms: int) -> str:
    """``hh:mm:ss.mmm``."""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"


def _cue(text: str) -> str:
    """A cue's text: on one line, and without what would end it or be read as a tag."""
    plain = " ".join(text.split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
