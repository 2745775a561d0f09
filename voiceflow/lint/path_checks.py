"""`check PATH`: finds out which kind of script a file is, and runs the checks for that kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from voiceflow import sounds
from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.lint.lost_text import all_texts, cut_texts
from voiceflow.lint.markup import markup_warnings
from voiceflow.lint.name_gaps import name_gaps
from voiceflow.lint.phrase_checks import phrases_problems, positions_problems
from voiceflow.lint.script_checks import (
    LintLibrary,
    exercise_problems,
    pace_problems,
    pronunciation_problems,
    session_problems,
    settings_problems,
    sound_problems,
)
from voiceflow.lint.unread_signs import unread_warnings
from voiceflow.script import models
from voiceflow.script.load import load_settings
from voiceflow.script.lookup import Library, exists, is_folder
from voiceflow.script.yaml import Node, read

Checker = Callable[[Path, LintLibrary], Iterable[Problem]]

CHECKERS: Mapping[str, Checker] = {
    "exercise": exercise_problems,
    "session": session_problems,
    "pace": pace_problems,
    "phrases": lambda path, _: phrases_problems(path),
    "positions": lambda path, _: positions_problems(path),
    "sounds": sound_problems,
    "settings": settings_problems,
    "pronunciation": lambda path, _: pronunciation_problems(path),
}
FOLDERS = {
    "exercises": "exercise",
    "sessions": "session",
    "paces": "pace",
    "phrases": "phrases",
    "sounds": "sounds",
    "pronunciation": "pronunciation",
}
YAML = (".yaml", ".yml")
TEMPLATES = (".j2",)
# Files that may lie beside scripts without a warning: notes, schemas and recordings.
_BESIDE = (".md", ".json")
_SAMPLES = (".wav", ".flac", ".ogg", ".mp3")
_KINDS = "exercises, sessions, paces, phrases (.j2), tone sets, words or settings.yaml"


def check_path(path: Path, library: Library) -> list[Problem]:
    """Every error and warning in a script, or in all scripts of a folder.

    Parameters
    ----------
    path : Path
        A file, or a folder, which is searched with all its folders that are not hidden.
    library : Library
        Where to look up the names in the scripts.

    Returns
    -------
    list of Problem
        Sorted by place; empty if there are none. Bad files are reported, never raised.
    """
    lint = LintLibrary(library)
    if is_folder(path):
        found = list(_folder(path, lint))
    elif exists(path):
        found = list(_file(path, lint))
    else:
        hint = "give the path of a script, or of a folder with scripts"
        found = [Problem(Mark(str(path)), "there is no such file or folder", hint)]
    # A set: most faults are found again at each level.
    return sorted(set(_as_given(path, found)))


def kind_of(path: Path) -> str | None:
    """The kind of script in `path`: by its name and folder, else by its keys.

    None for a file that is not a script or uses no known key.

    Raises
    ------
    ScriptError
        The file must be read to find out, and has errors.
    """
    if path.suffix in TEMPLATES:
        return "phrases"
    if path.suffix not in YAML:
        return None
    if path.stem == "settings":
        return "settings"
    # `positions.es.yaml` as well: the second part is the language.
    if path.stem.split(".")[0] == "positions":
        return "positions"
    kind = FOLDERS.get(path.resolve().parent.name)
    if kind == "session":
        # An exercise may lie beside the session that uses it.
        keys = {key.text for key, _ in read(path).pairs}
        alone = "name" in keys and not keys & {"title", "exercises", "sections"}
        return "exercise" if alone else kind
    # Phrases are templates: a YAML file that lies among them may be anything.
    return kind if kind and kind != "phrases" else _kind_by_keys(read(path))


def is_session(path: Path) -> bool:
    """Whether `path` is the file of a session."""
    return path.is_file() and kind_of(path) == "session"


def _kind_by_keys(root: Node) -> str | None:
    """The kind whose keys a script uses most; the first in the table if several do."""
    session = {*(f.name for f in models.SESSION_HEAD), "exercises", "sections"}
    tables: Mapping[str, Iterable[str]] = {
        "pace": (f.name for f in models.PACE),
        "settings": (f.name for f in models.SETTINGS),
        "session": session,
        "exercise": (f.name for f in models.EXERCISE),
        "sounds": sounds.schema()["properties"],
    }
    keys = {key.text for key, _ in root.pairs}
    # Counted, because a file with a wrong or missing key is just what is brought here.
    scores = {kind: len(keys & set(table)) for kind, table in tables.items()}
    best = max(scores, key=lambda kind: scores[kind])
    return best if scores[best] else None


def _file(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    if path.suffix not in (*YAML, *TEMPLATES):
        hint = f"voiceflow reads {_KINDS}, in .yaml and .j2 files"
        yield Problem(Mark(str(path)), "the file is not a script", hint)
        return
    try:
        kind = kind_of(path)
    except ScriptError as error:
        yield from error.problems
        return
    if kind is None:
        message = "the file is not a kind of script that voiceflow knows"
        yield Problem(Mark(str(path)), message, f"known: {_KINDS}")
        return
    yield from CHECKERS[kind](path, lint)
    if path.suffix in YAML:
        with suppress(ScriptError):  # the checker has told
            yield from _lost(path, lint)


def _lost(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Warnings for texts in the YAML file `path` of which something is lost."""
    yield from cut_texts(path)
    root = read(path)
    texts = tuple(all_texts(root))
    yield from markup_warnings(texts)
    # In a session `name:` is a person, in an exercise it is the exercise: the title tells which.
    for_someone = root.get("title") is not None and root.get("name") is not None
    settings = load_settings(lint.library)
    if not for_someone and "name" not in settings:
        yield from name_gaps(texts)
    own = [*_pronounced(root), *(word for word, _ in settings.get("pronounce", ()))]
    yield from unread_warnings(texts, lint.pronunciation(_language(path, root)), own)


