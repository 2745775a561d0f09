"""Planning: a session and the person's wishes in, moments with their cues out.

`unroll` turns a session into moments in their order; `cues` writes what may be said in each. Time
is set like type: a breath phase is a box of fixed length; a spoken moment is as long as its words
and a pause; rests are glue that can stretch and shrink. Nothing is spoken or measured here.
"""

from __future__ import annotations
