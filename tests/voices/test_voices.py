"""Voices by name, what they are given to say, how long it takes, and the keys of clips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from voiceflow import voices
from voiceflow.core import packages
from voiceflow.core.cache import Cache
from voiceflow.core.errors import UnknownNameError, VoiceError
from voiceflow.voices import pronounce as text
from voiceflow.voices import sanity as plausible
from voiceflow.voices import speaker, voice
from voiceflow.voices.voice import Voice, VoiceInfo

NATURAL = Voice("natural", "hibari", "heart", "1", "en", ipa=True)
SPANISH = Voice("espeak:es", "espeak", "roa/es", "1", "es")
PIPER = Voice("piper:/x.onnx", "piper", "/x.onnx", "1", "en", ipa=True)
LINUX = sys.platform.startswith("linux")


def test_the_import_is_light_and_finding_a_voice_too() -> None:
    code = (
        "import sys; from voiceflow import voices; from voiceflow.core.cache import Cache;"
        "v = voices.find('natural'); voices.Speaker(v, 140, Cache(None)).known(['Hold.']);"
        "heavy = {'numpy', 'pyttsx3', 'onnxruntime', 'hibari', 'subprocess', 'importlib.metadata'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_natural_names_all_that_forms_its_samples() -> None:
    natural = voices.find("natural")
    assert (natural.driver, natural.language, natural.ipa) == ("hibari", "en", True)
    for part in ("hibari-tts ", "onnxruntime ", "numpy "):
        assert part in natural.version


@pytest.mark.skipif(not LINUX, reason="espeak is bundled for Linux")
@pytest.mark.parametrize(
    ("name", "voice_id", "language"),
    [
        ("espeak", "gmw/en-US", "en-us"),
        ("espeak:es", "roa/es", "es"),
        ("espeak:ES-419", "roa/es-419", "es-419"),
        ("espeak:gmw/en-GB-x-rp", "gmw/en-GB-x-rp", "en-gb"),
        ("espeak:en-gb", "gmw/en", "en"),
        ("espeak:es+F3", "roa/es+f3", "es"),
    ],
)
def test_espeak_voices_by_code_and_by_name(name: str, voice_id: str, language: str) -> None:
    found = voices.find(name)
    assert found.voice_id == voice_id
    assert found.language.startswith(language[:2])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("natral", "natural"),
        ("natural:emma", "natural"),
        ("", "natural"),
        ("silent:x", "silent"),
        pytest.param("espeak:spanish", "espeak:es", marks=pytest.mark.skipif(not LINUX, reason="")),
        pytest.param(
            "espeak:es+f33", "espeak:es+f3", marks=pytest.mark.skipif(not LINUX, reason="")
        ),
    ],
)
def test_an_unknown_voice_is_told_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        voices.find(name)
    assert hint in error.value.hint


@pytest.mark.skipif(not LINUX, reason="tells of other systems")
@pytest.mark.parametrize("name", ["sapi5", "sapi5:Zira", "nsss:Samantha"])
def test_voices_of_other_systems_say_where_they_are(name: str) -> None:
    with pytest.raises(VoiceError, match="only"):
        voices.find(name)


def test_a_piper_voice_needs_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "amy.onnx"
    with pytest.raises(VoiceError, match="path"):
        voices.find("piper")
    with pytest.raises(VoiceError, match="there is no Piper voice"):
        voices.find(f"piper:{model}")
    model.write_bytes(b"model" * 100_000)
    with pytest.raises(VoiceError, match=r"lacks its amy\.onnx\.json"):
        voices.find(f"piper:{model}")
    config = tmp_path / "amy.onnx.json"
    for broken in ("{", "[]", "{}", "\xff"):
        config.write_bytes(broken.encode("latin-1"))
        with pytest.raises(VoiceError):
            voices.find(f"piper:{model}")
    config.write_text(json.dumps({"audio": {"sample_rate": 22050}, "language": {"code": "es_MX"}}))
    monkeypatch.setattr("voiceflow.voices.families.version_of", lambda module, package: None)
    with pytest.raises(VoiceError) as error:
        voices.find(f"piper:{model}")
    assert "pip install piper-tts" in error.value.hint
    monkeypatch.setattr("voiceflow.voices.families.version_of", lambda module, package: "1.8.0")
    first = voices.find(f"piper:{model}")
    assert first.language == "es-mx"
    model.write_bytes(b"other" * 100_000)
    assert voices.find(f"piper:{model}").version != first.version


def test_the_list_says_what_works_and_why_another_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VOICEFLOW_FAKES", raising=False)
    listed = {one.name: one for one in voices.available()}
    assert listed["natural"].works
    assert listed["silent"].works
    assert all(bool(one.why) != one.works for one in listed.values())
    assert not any(name.startswith("faulty") for name in listed)
    if LINUX:
        assert listed["espeak:es"].about == "Spanish (Spain)"
        assert "Windows" in listed["sapi5"].why
    monkeypatch.setenv("VOICEFLOW_FAKES", "1")
    assert "faulty:hang" in {one.name for one in voices.available()}


def test_every_listed_voice_that_works_is_found() -> None:
    for one in voices.available():
        if one.works and not one.name.endswith("PATH"):
            assert voices.find(one.name).name == one.name


class Whistle:
    """A family of another package."""

    def find(self, rest: str) -> Voice:
        return Voice(f"whistle:{rest}", "their.driver", rest, "9", "en")

    def available(self) -> tuple[VoiceInfo, ...]:
        return (VoiceInfo("whistle", "any", "whistles", True),)


whistle = Whistle()


def test_another_package_adds_voices_by_the_same_door(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {"whistle": f"{__name__}:whistle", "broken": "no.such.module:thing"}
    monkeypatch.setattr(voice, "_added", lambda: entries)
    assert voices.find("whistle:low").driver == "their.driver"
    with pytest.raises(VoiceError, match="could not be loaded"):
        voices.find("broken")
    entries.pop("broken")
    assert "whistle" in {one.name for one in voices.available()}


def test_every_built_in_family_loads_by_its_reference() -> None:
    for reference in voice.BUILT_IN.values():
        family = voice._load(reference)
        assert all(isinstance(one, VoiceInfo) for one in family.available())


def test_versions_are_read_from_the_folders_names() -> None:
    from importlib.metadata import version

    assert packages.version_of("numpy", "numpy") == version("numpy")
    assert packages.version_of("hibari", "hibari-tts") == version("hibari-tts")
    assert packages.version_of("no_such_module_here", "nothing") is None


# What a voice is given.


def test_respellings_are_put_in_by_whole_words_whatever_their_case() -> None:
    table = {"psoas": "so-ass", "pelvic floor": "pelvik floor", "ab": "abdominal"}
    said = voices.spoken("Psoas, PSOAS and the Pelvic Floor; ab, abs, lab.", table, SPANISH)
    assert said == "so-ass, so-ass and the pelvik floor; abdominal, abs, lab."
    assert voices.spoken("Hold.", {}, SPANISH) == "Hold."
    assert voices.spoken("Hold.", {"": "x", " ": "y"}, SPANISH) == "Hold."


def test_signs_in_a_table_mean_themselves() -> None:
    assert voices.spoken("Do (a) now.", {"(a)": "part a"}, SPANISH) == "Do part a now."


def test_ipa_goes_to_voices_that_take_it_in_their_form() -> None:
    table = {"psoas": "/ˈsoʊ.æz/"}
    assert voices.spoken("Your Psoas.", table, NATURAL) == "Your [Psoas](/ˈsOæz/)."
    assert voices.spoken("Your Psoas.", table, PIPER) == "Your [[ ˈsoʊ.æz ]]."
    assert voices.spoken("Your Psoas.", table, SPANISH) == "Your Psoas."


def test_ipa_written_in_a_cue_is_kept_or_dropped() -> None:
    cue = "Your [psoas](/soʊæz/) works."
    assert voices.spoken(cue, {"psoas": "wrong"}, NATURAL) == "Your [psoas](/sˈOæz/) works."
    assert voices.spoken(cue, {}, SPANISH) == "Your psoas works."


def test_ipa_that_no_english_voice_can_say_is_refused() -> None:
    with pytest.raises(VoiceError, match="has no sound for ħ"):
        voices.spoken("Say it.", {"it": "/ħa/"}, NATURAL)


@pytest.mark.parametrize(
    ("said", "by", "bad"),
    [
        ("Plié, relevé — “hold”… ½ turn, 20° to the left; it’s fine", NATURAL, ""),
        ("na\u00adtural co\u200boperate", NATURAL, ""),
        ("Inhala, ¿estás lista? ¡Sí! Señor", SPANISH, ""),
        ("Hold 中文 中", NATURAL, "中文"),
        ("привет", NATURAL, "привет"),
        ("ok 😀", NATURAL, "😀"),
        ("ok 😀", SPANISH, "😀"),
        ("Привет и hello", Voice("espeak:ru", "espeak", "zle/ru", "1", "ru"), ""),
        ("吸气", Voice("espeak:cmn", "espeak", "sit/cmn", "1", "cmn"), ""),
        ("吸气", SPANISH, "吸气"),
        ("吸气 😀", Voice("silent", "silent", None, "1", "en"), ""),
        ("[psoas](/sˈOæz/)", NATURAL, ""),
    ],
)
def test_what_a_voice_cannot_read_is_known_beforehand(said: str, by: Voice, bad: str) -> None:
    assert set(voices.unreadable(said, by)) == set(bad)


@pytest.mark.parametrize("said", ["", "   ", "…", "— ?!", "😀"])
def test_nothing_to_say_is_an_error(said: str) -> None:
    with pytest.raises(VoiceError) as error:
        text.check([said], NATURAL)
    assert error.value.text == said


def test_the_error_names_the_characters_and_a_voice_that_can() -> None:
    with pytest.raises(VoiceError) as error:
        text.check(["Hold.", "привет"], NATURAL)
    assert "'п' (cyrillic small letter pe)" in error.value.message
    assert "espeak:ru" in error.value.hint


# How long it takes.


def test_estimates_grow_with_words_and_shrink_with_rate() -> None:
    short, long = "Inhale.", "Inhale to prepare, and let your shoulders rest."
    assert voices.estimate(short, 140) < voices.estimate(long, 140)
    assert voices.estimate(long, 120) == pytest.approx(voices.estimate(long, 240) * 2, abs=1)
    assert voices.estimate("", 140) >= 200
    assert voices.estimate("[word](/wɜɹd/)", 140) == voices.estimate("word", 140)


@pytest.mark.parametrize(
    ("said", "measured"),
    [
        ("Inhale.", 1010),
        ("Exhale, tilt your pelvis and lift your hips slowly.", 4980),
        ("Lie on your back, knees bent, feet flat and hip-width apart.", 5870),
        ("Well done. The session is complete. Take your time before you sit up.", 8060),
        ("Four, three, two, lift.", 2600),
    ],
)
def test_estimates_are_near_the_natural_voice(said: str, measured: int) -> None:
    assert voices.estimate(said, 140) == pytest.approx(measured, rel=0.2)


def test_a_clip_of_another_length_is_not_believed() -> None:
    said = "Exhale, tilt your pelvis and lift your hips slowly."
    expected = voices.estimate(said, 140) * 48
    plausible.check(said, 140, bytes(expected // 2 * 2))
    plausible.check(said, 140, bytes(expected // 2 // 2 * 2))
    for factor in (0, 0.1, 8):
        with pytest.raises(VoiceError, match="too"):
            plausible.check(said, 140, bytes(int(expected * factor) // 2 * 2))


@pytest.mark.parametrize(
    ("language", "said", "took_ms"),
    [  # as eSpeak says them at 140 words a minute
        ("ja", "Your own breath and your own pace always come first.", 20_503),
        ("my", "It takes about 2 minutes, and all you need is a little space.", 21_820),
        ("ja", "骨盤底筋群を意識しましょう。", 10_784),
        ("ja", "あおむけになります。", 1_707),
        ("zh", "请仰卧，双膝弯曲，双脚平放在地板上。", 7_813),
        ("th", "หายใจออกช้าๆ", 2_178),
    ],
)
def test_a_voice_may_spell_what_it_cannot_read(language: str, said: str, took_ms: int) -> None:
    """A Japanese voice that spelled the coach's English was refused for it."""

    def sound(ms: float) -> bytes:
        return bytes(int(ms) * 48)

    plausible.check(said, 140, sound(took_ms), language)
    plausible.check(said, 280, sound(took_ms / 2), language)
    for wrong in (0, 7 * max(took_ms, voices.estimate(said, 140))):
        with pytest.raises(VoiceError, match="too"):
            plausible.check(said, 140, sound(wrong), language)


