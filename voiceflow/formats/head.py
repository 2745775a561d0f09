"""What stands before the first frame of an MP3: its tag with the cover, made once for a score."""

from __future__ import annotations

from voiceflow.core.cache import Cache
from voiceflow.draw import cover
from voiceflow.formats import id3 as tags
from voiceflow.formats.labels import Labels
from voiceflow.score.score import Score


def head(score: Score, cache: Cache) -> bytes:
    """The tag's bytes, from the cache if it has them: then neither Pillow nor mutagen is loaded."""
    key = head_key(score)
    found = cache.get("head", key)
    if found is None:
        found = tags.tag(Labels.of(score), picture(score, cache))
        cache.put("head", key, found)
    return found


def head_key(score: Score) -> str:
    """The key under which a score's tag is kept."""
    return Cache.key(tags.VERSION, repr(Labels.of(score)), _cover_key(score))


def picture(score: Score, cache: Cache) -> bytes:
    """The cover of a score, drawn once."""
    key = _cover_key(score)
    found = cache.get("cover", key)
    if found is None:
        found = cover.cover(score)
        cache.put("cover", key, found)
    return found


def _cover_key(score: Score) -> str:
    """All that shows in the drawing."""
    from PIL import __version__

    return Cache.key(__version__, *cover.drawn_from(score))
