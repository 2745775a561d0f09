"""The README's commands keep working: what is locked is what is asked for, and CI runs both."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github/workflows/ci.yml"


def locked() -> dict[str, list[Requirement]]:
    """The versions of each dependency: one, or one for some Pythons and another for the rest."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            one = Requirement(line)
            found.setdefault(canonicalize_name(one.name), []).append(one)
    return found


def asked() -> list[Requirement]:
    """What the project, its tests and its build ask for by name."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = whole["project"]["optional-dependencies"]
    named = (whole["build-system"]["requires"], whole["project"]["dependencies"])
    lines = [line for part in (*named, extras["serve"], extras["test"]) for line in part]
    return [one for one in map(Requirement, lines) if one.name != "voiceflow"]


@pytest.mark.parametrize("one", asked(), ids=lambda one: one.name)
def test_a_dependency_has_an_upper_bound_and_is_locked_within(one: Requirement) -> None:
    assert {spec.operator for spec in one.specifier} == {">=", "<"}
    for pin in locked()[canonicalize_name(one.name)]:
        assert pin.url is None
        (version,) = pin.specifier
        assert version.operator == "=="
        assert version.version in one.specifier


def test_voiceflow_itself_is_not_locked() -> None:
    assert "voiceflow" not in locked()


@pytest.mark.skipif(not WORKFLOW.exists(), reason="this is no checkout")
def test_the_workflow_runs_the_readmes_commands() -> None:
    workflow = WORKFLOW.read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in readme if line.startswith("pip install .") and "&&" in line]
    commands += [line for line in readme if line.startswith("pip install '.[test]'")]
    assert len(commands) == 2
    assert all(f"run: {command}\n" in workflow for command in commands)
