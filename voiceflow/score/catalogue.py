"""The catalogue: which sessions, exercises, paces, voices, phrases and tone sets there are.

In comes a library; out come, for each kind, its entries as plain data for `voiceflow list` and the
phone's pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from voiceflow import voices
from voiceflow.core.errors import ScriptError
from voiceflow.script.lookup import Library
from voiceflow.script.yaml import read, read_text
from voiceflow.sounds import names as tone_names

Entry = dict[str, Any]


def everything(library: Library, kinds: Sequence[str] | None = None) -> dict[str, list[Entry]]:
    """For each kind, its entries: name, about, and whether it is the user's own."""
    tables: dict[str, Callable[[Library], list[Entry]]] = {
        "sessions": lambda lib: _scripts(lib, "sessions", ("title", "about")),
        "exercises": lambda lib: _scripts(lib, "exercises", ("name", "purpose")),
        "paces": lambda lib: _scripts(lib, "paces", ("about",)),
        "voices": lambda _: _voices(),
        "phrases": _phrases,
        "tones": _tones,
    }
    return {kind: tables[kind](library) for kind in kinds or tables}


def _scripts(library: Library, kind: str, keys: tuple[str, ...]) -> list[Entry]:
    entries = []
    for path in library.files(kind):
        try:
            root = read(path)
            values = {key: root.get(key) for key in keys}
            told = [
                _first_version(v.text)
                for v in values.values()
                if v is not None and v.kind == "scalar"
            ]
        except ScriptError as error:
            told = [f"has errors: {error.problems[0].message}"]
        entries.append(_entry(library, path, ". ".join(one.rstrip(".") for one in told if one)))
    return sorted(entries, key=lambda entry: str(entry["name"]))


def _entry(library: Library, path: Path, about: str) -> Entry:
    own = path.is_relative_to(library.user)
    return {"name": path.stem, "about": about, "own": own, "path": str(path)}


def _first_version(text: str) -> str:
    return " ".join(text.split("|")[0].split())


def _phrases(library: Library) -> list[Entry]:
    entries = []
    for path in library.files("phrases"):
        comment = re.match(r"\{#-?\s*(.*?[.])\s", read_text(path), re.DOTALL)
        entries.append(_entry(library, path, " ".join(comment[1].split()) if comment else ""))
    return sorted(entries, key=lambda entry: str(entry["name"]))


def _tones(library: Library) -> list[Entry]:
    return [{"name": name, "about": about} for name, about in tone_names(library.folders("sounds"))]


def _voices() -> list[Entry]:
    return [
        {
            "name": one.name,
            "about": one.about,
            "language": one.language,
            "works": one.works,
            "why": one.why,
        }
        for one in voices.available()
    ]
