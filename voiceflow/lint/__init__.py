"""Checks scripts for errors, and proves that a session can be followed with eyes closed.

`check_path` takes files and returns problems; `prove` takes a decided session and returns a proof
with its findings.
"""

from __future__ import annotations

from voiceflow.lint.evidence import Finding
from voiceflow.lint.path_checks import check_path, is_session
from voiceflow.lint.proof import Proof, prove
from voiceflow.lint.report import summary

__all__ = ["Finding", "Proof", "check_path", "is_session", "prove", "summary"]
