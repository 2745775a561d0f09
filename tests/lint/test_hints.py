"""Whoever follows the hint of a finding is rid of it; and what is fine is not found at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import BUNDLED
from proving import found, move, proof_of, script, written

from voiceflow.lint import Proof, check_path
from voiceflow.script.lookup import Library

Put = Callable[..., Path]
Proving = Callable[..., Proof]

LIFT = {
    "name": "Lift",
    "position": "supine",
    "setup": "Lie on your back.",
    "reps": 4,
    "sides": "each",
    "rep": [{"inhale 4": "Inhale."}, {"exhale 5": "Exhale, lift. | Lift."}],
}
EASY = move(name="Rest Well", rep=[{"inhale 5": "Inhale."}, {"exhale 5": "Exhale."}])
MUTE = "{% macro finish() %}{% endmacro %}{% macro rest() %}{% endmacro %}"
NO_END = "{% macro end() %}{% endmacro %}"


@pytest.fixture
def proved(library: Library, put: Put) -> Proving:
    silent = "".join(f"{name}: none\n" for name in ("end", "change", "bell", "hold"))
    put("sounds/still.yaml", f"about: Still.\nlike: none\n{silent}")
    return partial(proof_of, library, put)


# rule, part of the hint, the script, the script as the hint has it, options.
FOLLOWED: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "a side in a fixed word": (
        "wrong-side", "{{ side }} or {{ other_side }}",
        script({**LIFT, "rep": [{"exhale 5": "Exhale, lift your right leg."}]}),
        script({**LIFT, "rep": [{"exhale 5": "Exhale, lift your {{ side }} leg."}]}), {},
    ),
    "the other side in a fixed word": (
        "wrong-side", "{{ side }} or {{ other_side }}",
        script({**LIFT, "rep": [{"exhale 5": "Exhale, press your left leg down."}]}),
        script({**LIFT, "rep": [{"exhale 5": "Exhale, press your {{ other_side }} leg down."}]}),
        {},
    ),
    "a side in the set-up": (
        "side-not-named", "in the set-up", script(LIFT),
        script({**LIFT, "setup": "Lie on your back, {{ side }} leg ready."}), {"phrases": "mine"},
    ),
    "many positions": (
        "many-positions", "group exercises",
        script(EASY, move(position="seated"), {**EASY, "name": "Rest More"}),
        script(EASY, {**EASY, "name": "Rest More"}, move(position="seated")), {},
    ),
    "hard early": (
        "early-effort", "move it later",
        script(move(effort="hard"), EASY, {**EASY, "name": "B"}, {**EASY, "name": "C"}),
        script(EASY, {**EASY, "name": "B"}, {**EASY, "name": "C"}, move(effort="hard")), {},
    ),
    "no set-up": (
        "no-setup", "write it under `setup:`",
        script(move(setup="{% if level > 1 %}Bend both knees.{% endif %}")),
        script(move(setup="Bend both knees.")), {},
    ),
    "no breath, in the set-up": (
        "no-breath", "describe the breath in the set-up",
        script(move(rep=[{"hold 5": "Stay."}])),
        script(move(rep=[{"hold 5": "Stay."}], setup="Lie down, and breathe as you like.")), {},
    ),
    "no breath, in the phases": (
        "no-breath", "inhale and exhale under `rep:`",
        script(move(rep=[{"hold 5": "Stay."}])), script(move(rep=[{"exhale 5": "Stay."}])), {},
    ),
    "no finish": (
        "no-finish", "write `finish:`",
        script(move(), tones="still"), script(move(finish="Rest."), tones="still"),
        {"phrases": "mute"},
    ),
    "no finish, with a tone set": (
        "no-finish", "a tone set that has `change`",
        script(move(), tones="still"), script(move(), tones="bowl"), {"phrases": "mute"},
    ),
    "no end": (
        "no-end", "a tone set that has `end`",
        script(move(), tones="still"), script(move(), tones="bowl"), {},
    ),
    "a thing": (
        "not-listed", "write `needs: [chair]` in the exercise",
        script(move(setup="Lie down, both feet on a chair.")),
        script(move(setup="Lie down, both feet on a chair.", needs=["chair"])), {},
    ),
    "a thing beside others": (
        "not-listed", "write `needs: [towel, chair]` in the exercise",
        script(move(setup="Lie on a towel, both feet on a chair.", needs=["towel"])),
        script(move(setup="Lie on a towel, both feet on a chair.", needs=["towel", "chair"])), {},
    ),
    "a thing beside those of the session": (
        "not-listed", "write `needs: [towel, chair]` in the session",
        script(move(setup="Lie on a towel, both feet on a chair."), needs=["towel"]),
        script(move(setup="Lie on a towel, both feet on a chair."), needs=["towel", "chair"]), {},
    ),
    "a long hold": (
        "long-silence", "count it (`count: down`)",
        script(move(rep=[{"hold 30": "Hold."}], count="none"), tones="still"),
        script(move(rep=[{"hold 30": "Hold."}], count="down"), tones="still"), {},
    ),
    "a long hold, with a tone": (
        "long-silence", "a tone set that has `hold`",
        script(move(rep=[{"hold 30": "Hold."}], count="none"), tones="still"),
        script(move(rep=[{"hold 30": "Hold."}], count="none"), tones="bowl"), {},
    ),
    "a long pause": (
        "long-silence", "part it in two",
        script(move(rep=[{"pause 30": "Breathe."}])),
        script(move(rep=[{"pause 15": "Breathe."}, {"pause 15": "Breathe on."}])), {},
    ),
    "a long pause in a flow": (
        "long-silence", "a `silence` step",
        script(move(rep=None, reps=None, flow=["pause 30", {"exhale 4": "Exhale."}])),
        script(move(rep=None, reps=None, flow=["silence 30", {"exhale 4": "Exhale."}])), {},
    ),
    "a long change of sides": (
        "long-silence", "make `switch_time` shorter",
        script({**LIFT, "switch_time": 40}), script({**LIFT, "switch_time": 15}), {},
    ),
    "too little talk": (
        "speech-density", "add a few cues",
        script(move(rep=["pause 19"], reps=40)),
        script(move(rep=[{"pause 19": "Breathe, soft and slow, and rest in the long breath out."}],
                    reps=40)),
        {"phrases": "terse"},
    ),
    "a breath with a unit": (
        "breath-scaled", "write `inhale 4`, without a unit",
        script(move(rep=[{"inhale 4s": "Inhale."}])), script(move(rep=[{"inhale 4": "Inhale."}])),
        {"pace": "calm"},
    ),
    "a breath with a unit, to be kept": (
        "breath-scaled", "`tempo: 1` in the exercise",
        script(move(exhale="5 s")), script(move(exhale="5 s", tempo=1)), {"pace": "calm"},
    ),
    "a unit beside one's own breath": (
        "breath-scaled", "write `inhale 4`, without a unit",
        script(move(rep=None, reps=None, flow=[{"inhale 4s": "Inhale."}, {"say": "Good."}])),
        script(move(rep=None, reps=None, flow=[{"inhale 4": "Inhale."}, {"say": "Good."}])),
        {"pacing": (("breath_in", 6.0),)},
    ),
    "too much talk": (
        "speech-density", "fewer words",
        script(move(setup="Lie down, and rest. " * 60, reps=1)), script(move()), {},
    ),
}  # fmt: skip
PHRASES = {
    "mine": "{% macro sides() %}{% endmacro %}",
    "mute": MUTE,
    "terse": "".join(
        f"{{% macro {name}() %}}{{% endmacro %}}" for name in ("pause", "last", "more", "halfway")
    ),
}


@pytest.mark.parametrize("case", FOLLOWED)
def test_whoever_follows_the_hint_is_rid_of_the_finding(
    case: str, proved: Proving, put: Put
) -> None:
    rule, part, text, mended, options = FOLLOWED[case]
    for name, source in PHRASES.items():
        put(f"phrases/{name}.j2", source)
    told = found(proved(text, **options), rule)
    assert told, case
    assert part in told[0].hint
    assert not found(proved(mended, **options), rule)


def test_a_breath_with_a_unit_is_told_with_its_place_where_it_is_not_kept(proved: Proving) -> None:
    text = script(move(rep=[{"inhale 4s": "Inhale."}, {"hold 2s": "Hold."}, {"exhale 5": "Out."}]))
    (told,) = found(proved(text, pace="calm"), "breath-scaled")
    assert told.mark
    assert "inhale 4s" in text.splitlines()[told.mark.line - 1]
    assert "lasts 4.4 s" in told.message
    # By hand, a tempo counts for all exercises.
    (told,) = found(proved(text, pacing=(("tempo", 0.8),)), "breath-scaled")
    assert "5.0 s" in told.message
    assert "tempo" not in told.hint
    assert not found(proved(text), "breath-scaled")
    assert not found(proved(text.replace("4s", "4"), pace="calm"), "breath-scaled")


@pytest.mark.parametrize(
    ("seconds", "mended", "part"),
    [("0", "12", "raise the seconds"), ("3", "14", "`transition`")],
)
def test_the_hint_for_a_hurried_move_helps(
    seconds: str, mended: str, part: str, proved: Proving, put: Put
) -> None:
    places = (BUNDLED / "phrases" / "positions.yaml").read_text(encoding="utf-8")
    way = re.compile(r"from: supine, to: standing, seconds: \d+,\s+say: \"[^\"]*\"")

    def told(length: str) -> list[str]:
        mine = f'from: supine, to: standing, seconds: {length}, say: "Stand."'
        put("phrases/positions.yaml", way.sub(lambda _: mine, places))
        proof = proved(script(move(), move(name="Up", position="standing")))
        return [one.hint for one in found(proof, "no-time-to-move")]

    (hint,) = told(seconds)
    assert part in hint
    assert told(mended) == []


# What is fine.


def flow(*steps: Any, **changes: Any) -> dict[str, Any]:
    return move(**{"rep": None, "reps": None, "setup": None, "flow": list(steps), **changes})


@pytest.mark.parametrize("tones", ["bowl", "still"])
@pytest.mark.parametrize(
    "steps",
    [
        ["bell"],
        [{"say": "And come back to the room."}],
        ["silence 5s"],
        [{"exhale 6": "Exhale."}],
    ],
)
def test_a_flow_ends_with_its_last_step_or_what_follows(
    steps: list[Any], tones: str, proved: Proving
) -> None:
    first = flow({"say": "Sit tall."}, {"inhale 4": "Inhale."}, *steps, position="seated")
    second = flow({"inhale 4": "Inhale."}, *steps, name="Count", position="seated")
    proof = proved(script(first, second, tones=tones))
    assert [one for one in proof.findings if one.severity == "error"] == []
    assert not found(proof, "next-not-named")


def test_a_flow_whose_end_nobody_hears_is_told(proved: Proving, put: Put) -> None:
    silent = ("farewell", "end", "rest")
    put("phrases/mute.j2", "".join(f"{{% macro {m}() %}}{{% endmacro %}}" for m in silent))
    text = script(flow({"say": "Lie down."}, {"inhale 4": "Inhale."}, "silence 5s"), tones="still")
    (one,) = found(proved(text, phrases="mute"), "no-finish")
    assert one.hint == "write `finish:`"
    ended = flow({"say": "Lie down."}, {"inhale 4": "Inhale."}, "silence 5s", finish="Rest now.")
    assert not found(proved(script(ended, tones="still"), phrases="mute"), "no-finish")


def test_a_condition_on_the_side_may_name_it(proved: Proving) -> None:
    for text in (
        "Exhale, {% if side == 'right' %}left{% else %}right{% endif %} hip heavy.",
        "Exhale, {{ 'left' if side == 'right' else 'right' }} hip heavy.",
    ):
        proof = proved(script({**LIFT, "rep": [{"exhale 5": text}]}))
        assert not found(proof, "wrong-side")


def test_a_name_with_a_bar_is_named(proved: Proving) -> None:
    proof = proved(script(move(), move(name="Slide | Slow")))
    assert not found(proof, "next-not-named")


def test_natural_words_of_a_floor_class_need_no_list(proved: Proving) -> None:
    setup = (
        "Lie on the mat, and feel the band of muscle around your waist. "
        "Your weight sinks into the mat. Stay here, and watch your breath."
    )
    rep = [{"exhale 6": "Exhale, a small circle out with the knee. | Exhale, circle out."}]
    assert proved(script(move(setup=setup, rep=rep))).findings == ()
    up = move(position="standing", setup="Stand on the mat.")
    assert found(proved(script(up)), "not-listed")


def test_the_hint_for_a_language_without_phrases_helps(put: Put, library: Library) -> None:
    path = put("sessions/mine.yaml", "title: Mine\nlanguage: fr\nexercises: [bridge]\n")
    (one,) = check_path(path, library)
    name = re.search(r"save them as (\S+)", one.hint)
    assert name
    put(f"phrases/{name[1]}", "{% macro end() %}Merci.{% endmacro %}\n")
    assert check_path(path, library) == []


@pytest.mark.parametrize(
    ("wrong", "mended", "part"),
    [
        ({"tips": []}, {"tips": None}, "remove the line"),
        ({"setup": "Lie | Lie down."}, {"setup": "Lie down. | Lie."}, "longer text first"),
        (
            {"rep": [{"inhale 4": "Inhale, and grow long."}]},
            {"rep": [{"inhale 4": "Inhale, and grow long. | Inhale."}]},
            "full | brief",
        ),
        (
            {"finish": "Rest your right leg.", "sides": "each"},
            {"finish": "Rest your {{ side }} leg.", "sides": "each"},
            "write {{ side }} or {{ other_side }}",
        ),
        (
            {"position": "side-lying", "sides": "each"},
            {"position": "side-lying", "sides": "each", "switch": "Roll over."},
            "under `switch:`",
        ),
        ({"switch": "Roll."}, {"switch": "Roll.", "sides": "each"}, "write `sides: each`"),
        (
            {"purpose": "Lift, {{ name }}."},
            {"purpose": "Lift{% if name %}, {{ name }}{% endif %}."},
            "{% if name %}, {{ name }}{% endif %}",
        ),
        ({"setup": "Lie on {side}."}, {"setup": "Lie down."}, "{{ side }}"),
    ],
)
def test_the_hints_for_a_script_help(
    wrong: dict[str, Any], mended: dict[str, Any], part: str, put: Put, library: Library
) -> None:
    problems = check_path(put("exercises/curl.yaml", written(move(**wrong))), library)
    assert any(part in one.hint for one in problems), problems
    assert check_path(put("exercises/curl.yaml", written(move(**mended))), library) == []
