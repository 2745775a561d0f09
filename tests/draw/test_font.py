"""The font of covers and PNG pictures: which characters it sets, and what becomes of the others."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceflow.draw import font
from voiceflow.draw.font import OWN, face, settable
from voiceflow.draw.text import clean


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without fonts."""
    monkeypatch.setattr(font, "SYSTEM", ())


def pretend(monkeypatch: pytest.MonkeyPatch, fonts: dict[str, str]) -> None:
    """A system with fonts that hold these characters."""
    holds = font._holds
    monkeypatch.setattr(font, "SYSTEM", tuple(fonts))
    monkeypatch.setattr(
        font,
        "_holds",
        lambda name, one: one in fonts[name] if name in fonts else holds(name, one),
    )


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "text",
    [
        "Two Good Things, 8 × 40 s · “ok” ‘so’ … – — → ← ↑ ↓ ≈ ½",
        "Αναπνοή και ισορροπία, ΆΈΎΏ ΐΰ",
        "Дыхание и лёгкость, Підйом їжака, Љубав ћирилица",
        "Źdźbło, łagodne ćwiczenia na kręgosłup",
        "Bài tập hông và thắt lưng, ƯỚC ĐƯỜNG ẫ ễ ỗ",
        "Işık ve güç: İyi günler, şöyle ğ",
        "Ñandú ¿qué? ¡Ánimo! Fuß Æsel Ørsted þæð Ľahké ďalší Őszi Ķeguma Žaliūkė",
    ],
    ids=["signs", "Greek", "Cyrillic", "Polish", "Vietnamese", "Turkish", "Latin"],
)
def test_our_own_font_sets_the_alphabets_of_europe_and_vietnamese(text: str) -> None:
    assert settable(text) == (text, OWN)


@pytest.mark.parametrize("letter", list("éèñãöåčçíÁŐğőžắựЁѝΐΏ"))
def test_accents_are_drawn(letter: str) -> None:
    bare = unicodedata.normalize("NFD", letter)[0]
    assert bytes(face(60).getmask(letter)) != bytes(face(60).getmask(bare))


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("腰痛と骨盤底", ""),
        ("腰 Fuß 🙂 ¿Qué?", "Fuß ¿Qué?"),
        ("تنفس Breath 🫁", "Breath"),
        ("נשימה 5", "5"),
        ("🧘🏽‍♀️", ""),
        ("", ""),
    ],
)
def test_what_no_font_has_is_left_out(text: str, kept: str) -> None:
    assert settable(text) == (kept, OWN)


@given(st.text(max_size=40))
def test_no_box_is_ever_drawn(text: str) -> None:
    found, name = settable(clean(text))
    box = bytes(face(40, name).getmask(font._NOT_THERE))
    assert all(bytes(face(40, name).getmask(one)) != box for one in found)


def test_the_first_system_font_with_all_letters_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, {"kanji": "腰痛", "all": "腰痛とYoga", "more": "腰痛とYoga 🙂"})
    assert settable("腰痛") == ("腰痛", "kanji")
    assert settable("Yoga と 腰痛 🙂") == ("Yoga と 腰痛", "all")
    assert settable("Yoga 🙂") == ("Yoga", OWN)
    assert settable("Yoga と 骨盤") == ("Yoga", OWN)


def test_a_right_to_left_script_is_left_out_even_if_a_font_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, {"arabic": "تنفس"})
    assert settable("تنفس") == ("", OWN)


def test_a_font_the_system_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font, "SYSTEM", ("no such font.ttf",))
    assert settable("腰") == ("", OWN)


def test_the_font_ships_with_its_licence() -> None:
    notice = Path(OWN).with_name("NotoSans-OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in notice
    assert 100_000 < Path(OWN).stat().st_size < 250_000
