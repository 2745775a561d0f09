"""The plan: a session unrolled into moments, each with its length or its glue, and what it may say.

Time is set like type: a breath phase is a box, whatever speech needs; a spoken moment is as long
as its words and a breath of air; rests are glue with a stretch and a shrink. Nothing is rendered
or measured here.
"""

from __future__ import annotations
