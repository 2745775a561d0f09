"""Scripts: what is right becomes a session; what is wrong is told, all of it, where it stands."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from conftest import little_work
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yaml.scanner import ScannerError

from voiceflow.core.errors import InputError, Problem, ScriptError, UnknownNameError
from voiceflow.script import yaml as yaml_room
from voiceflow.script.choose import choose, drop_one
from voiceflow.script.fields import split_versions
from voiceflow.script.load import (
    MAX_EXTENDS,
    load_exercise,
    load_pace,
    load_session,
    load_settings,
    pronunciations,
    read_pace,
)
from voiceflow.script.lookup import Library
from voiceflow.script.models import Exercise, Session
from voiceflow.script.overrides import pacing_values
from voiceflow.script.pacing import Layer, resolve
from voiceflow.script.positions import load_positions, read_positions
from voiceflow.script.yaml import MAX_BYTES, parse, read

Put = Callable[..., Path]
Load = Callable[..., Session]

HEAD = "title: Test\nexercises:\n"
# An exercise written in place; its first line stands in line 3 of the session, in column 5.
BODY = HEAD + (
    "  - name: Arm Slide\n"
    "    position: seated\n"
    "    setup: Sit tall.\n"
    "    rep:\n"
    "      - inhale 4: Inhale. | In.\n"
    "      - exhale 5: Exhale.\n"
)
MINE = "name: Mine\nposition: prone\nsetup: Lie down.\nrep: [inhale 4: In., exhale 4: Out.]\n"


def problems(load: Load, text: str, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(ScriptError) as caught:
        load(text, **options)
    assert caught.value.problems
    assert caught.value.exit_code == 2
    return caught.value.problems


def told(load: Load, text: str, **options: Any) -> list[str]:
    """Each problem as `line:column message (hint)`."""
    return [
        f"{one.mark.line}:{one.mark.column} {one.message}" + (f" ({one.hint})" if one.hint else "")
        for one in problems(load, text, **options)
    ]


def only(session: Session) -> Exercise:
    (exercise,) = session.exercises
    return exercise


# What is right


@pytest.mark.parametrize("code", [f"utf-{n}{end}" for n in (16, 32) for end in ("", "-le", "-be")])
@pytest.mark.parametrize("name", ["A Good Thing", "Größe"])
def test_a_script_in_units_of_two_bytes_is_told_as_such(
    code: str, name: str, library: Library, tmp_path: Path
) -> None:
    """Without its mark, every other character of it was "not allowed"."""
    path = tmp_path / "s.yaml"
    path.write_bytes(f"title: {name}\nexercises: [bridge]\n".encode(code))
    with pytest.raises(ScriptError) as caught:
        load_session(path, library)
    (problem,) = caught.value.problems
    assert problem.message == f"the file is not UTF-8 text, but {code[:6].upper()}"
    assert "UTF-8" in problem.hint


def test_an_exercise_written_in_place(session_of: Load) -> None:
    exercise = only(session_of(BODY))
    assert (exercise.name, exercise.slug, exercise.position) == ("Arm Slide", "arm-slide", "seated")
    assert [(p.breath, p.seconds) for p in exercise.rep] == [("inhale", 4), ("exhale", 5)]
    first = exercise.rep[0].text
    assert first is not None
    assert first.versions == ("Inhale.", "In.")
    assert (first.mark.line, first.mark.column) == (7, 19)
    assert (exercise.reps, exercise.sets, exercise.sides) == (6, 1, "none")


def test_sections_rounds_and_time(session_of: Load) -> None:
    session = session_of(
        "title: Test\nsections:\n"
        "  - Warm up: [bridge, squat]\n"
        "  - Work: {rounds: 3, exercises: [bridge: {reps: 2}]}\n"
        "  - Finish: {time: 2 min, exercises: [squat]}\n"
    )
    assert [s.title for s in session.sections] == ["Warm up", "Work", "Finish"]
    assert [s.rounds for s in session.sections] == [1, 3, 1]
    assert [s.box_s for s in session.sections] == [None, None, 120]
    assert [e.slug for e in session.exercises] == ["bridge", "squat", "bridge", "squat"]
    assert session.sections[1].exercises[0].reps == 2


def test_sections_may_be_a_mapping(session_of: Load) -> None:
    session = session_of("title: Test\nsections:\n  Warm up: [bridge]\n  Work: [squat]\n")
    assert [s.title for s in session.sections] == ["Warm up", "Work"]


def test_levels_equipment_and_changes_lie_over_each_other(session_of: Load, put: Put) -> None:
    put(
        "exercises/mine.yaml",
        MINE + "reps: 4\ntips: [One., Two.]\ncaution: Slowly.\n"
        "levels:\n  2: {reps: 8, caution: Very slowly.}\n  3: {reps: 9}\n"
        "equipment:\n  ball: {reps: 5, setup: Take the ball.}\n  band: {setup: Take the band.}\n",
    )

    def loaded(item: str, **options: Any) -> Exercise:
        return only(session_of(f"{HEAD}  - {item}\n", **options))

    assert loaded("mine").reps == 4
    assert loaded("mine", level=2).reps == 8
    assert loaded("mine", level=3).reps == 9
    assert loaded("mine: {level: 2}").reps == 8
    assert loaded("mine: {level: 1}", level=2).reps == 4
    assert loaded("mine: {reps: 11}", level=2, equipment=["ball"]).reps == 11
    at_hand = loaded("mine", level=2, equipment=["ball", "band"])
    assert (at_hand.reps, at_hand.equipment) == (5, ("ball",))
    assert at_hand.setup is not None
    assert at_hand.setup.versions == ("Take the ball.",)
    assert at_hand.caution is not None
    assert at_hand.caution.versions == ("Very slowly.",)
    assert loaded("mine", equipment=["band", "ball"]).equipment == ("band",)
    assert loaded("mine", equipment=["circle"]).equipment == ()
    assert loaded("mine: {with: [ball]}").equipment == ("ball",)
    assert [t.versions[0] for t in loaded("mine").tips] == ["One.", "Two."]
    assert [t.versions[0] for t in loaded("mine: {tips: Three.}").tips] == ["Three."]


def test_the_level_of_a_session_is_the_least_said(session_of: Load) -> None:
    text = "title: Test\nlevel: 2\nexercises: [bridge]\n"
    assert only(session_of(text)).level == 2
    assert only(session_of(text, level=3)).level == 3


def test_a_written_in_place_exercise_has_levels_too(session_of: Load) -> None:
    levels = "    levels: {2: {reps: 9}}\n"
    assert only(session_of(BODY + levels)).reps == 6
    assert only(session_of(BODY + levels, level=2)).reps == 9
    assert only(session_of(BODY + levels + "    level: 2\n")).reps == 9
    ball = "    equipment: {ball: {reps: 3}}\n    with: ball\n"
    assert only(session_of(BODY + ball)).reps == 3


def test_seconds_of_a_breath_are_set_for_all_of_it(session_of: Load) -> None:
    session = session_of(HEAD + "  - bridge: {hold: 7, inhale: 2.5}\n")
    seconds = {p.breath: p.seconds for p in only(session).rep}
    assert (seconds["hold"], seconds["inhale"], seconds["exhale"]) == (7, 2.5, 4)


@pytest.mark.parametrize(
    ("written", "over", "held"),
    [
        ("2s", "8", (8, False)), ("2s", "8s", (8, True)), ("2", "8s", (8, True)),
        ("2", "0:08", (8, True)), ("2s", "", (2, True)),
    ],
)  # fmt: skip
def test_a_hold_goes_with_the_tempo_as_it_was_written_last(
    written: str, over: str, held: tuple[float, bool], session_of: Load
) -> None:
    level = f"    levels:\n      2: {{hold: {over}}}\n" if over else ""
    exercise = only(session_of(f"{BODY}      - hold {written}: Hold.\n{level}", level=2))
    assert (exercise.rep[2].seconds, exercise.rep[2].exact) == held


def test_a_new_repetition_replaces_the_old_and_what_was_set_for_it(
    session_of: Load, put: Put
) -> None:
    put("exercises/mine.yaml", MINE + "inhale: 9\n")
    rep = "{rep: [inhale 3: In., hold 2: Hold.]}"
    exercise = only(session_of(f"{HEAD}  - mine: {rep}\n"))
    assert [(p.breath, p.seconds) for p in exercise.rep] == [("inhale", 3), ("hold", 2)]
    exercise = only(session_of(HEAD + "  - mine: {work: 40s}\n"))
    assert (exercise.rep, exercise.work_s) == ((), 40)


def test_an_exercise_builds_on_another(session_of: Load, put: Put) -> None:
    put("exercises/base.yaml", MINE + "reps: 4\nlevels: {2: {reps: 7}, 3: {reps: 8}}\n")
    put("exercises/mine.yaml", "extends: base\nname: Other\nlevels: {2: {reps: 5}}\n")
    put("exercises/last.yaml", "extends: mine\nname: Last\ntips: [Slowly.]\n")
    exercise = only(session_of(HEAD + "  - last\n", level=2))
    assert (exercise.name, exercise.position, exercise.reps) == ("Last", "prone", 5)
    assert only(session_of(HEAD + "  - last\n", level=3)).reps == 8
    assert len(exercise.rep) == 2
    inline = HEAD + "  - {name: Here, extends: base, reps: 2}\n"
    assert only(session_of(inline)).reps == 2


def test_names_are_looked_up_nearest_first(tmp_path: Path, library: Library, put: Put) -> None:
    folder = tmp_path / "elsewhere" / "sessions"
    for place in (folder, folder / "exercises", folder.parent / "exercises"):
        place.mkdir(parents=True, exist_ok=True)
    script = folder / "one.yaml"
    script.write_text(HEAD + "  - bridge\n")

    def name() -> str:
        return only(load_session(script, library)).name

    assert name() == "Bridge"
    put("exercises/bridge.yaml", MINE.replace("Mine", "The User's"))
    assert name() == "The User's"
    (folder.parent / "exercises" / "bridge.yaml").write_text(MINE.replace("Mine", "Next To It"))
    assert name() == "Next To It"
    (folder / "exercises" / "bridge.yaml").write_text(MINE.replace("Mine", "Under It"))
    assert name() == "Under It"
    (folder / "bridge.yml").write_text(MINE.replace("Mine", "Beside"))
    assert name() == "Beside"


def test_a_session_named_as_an_exercise_in_it_does_not_mean_itself(
    library: Library, put: Put
) -> None:
    put("sessions/bridge.yaml", HEAD + "  - bridge: {reps: 3}\n")
    assert only(load_session("bridge", library)).name == "Bridge"


def test_sessions_are_found_by_name_and_by_path(
    library: Library, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_session("hip-back", library).slug == "hip-back"
    path = put("sessions/hip-back.yaml", BODY)
    assert load_session("hip-back", library).title == "Test"
    assert load_session(path, library).title == "Test"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-ending").write_text(BODY)
    assert load_session("no-ending", library).title == "Test"


@pytest.mark.parametrize("typed", ["NFC", "NFD"])
@pytest.mark.parametrize("filed", ["NFC", "NFD"])
def test_a_name_is_the_same_however_its_letters_are_composed(
    library: Library, put: Put, typed: Literal["NFC", "NFD"], filed: Literal["NFC", "NFD"]
) -> None:
    """A file from a Mac was not found by the name that its owner types."""
    there, asked = unicodedata.normalize(filed, "größe"), unicodedata.normalize(typed, "größe")
    put(f"exercises/{there}.yaml", "name: Reach\nposition: supine\nsetup: Lie.\nwork: 9s\n")
    path = put(f"sessions/{there}.yaml", HEAD + f"  - {asked}\n")
    assert only(load_session(asked, library)).name == "Reach"
    assert only(load_session(path.with_name(f"{asked}.yaml"), library)).name == "Reach"
    assert unicodedata.normalize("NFC", "größe") in library.names("exercises")
    put(f"phrases/{there}.j2", "{% macro end() %}Das war es.{% endmacro %}")
    assert library.find("phrases", asked).stem == there


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("hip-bakc", "there is no session called 'hip-bakc' (did you mean `hip-back`"),
        ("no/such.yaml", "there is no file no/such.yaml"),
        ("/", "/ is a folder"),
        ("", "the name of the session is empty"),
        (" ", "the name of the session is empty"),
        ("~nobody-at-all/x.yaml", "there is no file"),
        ("é" * 150, "there is no session called"),
        ("x" * 5000, "there is no file"),
        ("a\0b", "there is no file"),
        ("../hip-back", "there is no file"),
    ],
)
def test_a_session_that_is_not_there(library: Library, reference: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        load_session(reference, library)
    assert told in str(caught.value)


def test_words_that_other_yaml_readers_mistake_stay_text(session_of: Load) -> None:
    session = session_of(
        "title: no\nabout: on\nname: 1:30\nneeds: [off, 010, 1e3, 0x1f, 2026-11-22, ~x]\n"
        "exercises:\n"
        "  - {name: yes, position: standing, setup: 12, rep: [inhale 010: null and void]}\n"
    )
    assert (session.title, session.name) == ("no", "1:30")
    assert session.needs == ("off", "010", "1e3", "0x1f", "2026-11-22", "~x")
    exercise = only(session)
    assert (exercise.name, exercise.rep[0].seconds) == ("yes", 10)


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_endings_and_a_byte_order_mark_are_taken(
    library: Library, put: Put, ending: str
) -> None:
    text = BODY.replace("\n", ending)
    assert only(load_session(put("sessions/a.yaml", text), library)).name == "Arm Slide"
    marked = b"\xef\xbb\xbf" + text.encode()
    assert only(load_session(put("sessions/a.yaml", marked), library)).name == "Arm Slide"
    wrong = text.replace("position: seated", "position: {{").encode()
    with pytest.raises(ScriptError) as caught:
        load_session(put("sessions/a.yaml", wrong), library)
    assert caught.value.problems[0].mark.line == 6
    assert "invalid YAML" in caught.value.problems[0].message
    wrong = text.replace("Arm Slide", "[x]").encode()
    with pytest.raises(ScriptError) as caught:
        load_session(put("sessions/a.yaml", b"\xef\xbb\xbf" + wrong), library)
    mark = caught.value.problems[0].mark
    assert (mark.line, mark.column) == (3, 11)


def test_other_languages_are_text_like_any(session_of: Load) -> None:
    exercise = only(session_of(BODY.replace("Arm Slide", "Größe ☀ Übung 腕")))
    assert exercise.name == "Größe ☀ Übung 腕"


# What is wrong: files


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"", "1:1", "expected a session as `key: value` lines, found nothing"),
        (b"# nothing\n", "1:1", "expected a session as `key: value` lines, found nothing"),
        (b"just text\n", "1:1", "expected a session as `key: value` lines, found text"),
        (b"- a\n- b\n", "1:1", "expected a session as `key: value` lines, found a list"),
        (b"title: x\n\xff\xfe\n", "2:1", "the file is not UTF-8 text"),
        (b"title: caf\xe9\n", "1:11", "the file is not UTF-8 text"),
        ("title: x\n".encode("utf-16"), "1:1", "the file is not UTF-8 text"),
        (b"title: a\x07b\n", "1:9", "the character U+0007 is not allowed"),
        ("é: é\nb: x\x07y".encode(), "2:5", "the character U+0007 is not allowed"),
        (b"title: x\n\x00", "2:1", "the character U+0000 is not allowed"),
        (b'title: x\nabout: "a\\0b"\n', "2:8", "the character U+0000 is not allowed"),
        (b'title: x\nabout: "\\x1b[31m"\n', "2:8", "the character U+001B is not allowed"),
        (b"title: x\nexercises:\n\t- bridge\n", "3:1", "invalid YAML"),
        (b"title: a: b\n", "1:9", "invalid YAML"),
        (b"title: x\n title: y\n", "2:7", "invalid YAML"),
        (b"title: [a, b\nabout: c\n", "2:6", "invalid YAML"),
        (b'title: "never closed\n', "2:1", "invalid YAML"),
        (b"title: {{ side }}\n", "1:9", "a key must be text, not a "),
        (b"title: @bridge\n", "1:8", "invalid YAML"),
        (b"title: %bridge\n", "1:8", "invalid YAML"),
        (b"title: x\ntitle: y\n", "2:1", "duplicate key `title`"),
        (b"title: x\n---\ntitle: y\n", "3:1", "a second document in one file"),
        (b"title: &a x\nabout: *a\n", "1:8", "anchors (&) and aliases (*) are not allowed"),
        (b"title: x\n<<: *a\n", "2:5", "anchors (&) and aliases (*) are not allowed"),
        (b"title: !!str x\n", "1:8", "the tag `tag:yaml.org,2002:str` is not allowed"),
        (
            b"title: !!python/object/apply:os.system ['id']\n",
            "1:8",
            "the tag `tag:yaml.org,2002:python/object/apply:os.system` is",
        ),
        (b"title: !x y\n", "1:8", "the tag `!x` is not allowed"),
        (b"? [a, b]\n: c\n", "1:3", "a key must be text, not a "),
        (b"title: " + b"[" * 10_000, "1:32", "the file is nested too deeply"),
        (b"{a: " * 10_000, "1:98", "the file is nested too deeply"),
        (b"- " * 10_000, "1:51", "the file is nested too deeply"),
        (b"title: x\nabout: [" + b"a," * 60_000 + b"]", "", ""),
        (
            b"title: x\nabout: [" + b"a," * 120_000 + b"]",
            "",
            "the script has more than 100,000 values",
        ),
        (b"title: " + b"x" * MAX_BYTES, "0:0", "the file is larger than 1 MiB"),
        (b"#" * (2 << 20), "0:0", "the file is larger than 1 MiB"),
    ],
)
def test_files_that_are_not_scripts(
    library: Library, put: Put, data: bytes, place: str, message: str
) -> None:
    with little_work(), pytest.raises(ScriptError) as caught:
        load_session(put("sessions/a.yaml", data), library)
    matching = [one for one in caught.value.problems if message in one.message]
    assert matching, caught.value
    if place:
        assert f"{matching[0].mark.line}:{matching[0].mark.column}" == place
    assert all(one.mark.file.endswith("a.yaml") for one in caught.value.problems)


class Strict(yaml.Loader):
    """A parser that has a limit of its own, as PyYAML has from 6.0.4 on."""

    def __init__(self, text: str) -> None:
        self.open = 0
        super().__init__(text)

    def _opened(self) -> None:
        self.open += 1
        if self.open > 30:
            raise ScannerError(None, None, "exceeded maximum nesting depth", self.get_mark())

    def fetch_flow_collection_start(self, kind: type) -> None:
        self._opened()
        super().fetch_flow_collection_start(kind)

    def add_indent(self, column: int) -> bool:
        self._opened()
        return super().add_indent(column)


@pytest.fixture(params=["C", "Python", "strict"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parser that PyYAML may have in store."""
    if request.param == "C" and not yaml.__with_libyaml__:
        pytest.skip("this PyYAML has no C parser")
    loaders = {"C": getattr(yaml, "CLoader", None), "Python": yaml.Loader, "strict": Strict}
    monkeypatch.setattr(yaml_room, "_Loader", loaders[request.param])


