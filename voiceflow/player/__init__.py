"""`voiceflow play`: a session in the terminal, heard while it is made, steered by keys."""

from __future__ import annotations

from voiceflow.player.loop import play

__all__ = ["play"]
