"""Writes a session as WAV, FLAC, Ogg Vorbis or Opus.

Comes in: pieces of samples, labels, a cover. They are written block by block, so that memory does
not grow with the session; labels and chapters go wherever the format has a place for them. The
same input gives the same bytes.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from voiceflow.audio.pcm import Pieces, byte_count, continuous
from voiceflow.core.errors import OutputError
from voiceflow.core.files import Draft, unfinished
from voiceflow.core.units import RATE
from voiceflow.formats.id3 import tag
from voiceflow.formats.labels import Labels, timestamp
from voiceflow.formats.tag_library import mutagen

_LIMIT: Final = 0xFFFF_FFFF
_SERIAL: Final = 1
_FORMS: Final = {"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}


def write(
    draft: Draft,
    kind: str,
    pieces: Pieces,
    channels: int,
    labels: Labels,
    cover: bytes | None = None,
) -> None:
    """Write a whole session to `draft`.

    Parameters
    ----------
    kind : {"wav", "flac", "ogg", "opus"}
    pieces : iterable of (int, bytes)
        Start in milliseconds and PCM (int16 little-endian, interleaved, 24 kHz), in order.
    channels : {1, 2}
    labels : Labels
        Their `length_ms` is the session's.
    cover : bytes or None
        JPEG.

    Raises
    ------
    OutputError
        The disk is full, or the session is longer than a WAV file can hold (4 GB: 12 hours).
    """
    sound = continuous(pieces, labels.length_ms, channels)
    if kind == "wav":
        _write_wav(draft, sound, channels, labels, cover)
        return
    from mutagen import MutagenError

    label = {"flac": _label_flac, "ogg": _label_ogg, "opus": _label_opus}[kind]
    _encode(draft, kind, sound, channels)
    try:
        length_s = label(draft.path, labels, cover)
    except (OSError, MutagenError) as error:
        raise unfinished(error, draft) from error
    # libsndfile does not report when there is no room for the bytes it writes while closing.
    if abs(length_s * 1000 - labels.length_ms) > 1:
        raise unfinished(EOFError(), draft)


def _write_wav(
    draft: Draft, sound: Iterable[bytes], channels: int, labels: Labels, cover: bytes | None
) -> None:
    """Samples first, where even the simplest player finds them; labels after them."""
    size = byte_count(labels.length_ms, channels)
    # The tag has the chapters. With cue points too, FFmpeg would show each of them twice.
    after = _info(labels) + _chunk(b"id3 ", tag(labels, cover))
    # 36: "WAVE", the fmt chunk and the head of data. RIFF's own name and size are not counted.
    whole = 36 + size + len(after)
    if whole > _LIMIT:
        raise OutputError(
            f"a WAV file holds 4 GB, this session needs {whole / 1e9:.1f} GB",
            hint="use --format flac or mp3",
        )
    width = 2 * channels
    layout = struct.pack("<HHIIHH", 1, channels, RATE, RATE * width, width, 16)
    draft.write(b"RIFF" + struct.pack("<I", whole) + b"WAVE" + _chunk(b"fmt ", layout))
    # 16-bit samples are an even number of bytes: unlike other chunks, this one needs no padding.
    draft.write(b"data" + struct.pack("<I", size))
    for part in sound:
        draft.write(part)
    draft.write(after)


def _info(labels: Labels) -> bytes:
    """The INFO chunk: the oldest labels of a WAV file, which file managers show."""
    pairs = (
        (b"INAM", labels.title),
        (b"IART", labels.artist),
        (b"IPRD", labels.album),
        (b"IGNR", labels.genre),
        (b"ICRD", str(labels.year)),
    )
    return _chunk(b"LIST", b"INFO" + b"".join(_chunk(name, _text(value)) for name, value in pairs))


def _chunk(name: bytes, body: bytes) -> bytes:
    # RIFF begins each chunk at an even byte; the byte that fills up is not in the chunk's size.
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _encode(draft: Draft, kind: str, sound: Iterable[bytes], channels: int) -> None:
    import soundfile

    form = _FORMS[kind]
    # Only errors of libsndfile are mapped: `sound` may fail for reasons of its own.
    failures = (soundfile.SoundFileError, OSError, AssertionError)
    try:
        file = soundfile.SoundFile(draft.path, "w", RATE, channels, form[1], format=form[0])
    except failures as error:
        raise unfinished(error, draft) from error
    try:
        # In blocks: libsndfile copies a Vorbis write to its stack, which a long one would overrun.
        for block in sound:
            try:
                file.buffer_write(block, dtype="int16")
            except failures as error:
                raise unfinished(error, draft) from error
    finally:
        file.close()


def _label_flac(path: Path, labels: Labels, cover: bytes | None) -> float:
    """Write labels into a finished file; return its length in seconds as the file has it."""
    file = mutagen("flac").FLAC(path)
    if file.tags is None:
        file.add_tags()
    file.tags.extend(_comments(labels))
    if cover:
        file.add_picture(_picture(cover))
    file.save(padding=lambda _: 0)
    return float(file.info.length)


def _label_ogg(path: Path, labels: Labels, cover: bytes | None) -> float:
    """Write labels into a finished file; return its length in seconds as the file has it."""
    return _label_pages(mutagen("oggvorbis").OggVorbis(path), path, labels, cover)


def _label_opus(path: Path, labels: Labels, cover: bytes | None) -> float:
    """The same for Opus."""
    return _label_pages(mutagen("oggopus").OggOpus(path), path, labels, cover)


def _label_pages(file: Any, path: Path, labels: Labels, cover: bytes | None) -> float:
    file.tags.extend(_comments(labels))
    if cover:
        picture = base64.b64encode(_picture(cover).write()).decode()
        file.tags.append(("METADATA_BLOCK_PICTURE", picture))
    file.save(padding=lambda _: 0)
    _settle_serial(path)
    return float(file.info.length)


def _settle_serial(path: Path) -> None:
    """Replace libsndfile's random stream number, so that equal input gives equal bytes."""
    page_of = mutagen("ogg").OggPage
    with path.open("r+b") as file:
        while True:
            at = file.tell()
            try:
                page = page_of(file)
            except EOFError:
                return
            # The number has a fixed width, so a page goes back in place, with a new checksum.
            page.serial = _SERIAL
            file.seek(at)
            file.write(page.write())


def _comments(labels: Labels) -> list[tuple[str, str]]:
    """Vorbis comments, chapters by the convention of CHAPTERxxx=hh:mm:ss.mmm."""
    comments = [
        ("TITLE", labels.title),
        ("ARTIST", labels.artist),
        ("ALBUM", labels.album),
        ("GENRE", labels.genre),
        ("DATE", str(labels.year)),
        ("LANGUAGE", labels.language),
    ]
    if labels.track:
        comments += zip(("TRACKNUMBER", "TRACKTOTAL"), map(str, labels.track), strict=True)
    if labels.about:
        comments.append(("DESCRIPTION", labels.about))
    if labels.lines:
        comments.append(("LYRICS", "\n".join(line for _, line in labels.lines)))
    # The convention has three digits.
    for number, chapter in enumerate(labels.chapters[:999], 1):
        comments.append((f"CHAPTER{number:03}", timestamp(chapter.start_ms)))
        comments.append((f"CHAPTER{number:03}NAME", chapter.title))
    return comments


def _picture(cover: bytes) -> Any:
    picture = mutagen("flac").Picture()
    # 3 is the front cover, as in ID3. The size is that of every cover that `draw.cover` makes.
    picture.type, picture.mime, picture.data = 3, "image/jpeg", cover
    picture.width = picture.height = 1000
    picture.depth = 24
    return picture
