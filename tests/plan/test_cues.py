"""Cues: the words of each moment, from the scripts and the coach's phrases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from making import (
    MARK,
    Decided,
    exercise,
    length_of,
    phase,
    phrases,
    positions,
    session,
    text,
    wishes,
)

from voiceflow.core.errors import ScriptError
from voiceflow.plan.cues import Cue, Facts, write
from voiceflow.plan.phrases import MACROS, load_phrases, phrase_warnings
from voiceflow.plan.sentences import sentences
from voiceflow.plan.unroll import unroll
from voiceflow.script.lookup import Library
from voiceflow.script.models import Section, Session
from voiceflow.script.steps import Phase
from voiceflow.script.templates import macro_names

Put = Callable[..., Path]


def cues(made: Session, kind: str, book: str = "coach", **pacing: Any) -> list[Cue]:
    plan = unroll(made, positions(made.language), wishes(**pacing))
    sheet = write(plan, phrases(book, made.language), Facts(12, (12, 5, 2)))
    return [cue for m, cue in zip(plan.moments, sheet.cues, strict=True) if m.kind == kind]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("One. Two! Three? Four", ("One.", "Two!", "Three?", "Four")),
        ("Lift, and lower.", ("Lift, and lower.",)),
        ("Wait… And go.", ("Wait…", "And go.")),
        ("¿Lista? ¡Vamos! Así.", ("¿Lista?", "¡Vamos!", "Así.")),
        ("Add 1.5 kilos. 3 more.", ("Add 1.5 kilos.", "3 more.")),
        ("", ()),
        ("   ", ()),
        ("Über dir. Öffne.", ("Über dir.", "Öffne.")),
    ],
)
def test_sentences_are_clips_of_their_own(said: str, parts: tuple[str, ...]) -> None:
    assert sentences(said) == parts


@pytest.mark.parametrize("name", ["coach", "plain"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_bundled_phrases_say_all_there_is_to_say(
    library: Library, name: str, language: str
) -> None:
    ending = "" if language == "en" else f".{language}"
    path = library.bundled / "phrases" / f"{name}{ending}.j2"
    assert set(MACROS) <= set(macro_names(path.read_text(encoding="utf-8")))
    assert phrase_warnings(path) == []
    made = session(
        exercise("One", sides="each", sets=2, tips=(text("Soft."),), caution=text("Slow.")),
        exercise("Two", sides="alternate", position="prone"),
        exercise("Three", work_s=40.0, sets=2),
        language=language,
    )
    decided = Decided(made, wishes(name="Ana"), book=name)
    said = " ".join(decided.said())
    assert "Ana" in said
    assert "{" not in said
    assert "None" not in said
    assert "|" not in said
    assert decided.said("end")
    for macro in MACROS:
        context = {**dict(decided.plan.moments[0].context), "minutes": 9, "remaining": 4}
        phrases(name, language).say(macro, context)


def test_the_welcome_says_what_it_takes(library: Library) -> None:
    made = session(exercise(needs=("mat",)), about=text("It is {{ minutes }} minutes of ease."))
    (welcome,) = cues(made, "welcome", name="")
    said = " ".join(welcome.sentences)
    for part in ("A Made Session", "about 12 minutes", "a mat", "It is 12 minutes of ease."):
        assert part in said


@pytest.mark.parametrize(("about", "said"), [("For tight hips", "hips."), ("Hips!", "Hips!")])
def test_what_a_session_is_about_does_not_run_into_the_next_sentence(about: str, said: str) -> None:
    (welcome,) = cues(session(exercise(), about=text(about)), "welcome", name="")
    assert any(one.endswith(said) for one in welcome.sentences)


def test_sections_tell_the_time_that_is_left() -> None:
    made = session(
        sections=(Section("Warm up", (exercise("One"),)), Section("Work", (exercise("Two"),)))
    )
    first, second = cues(made, "section")
    assert first.sentences == ("Warm up.",)
    assert second.sentences == ("Work.", "About 5 minutes left.")
    assert cues(made, "section", remaining=False)[1].sentences == ("Work.",)


def test_a_phase_has_versions_from_rich_to_the_breath_word() -> None:
    rep = (phase("exhale", 5, "Exhale, and lift your {{ side }} hip.", "Exhale, lift."),)
    made = session(exercise(rep=rep, sides="each", reps=4))
    found = cues(made, "phase", last=False, teach=1)
    assert found[0].versions == ("Exhale, and lift your right hip.", "Exhale, lift.", "Exhale.")
    assert found[2].versions == ("Exhale, lift.", "Exhale.")
    assert found[4].versions[0] == "Exhale, and lift your left hip."
    bare = session(exercise(rep=(phase("inhale", 4),), reps=1)).exercises[0]
    assert bare.rep[0].text is not None
    assert cues(session(exercise(rep=(phase("inhale", 4),))), "phase", detail="tones")[0] == Cue()


def test_announcements_go_with_the_words_or_alone() -> None:
    made = session(exercise(rep=(phase("exhale", 5, "Exhale, lift.", "Lift."),), reps=2))
    last = cues(made, "phase")[-1].versions
    assert last[0].startswith("Last one")
    assert any(version.startswith("Last one") and "ift" in version for version in last)
    assert "Last one." in last
    assert last[-1] == "Exhale."


def test_the_purpose_goes_with_the_name() -> None:
    made = exercise("Bridge", purpose=text("Wake the {{ position }}."))
    (name,) = cues(session(made), "name")
    assert name.sentences == ("Bridge.", "Wake the on your back.")
    (name,) = cues(session(made), "name", detail="brief")
    assert name.sentences == ("Bridge.",)


def test_numbers_are_said_by_the_phrases(put: Put, library: Library) -> None:
    put(
        "phrases/mine.j2",
        "{% macro count() %}{% if n == 1 %}Now{% else %}{{ n }}{% endif %}{% endmacro %}",
    )
    plan = unroll(session(exercise()), positions(), wishes())
    sheet = write(plan, load_phrases("mine", "en", library), Facts(5))
    (counted,) = [c for m, c in zip(plan.moments, sheet.cues, strict=True) if m.kind == "count-in"]
    assert counted.counts == ("3", "2", "Now")


def test_a_text_that_fails_with_its_values_names_its_place() -> None:
    made = session(exercise(setup=text("Lift {{ 1 / left }} times."), reps=1))
    with pytest.raises(ScriptError) as caught:
        cues(made, "set-up")
    (problem,) = caught.value.problems
    assert str(problem.mark) == "made.yaml:1:1"


def test_text_that_looks_like_a_template_stays_text() -> None:
    made = session(exercise("{{ 7 * 7 }} Lift", purpose=text("Wake.")))
    said = cues(made, "name")[0].sentences
    assert said[0].startswith("{{ 7 * 7 }} Lift")


def test_the_last_chapter_has_a_title() -> None:
    plan = unroll(session(exercise()), positions(), wishes())
    assert write(plan, phrases(), Facts(5)).closing == "Close"


def test_tips_are_texts_too() -> None:
    made = session(
        exercise(tips=(text("Soften your {{ side }} knee."), text("Breathe.")), sides="each")
    )
    plan = unroll(made, positions(), wishes())
    sheet = write(plan, phrases(), Facts(5))
    assert sheet.tips == (("Soften your right knee.", "Breathe."),)
    quiet = unroll(made, positions(), wishes(tips=False))
    assert write(quiet, phrases(), Facts(5)).tips == ((),)


def test_a_bar_in_a_name_is_a_pause_and_parts_nothing() -> None:
    """It used to cut the rest of the welcome away, with what keeps one safe."""
    made = session(exercise(name="Slide | Slow", purpose=text("It warms you.")))
    made = replace(made, title="Knee | early |")
    (welcome,) = cues(made, "welcome", name="Ana | Bo")
    assert welcome.sentences[0] == "Welcome, Ana, Bo, to Knee, early."
    assert len(welcome.sentences) > 3
    (named,) = cues(made, "name")
    assert named.sentences == ("Slide, Slow.", "It warms you.")


@pytest.mark.parametrize("book", ["coach", "plain"])
def test_less_detail_is_a_shorter_welcome_and_close_and_still_a_way_up(book: str) -> None:
    made = session(exercise(), exercise(position="standing"))
    said: dict[str, list[tuple[str, ...]]] = {}
    for detail in ("full", "brief", "tones"):
        kinds = ("welcome", "farewell", "section")
        said[detail] = [
            cue.sentences for kind in kinds for cue in cues(made, kind, book, detail=detail)
        ]
    assert said["full"] != said["brief"]
    welcome, farewell, *_ = said["brief"]
    assert sum(map(len, welcome)) < sum(map(len, said["full"][0]))
    assert sum(map(len, farewell)) < sum(map(len, said["full"][1]))
    assert farewell[0].startswith("Well done")
    full, brief = said["full"][1], said["brief"][1]
    if book == "coach":
        assert brief[-1] == full[-1] == "Feel both feet on the floor before you walk on."


def test_a_side_that_there_is_not_cannot_be_said() -> None:
    step = phase("exhale", 4, "Lift your {{ side }} leg.")
    with pytest.raises(ScriptError, match="there is no side here"):
        cues(session(exercise(rep=(step,))), "phase")
    asked = phase("exhale", 4, "Lift{% if side %} your {{ side }} leg{% endif %}.")
    assert cues(session(exercise(rep=(asked,))), "phase")[0].versions[0] == "Lift."


@pytest.mark.parametrize("field", ["purpose", "caution", "tips", "about"])
def test_a_text_too_long_for_its_macro_is_told_where_it_stands(field: str) -> None:
    """Such a text came out as an error of the phrases that carry it."""
    long = text("{% if level %}" + "Long words. " * 1_000 + "{% endif %}")
    own: dict[str, Any] = {} if field == "about" else {field: (long,) if field == "tips" else long}
    made = session(exercise(name="Bridge over the floor", **own))
    made = replace(made, about=long if field == "about" else None)
    with pytest.raises(ScriptError) as caught:
        cues(made, "phase")
    assert {problem.mark for problem in caught.value.problems} == {long.mark}
    problem = caught.value.problems[0]
    assert "characters, at most 4,000 can be said here" in problem.message
    assert problem.hint


def alternating(*versions: str, seconds: float = 4, **changes: Any) -> Decided:
    """Six repetitions on alternating sides, with one breath that says `versions`."""
    made = exercise(rep=(phase("exhale", seconds, *versions),), sides="alternate", **changes)
    return Decided(session(made))


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        # The author names a side: nothing is added.
        ("Exhale, right.", 4, ["Exhale, right."] * 6),
        # The side is added where it fits, and left out where it does not.
        ("Exhale and turn.", 4, ["Exhale and turn.", "Left, exhale and turn."]),
        ("Exhale, and turn all the way.", 2.4, ["Exhale, and turn all the way."] * 6),
        ("Exhale, at the right height.", 4, ["Exhale, at the right height.", "Left, exhale"]),
    ],
)
def test_a_side_never_takes_the_place_of_what_the_author_wrote(
    text: str, seconds: float, said: list[str]
) -> None:
    heard = alternating(text, seconds=seconds, reps=6, last=False, more=False).said("phase")
    assert len(heard) == 6
    for wanted, one in zip(said, heard, strict=False):
        assert one.startswith(wanted)
        assert text.rstrip(".").lower() in one.lower()


@pytest.mark.parametrize(
    ("own", "seconds", "last"),
    [
        ("Exhale and turn.", 4, "Last one, left, exhale and turn."),
        # The side matters more than that it is the last.
        ("Exhale and turn.", 2.2, "Left, exhale and turn."),
        ("Exhale, and turn all the way.", 2.4, "Exhale, and turn all the way."),
        ("Exhale, left.", 4, "Last one, exhale, left."),
        ("", 4, "Last one, left, exhale."),
        ("", 1.7, "Last one, left."),
        ("", 0.95, "Left."),
    ],
)
def test_the_last_repetition_of_sides_in_turn_keeps_its_side(
    own: str, seconds: float, last: str
) -> None:
    """It was “Last one” in place of the side."""
    said = text(own) if own else None
    made = exercise(rep=(Phase("exhale", seconds, said, MARK),), sides="alternate", reps=4)
    assert Decided(session(made)).said("phase")[-1] == last


@pytest.mark.parametrize("book", ["coach", "plain"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_side_of_the_last_one_is_named_in_all_bundled_phrases(book: str, language: str) -> None:
    made = exercise(rep=(Phase("exhale", 6, None, MARK),), sides="alternate", reps=4)
    last = Decided(session(made, language=language), book=book).said("phase")[-1]
    name = {"en": "left", "es": "izquierda"}[language]
    head = {"coach": {"en": "Last one", "es": "La última"}, "plain": {"en": "Last", "es": "Última"}}
    assert last.startswith(f"{head[book][language]}, {name}, ")


def test_phrases_that_name_the_side_of_the_last_one_name_it_once(
    put: Put, library: Library
) -> None:
    put("phrases/own.j2", "{% macro last() %}And last, {{ side }}.{% endmacro %}")
    plan = unroll(session(exercise(sides="alternate", reps=4)), positions(), wishes())
    sheet = write(plan, load_phrases("own", "en", library), Facts(5))
    last = [c for m, c in zip(plan.moments, sheet.cues, strict=True) if m.kind == "phase"][-2]
    assert last.announced == ("And last, left.",)
    assert last.versions[0].lower().count("left") == 1


def test_no_announcement_takes_the_place_of_a_version_that_fits() -> None:
    words = ("Exhale, and lift your hips up high.", "Exhale, lift your hips.")
    made = exercise(rep=(phase("exhale", 2.2, *words),), reps=8)
    heard = Decided(session(made), wishes(halfway=True)).said("phase")
    assert all("lift your hips" in one for one in heard), heard


def test_the_versions_of_the_author_come_first_and_are_counted() -> None:
    made = session(exercise(rep=(phase("exhale", 5, "Exhale, lift.", "Lift."),), reps=2))
    last = cues(made, "phase")[-1]
    assert last.versions[: last.own] == ("Last one, lift.", "Lift.")
    assert last.versions[last.own :] == ("Last one, exhale.", "Last one.", "Exhale.")


def test_an_exercise_that_comes_again_with_other_words_is_introduced_by_them() -> None:
    """They were left out, with their caution, where the name had been said before."""
    rep = (phase("exhale", 5, "Exhale, step wide to the side.", "Exhale, wide."),)
    second = exercise(
        "March", rep=rep, reps=3, purpose=text("It wakes your hips."), caution=text("Mind it."),
        setup=text("Stand with your feet wide.", "Stand wide."),
    )  # fmt: skip
    said = Decided(session(exercise("March"), second)).said()
    for own in ("It wakes your hips.", "Mind it.", "Stand with your feet wide."):
        assert said.count(own) == 1
    assert "Exhale, step wide to the side." in said
    again = Decided(session(second, replace(second, reps=5))).said()
    assert again.count("Stand with your feet wide.") == again.count("Mind it.") == 1
    assert "Stand wide." in again


def test_the_last_words_in_a_time_box_are_those_of_its_last_exercise() -> None:
    made = (exercise("One"), exercise("Two", finish=text("Shake out your arms.")))
    boxed = session(sections=(Section("Go", made, box_s=60.0),))
    assert Decided(boxed).said("finish") == ["Shake out your arms."]


@pytest.mark.parametrize("sides", ["none", "each", "alternate"])
@pytest.mark.parametrize("reps", [1, 2, 3, 8])
@pytest.mark.parametrize("seconds", [1.2, 1.6, 2.2, 2.8, 4])
def test_what_the_author_wrote_is_said_wherever_it_fits(
    sides: str, reps: int, seconds: float
) -> None:
    versions = ("Exhale, and lift your hips high.", "Exhale, lift your hips.", "Hips up.")
    made = exercise(rep=(phase("exhale", seconds, *versions),), sides=sides, reps=reps)
    decided = Decided(session(made), wishes(halfway=True))
    heard = decided.said("phase")
    # The arranger keeps 288 ms (the air of the usual pace, on the grid) after the words.
    room = seconds * 1000 - 288

    def said(version: str) -> bool:
        bare = version.rstrip(".").lower()
        return any(bare in one.lower() for one in heard)

    fitting = [one for one in versions if length_of(one) <= room]
    if fitting:
        assert said(fitting[0])
        own = [one.rstrip(".").lower() for one in versions]
        brief = length_of(versions[-1]) <= room
        assert not brief or all(any(o in one.lower() for o in own) for one in heard)
