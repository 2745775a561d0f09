"""The command line declares what the table of options reads, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from voiceflow.cli.main import cli, session_options
from voiceflow.core.errors import InputError
from voiceflow.score.option_table import OPTIONS, PACING_OPTIONS


@click.command()
@session_options
def _probe() -> None: ...


def test_every_option_of_the_table_is_on_the_command_line_and_the_reverse() -> None:
    declared = {str(one.name) for one in _probe.params}
    table = {one.name for one in OPTIONS}
    assert declared == table | {"detail", "given", "client"}
    assert "detail" in {one.name for one in PACING_OPTIONS}


def test_values_are_checked_by_the_table_alone() -> None:
    kinds = {type(one.type) for one in _probe.params if not getattr(one, "is_flag", False)}
    assert kinds == {click.types.StringParamType}


@pytest.mark.parametrize("command", ["render", "export", "play", "show", "check"])
def test_all_wrong_options_are_told_at_once(command: str) -> None:
    wrong = ["--level", "9", "--shuffle", "x", "--detail", "loud", "--minutes", "ten"]
    more = ["--to", "nowhere"] if command == "export" else []
    result = CliRunner().invoke(cli, [command, "breathing", *wrong, *more])
    assert result.exception is not None
    for flag in wrong[::2]:
        assert flag in str(result.exception)


def test_stopped_in_generated_code_ends_with_1_too(tmp_path: Path) -> None:
    """As where Ctrl-C comes while a dataclass is made: Python would end by the signal."""
    code = (
        "from voiceflow.cli import main\n"
        "main.cli.main = lambda **given: exec('raise KeyboardInterrupt')\n"
        "main.main()\n"
    )
    (tmp_path / "interrupted.py").write_text(code)
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "stopped\n")


@pytest.mark.parametrize(
    "given",
    [
        ["render", "breathing", "-o", "-"],
        ["export", "breathing", "--to", "-"],
        ["show", "breathing", "--svg", "-"],
        ["show", "breathing", "--png", "-"],
    ],
)
def test_no_file_is_called_dash(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-o -` made a file named `-` where other programs write to standard output."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, [*given, "--detail", "tones", "--voice", "silent"])
    assert isinstance(result.exception, InputError)
    assert "standard output" in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_a_value_of_line_breaks_alone_is_told_in_one_line() -> None:
    result = CliRunner().invoke(cli, ["show", "breathing", "--name", "\r\n"])
    assert str(result.exception).startswith("--name: the text is empty")


def test_a_name_with_a_mark_of_direction_is_told_as_what_it_holds(tmp_path: Path) -> None:
    arguments = ["export", "--voice", "silent", "\u202eabc", "nosuch", "--to", str(tmp_path / "o")]
    told = CliRunner().invoke(cli, arguments).stderr
    assert "\\u202eabc: error: there is no session called" in told
    assert "\u202e" not in told


def test_a_language_too_long_for_a_files_name_is_told_at_its_place(tmp_path: Path) -> None:
    script = tmp_path / "mine.yaml"
    script.write_text(f"title: Mine\nlanguage: {'a' * 300}\nexercises: [bridge]\n")
    result = CliRunner().invoke(cli, ["show", str(script), "--voice", "silent"])
    assert f"{script}:2:11: error: a name has at most 100 characters" in str(result.exception)