def test_a_voice_reads_its_own_script() -> None:
    """Where nothing is foreign, nothing more is allowed."""
    for language, said in (("en", "Hold."), ("es-419", "Sube."), ("ja", "すって。"), ("th", "นอน")):
        late = 3.5 * voices.estimate(said, 140) + 1_600
        with pytest.raises(VoiceError, match="too long"):
            plausible.check(said, 140, bytes(int(late) * 48), language)


# Keys, and the voice that needs no engine.


def test_a_clips_key_tells_everything_apart() -> None:
    def key(by: Voice, rate: int, said: str) -> str:
        return voices.Speaker(by, rate, Cache(None)).clip_key(said)

    usual = key(NATURAL, 140, "Hold.")
    other = Voice("natural", "hibari", "heart", "2", "en", ipa=True)
    keys = {usual, key(NATURAL, 150, "Hold."), key(NATURAL, 140, "Hold"), key(other, 140, "Hold.")}
    assert len(keys) == 4
    assert key(Voice("another name", *NATURAL_REST), 140, "Hold.") == usual


NATURAL_REST = ("hibari", "heart", "1", "en", True)


def test_the_levelling_in_keys_is_the_levelling_that_is_done() -> None:
    from voiceflow.voices import levelling as level

    assert speaker._LEVELLING == level.VERSION


