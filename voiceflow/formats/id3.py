"""Writes labels as an ID3 tag: names, chapters, text with and without times, cover.

ID3v2.3, not v2.4: every player that reads v2.4 reads v2.3 too, while car radios, older Android
scanners and Windows before 10 read only v2.3; chapters (CHAP, CTOC) are defined alike for both.
Text is Latin-1 where it is ASCII, else UTF-16, the one Unicode encoding that v2.3 knows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from voiceflow.core.cache import Cache
from voiceflow.formats.labels import Labels
from voiceflow.formats.tag_library import mutagen
from voiceflow.score.score import Score

if TYPE_CHECKING:
    from mutagen.id3 import Frame

VERSION: Final = "id3 1"  # counts up with every change of the bytes

_HEAD_BYTES: Final = 10
_ALONE: Final = 0xFFFFFFFF  # a chapter's byte offset: none, the times hold
_ORDERED: Final = 2
_TOP_LEVEL: Final = 1
_FAN_OUT: Final = 255  # children that one table of contents can name


def tag(labels: Labels, cover: bytes | None = None) -> bytes:
    """A whole ID3v2.3 tag, to stand at the head of the file.

    Parameters
    ----------
    labels : Labels
    cover : bytes or None
        JPEG.

    Returns
    -------
    bytes
        The same for the same labels and cover. Chapters come first, so that a player knows them
        before the cover has arrived, and in order of time, which some players rely on.
    """
    body = b"".join(map(_bytes, _frames(labels, cover)))
    # ID3 has seven bits to a byte here, and does not count the ten bytes of the head.
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def tag_of(score: Score, cache: Cache) -> bytes:
    """The tag of a whole session, with its cover, made once for a score.

    Where the cache has it, neither Pillow nor mutagen is loaded.
    """
    key = tag_key(score)
    found = cache.get("head", key)
    if found is None or not is_tag(found):
        from voiceflow.draw.cover import cover_of

        found = tag(Labels.of(score), cover_of(score, cache))
        cache.put("head", key, found)
    return found


def is_tag(data: bytes) -> bool:
    """Whether `data` is one ID3 tag and nothing else, as its head says."""
    if len(data) < _HEAD_BYTES or data[:3] != b"ID3":
        return False
    size = 0
    for byte in data[6:_HEAD_BYTES]:
        size = size << 7 | byte & 0x7F
    return len(data) == size + _HEAD_BYTES


def tag_key(score: Score) -> str:
    """The key under which the cache keeps a score's tag."""
    # Not sooner: what is only joined anew needs no cover, and so none of what draws it.
    from voiceflow.draw.cover import cover_key

    return Cache.key(VERSION, repr(Labels.of(score)), cover_key(score))


def _frames(labels: Labels, cover: bytes | None) -> Iterator[Frame]:
    id3 = mutagen("id3")

    yield _text(id3.TIT2, labels.title)
    yield _text(id3.TPE1, labels.artist)
    yield _text(id3.TALB, labels.album)
    if labels.track:
        yield _text(id3.TRCK, "{}/{}".format(*labels.track))
    yield _text(id3.TCON, labels.genre)
    yield _text(id3.TYER, str(labels.year))
    yield _text(id3.TLAN, labels.language)
    yield _text(id3.TLEN, str(labels.length_ms))
    yield from _chapters(labels)
    if labels.about:
        yield _text(id3.COMM, labels.about, lang=labels.language, desc="")
    if labels.lines:
        words = "\n".join(line for _, line in labels.lines)
        timed = [(line, start_ms) for start_ms, line in labels.lines]
        # Format 2 is times in milliseconds, type 1 is lyrics.
        yield _text(id3.SYLT, timed, lang=labels.language, format=2, type=1, desc="")
        yield _text(id3.USLT, words, lang=labels.language, desc="")
    if cover:
        yield id3.APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=cover)


def _chapters(labels: Labels) -> Iterator[Frame]:
    id3 = mutagen("id3")

    names = [f"ch{number}" for number in range(len(labels.chapters))]
    if not names:
        return
    groups = [names[at : at + _FAN_OUT] for at in range(0, len(names), _FAN_OUT)]
    if len(groups) == 1:
        yield _contents("toc", _TOP_LEVEL, names, labels.title)
    else:
        parts = [f"toc{number}" for number in range(len(groups))]
        yield _contents("toc", _TOP_LEVEL, parts, labels.title)
        for part, group in zip(parts, groups, strict=True):
            yield _contents(part, 0, group, labels.title)
    for name, chapter in zip(names, labels.chapters, strict=True):
        yield id3.CHAP(
            element_id=name,
            start_time=chapter.start_ms,
            end_time=chapter.end_ms,
            start_offset=_ALONE,
            end_offset=_ALONE,
            sub_frames=[_text(id3.TIT2, chapter.title)],
        )


def _contents(name: str, level: int, children: list[str], title: str) -> Frame:
    id3 = mutagen("id3")

    frame: Frame = id3.CTOC(
        element_id=name,
        flags=level | _ORDERED,
        child_element_ids=children,
        sub_frames=[_text(id3.TIT2, title)],
    )
    return frame


def _text(kind: Any, text: str | list[tuple[str, int]], **more: Any) -> Frame:
    """A frame with text in the plainest encoding that holds it."""
    whole = text if isinstance(text, str) else "".join(line for line, _ in text)
    frame: Frame = kind(encoding=0 if whole.isascii() else 1, text=text, **more)
    return frame


def _bytes(frame: Frame) -> bytes:
    """One frame alone: mutagen would sort them by size, chapters among them."""
    alone = mutagen("id3").ID3()
    alone.add(frame)
    file = io.BytesIO()
    alone.save(file, v1=0, v2_version=3, padding=lambda _: 0)
    # Without the head that mutagen puts before it: `tag` writes one for all frames.
    return file.getvalue()[10:]
