"""voiceflow: exercise scripts become spoken, breath-timed audio sessions."""

__version__ = "0.1.0"
