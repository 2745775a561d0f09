"""What a recording is written as: the formats, their labels, and the files beside a recording.

The lists of formats stand here, in a module that imports nothing, because the command line needs
them before any work begins.
"""

RENDERED = ("mp3", "wav", "flac", "ogg", "opus")
"""What one recording is written as: `voiceflow render`. The first is the default."""

EXPORTED = (*RENDERED, "m4b")
"""What `voiceflow export` writes into a folder; m4b needs the extra of that name."""
