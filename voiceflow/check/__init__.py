"""Checking: every fault of a script before it is heard, and the proof that eyes can stay closed."""

from __future__ import annotations

from voiceflow.check.files import check_path, is_session
from voiceflow.check.proof import Proof, prove
from voiceflow.check.summary import summary
from voiceflow.check.view import Finding

__all__ = ["Finding", "Proof", "check_path", "is_session", "prove", "summary"]
