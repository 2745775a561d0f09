"""Why a voice failed is told in words for who renders; a library's own go to its makers."""

from __future__ import annotations

import errno
import os

import pytest

from voiceflow.core.errors import VoiceError
from voiceflow.voices.failures import told

REPORT = "report it to the makers of the voice"


@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/cue.wav"),
         "/tmp/cue.wav cannot be used: there is no space left on its disk", ""),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "too many files are open at once", ""),
        (MemoryError(), "there is not enough memory", ""),
        (ModuleNotFoundError("No module named 'x.y'", name="x"),
         "a part that it needs, x, is not installed", ""),
        (TypeError("'NoneType' object is not subscriptable"), "its driver went wrong",
         f"{REPORT}: TypeError: 'NoneType' object is not subscriptable"),
        (KeyError("x"), "its driver went wrong", f"{REPORT}: KeyError: 'x'"),
        (RuntimeError(), "its driver went wrong", f"{REPORT}: RuntimeError"),
        (RuntimeError("no\n licence"), "its driver says: no licence", ""),
        (VoiceError("it is asleep", hint="wake it"), "it is asleep", "wake it"),
    ],
    ids=lambda one: str(one)[:40],
)  # fmt: skip
def test_the_reason_and_the_hint(error: object, words: str, hint: str) -> None:
    assert told(error) == (words, hint)
