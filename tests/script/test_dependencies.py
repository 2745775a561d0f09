"""A session's stamp changes with every file it depends on, and with no other."""

from __future__ import annotations

import os
import shutil
import sys
import wave
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voiceflow.core.cache import Cache
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script import dependencies
from voiceflow.script.dependencies import Look, Words
from voiceflow.script.file_changes import EVERYTHING, Change, Changes
from voiceflow.script.lookup import Library, content, is_name

BODY = "position: supine\nsetup: Lie down.\nreps: 2\nrep: [inhale 4: In., exhale 4: Out.]\n"


def exercise(name: str, more: str = "") -> str:
    return f"name: {name}\n{more}{BODY}"


def session(*exercises: str, more: str = "") -> str:
    return f"title: Mine\n{more}exercises:\n" + "".join(f"  - {one}\n" for one in exercises)


FILES = {
    "bundled/exercises/bridge.yaml": exercise("Bridge"),
    "bundled/exercises/squat.yaml": exercise("Squat"),
    "bundled/exercises/side-squat.yaml": "name: Side Squat\nextends: squat\n",
    "bundled/sessions/bundled-one.yaml": session("squat"),
    "bundled/paces/steady.yaml": "tempo: 1\n",
    "user/exercises/roll.yaml": exercise("Roll"),
    "user/exercises/log turn.yaml": exercise("Log Turn"),
    "user/sessions/plain.yaml": session("bridge"),
    "user/sessions/builds.yaml": session("side-squat"),
    "user/sessions/in-place.yaml": session("{name: Own, extends: roll}"),
    "user/sessions/changed.yaml": session("squat: {level: 2}"),
    "user/sessions/quoted.yaml": session('"log turn"'),
    "user/sessions/escaped.yaml": session('"r\\u006fll"'),
    "class/monday.yaml": session("lift", "roll"),
    "class/exercises/lift.yaml": "name: Lift\nextends: stand\n",
    "class/exercises/stand.yaml": exercise("Stand"),
    "class/tuesday.yaml": session("bridge", more="pace: slow\n"),
    "class/slow.yaml": "tempo: 0.8\n",
    "user/sounds/gong.yaml": "about: Mine.\nlike: bowl\nend: {sound: sample, file: gong.wav}\n",
    "user/sounds/gong.wav": "not a sound",
    "class/drum.yaml": "like: gong\nend: {sound: sample, file: ../kit/drum 1.wav, loop: no}\n",
    "kit/drum 1.wav": "not a sound",
    "class/friday.yaml": session("bridge", more="pace: drummed\n"),
    "class/paces/drummed.yaml": "tones: drum\n",
}
SESSIONS = tuple(name for name in FILES if FILES[name].startswith("title: "))
IN_CLASS = {name for name in SESSIONS if name.startswith("class/")}
ALL = set(SESSIONS)
# With an escape in it, a session may name any exercise that it can look up.
ESCAPED = "user/sessions/escaped.yaml"


