"""Writes a session as M4B, an audiobook: AAC with chapters, by the FFmpeg inside PyAV's wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from voiceflow.audio.pcm import Pieces, continuous
from voiceflow.core.errors import InputError
from voiceflow.core.files import Draft, explained, unfinished
from voiceflow.core.units import RATE
from voiceflow.formats.labels import Labels
from voiceflow.formats.tag_library import mutagen

BIT_RATES: Final = {1: 48_000, 2: 72_000}
_BLOCK_MS: Final = 1_000
_AUDIOBOOK: Final = 2


def ready() -> None:
    """Raises InputError if the extra `m4b`, which makes AAC, is not installed."""
    if find_spec("av") is None:
        hint = "pip install av (the extra `m4b`), or use --format mp3, which has chapters too"
        raise InputError("`--format m4b` needs the package av, which is not installed", hint=hint)


def write(
    draft: Draft,
    pieces: Pieces,
    channels: int,
    labels: Labels,
    cover: bytes,
) -> None:
    """Write a whole session to `draft`; the same input gives the same bytes.

    Parameters
    ----------
    pieces : iterable of (int, bytes)
        Start in milliseconds and int16 samples at 24 kHz, interleaved, in order.

    Raises
    ------
    OutputError
        The file cannot be written completely.
    """
    import av
    from mutagen import MutagenError

    try:
        _encode(draft.path, pieces, channels, labels)
        _label(draft.path, labels, cover)
    except OSError as error:
        raise explained(error, draft.target) from error
    except (av.error.FFmpegError, MutagenError) as error:
        raise unfinished(error, draft) from error


def _encode(path: Path, pieces: Pieces, channels: int, labels: Labels) -> None:
    import av

    # No date and no version of FFmpeg in the file: equal input gives equal bytes.
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    # `ipod` is FFmpeg's name for the container of M4A and M4B.
    with av.open(str(path), "w", format="ipod", options=options) as file:
        layout = "mono" if channels == 1 else "stereo"
        stream: Any = file.add_stream("aac", rate=RATE, layout=layout)
        stream.bit_rate = BIT_RATES[channels]
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        file.set_chapters(_chapters(labels))
        done = 0
        for block in continuous(pieces, labels.length_ms, channels, _BLOCK_MS):
            frame = av.AudioFrame(format="s16", layout=layout, samples=len(block) // 2 // channels)
            frame.planes[0].update(_padded(block, frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts = RATE, done
            done += frame.samples
            file.mux(stream.encode(frame))
        # None asks for what the encoder still holds back.
        file.mux(stream.encode(None))


def _chapters(labels: Labels) -> list[Any]:
    from fractions import Fraction

    return [
        {
            "id": number,
            "start": one.start_ms,
            "end": one.end_ms,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": one.title},
        }
        for number, one in enumerate(labels.chapters)
    ]


def _label(path: Path, labels: Labels, cover: bytes) -> None:
    mp4 = mutagen("mp4")
    file = mp4.MP4(path)
    if file.tags is None:
        file.add_tags()
    told = {
        "\xa9nam": labels.title,
        "\xa9ART": labels.artist,
        "\xa9alb": labels.album,
        "\xa9gen": labels.genre,
        "\xa9day": str(labels.year),
        "\xa9lyr": "\n".join(line for _, line in labels.lines),
        "desc": labels.about,
    }
    file.tags.update({name: [text] for name, text in told.items() if text})
    file.tags["stik"] = [_AUDIOBOOK]
    file.tags["covr"] = [mp4.MP4Cover(cover, imageformat=mp4.MP4Cover.FORMAT_JPEG)]
    file.save(padding=lambda _: 0)


def _padded(block: bytes, size: int) -> bytes:
    """A plane's buffer may be a little longer than its samples."""
    return block.ljust(size, b"\0")
