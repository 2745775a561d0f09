"""What comes from others: under which licences, and what the workflows may do."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LICENCES = ROOT / ".ci/licences"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

pytestmark = pytest.mark.skipif(not LICENCES.exists(), reason="this is no checkout")


@pytest.fixture(scope="module")
def licences() -> dict[str, Any]:
    return runpy.run_path(str(LICENCES))


@pytest.mark.parametrize(
    "told",
    [
        "MIT",
        "MIT License",
        "DFSG approved; MIT License",
        "MIT AND OFL-1.1",
        "Apache-2.0 OR GPL-2.0-only",
        "GPL-3.0-or-later OR (MIT AND Zlib)",
        "Apache-2.0 WITH LLVM-exception",
        "Mozilla Public License 2.0 (MPL 2.0)",
    ],
)
def test_a_licence_is_allowed(licences: dict[str, Any], told: str) -> None:
    assert licences["allowed"](told)
    assert licences["wrong"]("example", told) is None


@pytest.mark.parametrize(
    "told",
    [
        "UNKNOWN",
        "",
        "GPL-2.0-or-later",
        "MIT AND GPL-3.0-only",
        "MIT License; GNU General Public License v3 (GPLv3)",
        "AGPL-3.0-only OR SSPL-1.0",
        "(MIT AND AGPL-3.0-only) OR LGPL-3.0-only",
        "NOT-MIT",
    ],
)
def test_a_licence_is_not_allowed(licences: dict[str, Any], told: str) -> None:
    assert not licences["allowed"](told)
    assert licences["wrong"]("example", told) == f"example: {told} is not allowed"


def test_a_named_package_is_allowed_only_what_it_said(licences: dict[str, Any]) -> None:
    assert licences["wrong"]("mutagen", "GPL-2.0-or-later") is None
    for told in ("GPL-3.0-only", "MIT"):
        assert "look again" in licences["wrong"]("mutagen", told)


@pytest.mark.parametrize(
    ("packages", "fault"),
    [
        ({"voiceflow": "MIT", "Jinja2": "BSD License", "mutagen": "GPL-2.0-or-later"}, ""),
        (
            {"voiceflow": "MIT", "New_One": "AGPL-3.0-only"},
            "new-one: AGPL-3.0-only is not allowed\n",
        ),
        ({"Jinja2": "BSD License"}, "voiceflow is not installed in /python\n"),
    ],
)
def test_whatever_is_not_allowed_fails_the_command(
    licences: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: dict[str, str],
    fault: str,
) -> None:
    told = [{"Name": name, "Version": "1", "License": told} for name, told in packages.items()]

    def run(command: list[str], **_: Any) -> Any:
        assert command[command.index("--python") + 1] == "/python"
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps(told).encode())

    monkeypatch.setattr(subprocess, "run", run)
    assert licences["main"]("/python") == (1 if fault else 0)
    out, error = capsys.readouterr()
    assert error == fault
    assert all(name.lower().replace("_", "-") in out for name in packages)


def test_every_named_package_is_a_dependency_and_has_its_reason(licences: dict[str, Any]) -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for part in whole["optional-dependencies"].values() for line in part]
    asked = {Requirement(line).name.lower() for line in (*whole["dependencies"], *extras)}
    assert set(licences["NAMED"]) <= asked
    assert all(len(why) > 20 for _, why in licences["NAMED"].values())


def test_contributing_names_every_direct_dependency() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = whole["optional-dependencies"]
    users = [line for name in ("serve", "play", "m4b", "piper") for line in extras[name]]
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").casefold()
    missing = [
        name
        for line in (*whole["dependencies"], *users)
        if f"| {(name := Requirement(line).name.casefold())} |" not in table
    ]
    assert not missing, "say what each is for, and why it is kept"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_no_more(path: Path) -> None:
    flow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    for job in flow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            # Whatever others may name (a branch, a title) must not become a part of a command.
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_pinned_by_its_commit(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for one in uses:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)


def test_an_action_is_the_same_in_every_workflow() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pinned = set(re.findall(r"uses: (\S+)@(\S+ # \S+)", text))
    assert len(pinned) == len({name for name, _ in pinned})