def with_escaped(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    places = ("user/exercises", "user/sessions", "bundled/exercises")
    return {
        name: sessions | ({ESCAPED} if name.startswith(places) else set())
        for name, sessions in uses.items()
    }


USES = with_escaped({
    **{name: {name} for name in SESSIONS},
    "bundled/exercises/bridge.yaml":
        {"user/sessions/plain.yaml", "class/tuesday.yaml", "class/friday.yaml"},
    "bundled/exercises/squat.yaml":
        {"user/sessions/builds.yaml", "user/sessions/changed.yaml",
         "bundled/sessions/bundled-one.yaml"},
    "bundled/exercises/side-squat.yaml": {"user/sessions/builds.yaml"},
    "user/exercises/roll.yaml": {"user/sessions/in-place.yaml", "class/monday.yaml"},
    "user/exercises/log turn.yaml": {"user/sessions/quoted.yaml"},
    "class/exercises/lift.yaml": {"class/monday.yaml"},
    "class/exercises/stand.yaml": {"class/monday.yaml"},
    "class/slow.yaml": {"class/tuesday.yaml"},
    "class/paces/drummed.yaml": IN_CLASS,
    "class/drum.yaml": IN_CLASS,
    "kit/drum 1.wav": IN_CLASS,
    "bundled/paces/steady.yaml": ALL,
    "user/sounds/gong.yaml": ALL,
    "user/sounds/gong.wav": ALL,
})  # fmt: skip
# Files that are not there yet: the sessions that change when they are.
NEW = with_escaped({
    "user/exercises/squat.yaml": USES["bundled/exercises/squat.yaml"],
    "user/exercises/unused.yaml": set(),
    "user/sessions/bridge.yaml": {"user/sessions/plain.yaml"},
    "user/sessions/unused.yaml": set(),
    "class/bridge.yaml": {"class/tuesday.yaml", "class/friday.yaml"},
    "exercises/bridge.yaml": {"class/tuesday.yaml", "class/friday.yaml"},
    "class/exercises/squat.yaml": set(),
    "class/exercises/roll.yml": {"class/monday.yaml"},
    "class/unused.yaml": set(),
    "class/unused.mp3": set(),
    "class/steady.yaml": IN_CLASS,
    "class/coach.j2": IN_CLASS,
    "paces/slow.yaml": IN_CLASS,
    "user/settings.yaml": ALL,
    "user/phrases/coach.j2": ALL,
    "user/phrases/positions.yaml": ALL,
    "user/paces/calm.yaml": ALL,
    "user/sounds/bells/one.wav": ALL,
    "user/notes.txt": set(),
})  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        put(tmp_path / name, text)
    return tmp_path


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def library_in(place: Path) -> Library:
    return Library(place / "user", place / "bundled", place / "sounds")


def stamps(place: Path, words: Words | None = None) -> dict[str, str]:
    look = Look(library_in(place), {} if words is None else words)
    return {name: look.stamp(place / name) for name in SESSIONS}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in SESSIONS if before[name] != after[name]}


@pytest.mark.parametrize("name", FILES)
def test_an_edit_changes_the_sessions_that_use_the_file(place: Path, name: str) -> None:
    before = stamps(place)
    with (place / name).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert changed(before, stamps(place)) == USES[name]


@pytest.mark.parametrize("name", sorted(FILES.keys() - set(SESSIONS)))
def test_a_file_that_is_removed_changes_the_sessions_that_used_it(place: Path, name: str) -> None:
    before = stamps(place)
    (place / name).unlink()
    assert changed(before, stamps(place)) == USES[name]


@pytest.mark.parametrize("name", NEW)
def test_a_new_file_changes_the_sessions_that_will_use_it(place: Path, name: str) -> None:
    before, words = stamps(place), Words()
    assert stamps(place, words) == before
    put(place / name, exercise("New"))
    assert changed(before, stamps(place)) == NEW[name]
    assert changed(before, stamps(place, words)) == NEW[name], "with what is known already"
    (place / name).unlink()
    assert stamps(place, words) == before, "scripts count by content"


def test_the_user_s_file_hides_the_bundled_one(place: Path) -> None:
    put(place / "user/exercises/bridge.yaml", exercise("Mine"))
    before = stamps(place)
    put(place / "bundled/exercises/bridge.yaml", exercise("Edited"))
    assert changed(before, stamps(place)) == set()


def test_a_session_called_as_an_exercise_in_it_does_not_mean_itself(place: Path) -> None:
    one = put(place / "user/sessions/bridge.yaml", session("bridge"))
    before = Look(library_in(place), {}).stamp(one)
    put(place / "bundled/exercises/bridge.yaml", exercise("Edited"))
    assert Look(library_in(place), {}).stamp(one) != before


def test_a_linked_exercise_is_looked_up_from_where_it_lies(place: Path) -> None:
    put(place / "shared/lunge.yaml", "name: Lunge\nextends: step\n")
    put(place / "shared/step.yaml", exercise("Step"))
    (place / "user/exercises/lunge.yaml").symlink_to(place / "shared/lunge.yaml")
    one = put(place / "user/sessions/lunges.yaml", session("lunge"))
    before = Look(library_in(place), {}).stamp(one)
    put(place / "shared/step.yaml", exercise("Edited"))
    assert Look(library_in(place), {}).stamp(one) != before


def test_kinds_have_stamps(place: Path) -> None:
    def kinds() -> dict[str, str]:
        look = Look(library_in(place), {})
        return {kind: look.of(kind) for kind in ("paces", "phrases", "sounds")}

    before = kinds()
    put(place / "user/phrases/mine.j2", "")
    after = kinds()
    assert [kind for kind in before if before[kind] != after[kind]] == ["phrases"]


