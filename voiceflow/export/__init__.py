"""`voiceflow export`: sessions as files to copy, with all that players read beside them."""

from __future__ import annotations

from voiceflow.export.run import FORMATS, Asked, export
from voiceflow.export.store import Result

__all__ = ["FORMATS", "Asked", "Result", "export"]
