"""What the fuzzer looks for is found where it is: a net with a hole would catch nothing, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits as POSIX has them")

from fuzz_cases import Case, Command, Outcome, Plant, Request, Said
from fuzz_child import Child
from fuzz_judge import MOST_SAID, finds

GOOD = b"title: Good\nexercises: [bridge]\n"
CHECK = Case("scripts", (("s.yaml", GOOD),), (Command(("check", "s.yaml")),), "s.yaml")
ASKED = Case("requests", (), (Request("GET", "/"),))


@pytest.fixture
def child(tmp_path: Path, what: str) -> Iterator[Child]:
    made = Child(tmp_path / "child", hang_s=1 if "hang" in what else 10)
    yield made
    made.close()


def signs(case: Case, outcome: Outcome) -> list[str]:
    return [one.sign for one in finds(case, outcome)]


@pytest.mark.parametrize(
    ("what", "sign"),
    [
        ("exception", "an exception: "), ("hang", "more than 10 CPU-s"),
        ("hang in C", "more than 10 CPU-s"), ("memory", "more than 1 GB"),
        ("crash", "the process was lost: ended with -11"),
    ],
)  # fmt: skip
def test_what_is_planted_is_found(what: str, sign: str, child: Child) -> None:
    case = Case("planted", (), (Plant(what),))
    assert [one[: len(sign)] for one in signs(case, child.run(case))] == [sign]
    # And the next one finds a process to be tried in.
    well = Case(
        "scripts", (("s.yaml", GOOD),), (Command(("check", "s.yaml", "--voice", "silent")),)
    )
    outcome = child.run(well, fresh=True)
    assert outcome.said[0].code == 0, outcome
    assert not signs(well, outcome)


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        (Said(0, 3, err="error: s.yaml is odd"), "an exit code: 3"),
        (Said(0, 1), "nothing was said: check"),
        (Said(0, 2, "s.yaml:1:1: error: TypeError"),
        "words: a word that is not for people, 'TypeError'"),
        (Said(0, 1, err="internal error: x (s.yaml)"),
        "words: a word that is not for people, 'internal error'"),
        (Said(0, 2, "s.yaml:1:1: error: a\x1b[2J"), "words: a sign that is not printable, '\\x1b'"),
        (Said(0, 2, "s.yaml:1:1: error: " + "a" * 9_000), "words: a line without an end"),
        (Said(0, 2, "s.yaml:1:1: error: a\n" * MOST_SAID), "too much is said: check"),
        (Said(0, 2, err="s.yaml: error: it is wrong"), "no line: it is wrong"),
        (Said(0, 2, err="error: it is wrong"), "no place: error: it is wrong"),
        (Said(0, 2, err="it is wrong"), "a line that is no message: it is wrong"),
        (Said(0, 2, err="/x/voiceflow/y.j2:1:1: error: it"), "the place is a bundled file: it"),
        (Said(0, 1, err="error: there is not enough memory (s.yaml)"),
        "more memory than there is: check"),
    ],
)  # fmt: skip
def test_a_message_that_is_not_for_people_is_found(said: Said, sign: str) -> None:
    assert sign in signs(CHECK, Outcome((said,)))


def test_a_message_for_people_is_none() -> None:
    for said in (
        Said(0, 2, "s.yaml:1:1: error: a colon (put it in quotes)\ns.yaml:2:1: warning: odd"),
        Said(0, 2, err="s.yaml: error: cannot be read: it is a folder"),
        Said(0, 1, err="error: s.yaml cannot be played: it is a text"),
        Said(0, 0, "A Title\n  length     3:00\n"),
    ):
        assert not signs(CHECK, Outcome((said,))), said


def test_an_answer_of_a_server_that_failed_is_found() -> None:
    error = '{"message": "m", "hint": "", "errors": [{"message": "NoneType", "hint": ""}]}'
    assert signs(ASKED, Outcome((Said(0, 500, "oh"),))) == ["an answer: 500"]
    assert signs(ASKED, Outcome((Said(0, 422, error),)))
    assert not signs(ASKED, Outcome((Said(0, 422, error.replace("NoneType", "a list")),)))
    assert not signs(ASKED, Outcome((Said(0, 503, "busy"),)))