# What may have changed is told by looking at files alone.


def watched(place: Path) -> tuple[Changes, dict[str, str]]:
    """What is noted when all sessions were looked at, and their stamps."""
    words = Words()
    look, changes = Look(library_in(place), words), Changes(library_in(place), words)
    before = {name: look.stamp(place / name) for name in SESSIONS}
    look.sessions()
    assert changes.since() == EVERYTHING, "nothing was looked at yet"
    changes.note(look)
    return changes, before


def concerned(change: Change | None, place: Path) -> set[str]:
    return {one for one in SESSIONS if change is not None and change.concerns(str(place / one))}


@pytest.mark.parametrize("name", [*FILES, *NEW])
@pytest.mark.parametrize("how", ["write", "remove", "replace"])
def test_a_change_concerns_all_whose_stamp_changes(place: Path, name: str, how: str) -> None:
    changes, before = watched(place)
    assert changes.since() is None
    path = place / name
    if how == "remove":
        path.unlink(missing_ok=True)
    elif how == "write":
        put(path, exercise("New", "tempo: 0.9\n"))
    else:  # as editors save: another file of the same name
        path.parent.mkdir(parents=True, exist_ok=True)
        put(place / "draft", exercise("New")).replace(path)
    expected = changed(before, stamps(place) if path.is_file() or name in NEW else before)
    assert expected <= concerned(changes.since(), place)
    assert changes.since() is None, "told once"


@pytest.mark.parametrize(
    ("name", "few"),
    [
        ("user/sessions/plain.yaml", {"user/sessions/plain.yaml", ESCAPED}),
        ("user/exercises/roll.yaml", USES["user/exercises/roll.yaml"] & {*SESSIONS} | {ESCAPED}),
        ("user/sessions/unused.yaml", {ESCAPED}),
        ("user/sessions/.plain.yaml.swp", set()),
    ],
)
def test_a_change_does_not_concern_everyone(place: Path, name: str, few: set[str]) -> None:
    changes, _ = watched(place)
    put(place / name, exercise("Edited"))
    assert concerned(changes.since(), place) == few


def test_to_look_for_changes_opens_no_file(place: Path) -> None:
    changes, _ = watched(place)
    global _opened
    _opened = []
    try:
        assert changes.since() is None
        assert [one for one in _opened if one.startswith(str(place))] == []
    finally:
        _opened = None


def test_a_change_between_two_looks_is_not_lost(place: Path) -> None:
    """The second look has read the new text: the first one's session is still from the old."""
    changes, words = Changes(library_in(place), Words()), Words()
    first, second = (Look(library_in(place), words) for _ in range(2))
    first.stamp(place / "user/sessions/builds.yaml")
    put(place / "bundled/exercises/squat.yaml", exercise("Edited"))
    second.stamp(place / "user/sessions/changed.yaml")
    changes.note(first)
    changes.note(second)
    assert "user/sessions/builds.yaml" in concerned(changes.since(), place)
    assert changes.since() is None


def test_a_link_that_leads_somewhere_at_last_is_a_change(place: Path) -> None:
    (place / "user/exercises/lunge.yaml").symlink_to(place / "later.yaml")
    changes, _ = watched(place)
    put(place / "later.yaml", exercise("Lunge"))
    assert changes.since() is not None


def test_the_sessions_of_a_look_are_those_that_are_found(place: Path) -> None:
    library = library_in(place)
    for name in ("positions", "coach.es", ".hidden", "plié", "bundled-one", "x" * 210):
        put(place / f"user/sessions/{name}.yaml", session("squat"))
    put(place / "user/sessions/plain.yml", session("squat"))
    (place / "user/sessions/folder.yaml").mkdir()
    found = {name: Path(one.path) for name, one in Look(library, {}).sessions().items()}
    names = [name for name in library.names("sessions") if is_name(name)]
    assert found == {name: library.find("sessions", name) for name in names}


# What deciding really opens is the truth about what a session depends on.

_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str | os.PathLike):
        _opened.append(os.fspath(arguments[0]))


sys.addaudithook(_note)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("copies")
    shutil.copytree(content() / "scripts", place / "bundled")
    shutil.copytree(content() / "sounds", place / "sounds")
    return place


