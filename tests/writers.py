"""Everything that voiceflow writes, each as an operation that can be harmed, and how to judge it.

A folder comes in: `prepare` makes in it what was there before, `act` writes, `standing` reads what
is there now, file by file. Whatever happens in between, each file is the old one or the new one.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from conftest import BUNDLED, SOUNDS

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import UnfinishedError
from voiceflow.core.files import is_draft
from voiceflow.player.bookmarks import Bookmark, Bookmarks
from voiceflow.roster.manifest import Entry, Manifest, read_manifest
from voiceflow.script import examples
from voiceflow.script.lookup import Library
from voiceflow.stitch.export import ExportOptions, Failure, export

SCRIPT = """\
title: {title}
phrases: plain
tones: none
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 2
    rep:
      - inhale 2.5: Lift.
      - exhale 3: Lower.
"""
OLD = b"older"


@dataclass(frozen=True)
class Writer:
    """One kind of thing that is written.

    Attributes
    ----------
    modules : tuple of str
        Those of voiceflow that write for it, of all that `test_writers.py` finds.
    act : function of a folder
        Raises a VoiceflowError where it cannot be done.
    standing : function of a folder
        What is there, by file; raises where a file is not whole.
    again : bool
        Whether to do it once more leaves what doing it once does.
    told : bool
        Whether a disk that is full is an error; else it is done without what cannot be kept.
    named : str
        What an error has in it, so that one knows which file it is about.
    """

    modules: tuple[str, ...]
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    standing: Callable[[Path], Mapping[str, object]]
    again: bool = True
    told: bool = True
    named: str = ""


def context(folder: Path) -> Context:
    """The library and the cache below `folder`; one after the other."""
    return Context(library(folder), Cache(folder / "cache"), 1)


def library(folder: Path) -> Library:
    return Library(folder / "home", BUNDLED, SOUNDS)


def out_files(folder: Path) -> dict[str, object]:
    """The bytes of every recording; a playlist names some that are there."""
    found = below(folder / "out")
    for name in [name for name in found if name.endswith(".m3u8")]:
        named = (folder / "out" / name).read_text().splitlines()
        for line in named[1:]:
            assert line.startswith("#") or (folder / "out" / line).is_file(), line
        # One that could not be made is told, and left out of it.
        found[name] = named[0]
    return found


def below(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def scraps(folder: Path) -> list[str]:
    """What is left of something that was not finished: drafts, and temporary files."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(folder))
        for path in found
        if is_draft(path.name) or path.suffix == ".part" or "tmp" in path.relative_to(folder).parts
    ]


# Recordings


