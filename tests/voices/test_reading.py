"""What is written is what is heard: numbers, shorthand and decoration, and where sentences end."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from conftest import BUNDLED
from hypothesis import given
from hypothesis import strategies as st
from making import BUNDLE

import voiceflow
from voiceflow import Options, voices
from voiceflow.core.errors import ScriptError
from voiceflow.plan.sentences import sentences
from voiceflow.score.score import as_dict
from voiceflow.script.lookup import Library
from voiceflow.script.pronunciation import PLAIN, load_pronunciation, read_pronunciation
from voiceflow.script.yaml import Node, read
from voiceflow.voices.reading import spoken_form, unread
from voiceflow.voices.voice import Voice

TABLES = sorted((BUNDLED / "pronunciation").glob("*.yaml"))
PRONUNCIATION = {path.stem: load_pronunciation(BUNDLE, path.stem) for path in TABLES}
ENGLISH = PRONUNCIATION["en"]
NATURAL = Voice("natural", "hibari", "heart", "1", "en", ipa=True)
ESPEAK = Voice("espeak:en", "espeak", "en", "1", "en")
SIXTY = Path(__file__).parents[3] / "shared" / "data" / "exercise-texts.json"

READ = {  # as written: as a coach may read it
    # Units
    "Hold 30s.": "Hold 30 seconds.",
    "Hold for 20-30s.": "Hold for 20 to 30 seconds.",
    "Hold for 20 s – 30 s.": "Hold for 20 to 30 seconds.",
    "Rest 60 s.": "Rest 60 seconds.",
    "Rest 1 s.": "Rest 1 second.",
    "Rest for 1h.": "Rest for 1 hour.",
    "Rest for 5m.": "Rest for 5 minutes.",
    "Run 5m.": "Run 5 metres.",
    "Run 400m.": "Run 400 metres.",
    "Do 1h30m of it.": "Do 1 hour 30 minutes of it.",
    "45s on/15s off": "45 seconds on, 15 seconds off",
    "a 30s hold": "a 30 second hold",
    "a 45-min class": "a 45-minute class",
    "one min rest": "one minute rest",
    "in your 30s": "in your 30s",
    'Step 6" out.': "Step 6 inches out.",
    "Step 6 in. out.": "Step 6 inches out.",
    "Breathe 4 in, 6 out.": "Breathe 4 in, 6 out.",
    'He said "do 6" and left.': 'He said "do 6" and left.',
    "2-3 cm": "2 to 3 centimetres",
    "5-10%": "5 to 10%",
    "hold 10 sec. then rest": "hold 10 seconds then rest",
    "Hold 10 sec. Then rest.": "Hold 10 seconds. Then rest.",
    # Numbers
    "Reps: 8-12.": "Reps: 8 to 12.",
    "8–12 reps": "8 to 12 reps",
    "Set 3 - 10 reps": "Set 3 - 10 reps",
    "Walk 10 000 steps.": "Walk 10000 steps.",
    "Walk 10\u00a0000 steps.": "Walk 10000 steps.",
    "Walk 1,000 steps.": "Walk 1,000 steps.",
    "4 100 m sprints": "4 100 metres sprints",
    "Lift 1½ kg.": "Lift one and a half kilograms.",
    "Lift 1 1/2 kg.": "Lift one and a half kilograms.",
    "Lift ½ kg.": "Lift half a kilogram.",
    "A ⅓ turn": "A one third turn",
    "4-7-8 breathing": "4 7 8 breathing",
    "90/90": "90 90",
    "Set 2/3": "Set 2 of 3",
    "Turn 10² times.": "Turn 10 squared times.",
    "10⁴": "10 to the power of 4",
    "① Turn": "1, Turn",
    "Repeat ① and ②.": "Repeat 1 and 2.",
    "Level Ⅱ": "Level 2",
    "Hold ３０ seconds": "Hold 30 seconds",
    "Bend −5 degrees": "Bend minus 5 degrees",
    "≥5 reps": "at least 5 reps",
    "~30s": "about 30 seconds",
    "10+ reps": "10 or more reps",
    "the 24th, T-spine, 10°, VO₂max": "the 24th, T-spine, 10°, VO2max",
    # Shorthand
    "Do it 2x.": "Do it 2 times.",
    "Do 3x10.": "Do 3 times 10.",
    "3 x 30s": "3 times 30 seconds",
    "Bridge x10": "Bridge times 10",
    "10 breaths, 2-3x": "10 breaths, 2 to 3 times",
    "on 12/05/2024": "on 12/05/2024",
    "10 reps/side": "10 reps per side",
    "10/side": "10 per side",
    "3x/wk": "3 times per week",
    "Do 10 ea.": "Do 10 each.",
    "10 ea. side": "10 each side",
    "w/ band, w/o shoes": "with band, without shoes",
    "L/R": "left and right",
    "L leg": "left leg",
    "L5/S1": "L5 S1",
    "No. 3": "Number 3",
    "No. Stop.": "No. Stop.",
    "approx. 5 breaths, e.g. slow": "approximately 5 breaths, for example slow",
    "sets, reps, etc. Then rest.": "sets, reps, et cetera. Then rest.",
    "inhale → exhale": "inhale to exhale",
    "4 sets x 10": "4 sets of 10",
    "80% 1RM": "80% 1 rep max",
    "0.5 kg/wk, 20/hr, 12 €/class": "0.5 kilograms per week, 20 per hour, 12 € per class",
    "10 sec./side": "10 seconds per side",
    "A/B/C/D, day/week": "A B C D, day week",
    "6/52, then 2/5": "6 weeks, then 2 5",
    # Numbers that are joined by a sign
    "RPE 7/10, pain ≤3/10": "RPE 7 out of 10, pain at most 3 out of 10",
    "A 1:2 ratio": "A 1 to 2 ratio",
    "Rest 1:30.": "Rest 1 minute 30 seconds.",
    "00:30 work, 5:00 total": "30 seconds work, 5 minutes total",
    "Tempo 31X1, tempo 3010": "Tempo 3, 1, X, 1, tempo 3 0 1 0",
    "5,4,3,2,1 and go": "5, 4, 3, 2, 1 and go",
    "0°–120°, then 360º": "0 to 120°, then 360°",
    "2024-05-12, 010-0199": "2024-05-12, 010-0199",
    # One sign, several meanings
    'Hold 5", 5" wide': "Hold 5 seconds, 5 inches wide",
    "EMOM 12'": "EMOM 12 minutes",
    "↑ by 5, ↓ slowly": "up by 5, down slowly",
    "a + b = c": "a plus b equals c",
    "6 reps @ RPE 8": "6 reps at RPE 8",
    "L, R, L; repeat R.": "left, right, left; repeat right.",
    # Decoration
    "🔥 Quick Burn": "Quick Burn",
    "Lift 👍🏽!": "Lift!",
    "👨‍👩‍👧 1️⃣ 🇩🇪 ❤️ up ⭐": "1 up",
    "**Hold** it": "Hold it",
    "TheraBand® • red :)": "TheraBand red",
    "• Kneel • Rest ✓ Done •": "Kneel, Rest, Done",
    "For #hips and #core": "For hips and core",
    "→ Kneel → rest ↩️": "Kneel to rest",
    "## Bridge, _slowly_, ~~no~~ pause": "Bridge, slowly, no pause",
    "up‑and‑down，slowly。": "up-and-down,slowly.",
    "na\u00adtu\u200bral\u200e": "natural",
    "𝗕𝗿𝗶𝗱𝗴𝗲": "Bridge",
    # Left alone
    "[psoas](/s30soʊ/) 30s": "[psoas](/s30soʊ/) 30 seconds",
    "a [[ soʊ ]] b": "a [[ soʊ ]] b",
    "Meet at 1:30, then 10q.": "Meet at 1:30, then 10q.",
    "Lift, and lower — slowly; it’s “fine”…": "Lift, and lower — slowly; it’s “fine”…",
    "": "",
}

OTHERS = [
    ("es", 'Aguanta 30", 3x10 reps/lado, p. ej. 5-8.',
     "Aguanta 30 segundos, 3 veces 10 repeticiones por lado, por ejemplo 5 a 8."),
    ("de", "Die 3. Runde: 3x10 Wdh., z. B. 1½ kg.",
     "Die dritte Runde: 3 mal 10 Wiederholungen, zum Beispiel eineinhalb Kilogramm."),
    ("de", "Am 2. Tag ca. 30 s.", "Am zweiten Tag zirka 30 Sekunden."),
    ("fr", "1re fois, 30 s, 8-12 reps", "première fois, 30 secondes, 8 à 12 répétitions"),
    ("it", "10 rip. per lato, sx/dx", "10 ripetizioni per lato, sinistra e destra"),
    ("de", "Ab der 2. Woche re. Arm u. li. Bein, ½ Drehung, 6/10 Schmerz",
     "Ab der zweiten Woche rechter Arm und linkes Bein, halbe Drehung, 6 10 Schmerz"),
    ("es", "3 series x 12, 3 días/sem, RPE 6/10, a 45º, 2.º lado",
     "3 series de 12, 3 días por semana, RPE 6 de 10, a 45°, 2º lado"),
    ("fr", "mollet D puis G, 3x/sem, 2 fois/j, n° 3",
     "mollet droit puis gauche, 3 fois par semaine, 2 fois par jour, numéro 3"),
    ("it", "polpaccio dx, 1° lato, 3 gg/sett",
     "polpaccio destro, primo lato, 3 giorni a settimana"),
    ("pt", "perna esq., p/ lado, ½ volta", "perna esquerda, por lado, meia volta"),
    ("pt", "2x por semana, aprox. 20 s", "2 vezes por semana, aproximadamente 20 segundos"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), READ.items())
def test_english_is_read_as_a_coach_reads_it(written: str, said: str) -> None:
    assert spoken_form(written, ENGLISH) == said
    assert spoken_form(said, ENGLISH) == said


@pytest.mark.parametrize(("language", "written", "said"), OTHERS)
def test_other_languages_have_their_own_words(language: str, written: str, said: str) -> None:
    assert spoken_form(written, PRONUNCIATION[language]) == said


@pytest.mark.parametrize(
    "text",
    [
        "あおむけになります。3回、すって！",
        "שכב על הגב.",
        "استلقِ على ظهرك، ٣ مرات",
        "می‌خواهم",
        "บริหาร",
    ],
)
def test_other_scripts_come_through_unchanged(text: str) -> None:
    assert spoken_form(text) == text
    assert spoken_form(f"\u200f🔥 {text}\ufe0f") == text


def test_without_tables_only_decoration_and_fancy_digits_are_touched() -> None:
    assert spoken_form("① ３０s 8-12 w/ 10² ½ 🔥") == "1 30s 8-12 w/ 10 2 ½"


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("Breathe in. Lift.", 2),
        ("Step 6 in. out. Lift.", 2),
        ("No. 3 is hard. No. Stop.", 3),
        ("See Dr. Smith. He knows.", 2),
        ("Rest approx. 5 breaths, e.g. slow ones. Go.", 2),
        ("By Joseph H. Pilates. So do I. Lift.", 3),
        ("Add 1.5 kilos. 3 more.", 2),
        ("Rest 60 s. Reps: 8-12. Go.", 3),
        ("Hold 10 sec. then rest.", 1),
        ("すって。はいて！「はい。」どうぞ", 4),
        ("(Lift.) Then lower.", 2),
        ("Wait… And go? Yes! ok", 4),
        ("Do ext. rotation, lat. raise, max. 20 min.", 1),
        ("1. Kneel. 2. Rest. B1. Squat.", 3),
        ("Kneel. #2 Rest. 👉 Lie down. 🙏", 3),
        ("Inhale L, exhale R. 10 rounds.", 2),
        ("Kneel (on the mat.) then rest.", 1),
        ("Wait... and go.", 2),
    ],
)
def test_a_sentence_ends_where_one_is_heard_to_end(said: str, parts: int) -> None:
    found = sentences(said, ENGLISH)
    assert len(found) == parts
    assert "".join(found).replace(" ", "") == said.replace(" ", "")


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("Die 3. Runde. Zähle bis 3. Atme aus.", 3),
        ("Halte z. B. so, d. h. ca. 5 cm. Dann ruhe.", 2),
    ],
)
def test_german_has_ordinals_and_abbreviations_of_two_words(said: str, parts: int) -> None:
    assert len(sentences(said, PRONUNCIATION["de"])) == parts


def scalars(node: Node) -> list[str]:
    inner = [*node.items, *(value for _, value in node.pairs)]
    return [node.text, *(text for one in inner for text in scalars(one))]


def test_the_bundled_scripts_are_split_as_they_were() -> None:
    before = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+(?=[\"'“‘«¿¡(]*[^\W\d_]|\d)")
    seen = 0
    for path in sorted(BUNDLED.glob("[!w]*/*.yaml")):
        pronunciation = PRONUNCIATION["es" if ".es" in path.name else "en"]
        for version in (v for text in scalars(read(path)) for v in text.split("|")):
            text = " ".join(version.split())
            wanted = tuple(part for part in before.split(text) if part)
            assert sentences(text, pronunciation) == wanted
            seen += len(wanted) > 1
    assert seen > 100


@given(st.text() | st.text("0123456789 -–/.,x×s½²①\"'*minkgha🔥\u200d\ufe0f", max_size=30))
def test_reading_never_fails_and_twice_is_once(text: str) -> None:
    for pronunciation in (ENGLISH, PRONUNCIATION["de"], PLAIN):
        said = spoken_form(text, pronunciation)
        assert spoken_form(said, pronunciation) == said
        unread(text, pronunciation)
        assert "".join("".join(sentences(text, pronunciation)).split()) == "".join(text.split())
    assert not re.search("[\u200b\u200e\u200f\ufe0f🔥]", said)


@given(st.text())
def test_no_letter_is_lost(text: str) -> None:
    def letters(of: str) -> str:
        plain = unicodedata.normalize("NFKC", of)
        return "".join(c for c in plain if c.isalpha() and ord(c) < 0x2000)

    # Symbols are decoration, and numbers in circles or Roman ones become digits.
    bare = "".join(c for c in text if unicodedata.category(c) not in ("So", "Nl", "No"))
    assert letters(spoken_form(bare)) == letters(bare)


@given(st.text(), st.integers(40, 400))
def test_any_text_has_a_length(text: str, rate: int) -> None:
    assert voices.estimate(text, rate) >= 200


@pytest.mark.parametrize("text", ["²", "10²", "① Turn", "⅓", "Ⅱ", "٣", "a²b"])
def test_a_digit_that_is_no_number_has_a_length(text: str) -> None:
    assert voices.estimate(text, 140) >= 200


def test_what_nobody_reads_is_told() -> None:
    assert unread("Hold 30q ¶ then 10z, in your 30s, 5kg, 2nd", ENGLISH) == ("¶", "30q", "10z")
    assert unread("s/l, w/ a@b.org, 1.2 m/s, 8am, fig. 4a", ENGLISH) == ("a@b.org", "s/l")
    assert unread("Lift 🔥 “slowly” — 10° to 5%, mañana…", ENGLISH) == ()
    assert unread("שָׁכב 5q", PLAIN) == ()


def test_shipped_pronunciations_are_for_each_kind_of_voice() -> None:
    def said(text: str, voice: Voice, own: dict[str, str] | None = None) -> str:
        return voices.spoken(text, own or {}, voice, ENGLISH)

    assert said("Bow forward, then bow pose.", NATURAL) == "bough forward, then bow pose."
    assert said("Ujjayi breath", NATURAL) == "[Ujjayi](/udʒˈaɪi/) breath".replace(
        "dʒ", "ʤ"
    ).replace("aɪ", "I")
    assert said("Ujjayi breath", ESPEAK) == "oo-jye-ee breath"
    assert said("Ujjayi 30s", ESPEAK, {"ujjayi": "oo-ya"}) == "oo-ya 30 seconds"
    assert said("TA 30s", ESPEAK, {"30s": "half a minute"}) == "TA half a minute"
    assert said("🔥", ESPEAK) == "🔥"  # told of as it is written


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_bundled_table_is_sound(path: Path) -> None:
    pronunciation = read_pronunciation(path)
    assert pronunciation.language == path.stem
    assert pronunciation.units
    for word, said in pronunciation.pronounce:
        for voice in (NATURAL, ESPEAK):
            assert "|" not in voices.spoken(f"a {word} b", {word: said}, voice)


def test_ones_own_words_extend_and_override(tmp_path: Path) -> None:
    mine = tmp_path / "pronunciation" / "en.yaml"
    mine.parent.mkdir()
    mine.write_text(
        "units: {q: quarter | quarters, s: beat | beats}\nshorthand:\n  ea:\n"
        "pronounce: {psoas: so-ass}\n",
        encoding="utf-8",
    )
    pronunciation = load_pronunciation(Library(tmp_path, BUNDLE.bundled, BUNDLE.sounds), "en-gb")
    assert spoken_form("3q 5s 2 min 10 ea w/o it", pronunciation) == (
        "3 quarters 5 beats 2 minutes 10 ea without it"
    )
    assert dict(pronunciation.pronounce)["psoas"] == "so-ass"
    assert "ujjayi" in dict(pronunciation.pronounce)


def test_a_wrong_table_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "en.yaml"
    path.write_text("units:\n  s: [second\n", encoding="utf-8")
    with pytest.raises(ScriptError, match="invalid YAML"):
        read_pronunciation(path)
    path.write_text("unitz: {}\nunits:\n  s: {after: [x]}\n  m: a | b | c\n", encoding="utf-8")
    with pytest.raises(ScriptError) as caught:
        read_pronunciation(path)
    told = [(p.mark.line, p.mark.column) for p in caught.value.problems]
    assert told == [(1, 1), (3, 6), (4, 6)]


@pytest.mark.skipif(not SIXTY.is_file(), reason="the instruction texts are not on this machine")
def test_sixty_instructions_as_people_write_them_are_read() -> None:
    found = json.loads(SIXTY.read_text(encoding="utf-8"))
    texts = [text for one in found for text in (one["name"], *one["instructions"])]
    assert len(found) == 60
    for text in texts:
        parts = sentences(text, ENGLISH)
        said = " ".join(spoken_form(part, ENGLISH) for part in parts)
        assert said == spoken_form(text, ENGLISH)
        assert not re.search(r"\d[-–/]\d|[a-z]/[a-z]", said)
        assert unread(text, ENGLISH) == ()


@pytest.mark.parametrize("part", ["²", "1 000 ", "½"])
def test_a_long_text_is_read_in_few_steps(part: str) -> None:
    # Ten times as long as a text may be: steps that grow with its square take half an hour, and
    # the limit of a test ends them.
    text = part * (200_000 // len(part))
    assert spoken_form(text, ENGLISH)
    assert sentences(text, ENGLISH)


def test_show_tells_what_is_spoken_beside_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        'title: "🔥 Burn"\nexercises:\n  - name: Turn\n    position: supine\n'
        '    setup: "Hold 30s. Turn 10² times."\n    reps: 1\n    rep: [inhale 4: In.]\n',
        encoding="utf-8",
    )
    score = voiceflow.arrange(path, Options(voice="silent")).score
    events = [one for one in as_dict(score)["events"] if one["kind"] == "speech"]
    spoken = {one["text"]: one["spoken"] for one in events}
    assert spoken["Hold 30s."] == "Hold 30 seconds."
    assert spoken["Turn 10² times."] == "Turn 10 squared times."
    assert any("🔥" in text and "🔥" not in said for text, said in spoken.items())
    assert score.title == "🔥 Burn"


def test_a_sign_of_ones_own_is_itself_whatever_it_means_in_a_pattern(tmp_path: Path) -> None:
    """`(` among the signs of a minute was a traceback, and `m.` would have been any letter."""
    mine = tmp_path / "pronunciation" / "en.yaml"
    mine.parent.mkdir()
    mine.write_text(
        'units: {"min, m., (, m*": minute | minutes, s: second | seconds}\n', encoding="utf-8"
    )
    pronunciation = load_pronunciation(Library(tmp_path, BUNDLE.bundled, BUNDLE.sounds), "en")
    assert spoken_form("1:30 m. and 1:30 mx", pronunciation) == "1 minute 30 seconds and 1:30 mx"


def test_a_unit_with_an_empty_list_is_told_at_its_place(tmp_path: Path) -> None:
    mine = tmp_path / "en.yaml"
    mine.write_text("units:\n  min: []\n  s: second | seconds\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=r"en\.yaml:2:8: error: the list is empty"):
        read_pronunciation(mine)


def test_tables_are_read_again_only_when_a_file_was_edited(tmp_path: Path) -> None:
    library = Library(tmp_path, BUNDLE.bundled, BUNDLE.sounds)
    first = load_pronunciation(library, "en")
    assert load_pronunciation(library, "en") is first
    mine = tmp_path / "pronunciation" / "en.yaml"
    mine.parent.mkdir()
    mine.write_text("pronounce: {psoas: so-ass}\n", encoding="utf-8")
    edited = load_pronunciation(library, "en")
    assert edited is not first
    assert dict(edited.pronounce)["psoas"] == "so-ass"
    mine.unlink()
    assert dict(load_pronunciation(library, "en").pronounce) == dict(first.pronounce)
