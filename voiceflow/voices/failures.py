"""What a driver of somebody else raised, in words for who renders, and in its own for its makers.

An exception comes in, half a sentence and a hint go out.
"""

from __future__ import annotations

from typing import Final

from voiceflow.core.errors import VoiceflowError
from voiceflow.core.opening import why_unwritten

# Of these, the text is for who wrote the code: "'NoneType' object is not subscriptable".
_FAULTS: Final = (
    TypeError, AttributeError, LookupError, NameError, AssertionError, ArithmeticError, ValueError,
)  # fmt: skip


def told(error: object) -> tuple[str, str]:
    """Why a voice failed: half a sentence, and what else there is to say.

    Parameters
    ----------
    error : object
        An exception as a rule; a driver may tell of anything.
    """
    if isinstance(error, VoiceflowError):  # a driver of ours, which has words for people
        return error.message, error.hint
    text = " ".join(str(error or "").split())
    kind = type(error).__name__
    if isinstance(error, OSError):
        where = f"{error.filename} cannot be used: " if error.filename else ""
        return where + why_unwritten(error), ""
    if isinstance(error, MemoryError):
        return "there is not enough memory", ""
    if isinstance(error, ImportError):
        missing = f", {error.name}," if error.name else ""
        return f"a part that it needs{missing} is not installed", ""
    if isinstance(error, _FAULTS) or not text:
        said = f"{kind}: {text}" if text else kind
        return "its driver went wrong", f"report it to the makers of the voice: {said}"
    return f"its driver says: {text}", ""