STEPS = range(2_000)
DEEP = {
    "lists": ("[" * 5_000, "1:26"),
    "lists in a value": ("title: " + "[" * 5_000, "1:32"),
    "lists in lines": ("[\n" * 5_000, "26:1"),
    "lists with a fault further on": ("title: " + "[" * 100 + "@", "1:32"),
    "lists after other letters": ("é腕☀: " + "[" * 5_000, "1:30"),
    "lists that end": ("[" * 1_000 + "]" * 1_000, "1:26"),
    "a mebibyte of lists": ("[" * MAX_BYTES, "1:26"),
    "maps": ("{a: " * 5_000, "1:98"),
    "maps as keys": ("{" * 5_000, "1:26"),
    "maps in lists": ("[{a: " * 5_000, "1:62"),
    "block lists in a line": ("- " * 5_000, "1:51"),
    "block lists": ("".join(" " * n + "-\n" for n in STEPS), "26:26"),
    "block maps": ("".join(" " * n + "a:\n" for n in STEPS), "25:25"),
    "block keys": ("? " * 5_000, "1:51"),
    "lists in a block": ("- " * 20 + "[" * 5_000, "1:46"),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "place"), DEEP.values(), ids=DEEP.keys())
def test_depth_is_refused_where_it_begins_whatever_the_parser(text: str, place: str) -> None:
    with little_work(), pytest.raises(ScriptError) as caught:
        parse(text, "a.yaml")
    (problem,) = caught.value.problems
    assert f"{problem.mark.line}:{problem.mark.column} {problem.message}" == (
        f"{place} the file is nested too deeply"
    )