def _scripts(folder: Path) -> None:
    for name in ("out", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    for slug, title in (("one", "One Thing"), ("two", "Two Things")):
        (folder / f"{slug}.yaml").write_text(SCRIPT.format(title=title), encoding="utf-8")


@contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    # The cover is of no interest here, and takes longer than all the rest.
    drawn = lambda score: b"\xff\xd8\xff" + score.title.encode()  # noqa: E731
    with (
        patch.object(tempfile, "tempdir", str(folder / "tmp")),
        patch("voiceflow.draw.cover.cover", drawn),
    ):
        yield


def _recording(ending: str, *modules: str) -> Writer:
    def prepare(folder: Path) -> None:
        _scripts(folder)
        (folder / "out" / f"one.{ending}").write_bytes(OLD)

    def act(folder: Path) -> None:
        with _temporary(folder):
            voiceflow.render(
                folder / "one.yaml",
                folder / "out" / f"one.{ending}",
                options=Options(voice="silent"),
                context=context(folder),
            )

    shared = ("core.files", "core.cache", "stitch.render", "stitch.stitcher", "draw.cover")
    return Writer((*shared, *modules), prepare, act, out_files, named=f"one.{ending}")


def _exported(names: tuple[str, ...], form: str, *modules: str, split: bool = False) -> Writer:
    def prepare(folder: Path) -> None:
        _scripts(folder)
        for title in ("One Thing", "Two Things"):
            for ending in (form, "jpg", "lrc", "vtt", "chapters.json"):
                (folder / "out" / f"{title}.{ending}").write_bytes(OLD)

    def act(folder: Path) -> None:
        files = ExportOptions(form, split)
        with _temporary(folder):
            wanted = [folder / f"{name}.yaml" for name in names]
            options = Options(voice="silent")
            results = export(wanted, folder / "out", files, options, context(folder))
            failed = []
            try:
                failed += (one.line() for one in results if isinstance(one, Failure))
            except UnfinishedError:
                # As on the command line: the reasons first.
                raise UnfinishedError("; ".join(failed)) from None

    shared = ("core.files", "core.cache", "stitch.sync", "draw.cover")
    return Writer((*shared, *modules), prepare, act, out_files, named="/out/")


def _drawn() -> Writer:
    def act(folder: Path) -> None:
        from voiceflow.cli import commands

        given = dict.fromkeys(("as_json", "events", "text", "png"))
        svg = str(folder / "out" / "one.svg")
        wanted = {**given, "svg": svg, "voice": "silent"}
        commands.show(str(folder / "one.yaml"), wanted, context(folder))

    def prepare(folder: Path) -> None:
        _scripts(folder)
        (folder / "out" / "one.svg").write_bytes(OLD)

    return Writer(("core.files", "cli.commands"), prepare, act, out_files, named="one.svg")


# The cache


def _kept_in_cache() -> Writer:
    keys = [Cache.key("entry", number) for number in range(3)]

    def prepare(folder: Path) -> None:
        cache = Cache(folder / "cache")
        cache.put("clip", keys[0], b"old")
        cache.put("clip", keys[1], b"another")

    def act(folder: Path) -> None:
        cache = Cache(folder / "cache", limit_bytes=10_000)
        for key in keys:
            cache.put("clip", key, b"new" * 100)
            cache.get("clip", key)
        cache.trim()

    def standing(folder: Path) -> dict[str, object]:
        cache = Cache(folder / "cache")
        return {key: value for key in keys if (value := cache.get("clip", key)) is not None}

    return Writer(("core.files", "core.cache"), prepare, act, standing, told=False)


# A library: what a person, a player and a server keep there


def _example() -> Writer:
    def act(folder: Path) -> None:
        from voiceflow.core.errors import InputError

        try:
            examples.create("session", "mine", library(folder))
        except InputError:  # it is there already, from the time before
            pass

    return Writer(
        ("core.files", "script.examples"),
        lambda folder: (folder / "home").mkdir(parents=True),
        act,
        lambda folder: below(folder / "home"),
        named="mine.yaml",
    )


def _bookmark() -> Writer:
    def prepare(folder: Path) -> None:
        Bookmarks(library(folder)).put("one", Bookmark(1, "Arm Float", 6_000, 9_000))

    def act(folder: Path) -> None:
        Bookmarks(library(folder)).put("one", Bookmark(2, "Heel Raise", 7_000, 9_000))

    def standing(folder: Path) -> dict[str, object]:
        found = Bookmarks(library(folder)).get("one")
        assert found is not None
        return {"one": found}

    # It is a help, and no reason to end a session with an error.
    return Writer(("core.files", "player.bookmarks"), prepare, act, standing, told=False)


def _manifest() -> Writer:
    def entry(name: str) -> Entry:
        return Entry(name, f"{name}/a.mp3", "0" * 64, 10, 20, "key")

    def act(folder: Path) -> None:
        with Manifest(folder / "manifest.jsonl") as manifest:
            for name in ("second", "third"):
                manifest.add(entry(name))
            manifest.settle(["first", "second", "third"])

    def prepare(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "manifest.jsonl").write_text(entry("first").line())

    def standing(folder: Path) -> dict[str, object]:
        # An entry after the other: what a run had made before it was cut off is known.
        return dict(read_manifest(folder / "manifest.jsonl"))

    modules = ("core.files", "roster.manifest")
    return Writer(modules, prepare, act, standing, named="manifest.jsonl")


def _phones(change: Callable[[Any], object], *, again: bool) -> Writer:
    def of(folder: Path) -> Any:
        from voiceflow.server.auth.phones import Phones

        return Phones(folder / "home" / "serve" / "phones.json")

    def prepare(folder: Path) -> None:
        phones = of(folder)
        for name in ("first", "second"):
            _, token = phones.pair(name)
            (folder / name).write_text(token)

    def standing(folder: Path) -> dict[str, object]:
        phones = of(folder)
        known = json.loads(phones.path.read_bytes())["phones"]
        assert len(known) == len(phones.all()), "the list is damaged"
        for name in {one.name for one in phones.all()} & {"first", "second"}:
            assert phones.find((folder / name).read_text()).name == name
        told = [(one.name, one.generation, bool(one.feed)) for one in phones.all()]
        return {"phones": told}

    modules = ("core.files", "server.auth.phones")
    act = lambda folder: change(of(folder)) and None  # noqa: E731
    return Writer(modules, prepare, act, standing, again, named="phones.json")


def _served(change: Callable[[Any, Any, Any], None], *modules: str, again: bool) -> Writer:
    """What a server writes: a session is kept, and another one rendered or kept in addition."""

    from voiceflow.core.errors import OutputError
    from voiceflow.server.http.refusals import Refusal

    def studio_of(folder: Path) -> Any:
        from voiceflow.server.library.kept import Keeper
        from voiceflow.server.studio import Studio

        studio = Studio(library(folder), Cache(folder / "cache"), jobs=1)
        return studio, Keeper(studio)

    def prepare(folder: Path) -> None:
        sessions = folder / "home" / "sessions"
        sessions.mkdir(parents=True)
        (folder / "home" / "settings.yaml").write_text("voice: silent\n")
        for slug, title in (("one", "One Thing"), ("two", "Two Things")):
            (sessions / f"{slug}.yaml").write_text(SCRIPT.format(title=title), encoding="utf-8")
        studio, keeper = studio_of(folder)
        with _temporary(folder):
            render = asyncio.run(studio.render("phone", "one", {}))
            asyncio.run(keeper.keep("phone", render, "Kept One"))
            _whole(studio)
            studio.close()

    def act(folder: Path) -> None:
        with _temporary(folder):
            studio, keeper = studio_of(folder)
            try:
                render = asyncio.run(studio.render("phone", "two", {}))
                change(studio, keeper, render)
                _whole(studio)
                studio.cache.trim()  # as it does itself now and then
            except Refusal as refusal:
                told = "; ".join(one["message"] for one in refusal.faults)
                raise OutputError(told, hint=refusal.hint) from refusal
            finally:
                studio.close()

    def standing(folder: Path) -> dict[str, object]:
        studio, keeper = studio_of(folder)
        try:
            found: dict[str, object] = below(folder / "home" / "sessions")
            listed = json.loads(keeper.path.read_bytes())["kept"]
            kept = keeper.all()
            assert len(kept) == len(listed), "the list is damaged"
            found["kept"] = sorted(one.slug for one in kept)
            for path in studio.renders.folder.glob("*.json"):
                assert studio.renders.get(path.stem) is not None, "a record is damaged"
            for path in studio.mp3_files.folder.glob("*.mp3"):
                render = studio.renders.get(path.stem)
                if render is not None:
                    assert path.stat().st_size == render.bytes, "half a recording"
                    found[f"{render.slug}.mp3"] = path.read_bytes()
            return found
        finally:
            studio.close()

    shared = ("core.files", "server.jobs.render_records", "server.jobs.mp3_files")
    return Writer((*shared, *modules), prepare, act, standing, again)


def _whole(studio: Any) -> None:
    """Until every MP3 is made, or cannot be."""
    from voiceflow.core.errors import OutputError

    while True:
        files = tuple(studio.mp3_files._files.values())
        problem = next((one.problem for one in files if one.problem is not None), None)
        if problem is not None:
            raise OutputError(problem.message, hint=problem.hint)
        if all(one.whole and not one.busy for one in files):
            return
        os.sched_yield()


def _keep(studio: Any, keeper: Any, render: Any) -> None:
    asyncio.run(keeper.keep("phone", render, "Kept Two"))


def _unkeep(studio: Any, keeper: Any, render: Any) -> None:
    if keeper.find("kept-one") is not None:
        keeper.remove("kept-one")


WRITERS: Mapping[str, Writer] = {
    "recording.mp3": _recording("mp3", "stitch.rerender", "formats.id3"),
    "recording.wav": _recording("wav", "formats.containers"),
    "recording.flac": _recording("flac", "formats.containers"),
    "recording.ogg": _recording("ogg", "formats.containers"),
    "recording.opus": _recording("opus", "formats.containers"),
    "export.mp3": _exported(("one",), "mp3"),
    "export.m4b": _exported(("one",), "m4b", "formats.m4b"),
    "export.flac in parts": _exported(("one",), "flac", "formats.containers", split=True),
    "export of two": _exported(("one", "two"), "mp3"),
    "picture": _drawn(),
    "cache": _kept_in_cache(),
    "manifest": _manifest(),
    "example": _example(),
    "bookmark": _bookmark(),
    "pairing": _phones(lambda phones: phones.pair("third"), again=False),
    "feed": _phones(
        lambda phones: phones.revoke_feed(phones.all()[0]) if phones.all()[0].feed else None,
        again=True,
    ),
    "forgetting": _phones(lambda phones: phones.forget(), again=True),
    "keeping": _served(_keep, "server.library.kept", again=False),
    "removing": _served(_unkeep, "server.library.kept", again=True),
    "playing": _served(lambda *_: None, "server.library.sessions", "server.studio", again=True),
}
