"""`check`: "1 times" is told with its place and how to say it right; sums and labels are let be."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from proving import found, move, proof_of, script, written

from voiceflow.lint import Proof, check_path
from voiceflow.lint.number_words import miscounts
from voiceflow.script.lookup import Library

Put = Callable[..., Path]
Proving = Callable[..., Proof]


@pytest.fixture
def proved(library: Library, put: Put) -> Proving:
    return partial(proof_of, library, put)


WRONG = """
Do this 1 times.
Lift 1 times on each side.
1 repetitions to go.
1 reps.
We do 1 rounds.
There are 1 changes of side.
1 more times.
1 slow breaths.
1 more full breaths, and rest.
Hold for 1 seconds.
Rest for 1 minutes.
About 1 minutes left.
1 sets of six.
Only 1 exercises are left.
Every 1 hours, get up.
Practise 1 times a day.
Practise 1 times the next week? No: 1 times every day.
1 pulses, and rest.
One repetitions to go.
One more breath, then one minutes of rest.
Do it one times.
(1 times)
""".strip().splitlines()

RIGHT = """
The 1 times table is easy.
1 times 4 is 4.
1 times the length of your foot.
Hold 1 times your body weight.
21 times.
0.1 times as fast.
1.1 times as fast.
1,1 times as fast.
11 repetitions.
101 breaths.
1 time.
1 more time.
1 repetition, 2 repetitions.
0 or 1 times.
1 to 2 times.
1 or 2 rounds.
1-2 reps.
2-1 reps.
1/2 reps.
Round 1 changes the side.
Round 1 sets the rhythm.
Set 1 rounds your back.
Exercise 1 repeats the warm-up.
Phase 1 lifts the ribs.
Level 1 exercises are easy.
Day 1 exercises.
Number 1 times the breath.
Position 1 circles the hips.
Interval 1 steps to the side.
Ratio 1:1 breaths.
No one times you.
This one times the breath.
The first one changes sides.
One rounds the back, the other lifts.
As one changes, the other rests.
One seconds the motion.
In 1 minute's time.
A 1-minute rest.
Zone 1 intervals.
1 minute, 30 seconds.
1 set times 10 reps.
Vertebra by vertebra, L1 rounds first.
One breath, one movement.
Take one more breath.
Once, then 2 times.
""".strip().splitlines()


@pytest.mark.parametrize("text", WRONG)
def test_one_of_several_is_found(text: str) -> None:
    assert list(miscounts(text, "en"))


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_let_be(text: str) -> None:
    assert list(miscounts(text, "en")) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Hazlo 1 veces.", True),
        ("Quedan 1 repeticiones.", True),
        ("1 minutos.", True),
        ("Una veces.", True),
        ("1 vez, 21 veces.", False),
        ("0,1 veces.", False),
        ("Ronda 1 cambios.", False),
        ("1 o 2 veces.", False),
    ],
)
def test_in_spanish(text: str, wrong: bool) -> None:
    assert bool(list(miscounts(text, "es"))) is wrong
    assert list(miscounts(text, "fr")) == []


@pytest.mark.parametrize(
    ("language", "text", "wrong"),
    [
        ("pt", "Faça 1 vezes.", True),
        ("pt", "Faltam 1 repetições, uma vezes.", True),
        ("pt", "1 vez, 21 vezes, série 1 segundos, 1 ou 2 vezes.", False),
        ("it", "Ripeti 1 volte.", True),
        ("it", "Ancora 1 altre ripetizioni.", True),
        ("it", "1 volta, 11 volte, giro 1 minuti, 1 serie.", False),
        ("de", "Noch 1 Wiederholungen.", True),
        ("de", "1 weitere Runden.", True),
        ("de", "Eine Minuten Pause.", True),
        ("de", "1 mal, 1 Wiederholung, 1 oder 2 Sätze, keine Minuten, 1 Satz mit 10.", False),
        ("fr", "Encore 1 répétitions.", True),
        ("fr", "1 fois, 1 répétition, 1 ou 2 séries, 1 série de 10.", False),
    ],
)
def test_in_other_languages(language: str, text: str, wrong: bool) -> None:
    assert bool(list(miscounts(text, language))) is wrong


def followed(text: str, hint: str) -> str:
    """`text` with what a hint says to write: a template, or the words themselves."""
    if template := re.match(r"write `(.*)`", hint):
        between = r"(?: \w+){0,2}"
        return re.sub(rf"\{{\{{[^{{}}]*\}}\}}{between} \w+", lambda _: template[1], text, count=1)
    words = re.match(r"write “(.*)”", hint)
    assert words, hint
    return text.replace(f"{words[1]}s", words[1])


TEXTS = [
    "Lift {{ reps }} times.",
    "Lift {{ reps * sets }} times, slowly.",
    "We do {{ reps }} slow repetitions.",
    "We do {{ sets }} rounds.",
    "Lift 1 times.",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_hint_of_a_script_helps(text: str, library: Library, put: Put) -> None:
    def problems(setup: str) -> list[Any]:
        made = move(setup=f"Lie down. {setup}", reps=1)
        return check_path(put("exercises/curl.yaml", written(made)), library)

    (one,) = problems(text)
    assert one.severity == "warning"
    assert "is one, and is said as several" in one.message
    assert one.mark.line == 3
    mended = followed(text, one.hint)
    assert mended != text
    assert problems(mended) == []


@pytest.mark.parametrize("text", TEXTS)
def test_the_hint_of_the_proof_helps(text: str, proved: Proving) -> None:
    (one,) = found(proved(script(move(setup=text, reps=1))), "miscounted")
    assert one.severity == "warning"
    assert one.mark is not None
    assert one.mark.line == 5
    assert not found(proved(script(move(setup=followed(text, one.hint), reps=1))), "miscounted")
    if "reps" in text:
        assert not found(proved(script(move(setup=text, reps=3))), "miscounted")


def test_what_is_left_is_counted_at_each_repetition(proved: Proving) -> None:
    rep = [{"exhale 6": "Exhale, {{ left }} more times. | {{ left }} times."}]
    told = found(proved(script(move(rep=rep))), "miscounted")
    assert told
    assert "1 times" in told[0].message


def test_tips_and_about_have_their_place(proved: Proving) -> None:
    text = script(move(tips=["Only {{ sets }} sets."]), about="It has {{ minutes }} minutes.")
    (one,) = found(proved(text), "miscounted")
    assert one.mark is not None
    assert "sets" in text.splitlines()[one.mark.line - 1]


def test_phrases_say_one_of_everything_right(library: Library, put: Put) -> None:
    source = "{% macro remaining() %}\n{{ remaining }} minutes left.{% endmacro %}\n"
    path = put("phrases/mine.j2", source)
    (one,) = check_path(path, library)
    assert (one.severity, one.mark.line) == ("warning", 2)
    mended = followed(source, one.hint)
    assert check_path(put("phrases/mine.j2", mended), library) == []
    shipped = sorted((library.bundled / "phrases").glob("*.j2"))
    assert len(shipped) >= 4
    for path in shipped:
        assert check_path(path, library) == []
