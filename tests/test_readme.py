"""The README is a promise: its scripts pass its own check, its program runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from voiceflow.cli.main import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
PROGRAM = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def kind_of(script: str) -> str:
    if script.startswith("title:") or "\ntitle:" in script:
        return "sessions"
    return "exercises" if "\nposition:" in script else "settings"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's library with the README's exercises and settings, before its sessions."""
    home = tmp_path / "user"
    for number, script in enumerate(SCRIPTS):
        kind = kind_of(script)
        named = re.match(r"# (?:\w+/)?([\w-]+)\.yaml", script)
        path = home / (
            "settings.yaml"
            if kind == "settings"
            else f"{kind}/{named[1] if named else f'own-{number}'}.yaml"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    return home


def test_every_script_of_the_readme_passes_its_check(folder: Path) -> None:
    paths = sorted(folder.rglob("*.yaml"))
    assert len(paths) == len(SCRIPTS) >= 5
    for path in paths:
        done = CliRunner().invoke(cli, ["check", str(path), "--voice", "silent"])
        assert done.exit_code == 0, done.output
        assert "error" not in done.output.replace("no errors", ""), done.output
        assert "warning" not in done.output, done.output


def test_the_readmes_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the silent voice, and a shorter session than half an hour."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    (program,) = PROGRAM
    short = program.replace('"hip-back"', '"breathing"').replace("20 * 60_000", "6 * 60_000")
    exec(compile(short, "README.md", "exec"), {})
    assert (tmp_path / "hip-back.mp3").stat().st_size > 100_000


def test_settings_are_over_a_sessions_pace_and_under_one_that_is_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    def tempo(*arguments: str) -> list[str]:
        done = CliRunner().invoke(cli, ["settings", "--origin", *arguments])
        assert done.exit_code == 0, done.output
        return done.output.split()[1:3]

    assert tempo() == ["0.95", "settings"]
    assert tempo("--session", "hip-back") == ["0.95", "settings"]
    assert tempo("--pace", "brisk") == ["1.15", "pace"]
    assert tempo("--pace", "brisk", "--set", "tempo=0.7") == ["0.7", "command"]