def _language(path: Path, root: Node) -> str:
    """The language of a script: as it says, or as its name does, as in `positions.es.yaml`."""
    node = root.get("language")
    if node is not None and node.kind == "scalar" and node.text.strip():
        return node.text.strip().lower()
    *_, last = ("en", *path.stem.split(".")[1:])
    return last.lower()


def _pronounced(node: Node) -> Iterator[str]:
    """The words that a script says how to pronounce, wherever in it."""
    for key, value in node.pairs:
        if key.text == "pronounce":
            yield from (word.text for word, _ in value.pairs)
        else:
            yield from _pronounced(value)
    for item in node.items:
        yield from _pronounced(item)


def _folder(folder: Path, lint: LintLibrary) -> Iterator[Problem]:
    try:
        files = list(_files(folder))
    except OSError as error:
        yield Problem(Mark(str(folder)), f"cannot be read: {error.strerror}")
        return
    scripts = [path for path in files if path.suffix in (*YAML, *TEMPLATES)]
    if not scripts:
        message = "there are no scripts in this folder"
        yield Problem(Mark(str(folder)), message, f"known: {_KINDS}")
    for path in scripts:
        yield from _file(path, lint)
    samples = _samples_used(scripts)
    for path in files:
        if path.resolve().parent.name in FOLDERS and path not in scripts:
            yield from _stray(path, samples)


def _stray(path: Path, samples: set[Path]) -> Iterator[Problem]:
    """A warning for a file among scripts that is not one of them."""
    mark = Mark(str(path))
    if path.suffix.lower() in _SAMPLES and path.resolve().parent.name == "sounds":
        if path.resolve() not in samples:
            message = "no tone set uses this recording"
            yield Problem(mark, message, "name it under `file:`", "warning")
    elif path.suffix.lower() not in _BESIDE and path.stem != "LICENSE":
        hint = "scripts end in .yaml, phrases in .j2"
        yield Problem(mark, "the file is not a script and is ignored", hint, "warning")


def _files(folder: Path) -> Iterator[Path]:
    """All files in `folder` and its folders, sorted; not hidden ones, nor linked folders."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir():
            # A linked folder may lead back to one above it, and the search would not end.
            if not path.is_symlink():
                yield from _files(path)
        elif path.is_file():
            yield path


def _samples_used(scripts: Iterable[Path]) -> set[Path]:
    used: set[Path] = set()
    for path in scripts:
        if path.resolve().parent.name == "sounds" and path.suffix in YAML:
            try:
                used.update((path.parent / name).resolve() for name in _file_names(read(path)))
            # Its problems were told when it was checked itself.
            except ScriptError:
                continue
    return used


def _file_names(node: Node) -> Iterator[str]:
    for key, value in node.pairs:
        if key.text == "file" and value.kind == "scalar":
            yield value.text
        yield from _file_names(value)
    for item in node.items:
        yield from _file_names(item)


def _as_given(path: Path, problems: Iterable[Problem]) -> Iterator[Problem]:
    """`problems` with the files under `path` named as the user gave `path`."""
    # What a script names is looked up by full paths, however its own was given.
    root = path.resolve()
    for problem in problems:
        file = Path(problem.mark.file).resolve()
        if file == root:
            named = path
        elif root in file.parents:
            named = path / file.relative_to(root)
        else:
            yield problem
            continue
        yield replace(problem, mark=replace(problem.mark, file=str(named)))
