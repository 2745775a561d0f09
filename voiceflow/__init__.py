"""voiceflow: exercise scripts become spoken, breath-timed audio sessions.

    import voiceflow

    decision = voiceflow.arrange("hip-back", voiceflow.Options(pace="calm"))
    print(decision.score.length_ms, [c.title for c in decision.score.chapters])
    voiceflow.render("hip-back", "hip-back.mp3")
    segment = voiceflow.segment("breathing")          # a pydub AudioSegment

Every error is a `VoiceflowError`; names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

# The same names as in `_HOMES`, for type checkers, which cannot look into `__getattr__`.
if TYPE_CHECKING:
    from voiceflow.api import Stream, arrange, load, render, segment, stream
    from voiceflow.core.errors import Problem, ScriptError, VoiceflowError
    from voiceflow.score.decide import Decision
    from voiceflow.score.options import Context, Options
    from voiceflow.score.score import Chapter, Event, Score
    from voiceflow.script.models import Exercise, Session
    from voiceflow.stitch.render import Summary

_HOMES = {
    "core.errors": ("Problem", "ScriptError", "VoiceflowError"),
    "api": ("Stream", "arrange", "load", "render", "segment", "stream"),
    "score.options": ("Context", "Options"),
    "score.decide": ("Decision",),
    "stitch.render": ("Summary",),
    "score.score": ("Chapter", "Event", "Score"),
    "script.models": ("Exercise", "Session"),
}
_PUBLIC = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Chapter",
    "Context",
    "Decision",
    "Event",
    "Exercise",
    "Options",
    "Problem",
    "Score",
    "ScriptError",
    "Session",
    "Stream",
    "Summary",
    "VoiceflowError",
    "arrange",
    "load",
    "render",
    "segment",
    "stream",
]


def __getattr__(name: str) -> Any:
    import importlib

    # README promises `voiceflow.voices.install_drivers()` after `import voiceflow` alone.
    if name == "voices":
        return importlib.import_module("voiceflow.voices")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'voiceflow' has no attribute {name!r}")
    return getattr(importlib.import_module(f"voiceflow.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