def test_silence_has_lengths_and_needs_no_worker() -> None:
    with voices.Speaker(voices.find("silent"), 140, Cache(None)) as silent:
        silent.start()
        heard: list[str] = []
        lengths = silent.speak(["Inhale.", "Hold.", "Inhale."], heard.append)
        assert list(lengths) == ["Inhale.", "Hold."]
        assert heard == []
        assert lengths == silent.known(["Inhale.", "Hold."])
        clip = silent.clip("Inhale.")
        assert clip.length_ms == lengths["Inhale."] == voices.estimate("Inhale.", 140)
        assert set(clip.pcm) == {0}
        with pytest.raises(VoiceError, match="nothing to say"):
            silent.speak(["…"])


def test_reading_tables_are_kept_and_a_broken_one_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hibari import g2p

    from voiceflow.voices.drivers import hibari_model as driver

    name, packed = "tokenizer_exceptions.json", g2p._load_json
    monkeypatch.setattr(g2p, "_load_json", packed)  # put back afterwards
    monkeypatch.setenv("VOICEFLOW_TABLES", str(tmp_path))
    driver._keep_tables()
    assert g2p._load_json(name) == packed(name)
    with monkeypatch.context() as patch:
        patch.setattr(g2p.json, "load", None)
        assert g2p._load_json(name)
    (entry,) = tmp_path.rglob("table/*/*")
    entry.write_bytes(entry.read_bytes()[:-7])
    assert g2p._load_json(name) == packed(name)
    driver._keep_tables()
    assert g2p._load_json(name) == packed(name), "kept once, not once more"
