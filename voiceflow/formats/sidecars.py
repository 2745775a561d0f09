"""The files beside a recording: words with times, chapters, a playlist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voiceflow.formats.labels import Labels, plain, timestamp
from voiceflow.score.score import Score


def lyrics(labels: Labels) -> str:
    """Synced lines (LRC), as music players show them."""
    lines = [
        f"[ti:{labels.title}]",
        f"[ar:{labels.artist}]",
        f"[al:{labels.album}]",
        f"[length:{_minutes(labels.length_ms)[:-3]}]",
    ]
    lines += [f"[{_minutes(start_ms)}]{text}" for start_ms, text in labels.lines]
    return "\n".join(lines) + "\n"


def transcript(score: Score) -> str:
    """What is said, as WebVTT. Cues do not overlap: each ends where the next one begins."""
    said = [event for event in score.events if event.kind == "speech"]
    lines = ["WEBVTT", f"Language: {score.language}", ""]
    for at, event in enumerate(said):
        after = said[at + 1].start_ms if at + 1 < len(said) else score.length_ms
        # A cue must end after it begins, even where two texts begin together.
        end = max(event.start_ms + 1, min(event.end_ms, after))
        lines += [f"{timestamp(event.start_ms)} --> {timestamp(end)}", _cue(event.name), ""]
    return "\n".join(lines)


def chapters(score: Score, image: str = "") -> dict[str, Any]:
    """Chapters in the format of Podcasting 2.0: JSON chapters, version 1.2.0.

    Parameters
    ----------
    image : str
        Address of a picture for the first chapter.
    """
    listed: list[dict[str, Any]] = [
        {
            "startTime": one.start_ms / 1000,
            "endTime": one.end_ms / 1000,
            "title": plain(one.title),
        }
        for one in score.chapters
    ]
    if image and listed:
        listed[0]["img"] = image
    return {"version": "1.2.0", "title": plain(score.title), "chapters": listed}


def playlist(entries: Iterable[tuple[str, int, str]]) -> str:
    """An extended M3U in UTF-8.

    Parameters
    ----------
    entries : iterable of (path, length_ms, title)
        Paths as seen from the playlist, with ``/`` between folders.
    """
    lines = ["#EXTM3U"]
    for path, length_ms, title in entries:
        # EXTINF has whole seconds.
        lines += [f"#EXTINF:{(length_ms + 500) // 1000},{plain(title)}", path]
    return "\n".join(lines) + "\n"


def _minutes(ms: int) -> str:
    """``mm:ss.cc`` as LRC has it: minutes run on past 59, hundredths are cut."""
    return f"{ms // 60_000:02}:{ms // 1000 % 60:02}.{ms // 10 % 100:02}"


def _cue(text: str) -> str:
    """A cue's text, with what WebVTT would read as a tag or an entity escaped."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
