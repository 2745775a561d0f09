"""The README's commands keep working: what is locked is what is asked for, and CI runs both.

Each file that is locked has its hash, and CI installs nothing else beside them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}(?= |$)")

checkout = pytest.mark.skipif(not WORKFLOW.exists(), reason="this is no checkout")


def lines_of(name: str) -> list[str]:
    """What a file of requirements asks for, each in one line."""
    text = (ROOT / name).read_text(encoding="utf-8")
    whole = re.sub(r" *\\\n *", " ", text).splitlines()
    return [line for line in whole if line and not line.startswith("#")]


def locked(lines: list[str]) -> dict[str, list[Requirement]]:
    """The versions of each dependency: one, or one for some Pythons and another for the rest."""
    found: dict[str, list[Requirement]] = {}
    for one in map(Requirement, lines):
        found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def asked() -> list[Requirement]:
    """What the project, its tests and its build ask for by name."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = whole["project"]["optional-dependencies"]
    named = [whole["build-system"]["requires"], whole["project"]["dependencies"]]
    named += [extras[name] for name in ("serve", "play", "m4b", "piper", "test")]
    lines = [line for part in named for line in part]
    return [one for one in map(Requirement, lines) if one.name != "voiceflow"]


@pytest.mark.parametrize("one", asked(), ids=lambda one: one.name)
def test_a_dependency_has_an_upper_bound_and_is_locked_within(one: Requirement) -> None:
    assert {spec.operator for spec in one.specifier} == {">=", "<"}
    for pin in locked(lines_of("constraints.txt"))[canonicalize_name(one.name)]:
        assert pin.url is None
        (version,) = pin.specifier
        assert version.operator == "=="
        assert version.version in one.specifier


def test_voiceflow_itself_is_not_locked() -> None:
    assert "voiceflow" not in locked(lines_of("constraints.txt"))


@checkout
@pytest.mark.parametrize("name", [".ci/locked.txt", ".ci/tools.txt"])
def test_whatever_is_locked_has_its_hashes(name: str) -> None:
    for line in lines_of(name):
        plain = HASH.sub("", line)
        assert plain != line, f"{line} has no hash"
        (version,) = Requirement(plain).specifier  # nothing is left but a name, a version, a marker
        assert version.operator == "=="


@checkout
def test_the_hashes_are_of_the_versions_that_are_known_to_be_good() -> None:
    hashed = locked([HASH.sub("", line) for line in lines_of(".ci/locked.txt")])
    parts = {name for name in hashed if name.startswith("pyobjc-")}
    assert parts, "without the parts of pyobjc nothing can be installed by its hashes on macOS"
    rest = {name: pins for name, pins in hashed.items() if name not in parts}
    assert rest == locked(lines_of("constraints.txt"))


@checkout
@pytest.mark.parametrize("path", [".ci/run", ".github/workflows/ci.yml", ".ci/release"])
def test_ci_installs_what_is_locked_from_files_that_were_held_against_their_hashes(
    path: str,
) -> None:
    text = re.sub(r" *\\\n *", " ", (ROOT / path).read_text(encoding="utf-8"))
    checked = re.search(r"download .*--require-hashes .*-d (\S+) -r \.ci/locked\.txt", text)
    assert checked, "what is locked is not held against its hashes"
    after = text[checked.end() :]
    assert re.search('PIP_NO_INDEX[:=] ?"?1', after), "pip may take files from elsewhere"
    assert re.search(r"PIP_FIND_LINKS[:=].*/checked", after)
    assert "-r constraints.txt" not in text, "constraints.txt has no hashes"


@checkout
def test_the_workflow_runs_the_readmes_commands() -> None:
    workflow = WORKFLOW.read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in readme if line.startswith("pip install .") and "&&" in line]
    commands += [line for line in readme if line.startswith("pip install '.[test]'")]
    assert len(commands) == 2
    assert all(f"run: {command}\n" in workflow for command in commands)
