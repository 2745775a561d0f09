"""Cases of options, of sound files, of pictures and of caches."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import click
import numpy as np
from fuzz_cases import Act, Case, Command, Same, Spoil
from hypothesis import strategies as st
from made_files import PLAIN, SILENT, written
from odd_bytes import BYTE_EDITS, ODD_NUMBERS, ODD_WORDS, TEXTS, edited

from voiceflow.cli.main import cli

Made = st.SearchStrategy[Case]
_S = ("s.yaml", PLAIN.encode())
SMALL = """\
title: Small
tones: none
exercises:
  - {name: Wait, position: seated, setup: Sit., work: 3s}
"""

# Options

_ARGUMENTS = {
    "render": ("s.yaml",), "export": ("s.yaml", "--to", "out"), "show": ("s.yaml",),
    "check": ("s.yaml",), "new": ("session", "mine"), "serve": ("--print", "unit"),
}  # fmt: skip
# A number of minutes, or of workers, that is right is no odd value, but takes long.
_VALUES = st.one_of(
    st.sampled_from(ODD_WORDS),
    st.sampled_from(ODD_NUMBERS),
    TEXTS,
    st.sampled_from(["\udcff\udcfe", "s.yaml", "out", "o.wav", "o.xyz", "tempo=", "tempo=1", "=1",
                     "rest=1h", "breath.inhale=5", "a.b.c=1", "tones=x", "detail=loud", "mp3",
                     "m4b"]),
)  # fmt: skip


def _spelled(option: click.Option, value: str, joined: bool) -> list[str]:
    flag = option.opts[-1]
    if option.is_flag or option.count:
        return [flag]
    return [f"{flag}={value}"] if joined and flag.startswith("--") else [flag, value]


@st.composite
def options(draw: st.DrawFn) -> Case:
    """Commands with one to three of their options, of any value; and arguments of any kind."""
    commands = [name for name in sorted(cli.commands) if name != "play"]
    name = draw(st.sampled_from(commands))
    command = cli.commands[name]
    given = list(_ARGUMENTS.get(name, ()))
    if given and name != "serve" and draw(st.integers(0, 3)) == 0:
        given[0] = draw(_VALUES)
    found = [one for one in command.params if isinstance(one, click.Option)]
    for option in draw(st.lists(st.sampled_from(found), max_size=3)) if found else ():
        given += _spelled(option, draw(_VALUES), draw(st.booleans()))
    if draw(st.integers(0, 9)) == 0:
        given.append(draw(_VALUES))
    quick = SILENT if any("--voice" in one.opts for one in found) and "--voice" not in given else ()
    jobs = ("--jobs", "1") if any("--jobs" in one.opts for one in found) and name != "serve" else ()
    words = tuple(one for one in (name, *quick, *jobs, *given) if not _takes_long(one))
    return Case("options", (("s.yaml", SMALL.encode()),), (Command(words),))


def _takes_long(word: str) -> bool:
    """Voices that are real and slow to load, which have their own tests."""
    return "natural" in word


# Sound files


@lru_cache
def sounds() -> dict[str, bytes]:
    """A second of noise in each form that a library writes, and heads of others."""
    import soundfile

    noise = np.random.default_rng(1).normal(0, 0.1, (26_000, 2)).astype(np.float32)
    forms = {
        "wav": ("WAV", "PCM_16"), "f.wav": ("WAV", "FLOAT"), "adpcm.wav": ("WAV", "IMA_ADPCM"),
        "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"),
        "mp3": ("MP3", "MPEG_LAYER_III"), "aiff": ("AIFF", "PCM_24"), "caf": ("CAF", "PCM_16"),
        "au": ("AU", "PCM_16"), "w64": ("W64", "PCM_16"), "rf64.wav": ("RF64", "PCM_16"),
    }  # fmt: skip
    made = {}
    for name, (form, subtype) in forms.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, noise, 24_000, format=form, subtype=subtype)
        made[name] = buffer.getvalue()
    made["m4a"] = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + made["wav"]
    made["jpg"] = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(999)
    made["png"] = b"\x89PNG\r\n\x1a\n" + bytes(999)
    made["txt"] = b"no sound at all\n" * 50
    return made


@st.composite
def sound_files(draw: st.DrawFn) -> Case:
    """A sound that is damaged, or something else by its name, as a bed and in a tone set."""
    form, ending = (draw(st.sampled_from(sorted(sounds()))) for _ in range(2))
    data = edited(sounds()[form], draw(BYTE_EDITS)) if draw(st.integers(0, 4)) else sounds()[form]
    name = f"odd.{form if draw(st.integers(0, 2)) else ending}"
    tail = (*SILENT, "-o", "o.mp3", "--jobs", "1", "--no-cache")
    files = [("s.yaml", SMALL.encode())]
    if draw(st.booleans()):
        files.append((name, data))
        acts: tuple[Act, ...] = (Command(("render", "s.yaml", "--bed", f"./{name}", *tail)),)
        return Case("sounds", tuple(files), acts, name)
    loop = draw(st.sampled_from(["", ", loop: true"]))
    sample = f"{{sound: sample, file: {name}"
    recipe = f"about: Odd.\nlike: bowl\nbell: {sample}}}\ninhale: {sample}{loop}}}\n"
    files += [(f"user/sounds/{name}", data), ("user/sounds/mine.yaml", recipe.encode())]
    acts = (
        Command(("check", "user/sounds/mine.yaml", *SILENT, "--json")),
        Command(("render", "s.yaml", "--tones", "mine", *tail)),
    )
    return Case("sounds", tuple(files), acts, name)


# Pictures, names of files, tags

_TITLES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40),
    st.lists(st.sampled_from(ODD_WORDS), min_size=1, max_size=3).map(" ".join),
)


@st.composite
def pictures(draw: st.DrawFn) -> Case:
    """Titles in any writing, as covers, pictures, names of files and tags."""
    work = {"position": "seated", "setup": "Sit.", "work": "3s", "name": draw(_TITLES)}
    root = {"title": draw(_TITLES), "tones": "none", "sections": [{draw(_TITLES): [work]}]}
    name = ("--name", draw(_TITLES)) if draw(st.integers(0, 3)) == 0 else ()
    form = draw(st.sampled_from(["mp3", "mp3", "flac", "ogg", "opus", "wav"]))
    split = ("--split",) if draw(st.booleans()) else ()
    acts = (
        Command(("show", "s.yaml", *SILENT, *name, "--svg", "o.svg", "--png", "o.png")),
        Command(("export", "s.yaml", *SILENT, *name, "--to", "out", "--format", form, *split)),
    )
    return Case("pictures", (("s.yaml", written(root, raw=False)),), acts, "s.yaml")


@st.composite
def caches(draw: st.DrawFn) -> Case:
    """Entries of the cache that are damaged: whatever they hold, the same comes of them."""
    render = ("render", "s.yaml", *SILENT, "--jobs", "1")
    spoiled: list[Any] = [
        Spoil("cache", draw(st.integers(0, 200)), draw(BYTE_EDITS))
        for _ in range(draw(st.integers(1, 9)))
    ]
    acts = (
        Command((*render, "-o", "right.mp3")), *spoiled,
        Command(("cache", "info")), Command((*render, "-o", "again.mp3")),
        Same("right.mp3", "again.mp3"),
    )  # fmt: skip
    return Case("caches", (("s.yaml", SMALL.encode()),), acts)