def opened(path: Path, place: Path) -> list[Path]:
    """The files in `place` that deciding the session at `path` opens."""
    global _opened
    _opened = []
    try:
        context = Context(library=library_in(place), cache=Cache(None), jobs=1)
        prepare(path, Options(voice="silent"), context)
        return sorted({Path(one) for one in _opened if str(one).startswith(str(place))})
    finally:
        _opened = None


def unseen(path: Path, place: Path) -> list[Path]:
    """Those files that deciding opens, and whose edit the session's stamp does not show."""
    before, missed = Look(library_in(place), {}).stamp(path), []
    for file in opened(path, place):
        data = file.read_bytes()
        file.write_bytes(data + b"\n")
        if Look(library_in(place), {}).stamp(path) == before:
            missed.append(file)
        file.write_bytes(data)
    return missed


@pytest.mark.parametrize("name", ["hip-back-short", "body-scan", "hiit-12"])
def test_every_file_that_deciding_opens_is_seen(copies: Path, name: str) -> None:
    path = copies / "bundled" / "sessions" / f"{name}.yaml"
    assert len(opened(path, copies)) > 5
    assert unseen(path, copies) == []


def test_every_file_of_a_session_in_a_folder_of_its_own_is_seen(
    copies: Path, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    shutil.copytree(copies, place)

    def write(name: str, text: str) -> Path:
        return put(place / name, text)

    path = write("class/one.yaml", session("lift", "bridge", more="pace: own\nphrases: ours\n"))
    write("class/exercises/lift.yaml", "name: Lift\nextends: bridge-hold\n")
    write("class/own.yaml", "tones: drum\n")
    write("class/ours.j2", "{# Ours. #}{% macro ready() %}Go.{% endmacro %}\n")
    write("class/drum.yaml", "about: Ours.\nlike: soft\nend: {sound: sample, file: kit/drum.wav}\n")
    write("sounds/soft.yaml", "about: Soft.\nlike: bowl\n")
    write("user/settings.yaml", "name: Ana\n")
    (place / "class" / "kit").mkdir()
    with wave.open(str(place / "class" / "kit" / "drum.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(b"\x00\x10" * 2400)
    names = {one.name for one in opened(path, place)}
    assert {"lift.yaml", "own.yaml", "ours.j2", "drum.yaml", "soft.yaml", "drum.wav"} <= names
    assert unseen(path, place) == []


NAMES = ("roll", "log turn", "Bridge", "bridge", "plié", "squat-2", "a#b", "#", "x.y")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(NAMES),
    folder=st.sampled_from(("class", "class/exercises", "exercises", "user/exercises")),
    ending=st.sampled_from((".yaml", ".yml")),
    quote=st.sampled_from(("'", '"', "")),
    style=st.sampled_from(("list", "flow", "changed", "extends")),
)
def test_a_name_is_found_however_it_is_written(
    tmp_path: Path, name: str, folder: str, ending: str, quote: str, style: str
) -> None:
    if name == "#" and not quote:
        quote = "'"
    word = f"{quote}{name}{quote}"
    line = {
        "list": word,
        "changed": f"{word}: {{reps: 3}}",
        "extends": f"{{name: Own, extends: {word}}}",
    }
    text = f"title: Mine\nexercises: [{word},{word}]\n" if style == "flow" else session(line[style])
    place = tmp_path / "place"
    shutil.rmtree(place, ignore_errors=True)
    path = put(place / "class" / "one.yaml", text)
    without = Look(library_in(place), {}).stamp(path)
    file = put(place / folder / (name + ending), exercise("One"))
    found = Look(library_in(place), {}).stamp(path)
    assert found != without
    put(file, exercise("Two"))
    assert Look(library_in(place), {}).stamp(path) not in (found, without)


def test_most_of_a_library_over_the_limit_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voiceflow.script.dependencies._MOST_KNOWN", 10)
    read: list[str] = []
    as_it_is = dependencies._read
    monkeypatch.setattr(dependencies, "_read", lambda path: read.append(path) or as_it_is(path))
    paths = [tmp_path / f"{number:02}.yaml" for number in range(12)]
    words = Words()
    for path in paths:
        path.write_text(path.name)
    for _ in range(2):
        read.clear()
        look = Look(library_in(tmp_path), words)
        assert [look._text(str(path)) for path in paths] == [path.name.encode() for path in paths]
    assert len(words) == 10
    assert len(read) <= 3
