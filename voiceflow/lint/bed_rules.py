"""Rules about what sounds under everything: it can be heard, and from one loudspeaker too."""

from __future__ import annotations

from collections.abc import Iterator

from voiceflow.core.errors import SoundError
from voiceflow.lint.evidence import Evidence, Finding


def bed(evidence: Evidence) -> Iterator[Finding]:
    """Music that no render can use, or whose channels cancel each other in mono."""
    if evidence.bed is None:
        return
    try:
        warning = evidence.bed.warning()
    except SoundError as error:
        yield Finding("error", "bed-unusable", error.message, error.hint)
        return
    if warning:
        hint = "use a recording whose channels agree, to hear it as it was made"
        yield Finding("warning", "bed-turned", warning, hint)


RULES = (bed,)
