"""`check`: every fault of a script is found where it stands, and the proof finds what it must."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import little_work

from voiceflow.core.cache import Cache
from voiceflow.core.errors import Mark, Problem
from voiceflow.core.units import snap
from voiceflow.lint import Finding, Proof, check_path, prove
from voiceflow.lint.path_checks import kind_of
from voiceflow.lint.report import summary
from voiceflow.lint.thing_words import things
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import Prepared, prepare
from voiceflow.script.lookup import Library, content
from voiceflow.script.side_words import sides
from voiceflow.voices import estimate

Put = Callable[..., Path]
BUNDLED = content() / "scripts"
SESSIONS = sorted(path.stem for path in (BUNDLED / "sessions").glob("*.yaml"))
PACES = ("calm", "steady", "brisk")

CURL = """\
name: Curl
position: supine
purpose: Your back rounds, bone by bone.
setup: >
  Lie on your back, knees bent, feet flat.
  Rest your arms by your sides.
needs: [mat]
reps: 6
rep:
  - inhale 4: Inhale, grow long. | Inhale.
  - exhale 5: Exhale, curl up slowly. | Exhale, curl.
tips:
  - Let your neck be long.
finish: Rest your head.
"""
LIFT = """\
name: Lift
position: supine
setup: Bend both knees, {{ side }} leg ready to move.
reps: 4
sides: each
switch: Let your {{ other_side }} leg rest.
rep:
  - inhale 4: Inhale, and prepare. | Inhale.
  - exhale 5: Exhale, lift your {{ side }} leg. | Exhale, lift.