@pytest.mark.usefixtures("parser")
def test_what_is_just_not_too_deep_is_read() -> None:
    for text in ("[" * 25 + "]" * 25, "{a: " * 24 + "}" * 24, "- " * 24 + "x"):
        assert parse(text, "a.yaml").kind != "scalar"


@pytest.mark.usefixtures("parser")
def test_depth_that_cannot_be_yaml_is_an_error_at_its_line() -> None:
    """A list in a key's place: the one parser misses a colon, the other finds it too deep."""
    with pytest.raises(ScriptError) as caught:
        parse("title: x\n" + "[" * 5_000, "a.yaml")
    assert [problem.mark.line for problem in caught.value.problems] == [2]


def test_billions_of_laughs_are_refused(session_of: Load) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    found = problems(session_of, "\n".join(lines))
    assert sum("anchors" in one.message for one in found) > 40


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="all files can be read")
def test_a_file_that_may_not_be_read(library: Library, put: Put) -> None:
    path = put("sessions/a.yaml", BODY)
    path.chmod(0)
    with pytest.raises(ScriptError, match="cannot be read"):
        load_session(path, library)


def test_a_folder_or_a_broken_link_where_a_script_should_be(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "user" / "exercises"
    (folder / "bridge.yaml").mkdir(parents=True)
    (folder / "squat.yaml").symlink_to(tmp_path / "gone.yaml")
    session = tmp_path / "one.yaml"
    session.write_text("title: Test\nexercises: [bridge, squat]\n")
    assert [e.name for e in load_session(session, library).exercises] == [
        "Bridge",
        "Controlled Squat",
    ]


# What is wrong: values


VALUES = {
    # lines added to the exercise; where; what is told
    "reps: 0": ("9:11", "0 is out of range (use a value from 1 to 10000)"),
    "reps: -3": ("9:11", "-3 is out of range (use a value from 1 to 10000)"),
    "reps: 10001": ("9:11", "10001 is out of range (use a value from 1 to 10000)"),
    "reps: 999999999999999999999": (
        "9:11", "999999999999999999999 is out of range (use a value from 1 to 10000)"),
    "reps: 3x10": (
        "9:11", "expected a whole number, found '3x10' (write `sets: 3` and `reps: 10`)"),
    "reps: 8-12": (
        "9:11", "expected a whole number, found '8-12' (write one number, such as 8 or 12)"),
    "reps: 2.5": ("9:11", "expected a whole number, found 2.5"),
    "reps: many": ("9:11", "expected a whole number, found 'many'"),
    "reps: .nan": ("9:11", "expected a whole number, found '.nan'"),
    "reps: .inf": ("9:11", "expected a whole number, found '.inf'"),
    "reps: 1e3": ("9:11", "expected a whole number, found '1e3'"),
    "reps: 0x10": ("9:11", "expected a whole number, found '0x10'"),
    "reps: [3]": ("9:11", "expected a whole number, found a list"),
    "reps: {a: 3}": ("9:11", "expected a whole number, found a mapping"),
    "reps: true": ("9:11", "expected a whole number, found 'true'"),
    'reps: ""': ("9:11", "expected a whole number, found ''"),
    "sets: 101": ("9:11", "101 is out of range (use a value from 1 to 100)"),
    "tempo: 0": ("9:12", "0 is out of range (use a value from 0.25 to 4)"),
    "tempo: 10": ("9:12", "10 is out of range (use a value from 0.25 to 4)"),
    "tempo: nan": ("9:12", "expected a number, found 'nan'"),
    "tempo: -1": ("9:12", "-1 is out of range (use a value from 0.25 to 4)"),
    "tempo: 1s": ("9:12", "expected a number, found '1s'"),
    "hold: 0": ("9:11", "0 is out of range (use a time from 0.5 s to 60 s)"),
    "hold: -1": ("9:11", "'-1' is not a time (write seconds (40), 40s, 1.5 min or 12:30)"),
    "hold: 2h": ("9:11", "2h is out of range (use a time from 0.5 s to 60 s)"),
    "hold: 4 metres": (
        "9:11", "'4 metres' is not a time (write seconds (40), 40s, 1.5 min or 12:30)"),
    "hold: nan": ("9:11", "'nan' is not a time (write seconds (40), 40s, 1.5 min or 12:30)"),
    "hold: [4]": ("9:11", "expected a time, found a list"),
    "rest: 2:75": ("9:11", "'2:75' is not a time (write seconds (40), 40s, 1.5 min or 12:30)"),
    "sides: both": ("9:12", "'both' is not a valid choice (did you mean `each` or `alternate`?)"),
    "sides: eahc": ("9:12", "'eahc' is not a valid choice (did you mean `each`?)"),
    "sides: [each]": ("9:12", "expected one word, found a list (known: alternate, each, none)"),
    "first: Right": ("9:12", "'Right' is not a valid choice (did you mean `right`?)"),
    "effort: extreme": ("9:13", "'extreme' is not a valid choice (known: easy, hard, moderate)"),
    "halfway: maybe": ("9:14", "expected true or false, found 'maybe'"),
    "caution: [a, b]": ("9:14", "expected text, found a list"),
    "caution: {a: b}": ("9:14", "expected text, found a mapping (put the text in quotes)"),
    'caution: ""': ("9:14", "the text is empty (write some text, or remove the line)"),
    "caution: ' | '": ("9:14", "the text is empty (write some text, or remove the line)"),
    "caution: " + "x" * 4_001: ("9:14", "the text has 4,001 characters, at most 4,000 can be"),
    "tips: [ok, " + "x" * 10_004 + "]": ("9:16", "the text has 10,004 characters, at most 4,000"),
    "switch: " + "x" * 20_001: ("9:13", "the text is longer than 20,000 characters (say it in"),
    "purpose: Your {{ sied }} arm.": ("9:22", "unknown variable `sied` (did you mean `side`?)"),
    "purpose: '{{ side.upper }}'": (
        "9:23",
        "`.` and `[]` are not allowed (use the variables as they are: {{ side }}, {{ rep }})"),
    "purpose: 'A | {{ rep | fancy }}'": ("9:28", "unknown filter `fancy` (known: "),
    "purpose: '{{ side'": ("9:14", "template: "),
    "purpose: '{% if rep %}a | b{% endif %}'": ("9:14", "template: "),
    "purpose: '{% for x in name %}x{% endfor %}'": ("9:18", "`for` is not allowed in a template"),
    "tips: [ok, {a: b}]": ("9:16", "expected text, found a mapping"),
    "tips: [" + "x, " * 21 + "]": ("9:11", "the list has more than 20 entries"),
    "needs: {a: b}": ("9:12", "expected text, found a mapping"),
    "pronounce: psoas": ("9:16", "expected `word: value` lines, found text"),
    "pronounce: {psoas: [so]}": ("9:24", "expected text, found a list"),
    "levels: [a]": ("9:13", "expected `key: {changes}` lines, found a list"),
    "levels: {4: {reps: 2}}": ("9:14", "unknown key `4` (known: 1, 2, 3)"),
    "levels: {2: {resp: 2}}": ("9:18", "unknown key `resp` in a change (did you mean `rep` or"),
    "levels: {2: {reps: -2}}": ("9:24", "-2 is out of range (use a value from 1 to 10000)"),
    "levels: {2: 5}": ("9:17", "expected a change as `key: value` lines, found text"),
    "equipment: {bal: {reps: 2}}": ("9:17", "unknown key `bal` (did you mean `ball`?)"),
    "repps: 4": ("9:5", "unknown key `repps` in an exercise (did you mean `reps`"),
    "breath: deep": ("9:5", "unknown key `breath` in an exercise"),
    "Reps: 4": ("9:5", "unknown key `Reps` in an exercise (did you mean `reps`"),
    "tones: bowl": ("9:5", "unknown key `tones` in an exercise"),
    "name: Again": ("9:5", "duplicate key `name` (first used on line 3)"),
    "work: 40s": ("3:5", "`rep:` and `work:` cannot be used together"),
    "flow: [bell]": ("3:5", "`rep:` and `flow:` cannot be used together"),
    "level: 4": ("9:12", "4 is out of range (use a value from 1 to 3)"),
    "with: ladder": ("9:11", "'ladder' is not a valid choice (known: "),
    "extends: nowhere": ("9:14", "there is no exercise called `nowhere`"),
    "extends: the-session": ("9:14", "there is no exercise called `the-session`"),
    "name2: x": ("9:5", "unknown key `name2` in an exercise (did you mean `name`?)"),
}  # fmt: skip


@pytest.mark.parametrize("line", VALUES)
def test_wrong_values_are_told_where_they_stand(session_of: Load, line: str) -> None:
    place, message = VALUES[line]
    found = told(session_of, BODY + "    " + line + "\n")
    assert any(one.startswith(f"{place} {message}") for one in found), found


STEPS = {
    # in place of `inhale 4: Inhale. | In.` in line 7, column 9
    "inhale: In.": ("7:9", "`inhale` has no duration (write `- inhale 4:`)"),
    "inhale": ("7:9", "`inhale` has no duration (write `- inhale 4:`)"),
    "inhale 0: In.": ("7:9", "`inhale 0` is out of range (use a time from 0.5 s to 300 s)"),
    "inhale -4: In.": ("7:9", "'-4' is not a time (write seconds: `- inhale 4:`)"),
    "inhale 1h: In.": ("7:9", "`inhale 1h` is out of range (use a time from 0.5 s to 300 s)"),
    "inhale nan: In.": ("7:9", "'nan' is not a time"),
    "inhale four: In.": ("7:9", "'four' is not a time"),
    "inhale 9999999999999999: In.": ("7:9", "'9999999999999999' is not a time"),
    "inhael 4: In.": ("7:9", "unknown step `inhael` (did you mean `inhale`?)"),
    "say: In.": ("7:9", "unknown step `say` (known: exhale, hold, inhale, pause)"),
    "inhale4: In.": ("7:9", "this is not a step"),
    "4 inhale: In.": ("7:9", "this is not a step"),
    "[inhale, 4]": ("7:9", "this is not a step"),
    "{}": ("7:9", "this is not a step"),
    "{inhale 4: a, exhale 4: b}": ("7:9", "this is not a step (start each step with its own"),
    "inhale 4: [a]": ("7:19", "expected text, found a list"),
    'inhale 4: ""': ("7:19", "the text is empty"),
    "inhale 4: Your {{ leg }}.": ("7:27", "unknown variable `leg`"),
}


@pytest.mark.parametrize("step", STEPS)
def test_wrong_steps_are_told_where_they_stand(session_of: Load, step: str) -> None:
    place, message = STEPS[step]
    found = told(session_of, BODY.replace("inhale 4: Inhale. | In.", step))
    assert any(one.startswith(f"{place} {message}") for one in found), found


SESSIONS = {
    "exercises: [bridge]\n": ("1:1", "a session needs `title:`"),
    "title: Test\n": ("1:1", "the session has no exercises (list them: `exercises: [bridge]`)"),
    "title: Test\nexercises:\n": ("2:11", "the session has no exercises"),
    "title: Test\nexercises: []\n": (
        "2:12", "expected a list of exercises, found an empty list"),
    "title: Test\nexercises: bridge\n": ("2:12", "expected a list of exercises, found text"),
    "title: Test\nsections: []\n": ("2:11", "the session has no sections"),
    "title: Test\nsections: Work\n": ("2:11", "the session has no sections"),
    "title: Test\nsections:\n  - bridge\n": ("3:5", "expected a title with its exercises"),
    "title: Test\nsections:\n  - Work: []\n": (
        "3:11", "expected a list of exercises, found an empty list"),
    "title: Test\nsections:\n  - Work: {rounds: 2}\n": ("3:11", "the section has no `exercises:`"),
    "title: Test\nsections:\n  - Work: {rounds: 0, exercises: [bridge]}\n": (
        "3:20", "0 is out of range (use a value from 1 to 100)"),
    "title: Test\nsections:\n  - Work: {time: 1s, exercises: [bridge]}\n": (
        "3:18", "1s is out of range (use a time from 10 s to 2 hours)"),
    "title: Test\nsections:\n  - Work: {turns: 2, exercises: [bridge]}\n": (
        "3:12", "unknown key `turns` in a section"),
    "title: Test\nexercises: [bridge]\nsections: []\n": (
        "1:1", "`exercises:` and `sections:` cannot be used together"),
    HEAD + "  - brige\n": ("3:5", "there is no exercise called `brige` (did you mean `bridge`"),
    HEAD + "  - ../bridge\n": (
        "3:5", "there is no exercise called `../bridge` (write a name, not a path"),
    HEAD + "  - /etc/passwd\n": (
        "3:5", "there is no exercise called `/etc/passwd` (write a name, not a path"),
    HEAD + "  - " + "é" * 150 + "\n": ("3:5", "there is no exercise called `é"),
    HEAD + "  -\n": ("3:4", "expected an exercise, found nothing"),
    HEAD + "  - [bridge]\n": ("3:5", "expected an exercise, found a list"),
    HEAD + "  - bridge: 6\n": ("3:13", "expected changes as `key: value` pairs, found text"),
    HEAD + "  - bridge: [reps]\n": (
        "3:13", "expected changes as `key: value` pairs, found a list"),
    HEAD + "  - bridge: {resp: 6}\n": ("3:14", "unknown key `resp` in a change (did you mean"),
    HEAD + "  - bridge: {reps: 0}\n": ("3:20", "0 is out of range (use a value from 1 to 10000)"),
    HEAD + "  - bridge: {extends: squat}\n": ("3:14", "unknown key `extends` in a change"),
    HEAD + "  - bridge: {work: 40s, flow: [bell]}\n": ("1:1", "`work:` and `flow:` cannot be used"),
    HEAD + "  - {position: seated, setup: Sit.}\n": ("3:5", "the exercise has no name"),
    HEAD + "  - {name: A, setup: Sit., rep: [inhale 4]}\n": (
        "3:5", "an exercise needs `position:`"),
    HEAD + "  - {name: A, position: , setup: Sit., rep: [inhale 4]}\n": (
        "3:5", "an exercise needs `position:`"),
    HEAD + "  - {name: A, position: seated, rep: [inhale 4]}\n": (
        "3:5", "an exercise needs `setup:`"),
    HEAD + "  - {name: A, position: seated, setup: ~, rep: [inhale 4]}\n": (
        "3:5", "an exercise needs `setup:`"),
    HEAD + "  - {name: A, position: seated, setup: Sit.}\n": (
        "3:5", "the exercise has no `rep:`, `work:` or `flow:`"),
    HEAD + "  - {name: A, position: seated, setup: Sit., rep: }\n": (
        "3:5", "the exercise has no `rep:`, `work:` or `flow:`"),
    HEAD + "  - {name: A, position: seated, setup: Sit., rep: []}\n": (
        "3:51", "the repetition has no breath phases"),
    HEAD + "  - {name: A, position: seated, setup: Sit., flow: []}\n": (
        "3:52", "the flow has no steps"),
    HEAD + "  - {name: A, position: seated, setup: Sit., flow: [sing: x]}\n": (
        "3:53", "unknown step `sing`"),
    HEAD + "  - {name: A, position: seated, setup: Sit., flow: [say: ]}\n": (
        "3:53", "`say` has no text"),
    HEAD + "  - {name: A, position: seated, setup: Sit., flow: [bell 3]}\n": (
        "3:53", "`bell` takes no duration"),
    HEAD + "  - {name: A, position: seated, setup: Sit., flow: [silence 2h]}\n": (
        "3:53", "`silence 2h` is out of range (use a time from 0.5 s to 3600 s)"),
    HEAD + "  - {name: A, position: seated, setup: Sit., work: 0}\n": (
        "3:52", "0 is out of range (use a time from 1 s to 2 hours)"),
    HEAD + "  - {name: A, position: seated, setup: Sit., work: 9s, sides: alternate}\n": (
        "3:5", "`sides: alternate` needs repetitions under `rep:`"),
    "titel: Test\ntitle: Test\nexercises: [bridge]\n": (
        "1:1", "unknown key `titel` in a session (did you mean `title`"),
    "title: Test\nspeech: 20\nexercises: [bridge]\n": ("2:9", "20 is out of range"),
    "title: Test\nlevel: 0\nexercises: [bridge]\n": (
        "2:8", "0 is out of range (use a value from 1 to 3)"),
    "title: Test\npace: ../calm\nexercises: [bridge]\n": ("2:7", "'../calm' is not a valid name"),
    "title: Test\nlanguage: '*'\nexercises: [bridge]\n": ("2:11", "'*' is not a valid name"),
    "title: " + "x" * 1001 + "\nexercises: [bridge]\n": ("1:8", "the text is longer than 1000"),
    "title: Test\nbreath_in: 0\nexercises: [bridge]\n": ("2:12", "0 is out of range"),
}  # fmt: skip


@pytest.mark.parametrize("text", SESSIONS)
def test_wrong_sessions_are_told_where_they_stand(session_of: Load, text: str) -> None:
    place, message = SESSIONS[text]
    found = told(session_of, text)
    if place == "1:1" and "bridge: {" in text:
        # A change that clashes is told in the exercise it changes.
        assert any(message in one for one in found), found
    else:
        assert any(one.startswith(f"{place} {message}") for one in found), found


def test_all_errors_are_told_at_once(session_of: Load, put: Put) -> None:
    put("exercises/mine.yaml", MINE + "reps: 0\nrepps: 3\n")
    found = problems(
        session_of,
        "title: Test\nlevel: 9\nexercises:\n  - brige\n  - mine\n  - squat: {sets: 0}\n"
        "  - {name: A, position: flying, rep: [inhale 0]}\n",
    )
    places = [(Path(one.mark.file).name, one.mark.line) for one in found]
    assert places == sorted(places)
    assert ("mine.yaml", 5) in places
    assert ("mine.yaml", 6) in places
    assert {2, 4, 6, 7} <= {line for name, line in places if name == "the-session.yaml"}
    assert len(found) == len(set(found)) >= 8


def test_an_exercise_that_builds_on_itself(session_of: Load, put: Put) -> None:
    put("exercises/one.yaml", "extends: one\nname: One\n")
    (problem,) = problems(session_of, HEAD + "  - one\n")
    assert problem.message == "the exercise extends itself: one → one"
    assert (Path(problem.mark.file).name, problem.mark.line, problem.mark.column) == (
        "one.yaml", 1, 10)  # fmt: skip


def test_exercises_that_build_on_each_other_in_a_ring(session_of: Load, put: Put) -> None:
    for name, above in (("a", "b"), ("b", "c"), ("c", "a")):
        put(f"exercises/{name}.yaml", f"extends: {above}\nname: {name.upper()}\n")
    found = problems(session_of, HEAD + "  - a\n  - b\n")
    assert found[0].message == "the exercise extends itself: a → b → c → a"
    assert Path(found[0].mark.file).name == "c.yaml"


def test_a_long_chain_of_exercises(session_of: Load, put: Put) -> None:
    put("exercises/e0.yaml", MINE)
    for n in range(1, 400):
        put(f"exercises/e{n}.yaml", f"extends: e{n - 1}\nname: E{n}\n")
    assert only(session_of(f"{HEAD}  - e{MAX_EXTENDS}\n")).name == f"E{MAX_EXTENDS}"
    (problem, *_) = problems(session_of, HEAD + "  - e399\n")
    assert problem.message == "more than 20 exercises extend each other"


def test_an_exercise_file_takes_no_level(session_of: Load, put: Put) -> None:
    put("exercises/mine.yaml", MINE + "level: 2\nwith: ball\n")
    found = told(session_of, HEAD + "  - mine\n")
    assert found[0].startswith("5:1 unknown key `level` in an exercise")
    assert found[1].startswith("6:1 unknown key `with` in an exercise")


def test_too_many_exercises(session_of: Load) -> None:
    many = "title: Test\nexercises: [" + "bridge, " * 1001 + "]\n"
    assert any("more than 1000 exercises" in one for one in told(session_of, many))
    rounds = "title: Test\nsections:\n  - A: {rounds: 100, exercises: [" + "bridge, " * 11 + "]}\n"
    assert any("more than 1000 exercises" in one for one in told(session_of, rounds))


def test_thousands_of_errors_are_told_in_time(session_of: Load) -> None:
    keys = "".join(f"    kee{n}: 1\n" for n in range(20_000))
    tip = "      - inhale 4: '{{ a }} {{ b }} {{ c }}'\n"
    with little_work():
        assert len(problems(session_of, BODY + keys)) == 20_000
        assert len(problems(session_of, BODY + tip * 900)) >= 900


def test_an_empty_value_says_nothing(session_of: Load) -> None:
    text = BODY + "    reps:\n    caution: ~\n    tips: null\n"
    exercise = only(session_of("about:\n" + text))
    assert (exercise.reps, exercise.caution, exercise.tips) == (6, None, ())


def test_flow_steps(session_of: Load) -> None:
    session = session_of(
        HEAD + "  - name: Scan\n    position: supine\n    flow:\n"
        "      - say: Notice your feet.\n      - silence 30s\n      - bell\n"
        "      - inhale 5: In.\n      - exhale 5\n      - bell: And rest.\n"
    )
    steps = [(step.kind, step.seconds, bool(step.text)) for step in only(session).flow]
    assert steps == [
        ("say", 0, True), ("silence", 30, False), ("bell", 0, False), ("inhale", 5, True),
        ("exhale", 5, False), ("bell", 0, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("a | b", ("a", "b")),
        ("a|b | c", ("a", "b", "c")),
        ("| a | | b |", ("a", "b")),
        ("{{ side | capitalize }} | {{ x }}", ("{{ side | capitalize }}", "{{ x }}")),
        ("{% if a | b %}x{% endif %}", ("{% if a | b %}x{% endif %}",)),
        ("{# a | b #} c | d", ("{# a | b #} c", "d")),
        ("a {{ b %} | c", ("a {{ b %} | c",)),
        ("x \x000\x00 | y", ("x \x000\x00", "y")),
        ("  a\n b  |\tc", ("a b", "c")),
        # Each line of a block is heard by itself where it begins like a sentence or a point.
        (
            "Sit tall at 90°\nLet go\n  Breathe, and\n  rest.",
            ("Sit tall at 90°. Let go. Breathe, and rest.",),
        ),
        ("1. Kneel\n2. Reach,\n3. Rest", ("1. Kneel. 2. Reach, 3. Rest",)),
        ("Every day:\n- no mat\n- barefoot", ("Every day: no mat. barefoot",)),
        ("- Kneel\n• Reach", ("Kneel. Reach",)),
        (
            "Lift your {{ side\n}}\nArm {% if a %}\nB{% endif %}",
            ("Lift your {{ side }} Arm {% if a %} B{% endif %}",),
        ),
        ("", ()),
        (" | ", ()),
    ],
)
def test_versions_are_parted_by_bars_outside_of_braces(
    text: str, versions: tuple[str, ...]
) -> None:
    assert split_versions(text) == versions


def test_parting_versions_is_quick() -> None:
    with little_work():
        for text in ("{{" * 10_000, "{{|" * 7_000, "|" * 20_000, "{% | %}" * 3_000):
            split_versions(text)


# Paces, settings, positions, choosing


def test_paces_hold_only_what_they_say(library: Library, put: Put) -> None:
    layer = read_pace(put("paces/mine.yaml", "tempo: 0.8\nair: 0.5 s\n"))
    assert dict(layer.values) == {"tempo": 0.8, "air": 0.5}
    assert read_pace(put("paces/empty.yaml", "")).values == ()
    assert dict(load_pace("calm", library).values)["tempo"] == 0.9
    put("paces/calm.yaml", "tempo: 0.7\n")
    assert dict(load_pace("calm", library).values) == {"tempo": 0.7}
    with pytest.raises(UnknownNameError, match="did you mean `calm`"):
        load_pace("clam", library)
    with pytest.raises(ScriptError, match=r"bad.yaml:1:1: .*unknown key `tmepo` in a pace"):
        read_pace(put("paces/bad.yaml", "tmepo: 1\n"))


def test_the_users_settings(library: Library, put: Put) -> None:
    assert load_settings(library) == {}
    put("settings.yaml", "name: Ana\nwith: ball, band\nknown: [bridge]\ntempo: 0.9\n")
    values = load_settings(library)
    assert values == {"name": "Ana", "with": ("ball", "band"), "known": ("bridge",), "tempo": 0.9}
    put("settings.yaml", "tempo: fast\nwith: [ladder]\n")
    with pytest.raises(ScriptError) as caught:
        load_settings(library)
    assert len(caught.value.problems) == 2


def test_values_given_on_the_command_line_are_checked_alike() -> None:
    assert pacing_values(["tempo=0.85", "breath.exhale=6", "speech = 130"]) == {
        "tempo": 0.85, "breath_out": 6, "speech": 130}  # fmt: skip
    assert pacing_values(["breath.per_minute=6"]) == {"breath_in": 5, "breath_out": 5}
    bad = "tempo=0 tempo=10 tempo=nan speech=x rest=-1 air= x tepmo=1 breath.per_minute=nan".split()
    with pytest.raises(InputError) as caught:
        pacing_values(bad)
    assert len(str(caught.value).splitlines()) == len(bad)


def test_positions_join_in_every_language(library: Library) -> None:
    for language in ("en", "es", "es-MX", "no-such"):
        positions = load_positions(library, language)
        slow = positions.path("supine", "standing")
        quick = positions.path("seated", "kneeling")
        assert sum(one.seconds for one in slow) > sum(one.seconds for one in quick)
        assert positions.path("supine", "supine") == ()
        assert len(positions.path(None, "prone")) == 1
    assert load_positions(library, "es").side("left") == "izquierda"


def test_positions_with_gaps_are_told(put: Put, library: Library) -> None:
    text = (library.bundled / "phrases" / "positions.yaml").read_text(encoding="utf-8")
    whole = read_positions(put("phrases/positions.yaml", text))
    assert whole.listed(("mat", "chair")) == "a mat and a steady chair"
    assert whole.listed(("mat", "chair", "kite")) == "a mat, a steady chair and kite"
    lonely = text.replace("from: prone", "from: supine")
    with pytest.raises(ScriptError, match="no `paths:` lead from prone to standing"):
        read_positions(put("phrases/positions.yaml", lonely))
    with pytest.raises(ScriptError, match="unknown position `flying`"):
        read_positions(put("phrases/positions.yaml", text.replace("  prone:\n", "  flying:\n")))


def test_choosing_exercises(library: Library) -> None:
    session = load_session("hip-back", library)
    slugs = [e.slug for e in session.exercises]
    assert [e.slug for e in choose(session, only=["bridge"]).exercises] == ["bridge"]
    assert [e.slug for e in choose(session, skip=["bridge"]).exercises] == [
        slug for slug in slugs if slug != "bridge"]  # fmt: skip
    focused = choose(session, focus=["hips"])
    assert 0 < len(focused.exercises) < len(slugs)
    assert all("hips" in e.tags for e in focused.exercises)
    mixed = choose(session, shuffle=7)
    assert mixed == choose(session, shuffle=7)
    assert sorted(e.slug for e in mixed.exercises) == sorted(slugs)
    assert [e.position for e in mixed.exercises] == [e.position for e in session.exercises]
    assert len({tuple(e.slug for e in choose(session, shuffle=n).exercises) for n in range(9)}) > 1
    with pytest.raises(UnknownNameError, match="did you mean `bridge`"):
        choose(session, only=["brigde"])
    with pytest.raises(UnknownNameError, match="no tag in this session"):
        choose(session, focus=["nowhere"])
    with pytest.raises(InputError, match="no exercises are left in the session"):
        choose(session, only=["bridge"], skip=["bridge"])


def test_dropping_keeps_the_first_and_the_last(library: Library) -> None:
    session: Session | None = load_session("hip-back", library)
    assert session is not None
    first, last = session.exercises[0], session.exercises[-1]
    count = len(session.exercises)
    while session is not None:
        assert (session.exercises[0], session.exercises[-1]) == (first, last)
        assert len(session.exercises) == count
        count -= 1
        session = drop_one(session)
    assert count == 1


def test_pronunciations_lie_over_each_other() -> None:
    assert pronunciations((("a", "x"), ("b", "y")), (("a", "z"),)) == {"a": "z", "b": "y"}


def test_the_pacing_of_an_exercise_is_its_own(session_of: Load) -> None:
    session = session_of("tempo: 0.5\n" + BODY + "    tempo: 2\n    count: none\n    tips: [Hi.]\n")
    assert session.pacing.values == (("tempo", 0.5),)
    layer = only(session).pacing
    assert dict(layer.values) == {"tempo": 2, "count": "none"}
    assert resolve([Layer("", (("tempo", 3),)), layer]).tempo == 2


def test_every_bundled_exercise_loads_at_every_level(library: Library) -> None:
    for path in library.files("exercises"):
        for level in (1, 2, 3):
            exercise = load_exercise(path, library, level=level)
            assert bool(exercise.rep) + bool(exercise.work_s) + bool(exercise.flow) == 1
    for name in library.names("sessions"):
        assert load_session(name, library).exercises


# Anything at all


steady = settings(
    derandomize=True,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
WORDS = st.sampled_from(
    "title: exercises: sections: - name: position: setup: rep: inhale exhale 4 4: seated Sit. |"
    " {{ side }} {% if %} reps: -1 nan ~ null yes [ ] { } , & * ! ' \" # > | : ? --- ... \t \n \n"
    " \n   \n     bridge squat extends: levels: 2: equipment: ball: work: 40s flow: bell say: tips:"
    " pronounce: é 腕 \u2028 \x85 \\ %".split(" ")
)


def loads_or_tells(path: Path, library: Library, data: bytes) -> None:
    path.write_bytes(data)
    try:
        assert load_session(path, library).exercises
    except InputError as error:
        check_told(error)


def check_told(error: InputError) -> None:
    assert str(error)
    if isinstance(error, ScriptError):
        assert error.problems
        assert all(one.message and one.mark.line >= 0 for one in error.problems)


@steady
@given(st.lists(WORDS, max_size=40))
def test_any_words_are_a_session_or_an_error(
    tmp_path: Path, library: Library, words: list[str]
) -> None:
    loads_or_tells(tmp_path / "any.yaml", library, (HEAD + " ".join(words)).encode())


@steady
@given(
    st.one_of(
        st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode("utf8", "replace"))
    )
)
def test_any_bytes_are_a_session_or_an_error(tmp_path: Path, library: Library, data: bytes) -> None:
    loads_or_tells(tmp_path / "any.yaml", library, data)


@steady
@given(st.integers(0, len(BODY) - 1), st.text(max_size=4), st.integers(0, 6))
def test_any_slip_of_the_pen_is_a_session_or_an_error(
    tmp_path: Path, library: Library, at: int, text: str, gone: int
) -> None:
    slipped = BODY[:at] + text + BODY[at + gone :]
    loads_or_tells(tmp_path / "any.yaml", library, slipped.encode("utf8", "replace"))


def test_reading_keeps_places_and_order(tmp_path: Path) -> None:
    root = parse("b: 1\na:\n  - x\n  - {c: 'null'}\n", "f.yaml")
    assert [key.text for key, _ in root.pairs] == ["b", "a"]
    items = root.get("a")
    assert items is not None
    assert str(items.items[1].mark) == "f.yaml:4:5"
    quoted = items.items[1].get("c")
    assert quoted is not None
    assert not quoted.empty
    path = tmp_path / "x.yaml"
    path.write_text("a: ~\n")
    value = read(path).get("a")
    assert value is not None
    assert value.empty


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("tempo: 0,85", "write 0.85"),
        ("rest: 7,5", "write 7.5"),
        ("breath.inhale: 5", "in a script, use `breath_in`"),
    ],
)
def test_hints_say_what_to_write(library: Library, put: Put, text: str, hint: str) -> None:
    path = put("sessions/mine.yaml", f"title: Mine\n{text}\nexercises: [bridge]\n")
    with pytest.raises(ScriptError) as found:
        load_session(path, library)
    (problem,) = found.value.problems
    assert problem.hint == hint
    assert problem.mark.line == 2
