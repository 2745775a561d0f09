"""The corridor: every room is listed, and each imports only from its left."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import voiceflow

ROOT = Path(voiceflow.__file__).parent

# From left to right. A module or package that is not in this list fails.
ROOMS = (
    "core audio script plan voices sounds score draw formats stitch api lint player roster server"
    " cli __main__"
).split()
# The public face looks at the whole corridor; no room looks at it, but for its version.
FACE = "__init__"
OF_THE_FACE = {"__version__"}

# Deciding is pure: nothing here meets files, clocks, chance, processes or samples.
PURE = (
    "core.units script.pacing plan.moments plan.rests plan.unroll plan.sets plan.cues score.score"
    " score.laid score.lay_moments score.lay_rests score.arrange score.fit_minutes"
).split()
IMPURE = {
    "os", "io", "pathlib", "tempfile", "shutil", "subprocess", "socket", "threading", "time",
    "datetime", "random", "secrets", "numpy", "pydub", "multiprocessing", "asyncio",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    """Every module as (dotted name under voiceflow, path)."""
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT).with_suffix("")
        if inside.parts[0] not in ("_content", "__pycache__"):
            yield ".".join(inside.parts), path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """All imports in a file, also in functions and under TYPE_CHECKING: (line, dotted name)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def ours(path: Path) -> Iterator[tuple[int, str]]:
    """The imports from voiceflow itself, less its name."""
    for line, name in imports(path):
        if name == "voiceflow":
            yield line, FACE
        elif name.startswith("voiceflow."):
            yield line, name.removeprefix("voiceflow.")


def room(module: str) -> str:
    return module.split(".")[0]


def test_every_room_is_listed_and_is_there() -> None:
    found = {room(module) for module, _ in modules()} - {FACE}
    assert found - set(ROOMS) == set(), "list the new room where it belongs"
    assert set(ROOMS) - found == set(), "a room that is listed is gone"


def test_imports_only_look_left() -> None:
    wrong = []
    for module, path in modules():
        if module == FACE:
            continue
        here = room(module)
        for line, name in ours(path):
            there = room(name)
            if there == here or there in OF_THE_FACE:
                continue
            if there not in ROOMS or ROOMS.index(there) >= ROOMS.index(here):
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line}: {here} looks at {there}")
    assert not wrong, "\n".join(wrong)


def test_no_module_is_part_of_a_circle() -> None:
    known = {module.removesuffix(".__init__"): path for module, path in modules()}
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        looks = set()
        for _, name in ours(path):
            # `voiceflow.a.b` is a module, or the name `b` in the module `voiceflow.a`.
            target = name if name in known else name.rpartition(".")[0]
            # A package's face and its own modules may know each other.
            if target in known and target != module and not module.startswith(target + "."):
                looks.add(target)
        graph[module] = looks - {FACE}
    graph[FACE] = set()
    while free := [module for module, looks in graph.items() if not looks & graph.keys()]:
        for module in free:
            del graph[module]
    assert not graph, f"these modules import each other in a circle: {sorted(graph)}"


def test_imports_are_absolute() -> None:
    relative = [
        f"{path}:{line}" for _, path in modules() for line, name in imports(path) if name[0] == "."
    ]
    assert not relative


PUBLIC_FUNCTIONS = ("arrange", "load", "render", "segment", "stream")


def exported(face: Path) -> set[str]:
    """The names in the `__all__` of a package."""
    for node in ast.parse(face.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_the_public_functions_are_those_that_are_called_here() -> None:
    functions = {name for name in voiceflow.__all__ if inspect.isfunction(getattr(voiceflow, name))}
    assert functions == set(PUBLIC_FUNCTIONS)


def test_nothing_in_a_package_bears_the_name_of_what_it_exports() -> None:
    """Once imported, a module is an attribute of its package: it would hide the function."""
    hidden = [
        f"{face.parent.relative_to(ROOT.parent)}: {name}"
        for face in ROOT.rglob("__init__.py")
        for name in sorted(exported(face))
        if (face.parent / name).is_dir() or (face.parent / f"{name}.py").exists()
    ]
    assert not hidden


def test_module_names_are_there_once() -> None:
    """`cues.py` is one file: whoever hears its name need not ask which."""
    places: dict[str, list[str]] = {}
    for module, path in modules():
        if path.stem not in ("__init__", "__main__"):
            places.setdefault(path.stem, []).append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


TINY = """\
title: Tiny
voice: silent
exercises:
  - name: Bridge
    position: supine
    setup: Lie down.
    reps: 1
    rep:
      - inhale 3: Inhale.
"""

CALLED_TWICE = """\
import contextlib, hashlib, importlib, pkgutil, sys
import voiceflow

def digest(data):
    return hashlib.sha256(data).hexdigest()

def called(folder):
    session, target = f"{folder}/tiny.yaml", f"{folder}/tiny.mp3"
    context = voiceflow.Context()
    yield repr(voiceflow.load(session))
    yield repr(voiceflow.arrange(session, context=context).score)
    voiceflow.render(session, target, context=context)
    with open(target, "rb") as file:
        yield digest(file.read())
    yield digest(voiceflow.segment(session, context=context).raw_data)
    yield digest(b"".join(voiceflow.stream(session, context=context)))

def import_all():
    for module in pkgutil.walk_packages(voiceflow.__path__, "voiceflow."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)

if __name__ == "__main__":
    import_all()
    first, second = list(called(sys.argv[1])), list(called(sys.argv[1]))
    assert first == second, (first, second)
    print(len(second))
"""


def test_public_functions_can_be_called_again_when_all_is_imported(tmp_path: Path) -> None:
    """A folder with a function's name took its place once something in it was imported."""
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    script = tmp_path / "twice.py"
    script.write_text(CALLED_TWICE, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(PUBLIC_FUNCTIONS)


@pytest.mark.parametrize("name", PURE)
def test_deciding_is_pure(name: str) -> None:
    files = [p for m, p in modules() if m == name or m.startswith(f"{name}.")]
    assert files
    found = {name.split(".")[0] for path in files for _, name in imports(path)}
    assert not found & IMPURE


def test_the_command_line_starts_light() -> None:
    heavy = "numpy pydub jinja2 yaml onnxruntime PIL rich mutagen lameenc soundfile pyttsx3".split()
    code = f"import sys, voiceflow.__main__; print(*[m for m in {heavy} if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_files_are_of_a_size_to_be_read() -> None:
    long = {
        module: lines
        for module, path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 600
    }
    assert not long