"""
GOOD = f"""\
title: Small
about: A small session, done lying down.
speech: 190
sections:
  - Begin:
{"".join(f"      {'- ' if n == 0 else '  '}{line}" for n, line in enumerate(CURL.splitlines(True)))}
  - Go on:
{"".join(f"      {'- ' if n == 0 else '  '}{line}" for n, line in enumerate(LIFT.splitlines(True)))}
"""


def exercise(text: str = CURL, **changes: str) -> str:
    """An exercise with some of its keys written anew; an empty change takes the key out."""
    for key, value in changes.items():
        block = re.compile(rf"^{key}:.*\n(?:[ ].*\n)*", re.MULTILINE)
        text = block.sub("", text) + (f"{key}: {value}\n" if value else "")
    return text


def session(*exercises: str, **head: str) -> str:
    """A session of exercises written in place."""
    lines = [f"{key}: {value}\n" for key, value in {"title": "One", **head}.items()]
    lines.append("exercises:\n")
    for one in exercises:
        for number, line in enumerate(one.splitlines(keepends=True)):
            lines.append(("  - " if number == 0 else "    ") + line)
    return "".join(lines)


@pytest.fixture
def proved(library: Library, put: Put) -> Callable[..., Proof]:
    """The proof of a session by its text or its bundled name."""

    def prove_it(text: str, **options: Any) -> Proof:
        decision, made = decided(library, put, text, **options)
        return prove(decision, made.tones)

    return prove_it


def decided(library: Library, put: Put, text: str, **options: Any) -> Prepared:
    path = put("sessions/the-session.yaml", text) if "\n" in text else text
    wanted = Options(**{"pace": "steady", "voice": "silent", **options})
    return prepare(path, wanted, Context(library, Cache(None)))


def rules(proof: Proof) -> set[tuple[str, str]]:
    return {(one.severity, one.rule) for one in proof.findings}


def only(proof: Proof, rule: str) -> Finding:
    found = [one for one in proof.findings if one.rule == rule]
    assert found, f"no {rule} in {[str(one) for one in proof.findings]}"
    return found[0]


def told(problems: Iterable[Problem], part: str) -> Problem:
    found = [one for one in problems if part in one.message]
    assert found, f"{part!r} is not among: {[str(one) for one in problems]}"
    return found[0]


def place(path: Path, word: str, nth: int = 0) -> Mark:
    """Where the `nth` time a word stands in a file."""
    text = path.read_text(encoding="utf-8")
    at = [match.start() for match in re.finditer(re.escape(word), text)][nth]
    return Mark(str(path), text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


# Scripts


@pytest.mark.parametrize("folder", [BUNDLED, content() / "sounds"], ids=["scripts", "sounds"])
def test_what_is_bundled_is_clean(folder: Path, library: Library) -> None:
    assert check_path(folder, library) == []


def test_all_faults_of_a_file_are_told_each_in_its_place(put: Put, library: Library) -> None:
    text = exercise(reps="none", effort="heavy") + "colour: red\n"
    path = put("exercises/curl.yaml", text)
    problems = check_path(path, library)
    marks = [place(path, word) for word in ("none", "heavy", "colour")]
    assert sorted(one.mark for one in problems) == marks
    assert all(one.severity == "error" for one in problems)
    assert str(problems[0]).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("level 3", exercise(levels="{3: {setup: 'Lie {{ sid }}.'}}")),
        ("equipment", exercise(equipment="{ball: {tips: ['Press, {{ 5 // (rep - rep) }}.']}}")),
        ("level and equipment", exercise(levels="{2: {reps: 0}}", equipment="{ball: {reps: 2}}")),
        ("run time", exercise(rep="[{inhale 4: 'Inhale {{ 10 // left }}. | In.'}]")),
        ("caution at run time", exercise(caution="Stop {{ 'a' + 1 }}.")),
        ("builds on itself", exercise(extends="curl")),
    ],
)
def test_a_fault_is_found_wherever_it_hides(
    where: str, text: str, put: Put, library: Library
) -> None:
    path = put("exercises/curl.yaml", text)
    problems = check_path(path, library)
    errors = [one for one in problems if one.severity == "error"]
    assert errors, where
    assert all(one.mark.file == str(path) and one.mark.line for one in errors)


def test_a_session_is_checked_at_each_level_with_what_it_names(put: Put, library: Library) -> None:
    put("exercises/curl.yaml", exercise(levels="{3: {reps: much}}"))
    text = session(LIFT, pace="clam", phrases="couch", tones="bowls", voice="silence")
    path = put("sessions/mine.yaml", text.replace("exercises:\n", "exercises:\n  - curl\n"))
    problems = check_path(path, library)
    for kind, wrong, near in (
        ("pace", "clam", "calm"),
        ("phrases", "couch", "coach"),
        ("tone set", "bowls", "bowl"),
        ("voice", "silence", "silent"),
    ):
        problem = told(problems, f"no {kind} called")
        assert problem.mark == place(path, wrong)
        assert f"`{near}`" in problem.hint
    assert told(problems, "expected a whole number, found 'much'").mark.file.endswith("curl.yaml")


def test_an_unknown_exercise_is_told_with_the_nearest(put: Put, library: Library) -> None:
    path = put("sessions/mine.yaml", "title: Mine\nexercises: [brigde]\n")
    problem = told(check_path(path, library), "no exercise called `brigde`")
    assert problem.mark == place(path, "brigde")
    assert "`bridge`" in problem.hint


@pytest.mark.parametrize(
    ("message", "word", "text"),
    [
        ("points at something", "like this", exercise(finish="Rest, like this, for a while.")),
        ("points at something", "Watch", exercise(tips="[Watch your knees.]")),
        ("points at something", "Pon", exercise(caution="Pon la mano aquí.")),
        ("is longer than the full", "Lie | Lie down", exercise(setup="Lie | Lie down at once.")),
        ("no brief text", "Inhale, grow", exercise(rep="[{inhale 4: 'Inhale, grow very long.'}]")),
        ("`tips:` is empty", "tips", exercise(tips="[]")),
        ("`tips:` is empty", "tips", exercise(tips="", levels="{2: {tips: }}")),
        ("names one side", "right", exercise(LIFT, finish="Rest your right leg.")),
        ("names one side", "left", exercise(LIFT, levels="{2: {finish: Rest the left leg.}}")),
        (
            "nothing says how to change sides",
            "name",
            exercise(LIFT, position="side-lying", switch=""),
        ),
    ],
)
def test_warnings_stand_at_the_word(
    message: str, word: str, text: str, put: Put, library: Library
) -> None:
    path = put("exercises/one.yaml", text)
    problems = check_path(path, library)
    assert [one.severity for one in problems] == ["warning"]
    mark = told(problems, message).mark
    assert mark.line == place(path, word).line
    # A text that is quoted begins with its quote.
    assert abs(mark.column - place(path, word).column) <= 1


def test_what_only_sounds_alike_is_let_be(put: Put, library: Library) -> None:
    text = exercise(
        LIFT,
        tips="['There is nothing left to do.', 'Move right away.', 'A hundred watches, overseen.']",
        caution="{% if side == 'right' %}Mind the right.{% else %}Mind the left.{% endif %}",
        finish="Two breaths left.",
    )
    quoted = re.sub(r"caution: (.*)", r'caution: "\1"', text)
    assert check_path(put("exercises/one.yaml", quoted), library) == []


def test_changes_in_a_session_are_read_like_exercises(put: Put, library: Library) -> None:
    put("exercises/lift.yaml", LIFT)
    text = "title: Mine\nexercises:\n  - lift: {finish: Lower your left leg like this.}\n"
    path = put("sessions/mine.yaml", text)
    problems = check_path(path, library)
    assert told(problems, "`left` names one side").mark == place(path, "left")
    assert told(problems, "`like this` points").mark == place(path, "like this")


def test_phrases_are_run_and_read(put: Put, library: Library) -> None:
    source = """\
{% macro welcome() %}Look at me.{% endmacro %}
{% macro remaining() %}{{ 60 // remaining }} minutes{% endmacro %}
{% macro swich() %}Change.{% endmacro %}
{% macro rest() %}Rest. | Rest a little longer than that.{% endmacro %}
{# here is a note #}
"""
    path = put("phrases/mine.j2", source)
    problems = check_path(path, library)
    assert told(problems, "`Look at me` points").mark == place(path, "Look")
    assert told(problems, "macro `remaining`").mark == place(path, "// remaining")
    assert "`switch`" in told(problems, "macro `swich`").hint
    assert "longer than the full" in told(problems, "macro `rest`").message
    assert len(problems) == 4


def test_unknown_variables_and_loops_in_phrases_are_errors(put: Put, library: Library) -> None:
    path = put("phrases/mine.j2", "{% macro rest() %}{{ nmae }}{% endmacro %}\n")
    problem = told(check_path(path, library), "unknown variable `nmae`")
    assert (problem.mark, problem.severity) == (place(path, "nmae"), "error")
    path = put("phrases/mine.j2", "{% macro rest() %}{% for x in y %}{% endfor %}{% endmacro %}")
    assert check_path(path, library)


def test_paces_positions_settings_and_tone_sets(put: Put, library: Library) -> None:
    pace = put("paces/slow.yaml", "tempo: fast\ntones: bowls\n")
    assert told(check_path(pace, library), "expected a number, found 'fast'").mark == place(
        pace, "fast"
    )
    pace = put("paces/slow.yaml", "tempo: 0.8\ntones: bowls\n")
    assert told(check_path(pace, library), "no tone set called `bowls`").mark.line == 2
    settings = put("settings.yaml", "voice: silnt\nknown: [bridge, bride]\npace: claim\n")
    problems = check_path(settings, library)
    assert told(problems, "`bride`").mark == place(settings, "bride]")
    assert {one.mark.line for one in problems} == {1, 2, 3}
    places = (BUNDLED / "phrases" / "positions.yaml").read_text(encoding="utf-8")
    mine = put("phrases/positions.yaml", places.replace("supine: on your back", ""))
    assert told(check_path(mine, library), "`names:` has no entry for supine")
    tones = put("sounds/mine.yaml", "about: Mine.\nlike: bowls\n")
    assert told(check_path(tones, library), "bowls").mark == place(tones, "bowls")


def test_a_language_nobody_speaks_is_told_where_it_stands(put: Put, library: Library) -> None:
    path = put("sessions/mine.yaml", "title: Mine\nlanguage: fr\nexercises: [bridge]\n")
    (found,) = check_path(path, library)
    assert (found.mark.line, found.mark.column, found.severity) == (2, 11, "warning")
    assert "no phrases in `fr`" in found.message
    put("phrases/coach.fr.j2", "{% macro end() %}Merci.{% endmacro %}\n")
    assert check_path(path, library) == []
    path = put("sessions/mine.yaml", "title: Mine\nlanguage: xx\nexercises: [bridge]\n")
    assert "no voice speaks `xx`" in {one.message for one in check_path(path, library)}
    spanish = put("sessions/mia.yaml", "title: Mia\nlanguage: es\nexercises: [bridge]\n")
    assert not any("es`" in one.message for one in check_path(spanish, library))


def test_a_folder_is_searched_and_told_once(
    put: Put, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put("exercises/curl.yaml", exercise(reps="many"))
    put("sessions/mine.yaml", "title: Mine\nexercises: [curl]\n")
    put("exercises/old.yaml.txt", "x")
    put("exercises/README.md", "x")
    put("sounds/lost.wav", b"RIFF")
    put(".hidden/bad.yaml", ": :")
    monkeypatch.chdir(tmp_path)
    problems = check_path(Path("user"), library)
    assert [one.mark.file for one in problems] == [
        str(Path("user") / name)
        for name in ("exercises/curl.yaml", "exercises/old.yaml.txt", "sounds/lost.wav")
    ]
    assert [one.severity for one in problems] == ["error", "warning", "warning"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("exercises/photo.jpg", b"\xff\xd8", "the file is not a script"),
        ("exercises/latin.yaml", b"name: caf\xe9\n", "the file is not UTF-8 text"),
        ("exercises/broken.yaml", b"name: [x\n", "invalid YAML"),
        ("exercises/list.yaml", b"- a\n- b\n", "as `key: value` lines, found a list"),
        ("exercises/empty.yaml", b"", "as `key: value` lines, found nothing"),
        ("exercises/twice.yaml", b"name: A\nname: B\n", "duplicate key `name`"),
        ("other/thing.yaml", b"version: 3\nservices: {}\n", "not a kind of script"),
        ("phrases/latin.j2", b"caf\xe9", "the file is not UTF-8 text"),
    ],
)
def test_what_is_no_script_is_an_error(
    name: str, data: bytes, message: str, put: Put, library: Library
) -> None:
    problem = told(check_path(put(name, data), library), message)
    assert problem.severity == "error"


def test_nothing_there_is_an_error(library: Library, tmp_path: Path) -> None:
    assert told(check_path(tmp_path / "gone.yaml", library), "no such file")
    assert told(check_path(tmp_path, library), "no scripts in this folder").hint


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("exercise", "a/curl.yaml", CURL),
        ("session", "a/mine.yaml", GOOD),
        ("pace", "a/slow.yaml", "tempo: 0.8\ntones: bowl\n"),
        ("settings", "a/prefs.yaml", "with: [ball]\nknown: [bridge]\ntempo: 1\n"),
        ("settings", "a/settings.yaml", "tempo: 0.8\n"),
        ("sounds", "a/tones.yaml", "about: Mine.\nlike: bowl\nswitch: none\n"),
        ("positions", "a/positions.es.yaml", "names: {}\n"),
        ("phrases", "a/mine.j2", ""),
        ("exercise", "sessions/curl.yaml", CURL),
        ("session", "sessions/bad.yaml", "exercises: [bridge]\n"),
        (None, "a/other.yaml", "version: 3\n"),
    ],
)
def test_a_script_is_known_by_its_folder_or_its_keys(
    kind: str | None, name: str, text: str, put: Put
) -> None:
    assert kind_of(put(name, text)) == kind


# The proof


@pytest.mark.parametrize("detail", ["full", "brief", "tones"])
@pytest.mark.parametrize("pace", PACES)
def test_a_good_session_is_clean(pace: str, detail: str, proved: Callable[..., Proof]) -> None:
    proof = proved(GOOD, pace=pace, pacing=(("detail", detail),))
    assert proof.findings == ()
    assert (proof.exercises, proof.sides, proof.position_changes) == (2, 1, 0)
    assert proof.fits
    assert proof.sides_equal
    assert "followed with eyes closed" in summary(proof)


def test_what_a_script_holds_does_nothing_to_a_terminal(proved: Callable[..., Proof]) -> None:
    """A mark that turns the direction of a line was printed as it stood."""
    odd = exercise(tips='["\u202e{}"]'.format("A long tip. " * 60))
    told = summary(proved(session(odd).replace("title: ", "title: \u202e")))
    assert "“\\u202eA long tip" in told
    assert "\\u202eOne" in told
    assert all(one.isprintable() or one == "\n" for one in told)


@pytest.mark.parametrize("name", SESSIONS)
def test_the_bundled_sessions_are_clean(name: str, proved: Callable[..., Proof]) -> None:
    for pace in PACES:
        for level in (1, 2, 3):
            proof = proved(name, pace=pace, level=level)
            assert proof.findings == (), (pace, level, summary(proof))


def snug(room_ms: int, rate: int) -> str:
    """A text that just fits: one more short word would be too long."""
    text = "Exhale"
    while estimate(f"{text} long", rate) <= room_ms:
        text += " long"
    return text


# Steady: 4 s of breath less the air, at 145 words a minute.
SNUG = snug(3_744, 145)
WORDY = "Exhale, and let everything that is heavy in you sink into the floor, bit by bit, for good."

BAD: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "full too long": (
        "does-not-fit", "warning",
        session(exercise(rep=f"['exhale 4': '{WORDY} | Exhale.']")), {},
    ),
    "brief too long": (
        "does-not-fit", "error",
        session(exercise(rep=f"['exhale 4': '{WORDY} Yes. | {WORDY}']")), {},
    ),
    "announcement": (
        "not-announced", "warning",
        session(exercise(rep="['inhale 0.7': In., 'exhale 5': Exhale.]")), {},
    ),
    "a tip for a book": (
        "tip-unsaid", "warning",
        session(exercise(tips=f"['{WORDY} {WORDY}']")), {},
    ),
    "a tip in a flow": (
        "tip-unsaid", "warning",
        session(exercise(rep="", reps="", flow="['inhale 4': Inhale.]")), {},
    ),
    "too much talk": (
        "speech-density", "warning",
        session(exercise(setup=" ".join([WORDY] * 12), reps="1")), {},
    ),
    "too little talk": (
        "speech-density", "warning",
        session(exercise(rep="[pause 19]", reps="40")),
        {"phrases": "terse", "pacing": (("count", "none"),)},
    ),
    "long silence": (
        "long-silence", "error",
        session(exercise(rep="['pause 40': Breathe.]")), {"pacing": (("count", "none"),)},
    ),
    "side in a fixed word": (
        "wrong-side", "error",
        session(exercise(LIFT, rep="['exhale 5': 'Exhale, lift your right leg. | Lift.']")), {},
    ),
    "side in a tip": (
        "wrong-side", "error",
        session(exercise(LIFT, reps="6", tips="[Keep your left knee soft.]")), {},
    ),
    "restless": (
        "many-positions", "warning",
        session(*(exercise(position=one) for one in ("supine", "seated", "supine"))), {},
    ),
    "hard at once": (
        "early-effort", "warning",
        session(exercise(effort="hard"), *(exercise(LIFT, reps="12") for _ in range(3))), {},
    ),
    "to be seen": (
        "must-be-seen", "error",
        session(exercise(finish="Rest, as shown.")), {},
    ),
    "perhaps to be seen": (
        "must-be-seen", "warning",
        session(exercise(finish="Rest and look at your feet.")), {},
    ),
    "to be seen, about": (
        "must-be-seen", "error",
        session(CURL, about="Follow me."), {},
    ),
    "a chair out of the blue": (
        "not-listed", "error",
        session(exercise(setup="Lie down, both feet on a chair.")), {},
    ),
    "an exercise begins without words": (
        "no-setup", "error",
        session(exercise(setup="'{% if level > 1 %}Bend both knees.{% endif %}'")), {},
    ),
    "no breath": (
        "no-breath", "warning",
        session(exercise(purpose="", rep="['hold 5': 'Stay long. | Stay.']")), {},
    ),
    "Spanish, to be seen": (
        "must-be-seen", "error",
        session(exercise(finish="Descansa, como ves."), language="es"), {},
    ),
    "Spanish, the wrong side": (
        "wrong-side", "error",
        session(exercise(LIFT, rep="['exhale 5': 'Exhala, sube la pierna izquierda. | Sube.']"),
                language="es"), {},
    ),
    "Spanish, a chair": (
        "not-listed", "error",
        session(exercise(setup="Siéntate en una silla."), language="es"), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_bad_is_found(case: str, proved: Callable[..., Proof], put: Put) -> None:
    rule, severity, text, options = BAD[case]
    if options.get("phrases") == "terse":
        silent = ("pause", "last", "more", "halfway")
        put("phrases/terse.j2", "".join(f"{{% macro {m}() %}}{{% endmacro %}}\n" for m in silent))
    proof = proved(text, **options)
    finding = only(proof, rule)
    assert finding.severity == severity
    assert finding.message
    assert 0 <= finding.start_ms < proof.length_ms
    assert finding.mark is not None
    assert finding.mark.file.endswith("the-session.yaml")


@pytest.mark.parametrize(
    ("rule", "severity", "macros"),
    [
        ("side-not-named", "error", {"sides": ""}),
        ("side-not-named", "error", {"switch": "Change over."}),
        ("next-not-named", "warning", {"next": "Go on."}),
        ("no-name", "error", {"exercise": ""}),
        ("no-end", "warning", {"end": ""}),
        ("counts-cut", "warning", {"count": "This is number {{ n }} of several."}),
        ("must-be-seen", "warning", {"welcome": "Look who has come."}),
    ],
)
def test_phrases_that_leave_something_out(
    rule: str, severity: str, macros: dict[str, str], proved: Callable[..., Proof], put: Put
) -> None:
    source = "".join(f"{{% macro {k}() %}}{v}{{% endmacro %}}\n" for k, v in macros.items())
    put("phrases/mine.j2", source)
    text = GOOD.replace("Bend both knees, {{ side }} leg ready to move.", "Bend both knees.")
    text = text.replace("Let your {{ other_side }} leg rest.", "Let that leg rest.")
    text = text.replace("Exhale, lift your {{ side }} leg.", "Exhale, lift that leg.")
    assert only(proved(text, phrases="mine"), rule).severity == severity


def test_an_end_needs_words_or_a_signal(proved: Callable[..., Proof], put: Put) -> None:
    put("sounds/still.yaml", "about: Still.\nlike: bowl\nend: none\nchange: none\n")
    put("phrases/mute.j2", "{% macro end() %}{% endmacro %}{% macro finish() %}{% endmacro %}")
    assert only(proved(GOOD, tones="still"), "no-end").severity == "warning"
    proof = proved(GOOD, tones="still", phrases="mute")
    assert only(proof, "no-end").severity == "error"
    assert only(proof, "no-finish").exercise == "Lift"


def test_a_text_fits_at_the_tempo_that_is_told(proved: Callable[..., Proof]) -> None:
    text = session(
        exercise(rep="[{exhale 4: 'Exhale, and sink into the floor, bit by bit. | Sink.'}]")
    )
    finding = only(proved(text, pacing=(("tempo", 1.6),)), "does-not-fit")
    assert re.search(r"it needs \d\.\d\d s and has \d\.\d\d s", finding.message)
    match = re.search(r"tempo (\d\.\d\d)", finding.hint)
    assert match
    tempo = float(match[1])
    assert proved(text, pacing=(("tempo", tempo),)).fits
    assert not proved(text, pacing=(("tempo", tempo + 0.08),)).fits


def test_the_same_finding_is_told_once(proved: Callable[..., Proof]) -> None:
    proof = proved(BAD["brief too long"][2])
    found = [one for one in proof.findings if one.rule == "does-not-fit"]
    assert len(found) == 2
    assert all(one.count > 1 for one in found)


# What the arranger must never do, done to a finished score.


def test_speech_over_speech_and_without_air(library: Library, put: Put) -> None:
    decision, made = decided(library, put, GOOD)
    speech = [n for n, event in enumerate(decision.score.events) if event.kind == "speech"]
    before, after = speech[1], speech[2]
    events = list(decision.score.events)
    for gap, rule in ((-500, "overlap"), (24, "no-air")):
        start = events[before].end_ms + gap
        changed = [*events[:after], replace(events[after], start_ms=start), *events[after + 1 :]]
        score = replace(decision.score, events=tuple(changed))
        assert only(prove(replace(decision, score=score), made.tones), rule).severity == "error"


def test_speech_after_quiet_needs_a_wake_tone(library: Library, put: Put) -> None:
    decision, made = decided(library, put, GOOD)
    events = tuple(event for event in decision.score.events if event.name != "wake")
    assert len(events) < len(decision.score.events)
    asleep = replace(decision, score=replace(decision.score, events=events))
    assert only(prove(asleep, made.tones), "no-wake").severity == "error"


def test_sides_that_are_unequal_or_rushed(library: Library, put: Put) -> None:
    decision, made = decided(library, put, GOOD)
    last = max(n for n, moment in enumerate(decision.plan.moments) if moment.side == "left")
    moments = list(decision.plan.moments)
    moments[last] = replace(moments[last], side="right")
    unequal = replace(decision, plan=replace(decision.plan, moments=tuple(moments)))
    proof = prove(unequal, made.tones)
    assert only(proof, "unequal-sides").severity == "error"
    assert not proof.sides_equal
    assert "NOT EQUAL" in summary(proof)
    bouts = tuple(
        replace(bout, pacing=replace(bout.pacing, switch_time=60.0)) for bout in decision.plan.bouts
    )
    rushed = replace(decision, plan=replace(decision.plan, bouts=bouts))
    assert only(prove(rushed, made.tones), "switch-short").severity == "error"


@pytest.mark.parametrize(
    ("rule", "severity", "seconds", "say"),
    [
        ("no-way", "error", "9", '"{% if side %}Rise.{% endif %}"'),
        ("no-time-to-move", "error", "0", "Stand."),
        ("long-way-words", "warning", "3", f'"{WORDY} {WORDY} {WORDY}"'),
    ],
)
def test_changes_of_position_have_words_and_time(
    rule: str, severity: str, seconds: str, say: str, proved: Callable[..., Proof], put: Put
) -> None:
    places = (BUNDLED / "phrases" / "positions.yaml").read_text(encoding="utf-8")
    way = re.compile(r"from: supine, to: standing, seconds: \d+,\s+say: \"[^\"]*\"")
    assert way.search(places)
    mine = f"from: supine, to: standing, seconds: {seconds}, say: {say}"
    put("phrases/positions.yaml", way.sub(lambda _: mine, places))
    text = session(CURL, exercise(position="standing"))
    assert only(proved(text), rule).severity == severity


def test_the_proof_as_json_and_as_a_page(proved: Callable[..., Proof]) -> None:
    for text in (GOOD, *(case[2] for case in BAD.values())):
        proof = proved(text)
        read = json.loads(json.dumps(proof.to_dict()))
        assert read["length_ms"] == proof.length_ms
        assert len(read["findings"]) == len(proof.findings)
        page = summary(proof).splitlines()
        assert all(len(line) <= 80 or line.strip().startswith("/") for line in page)
        assert page[0] == proof.title
        assert any(proof.voice in line for line in page)
    assert read["findings"][0]["mark"]["line"] > 0


# Words


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Lift your right leg.", {"right"}),
        ("Right over left.", {"right", "left"}),
        ("Right.", {"right"}),
        ("Two minutes left.", set()),
        ("That's right, all right, right away.", set()),
        ("A bright, leftover upright.", set()),
    ],
)
def test_sides_named_in_english(text: str, named: set[str]) -> None:
    assert set(sides(text, "en")) == named


def test_sides_named_in_other_languages() -> None:
    assert set(sides("Sube la pierna derecha.", "es")) == {"right"}
    assert set(sides("Siéntate derecha, con la espalda derecha.", "es")) == set()
    assert set(sides("Le bras gauche.", "fr", {"right": "droit", "left": "gauche"})) == {"left"}
    assert sides("Le bras gauche.", "fr") == {}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Put the weight down beside the mat.", {"weight", "mat"}),
        ("Shift your weight onto the balls of your feet.", set()),
        ("Sit back, as if onto a chair.", set()),
        ("Sit on a chair, as if it were yours.", {"chair"}),
        ("Circle your arm, and draw in your belly wall.", set()),
        ("Hold the ball, feet on the wall.", {"ball", "wall"}),
    ],
)
def test_things_that_are_asked_for(text: str, asked: set[str]) -> None:
    assert set(things(text, "en")) == asked


def test_an_exercise_that_would_last_for_days_is_told_of_without_rendering_it(
    put: Put, library: Library
) -> None:
    for reps in (10_000, 60):
        text = "name: Arm\nposition: standing\nsetup: Stand.\n"
        text += f"reps: {reps}\nrep:\n" + "  - inhale 1: In.\n" * 1_000
        with little_work():
            problems = check_path(put("exercises/arm.yaml", text), library)
        assert [one.severity for one in problems] == ["error"] * (reps > 60)
        assert all("too long: 2,800 hours" in one.message for one in problems)


INTERVALS = """\
title: Intervals
exercises:
  - {name: March, position: standing, setup: Stand tall., work: 20s, rest: REST}
  - {name: Squat, position: standing, setup: Stand with your feet wide., work: 20s, rest: REST}
  - {name: Lunge, position: standing, setup: Stand with one foot in front., work: 20s}
"""


def works(decision: Decision) -> list[tuple[int, int]]:
    """Start and end of each interval."""
    return [
        (start, start + moment.least_ms)
        for moment, start in zip(decision.plan.moments, decision.arranged.starts, strict=True)
        if moment.kind == "work"
    ]


@pytest.mark.parametrize("rest", [0, 1, 2, 3, 5, 8, 10, 15, 30])
@pytest.mark.parametrize("detail", ["full", "brief", "tones"])
def test_a_written_rest_between_intervals_is_exact(
    detail: str, rest: int, library: Library, put: Put
) -> None:
    text = INTERVALS.replace("REST", f"{rest}s")
    decision, _ = decided(library, put, text, pacing=(("detail", detail),))
    rests = [after - end for (_, end), (after, _) in pairwise(works(decision))]
    assert rests == [snap(rest * 1000)] * 2


def test_what_a_written_rest_has_no_room_for_is_told(proved: Callable[..., Proof]) -> None:
    # The work has no room for it either.
    short = INTERVALS.replace("20s", "8s")
    proof = proved(short.replace("REST", "5s"))
    assert {one.rule for one in proof.findings} == {"left-out"}
    squat, lunge = proof.findings
    assert (squat.exercise, lunge.exercise) == ("Squat", "Lunge")
    assert "5 s has no room for “Stand with your feet wide.” (setup of Squat" in squat.message
    assert (squat.mark.line, lunge.mark.line) == (4, 5)  # type: ignore[union-attr]
    # The advice works: with the longest rest that is told, everything is said.
    seconds = max(re.findall(r"`rest: ([\d.]+)s`", squat.hint + lunge.hint), key=float)
    assert proved(short.replace("REST", f"{seconds}s")).findings == ()


@pytest.mark.parametrize("rest", ["0s", "5s"])
def test_what_the_work_before_a_short_rest_says_is_not_missed(
    rest: str, proved: Callable[..., Proof]
) -> None:
    assert proved(INTERVALS.replace("REST", rest)).findings == ()
    # The side that works is another than the one of which the next set-up speaks.
    text = INTERVALS.replace("work: 20s, rest: REST}", "work: 20s, sides: each, rest: REST}", 1)
    text = text.replace("with your feet wide", "on your right foot").replace("REST", rest)
    assert not [one for one in proved(text).findings if one.rule == "wrong-side"]


def test_what_must_be_taught_follows_a_rest_too_short_for_it(proved: Callable[..., Proof]) -> None:
    after = INTERVALS.replace("work: 20s}", "reps: 2, rep: [inhale 3: In., exhale 3: Out.]}")
    proof = proved(after.replace("REST", "5s"))
    told = only(proof, "rest-longer")
    assert told.exercise == "Squat"
    assert "5 s are written: Lunge has to be introduced" in told.message
    assert told.mark.line == 4  # type: ignore[union-attr]
    (seconds,) = re.findall(r"`rest: ([\d.]+)s`", told.hint)
    again = proved(after.replace("REST", f"{seconds}s"))
    assert not [one for one in again.findings if one.rule in ("rest-longer", "left-out")]


@pytest.mark.parametrize("rest", ["45s", "2 min", "5 min"])
def test_a_long_written_rest_is_no_long_silence(rest: str, proved: Callable[..., Proof]) -> None:
    after = INTERVALS.replace("work: 20s}", "reps: 2, rep: [inhale 3: In., exhale 3: Out.]}")
    for text in (INTERVALS, after):
        assert "long-silence" not in {
            one.rule for one in proved(text.replace("REST", rest)).findings
        }


def test_a_silence_that_its_words_make_longer_is_told(proved: Callable[..., Proof]) -> None:
    flow = "flow: [silence 4s: WORDS, silence 20s, say: Good.]"
    text = f"title: T\nexercises:\n  - name: Rest Now\n    position: supine\n    {flow}\n"
    long = "Let your heels be heavy and wide and let your ribs be soft while you breathe."
    told = only(proved(text.replace("WORDS", long)), "silence-longer")
    assert "4 s are written" in told.message
    assert told.mark.line == 5  # type: ignore[union-attr]
    assert "silence-longer" not in {
        one.rule for one in proved(text.replace("WORDS", "Rest.")).findings
    }


def test_an_odd_number_in_turn_is_told(proved: Callable[..., Proof]) -> None:
    text = GOOD_TURN.replace("REPS", "3")
    told = only(proved(text), "uneven")
    assert "4 are done" in told.message
    assert "uneven" not in {one.rule for one in proved(GOOD_TURN.replace("REPS", "4")).findings}


def test_an_odd_number_in_turn_is_told_at_every_level_with_its_place(
    proved: Callable[..., Proof], put: Put, library: Library
) -> None:
    levels = "    levels: {2: {reps: 5, sides: alternate}, 3: {sides: alternate}}\n"
    text = GOOD_TURN.replace("    sides: alternate\n", "").replace("REPS", "7") + levels
    assert not [one for one in proved(text).findings if one.rule == "uneven"]
    for level, line, written in ((2, 8, 5), (3, 6, 7)):
        told = only(proved(text, level=level), "uneven")
        assert f"`reps: {written}` is odd" in told.message
        assert told.mark is not None
        assert told.mark.line == line
    # A file of an exercise is checked at all its levels.
    own = "\n".join(line[4:] for line in text.splitlines()[2:])
    path = put("exercises/reach.yaml", own)
    lines = {one.mark.line for one in check_path(path, library) if "is odd for" in one.message}
    assert lines == {4, 6}


def test_a_cue_that_begins_like_its_brief_version_is_no_announcement(
    proved: Callable[..., Proof],
) -> None:
    text = GOOD_TURN.replace("REPS", "6").replace("Reach.", "Reach your arm far | Reach")
    assert not [one for one in proved(text).findings if "“Reach”" in one.message]


GOOD_TURN = """\
title: In Turn
exercises:
  - name: Reach Out
    position: supine
    setup: On your back, arms up.
    sides: alternate
    reps: REPS
    rep: [exhale 4: Reach., inhale 4: Inhale.]
"""


def test_what_only_the_pace_says_is_no_written_rest(proved: Callable[..., Proof]) -> None:
    text = INTERVALS.replace(", rest: REST", "")
    assert not [one for one in proved(text).findings if one.rule == "rest-longer"]
