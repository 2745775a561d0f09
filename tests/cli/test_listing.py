"""`voiceflow list`: what there is, to be read from the top."""

from __future__ import annotations

import json

from click.testing import CliRunner

from voiceflow.cli.main import cli


def listed(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["list", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_everything_folds_the_languages_of_a_voice():
    lines = listed().splitlines()
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles == ["sessions", "exercises", "paces", "voices", "phrases", "tones"]
    assert sum("espeak:" in line for line in lines) <= 2
    whole = json.loads(listed("voices", "--json"))["voices"]
    tongues = [one for one in whole if one["name"].startswith("espeak:")]
    if len(tongues) > 1:
        assert f"{len(tongues)} languages" in listed()
        assert all(one["name"] in listed("voices") for one in tongues)


def test_each_entry_says_what_it_is():
    for kind, entries in json.loads(listed("--json")).items():
        for one in entries:
            told = one.get("about") or one.get("why")
            assert told, (kind, one["name"])
            assert not str(told).endswith(":"), (kind, one)


def test_what_a_script_holds_does_nothing_to_a_terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICEFLOW_HOME", str(tmp_path))
    script = tmp_path / "sessions" / "odd.yaml"
    script.parent.mkdir()
    script.write_text('title: "One \u202e two"\nexercises: [bridge]\n', encoding="utf-8")
    assert "One \\u202e two" in listed("sessions")
    assert "\u202e" in listed("sessions", "--json")  # a program gets it as it is


def test_the_example_to_begin_with_is_clean(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICEFLOW_HOME", str(tmp_path))
    made = CliRunner().invoke(cli, ["new", "session", "my-morning"])
    assert made.exit_code == 0
    checked = CliRunner().invoke(cli, ["check", "my-morning", "--voice", "silent", "--json"])
    assert checked.exit_code == 0
    told = json.loads(checked.output)
    assert told["problems"] == []
    assert [proof["findings"] for proof in told["proofs"]] == [[]]
