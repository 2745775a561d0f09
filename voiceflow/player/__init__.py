"""Plays a session in the terminal while it is still being made, controlled by keys."""

from __future__ import annotations

from voiceflow.player.loop import play

__all__ = ["play"]
