"""What somebody wrote is heard, or told of with its place; what was left out by choice is not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from proving import found, move, proof_of, script, written

from voiceflow.lint import Proof
from voiceflow.lint.report import summary
from voiceflow.script.lookup import Library

Put = Callable[..., Path]
Proving = Callable[..., Proof]
TIPS = ["Let your neck be long.", "Keep your jaw soft.", "Press both heels down."]


@pytest.fixture
def proved(library: Library, put: Put) -> Proving:
    return partial(proof_of, library, put)


def test_a_tip_without_a_repetition_is_told_with_its_place(proved: Proving) -> None:
    text = script(move(reps=3, tips=TIPS))
    told = found(proved(text), "tip-unsaid")
    assert len(told) == 2
    assert "no repetition is left for the tip “Keep your jaw soft.”" in {t.message for t in told}
    lines = text.splitlines()
    assert {lines[t.mark.line - 1].strip(" -") for t in told if t.mark} == set(TIPS[1:])


@pytest.mark.parametrize(
    "mended",
    [
        {"reps": 12},
        {"tips": TIPS[:1]},
        {"tips": TIPS[:1], "setup": f"Lie down. {TIPS[1]} {TIPS[2]}"},
    ],
)
def test_what_the_hint_for_a_tip_says_helps(mended: dict[str, Any], proved: Proving) -> None:
    assert found(proved(script(move(reps=3, tips=TIPS))), "tip-unsaid")
    assert not found(proved(script(move(**{"reps": 3, "tips": TIPS, **mended}))), "tip-unsaid")


@pytest.mark.parametrize(
    ("work", "mended"),
    [
        ({"work": "10s"}, {"work": "15s", "tips": TIPS[:1]}),
        ({"work": "40s"}, {"sets": 2}),
        ({"work": "40s"}, {"tips": TIPS[:2]}),
    ],
)
def test_tips_of_an_interval(work: dict[str, Any], mended: dict[str, Any], proved: Proving) -> None:
    march = move(name="March", position="standing", rep=None, reps=None, tips=TIPS, **work)
    assert found(proved(script(march)), "tip-unsaid")
    assert not found(proved(script({**march, **mended})), "tip-unsaid")


@pytest.mark.parametrize(
    "options",
    [
        {"pacing": (("detail", "tones"),)},
        {"pacing": (("tips", False),)},
    ],
)
def test_what_less_talk_leaves_out_is_not_told(options: dict[str, Any], proved: Proving) -> None:
    purpose = "Your back rounds, bone by bone."
    proof = proved(script(move(reps=3, tips=TIPS, purpose=purpose)), **options)
    assert not [one for one in proof.findings if one.rule in ("tip-unsaid", "unsaid")]


def test_a_shorter_session_has_room_for_fewer_tips(proved: Proving) -> None:
    text = script(move(reps=12, tips=TIPS))
    assert not found(proved(text), "tip-unsaid")
    assert not found(proved(text, minutes_ms=125_000), "tip-unsaid")


def test_tips_are_a_store_where_another_script_uses_few_of_them(proved: Proving, put: Put) -> None:
    put("exercises/roll.yaml", written(move(name="Roll", tips=TIPS)))
    assert not found(proved(script({"roll": {"reps": 3}})), "tip-unsaid")
    # The tips are the session's own.
    assert found(proved(script({"roll": {"reps": 3, "tips": TIPS}})), "tip-unsaid")


def test_the_tips_of_a_store_are_listed_one_by_one_at_their_places(
    proved: Proving, put: Put
) -> None:
    text = written(move(name="Roll", tips=TIPS))
    path = put("exercises/roll.yaml", text)
    proof = proved(script({"roll": {"reps": 3}}))
    assert proof.findings == ()
    assert len(proof.stored_tips) == 2
    for told, tip in zip(proof.stored_tips, TIPS[1:], strict=True):
        assert told.mark is not None
        assert told.mark.file == str(path)
        assert text.splitlines()[told.mark.line - 1].strip(" -") == tip
        lines = summary(proof).splitlines()
        assert any(line.strip() == str(told.mark) for line in lines)
        assert tip in " ".join(line.strip() for line in lines)
    assert [one["message"] for one in proof.to_dict()["stored_tips"]]
    assert summary(proof).endswith("It can be followed with eyes closed.")
    # Enough repetitions, less talk, fewer repetitions asked for: nothing is missing.
    assert not proved(script({"roll": {"reps": 14}})).stored_tips
    assert not proved(script({"roll": {"reps": 3}}), pacing=(("tips", False),)).stored_tips
    assert not proved(script({"roll": {"reps": 14}}), minutes_ms=125_000).stored_tips


def test_other_tips_of_the_same_exercise_do_not_hide_those_before(proved: Proving) -> None:
    wordy = [f"{' '.join(TIPS)} {' '.join(TIPS)}".replace(".", "")]
    text = script(move(tips=wordy), move(tips=TIPS[:1]))
    assert len(found(proved(text), "tip-unsaid")) == 1


BOX = {
    "title": "Box",
    "sections": [
        {
            "Go": {
                "time": "60s",
                "exercises": [
                    move(tips=TIPS[:1], finish="Shake out your legs."),
                    move(name="March", rep=None, reps=None, work="20s", finish="Shake it out."),
                ],
            }
        }
    ],
}


def test_what_a_time_box_does_not_say_is_told(proved: Proving, put: Put) -> None:
    told = found(proved(written(BOX)), "unsaid")
    assert [one.message.split(":")[0] for one in told] == ["`finish", "`rep", "`tips"]
    assert all(one.severity == "warning" and one.mark and one.hint for one in told)
    rounds = written(BOX).replace("time: 60s", "rounds: 2")
    assert not found(proved(rounds), "unsaid")
    put("exercises/roll.yaml", written(move(name="Roll", tips=TIPS)))
    shared = {"title": "Box", "sections": [{"Go": {"time": "60s", "exercises": ["roll"]}}]}
    assert not found(proved(written(shared)), "unsaid")


def test_a_text_for_the_last_one_alone_is_told_where_it_does_not_fit(proved: Proving) -> None:
    long = "Exhale, and for one last time curl all the way up and stay there a little longer"
    rep = [{"exhale 3": f"Exhale, curl{{% if rep == reps %}} {long}{{% endif %}}."}]
    (told,) = found(proved(script(move(rep=rep))), "does-not-fit")
    assert long in told.message
    assert told.severity == "error"
