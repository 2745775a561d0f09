"""Checking: every fault of a script before it is heard, and the proof that eyes can stay closed."""

from __future__ import annotations

from voiceflow.lint.evidence import Finding
from voiceflow.lint.path_checks import check_path, is_session
from voiceflow.lint.proof import Proof, prove
from voiceflow.lint.report import summary

__all__ = ["Finding", "Proof", "check_path", "is_session", "prove", "summary"]
