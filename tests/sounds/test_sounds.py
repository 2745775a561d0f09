"""The sounds room, by property: length, ends, direction, side, level; recipes that fail."""

from __future__ import annotations

import errno
import itertools
import os
import pickle
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pyloudnorm
import pytest
import soundfile
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from odd_files import odd

from voiceflow import sounds
from voiceflow.core.errors import InputError, ScriptError, SoundError, UnknownNameError
from voiceflow.core.units import GRID_MS, RATE, ms_to_samples
from voiceflow.sounds import BREATHS, SIGNALS
from voiceflow.sounds.bed import duck, fade

FOLDERS = [Path(__file__).parents[2] / "sounds"]
SETS = ("bowl", "ocean", "pluck")
LENGTHS = (504, 528, 984, 1_008, 2_520, 4_992, 5_016, 12_312, 60_000)
METER = pyloudnorm.Meter(RATE)
Stereo = NDArray[np.float64]


def heard(tone_set: sounds.ToneSet, name: str, length_ms: int, side: str | None = None) -> Stereo:
    segment = tone_set.tone(name, length_ms, side)
    assert (segment.channels, segment.frame_rate, segment.sample_width) == (2, RATE, 2)
    return np.frombuffer(segment.raw_data, "<i2").reshape(-1, 2) / 32767


def centroid(sound: NDArray[np.float64]) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    return float((power * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / power.sum())


def part_in(sound: NDArray[np.float64], low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(power[(low <= hertz) & (hertz <= high)].sum() / power.sum())


def sine(hertz: float, seconds: float, rate: int, channels: int = 1) -> NDArray[np.float64]:
    wave = 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def written(folder: Path, recipe: str, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(recipe, encoding="utf-8")
    return path


# ---- tones ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("length_ms", LENGTHS)
def test_breaths_are_exact_and_go_where_the_breath_goes(name: str, length_ms: int) -> None:
    tone_set = sounds.load(name, FOLDERS)
    course = {}
    for breath in BREATHS:
        sound = heard(tone_set, breath, length_ms)
        assert len(sound) == ms_to_samples(length_ms)
        assert not sound[0].any()
        assert not sound[-1].any()
        # Nothing jumps at either end: no click.
        ends = np.concatenate([sound[:48], sound[-48:]])
        assert np.abs(np.diff(ends, axis=0)).max() < 0.02
        third = len(sound) // 3
        course[breath] = centroid(sound[-third:, 0]) / centroid(sound[:third, 0])
        assert part_in(sound[:, 0], 250, 1500) > 0.4  # a phone's loudspeaker can sound it
        if length_ms >= 1000:
            level = dict(tone_set.tones)[breath].level
            assert METER.integrated_loudness(sound) == pytest.approx(level, abs=1)
    assert course["inhale"] > 1.25
    assert course["exhale"] < 0.8
    assert 0.85 < course["hold"] < 1.15


@settings(max_examples=25, derandomize=True)
@given(
    name=st.sampled_from(SETS),
    breath=st.sampled_from(BREATHS),
    frames=st.integers(21, 2_500),
    side=st.sampled_from(["left", "right", None]),
)
def test_any_breath_is_exact_and_starts_and_ends_in_silence(
    name: str, breath: str, frames: int, side: str | None
) -> None:
    length_ms = frames * GRID_MS
    sound = heard(sounds.load(name, FOLDERS), breath, length_ms, side)
    assert len(sound) == ms_to_samples(length_ms)
    assert not sound[[0, -1]].any()
    assert 0.005 < np.abs(sound).max() < 0.3


@pytest.mark.parametrize("name", SETS)
def test_breaths_differ_in_timbre_too(name: str) -> None:
    tone_set = sounds.load(name, FOLDERS)
    shapes = []
    for breath in BREATHS:
        power = np.abs(np.fft.rfft(heard(tone_set, breath, 5016)[:, 0])) ** 2
        bands = np.add.reduceat(power, np.geomspace(500, 20_000, 24).astype(int))
        shapes.append(10 * np.log10(bands / bands.sum() + 1e-6))
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(shapes[one] - shapes[other]).mean() > 1.5


@pytest.mark.parametrize("name", [*SETS, "none"])
def test_signals_are_on_the_grid_levelled_and_distinct(name: str) -> None:
    tone_set = sounds.load(name, FOLDERS)
    found = {}
    for signal in SIGNALS:
        length_ms = tone_set.length_ms(signal)
        assert length_ms > 0
        assert length_ms % GRID_MS == 0
        sound = heard(tone_set, signal, length_ms)
        assert len(sound) == ms_to_samples(length_ms)
        assert not sound[0].any()
        assert not sound[-1].any()
        assert np.abs(sound).max() < 0.75
        found[signal] = sound.tobytes()
        if length_ms >= 1000:
            level = dict(tone_set.tones)[signal].level
            assert METER.integrated_loudness(sound) == pytest.approx(level, abs=1.5)
    assert len(set(found.values())) == len(SIGNALS)
    levels = {signal: tone.level for signal, tone in tone_set.tones}
    assert max(levels, key=lambda one: levels[one]) == "end"
    assert levels["wake"] < min(levels[one] for one in ("start", "change", "switch", "bell"))
    assert 600 <= tone_set.length_ms("wake") <= 900


def test_the_end_comes_down_in_three_strokes() -> None:
    sound = heard(sounds.load("bowl", FOLDERS), "end", 7200)[:, 0]
    strokes = [sound[round(k * 1.2 * RATE) :][: RATE // 2] for k in range(3)]
    tops = [np.argmax(np.abs(np.fft.rfft(one))[: RATE // 2]) for one in strokes]
    assert tops[0] > tops[1] > tops[2]


def test_none_has_no_breath_but_keeps_its_signals() -> None:
    tone_set = sounds.load("none", FOLDERS)
    assert [one for one in (*BREATHS, *SIGNALS) if tone_set.has(one)] == list(SIGNALS)
    with pytest.raises(SoundError, match="has no tone 'inhale'"):
        tone_set.tone("inhale", 5016, None)


@pytest.mark.parametrize("name", SETS)
def test_sides_lean_to_their_ear_at_equal_power(name: str) -> None:
    tone_set = sounds.load(name, FOLDERS)
    left, right, middle = (
        heard(tone_set, "inhale", 3000, side) for side in ("left", "right", None)
    )
    power = [np.mean(one**2, axis=0) for one in (left, right, middle)]
    assert 10 * np.log10(power[0][0] / power[0][1]) > 3
    assert 10 * np.log10(power[1][1] / power[1][0]) > 3
    assert power[2][0] == power[2][1]
    assert power[0].sum() == pytest.approx(power[2].sum(), rel=0.03)


def test_tones_are_the_same_whenever_and_wherever_they_are_made() -> None:
    code = (
        "import sys, hashlib; from pathlib import Path; from voiceflow import sounds\n"
        "s = sounds.load('ocean', [Path(sys.argv[1])])\n"
        "t = s.tone('exhale', 2016, 'left')\n"
        "print(s.key('exhale'), hashlib.sha256(t.raw_data).hexdigest())"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(FOLDERS[0])]
    root = str(FOLDERS[0].parent)
    runs = {subprocess.run(command, cwd=root, capture_output=True, check=True).stdout for _ in "ab"}
    assert len(runs) == 1
    tone_set = sounds.load("ocean", FOLDERS)
    sounds.toneset._kept.cache_clear()
    assert tone_set.key("exhale") in runs.pop().decode()
    assert pickle.loads(pickle.dumps(tone_set)) == tone_set


def test_keys_tell_recipes_apart_and_equal_ones_together() -> None:
    bowl, ocean, none = (sounds.load(name, FOLDERS) for name in ("bowl", "ocean", "none"))
    assert len({bowl.key(one) for one in (*BREATHS, *SIGNALS)}) == 10
    assert bowl.key("end") == ocean.key("end") == none.key("end")
    assert bowl.key("inhale") != ocean.key("inhale")


def test_lengths_beyond_reason_are_refused() -> None:
    tone_set = sounds.load("bowl", FOLDERS)
    for length_ms in (0, -24, 3_600_000):
        with pytest.raises(SoundError, match="cannot make a tone of"):
            tone_set.tone("hold", length_ms, None)
    assert len(heard(tone_set, "hold", 1)) == 24


def test_loading_and_keys_need_neither_numpy_nor_pydub() -> None:
    code = (
        "import sys; from pathlib import Path; from voiceflow import sounds\n"
        "s = sounds.load('bowl', [Path(sys.argv[1])]); s.key('inhale'); s.length_ms('end')\n"
        "sounds.load_bed('ocean').key()\n"
        "assert not {'numpy', 'pydub', 'soundfile'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(FOLDERS[0])]
    subprocess.run(command, cwd=str(FOLDERS[0].parent), check=True)


# ---- recipes -------------------------------------------------------------------------------------


def test_bundled_sets_are_listed_and_clean() -> None:
    assert [name for name, about in sounds.names(FOLDERS) if about] == sorted([*SETS, "none"])
    for file in FOLDERS[0].glob("*.yaml"):
        assert sounds.problems(file, FOLDERS) == ()
        jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), sounds.schema())


def test_an_unknown_set_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean `bowl`"):
        sounds.load("bowls", FOLDERS)
    with pytest.raises(ScriptError, match="cannot be read"):
        sounds.load("missing/mine.yaml", FOLDERS)


def test_all_problems_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "about: Mine.\n"
        "inhale:\n"
        "  sound: partials\n"
        "  pitch: H3 -> E4\n"
        "  level: -5\n"
        "exhale: {sound: nois, band: 200-900}\n"
        "hold:\n"
        "  layers:\n"
        "    - {sound: partials, pitch: A3, ratios: [1, 2], weights: [1]}\n"
        "    - {sound: noise, band: 900-200}\n"
        "switch: {sound: strike, notes: [A4, E4], length: 1 s}\n"
        "change: {sound: strike, notes: [A4]}\n"
        "start: {sound: pluck, notes: [A4, E5], every: 2 s, length: 1 s}\n"
        "wake: {sound: sample, file: gone.wav}\n"
        "bell: soft\n"
        "endd: none\n",
    )
    with pytest.raises(ScriptError) as caught:
        sounds.load(str(path), FOLDERS)
    found = {(one.mark.line, one.mark.column): str(one) for one in caught.value.problems}
    expected = {
        (4, 10): "expected a pitch such as A3 or 220 Hz, found 'H3'",
        (5, 10): "-5 is out of range",
        (6, 17): "did you mean `noise`",
        (9, 61): "2 ratios, but 1 weights",
        (10, 28): "expected a frequency band, found '900-200'",
        (11, 9): "several notes need `every` or `fill`",
        (12, 9): "a signal needs `length:`",
        (13, 8): "the signal ends before its last note",
        (14, 29): "gone.wav: there is no such file",
        (15, 7): "expected a tone, found text",
        (16, 1): "did you mean `end`",
    }
    assert found.keys() == expected.keys()
    for place, text in expected.items():
        assert text in found[place]
    assert sounds.problems(path, FOLDERS) == caught.value.problems


@pytest.mark.parametrize(
    "recipe",
    [
        "",
        "- a list",
        "about: x\nlevel: -3",
        "about: x\nhold: {sound: partials, pitch: 1e9 Hz}",
        "about: x\nhold: {sound: partials, pitch: nan}",
        "about: x\nhold: {sound: partials, pitch: A3 -> B3 -> C4}",
        "about: x\nhold: {sound: partials, pitch: [A3]}",
        "about: x\nhold: {sound: partials, pitch: A3, weights: [0]}",
        "about: x\nhold: {sound: partials, pitch: 200 -> 9000, ratios: [2]}",
        "about: x\nhold: {sound: sample, file: ~nobody/a.wav}",
        f"about: x\nhold: {{sound: sample, file: {'a' * 999}.wav}}",
        'about: x\nhold: {sound: sample, file: "a\\0b.wav"}',
        "about: \xff\x00",
        "about: x\nhold: {sound: partials, pitch: A3, length: 2 s}",
        "about: x\nhold: {sound: partials, pitch: A3, attack: 300 %}",
        "about: x\nhold: {sound: pluck, notes: [], fill: 1 s}",
        "about: x\nhold: {sound: pluck, notes: [A3], fill: 1 s, every: 1 s}",
        "about: x\nhold: {layers: []}",
        "about: x\nhold: {level: -30, layers: [{sound: noise, band: 200-900}], attack: 1 s}",
        "about: x\nhold: &a {sound: noise, band: 200-900}\ninhale: *a",
        "about: x\nhold: none\nhold: none",
        "about: x\nlike: nothing-such",
        "about: x\nlike: mine",
        "about: x\nlean: 2",
    ],
)
def test_wrong_recipes_are_refused(tmp_path: Path, recipe: str) -> None:
    path = written(tmp_path, recipe)
    with pytest.raises(ScriptError) as caught:
        sounds.load("mine", [tmp_path, *FOLDERS])
    assert all(one.mark.file == str(path) and one.message for one in caught.value.problems)


def test_a_set_like_another_keeps_what_it_does_not_say(tmp_path: Path) -> None:
    written(
        tmp_path,
        "about: Mine.\nlike: bowl\nbell: none\nhold: {sound: noise, band: 200-900}",
        "bowl",
    )
    mine, theirs = sounds.load("bowl", [tmp_path, *FOLDERS]), sounds.load("bowl", FOLDERS)
    assert mine.key("inhale") == theirs.key("inhale")
    assert mine.key("hold") != theirs.key("hold")
    assert not mine.has("bell")
    assert sounds.problems(tmp_path / "bowl.yaml", FOLDERS) == ()


def test_missing_signals_are_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, "about: Mine.\nhold: {sound: noise, band: 200-900}\nbell: none")
    (problem,) = sounds.problems(path)
    assert problem.severity == "warning"
    assert "switch" in problem.message
    assert "bell" not in problem.message
    assert sounds.load(str(path), ()).length_ms("end") == 0


def test_a_recipe_may_use_every_word(tmp_path: Path) -> None:
    recipe = (
        "about: All of it.\n"
        "inhale: {sound: strike, notes: [A4, 500 Hz, 1.2 kHz], fill: 0.4 s, ring: 1 s,\n"
        "  beat: 2 Hz, onset: 20 ms, ratios: [1, 2.4], weights: [1, 0.5], attack: 0,\n"
        "  release: 10 %, swell: -6 -> 0,\n"
        "  pulse: 2 Hz, depth: 30 %, gain: -3 dB, level: -30 LUFS}\n"
        "hold: {sound: partials, pitch: Bb4, bright: 0.5 -> 1}\n"
    )
    tone_set = sounds.load(str(written(tmp_path, recipe)), ())
    assert METER.integrated_loudness(heard(tone_set, "inhale", 3000)) == pytest.approx(-30, abs=1)
    assert centroid(heard(tone_set, "hold", 3000)[:, 0]) == pytest.approx(466.2, abs=2)


# ---- samples -------------------------------------------------------------------------------------

SAMPLE = "about: Mine.\ninhale: {sound: sample, file: a.wav}\nbell: {sound: sample, file: a.wav}\n"


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [
        (44_100, 2, "PCM_16"),
        (48_000, 1, "PCM_24"),
        (8_000, 1, "PCM_U8"),
        (24_000, 2, "FLOAT"),
        (11_003, 6, "PCM_16"),
    ],
)
def test_a_sample_of_any_make_sounds_at_its_pitch(
    tmp_path: Path, rate: int, channels: int, subtype: str
) -> None:
    soundfile.write(tmp_path / "a.wav", sine(440, 1.25, rate, channels), rate, subtype)
    tone_set = sounds.load(str(written(tmp_path, SAMPLE)), ())
    assert (tone_set.kind("bell"), tone_set.length_ms("bell")) == ("sample", 1272)
    sound = heard(tone_set, "bell", 1272)
    assert centroid(sound[:, 0]) == pytest.approx(440, abs=8)
    assert METER.integrated_loudness(sound) == pytest.approx(-26, abs=1.5)
    longer, shorter = heard(tone_set, "inhale", 3000), heard(tone_set, "inhale", 504)
    assert len(longer) == 72_000
    assert not longer[31_000:].any()
    assert not shorter[-1].any()


def test_a_looped_sample_fills_the_breath(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(440, 0.7, 24_000), 24_000)
    recipe = "about: x\nhold: {sound: sample, file: a.wav, loop: yes}"
    sound = heard(sounds.load(str(written(tmp_path, recipe)), ()), "hold", 5016)[:, 0]
    loud = np.abs(sound[2400:-2400]).reshape(-1, 3).max(axis=1)
    assert np.lib.stride_tricks.sliding_window_view(loud, 800).max(axis=1).min() > 0.005
    assert np.abs(np.diff(sound)).max() < 0.01


def test_the_key_follows_what_the_sample_holds(tmp_path: Path) -> None:
    path = written(tmp_path, SAMPLE)
    soundfile.write(tmp_path / "a.wav", sine(440, 1, 24_000), 24_000)
    before = sounds.load(str(path), ())
    soundfile.write(tmp_path / "a.wav", sine(441, 1, 24_000), 24_000)
    assert sounds.load(str(path), ()).key("bell") != before.key("bell")
    with pytest.raises(SoundError, match="changed while it was in use"):
        before.tone("bell", 1008, None)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(SoundError, match="no such file"):
        before.tone("bell", 984, None)


def broken(path: Path, how: str) -> None:
    match how:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("RIFF, but not really. " * 40)
        case "folder":
            path.mkdir()
        case "no frames":
            soundfile.write(path, np.zeros((0, 1)), 24_000)
        case "cut off":
            soundfile.write(path, sine(440, 1, 24_000), 24_000)
            path.write_bytes(path.read_bytes()[:60])
        case "too short":
            soundfile.write(path, sine(440, 0.005, 24_000), 24_000)
        case "too long":
            soundfile.write(path, sine(440, 31, 8_000), 8_000)
        case "silent":
            soundfile.write(path, np.zeros(24_000), 24_000)
        case "not numbers":
            soundfile.write(path, np.full(24_000, np.nan), 24_000, "FLOAT")
        case "odd rate":
            soundfile.write(path, sine(440, 1, 24_000), 900)


FAULTS = ("empty", "text", "folder", "no frames", "cut off", "too short", "not numbers", "odd rate")


@pytest.mark.parametrize("how", [*FAULTS, "too long", "silent"])
def test_a_broken_sample_is_a_problem_at_its_place(tmp_path: Path, how: str) -> None:
    broken(tmp_path / "a.wav", how)
    path = written(tmp_path, "about: x\nbell: {sound: sample, file: a.wav}")
    (problem,) = sounds.problems(path)
    assert (problem.severity, problem.mark.line, problem.mark.column) == ("error", 2, 29)
    assert "a.wav" in problem.message
    with pytest.raises(ScriptError):
        sounds.load(str(path), ())


# ---- beds ----------------------------------------------------------------------------------------


def music(folder: Path, sound: NDArray[np.float64], rate: int, name: str = "m.wav") -> sounds.Bed:
    soundfile.write(folder / name, sound, rate)
    return sounds.load_bed(str(folder / name))


@pytest.mark.parametrize(("name", "round_ms"), [("ocean", 28_800), ("rain", 24_000)])
def test_generated_beds_go_round_without_a_seam(name: str, round_ms: int) -> None:
    bed = sounds.load_bed(name)
    sound = bed.block(0, round_ms + 1000)
    step = np.abs(np.diff(sound, axis=0)).max(axis=1)
    seam = ms_to_samples(round_ms)
    assert step[seam - 5 : seam + 5].max() <= np.quantile(step, 0.9999)
    assert np.array_equal(sound[seam:], sound[: len(sound) - seam])
    assert METER.integrated_loudness(bed.block(0, round_ms)) == pytest.approx(-34, abs=1)


def test_blocks_join_whoever_made_them(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal((44_100 * 3, 2)) * 0.1
    for bed in (sounds.load_bed("ocean"), music(tmp_path, noise, 44_100)):
        whole = bed.under(0, 9_000, [(1_000, 2_500), (2_700, 4_000)], [0, 5_016, 9_000]).raw_data
        cuts = [0, 24, 999, 1_000, 2_904, 4_000, 5_016, 9_000]
        parts = [
            bed.under(a, b - a, [(1_000, 2_500), (2_700, 4_000)], [0, 5_016, 9_000]).raw_data
            for a, b in itertools.pairwise(cuts)
        ]
        assert b"".join(parts) == whole


@pytest.mark.parametrize("rate", [44_100, 24_000, 8_000, 48_000, 11_003])
def test_music_is_resampled_and_looped_without_a_click(tmp_path: Path, rate: int) -> None:
    bed = music(tmp_path, sine(330, 20, rate, 2), rate)
    sound = bed.block(0, 40_000)[:, 0]
    expected = np.sin(2 * np.pi * 330 * np.arange(17 * RATE) / RATE)
    inner = slice(RATE, 16 * RATE + RATE // 2)  # over the join of two windows at 16 s
    scale = np.abs(sound[inner]).max()
    assert np.abs(sound[inner] / scale - expected[inner]).max() < 0.01
    assert np.abs(np.diff(sound[480:], 2)).max() < 1.6 * np.abs(np.diff(sound[inner], 2)).max()


def test_eight_channels_fold_to_two(tmp_path: Path) -> None:
    sound = np.zeros((48_000, 8))
    sound[:, 0] = sine(330, 1, 48_000)[:, 0]
    sound[:, 5] = sine(660, 1, 48_000)[:, 0]
    block = music(tmp_path, sound, 48_000).block(0, 1000)
    assert centroid(block[:, 0].astype(float)) == pytest.approx(330, rel=0.1)
    assert centroid(block[:, 1].astype(float)) == pytest.approx(660, rel=0.1)


@pytest.mark.parametrize("name", ["m.mp3", "m.ogg", "m.flac"])
def test_compressed_music_is_read_anywhere(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(1).standard_normal((44_100 * 20, 2)) * 0.1
    bed = music(tmp_path, noise, 44_100, name)
    sounds.bed._measured.cache_clear()
    late = bed.block(17_000, 1_000)
    assert np.array_equal(bed.block(0, 18_000)[-24_000:], late)
    assert METER.integrated_loudness(bed.block(0, 18_000)) == pytest.approx(-34, abs=1)
    assert pickle.loads(pickle.dumps(bed)).key() == bed.key()


@pytest.mark.parametrize("how", [*FAULTS, "tenth"])
def test_what_is_no_bed_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "bad.wav"
    if how == "tenth":
        soundfile.write(path, sine(440, 0.1, 24_000), 24_000)
    else:
        broken(path, how)
    with pytest.raises(InputError, match=r"bad\.wav"):
        sounds.load_bed(str(path))


def test_a_bed_that_is_not_there_or_silent(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean `ocean`"):
        sounds.load_bed("ocen")
    for name in (str(tmp_path / "none.mp3"), "~nobody/a.mp3", "a" * 999, "a" * 999 + ".wav", "."):
        with pytest.raises(InputError):
            sounds.load_bed(name)
    bed = music(tmp_path, np.zeros((24_000, 1)), 24_000)
    with pytest.raises(SoundError, match="silent"):
        bed.block(0, 1000)


def mp3(path: Path) -> bytes:
    noise = np.random.default_rng(1).standard_normal((RATE * 5, 2)) * 0.1
    soundfile.write(path, noise, RATE)
    return path.read_bytes()


# The first bytes of an M4A, and in the middle what looks like the head of an MPEG frame.
M4A = b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(700) + b"\xff\xfb\x90\x64" + bytes(3_000)
FOREIGN = [
    ("empty", b"", "it is empty"),
    ("text", b"One, two, and breathe.\n" * 100, "it is a text"),
    ("Cyrillic text", "Вдох и выдох. ".encode() * 100, "it is a text"),
    ("m4a", M4A, "it is an M4A or MP4 file"),
    ("webm", b"\x1aE\xdf\xa3" + bytes(range(256)) * 8, "WebM"),
    ("aac", b"\xff\xf1\x50\x80" + bytes(range(256)) * 8, "an AAC file"),
    ("picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "it is a picture"),
    ("archive", b"PK\x03\x04" + bytes(range(256)) * 8, "it is a packed archive"),
    ("zeros", bytes(5_000), "it is filled with zeros"),
    ("noise", np.random.default_rng(2).bytes(50_000), "it is damaged, or no sound file"),
    ("tag of an MP3", b"ID3\4\0\0\0\0\x10\0" + bytes(range(1, 256)) * 80, "no sound file"),
]


@pytest.mark.parametrize("ending", ["mp3", "wav", "flac", "ogg"])
@pytest.mark.parametrize(("what", "data", "reason"), FOREIGN, ids=[one[0] for one in FOREIGN])
def test_what_a_bed_is_instead_is_told(
    what: str,
    data: bytes,
    reason: str,
    ending: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        sounds.load_bed(str(path))
    assert caught.value.message.startswith(f"bad.{ending} cannot be played: ")
    assert reason in caught.value.message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["hole", "cut", "cut short", "tail", "head"])
def test_a_damaged_mp3_makes_no_noise(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mp3"
    whole = mp3(path)
    junk = np.random.default_rng(3).bytes(20_000)
    hole = whole[:20_000] + junk + whole[40_000:]
    cut = {"cut": whole[:20_000], "cut short": whole[:600]}
    path.write_bytes({**cut, "hole": hole, "tail": whole + junk, "head": junk + whole}[how])
    sounds.bed._measured.cache_clear()
    if how in ("tail", "head", "cut"):
        sounds.load_bed(str(path)).block(0, 5_000)
    else:
        with pytest.raises((InputError, SoundError), match=r"damaged|only|truncated"):
            sounds.load_bed(str(path)).block(0, 5_000)
    assert capfd.readouterr() == ("", "")


def test_what_this_process_says_meanwhile_is_not_lost_for_long(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mp3"
    mp3(path)
    sounds.load_bed(str(path))
    os.write(2, b"said")
    assert capfd.readouterr().err == "said"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
@pytest.mark.parametrize("place", ["bed", "sample"])
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("pipe", "it is a pipe"),
        ("folder", "it is a folder"),
        ("loop", "a link that leads back to itself"),
        ("/dev/zero", "it is a device"),
        ("/dev/full", "it is a device"),
    ],
)
def test_what_is_no_ordinary_file_is_told_at_once(
    what: str, reason: str, place: str, tmp_path: Path
) -> None:
    path = odd(tmp_path / "bad.wav", what)
    if place == "bed":
        with pytest.raises(InputError) as caught:
            sounds.load_bed(str(path))
        assert caught.value.message.startswith("bad.wav cannot be played: ")
        assert reason in caught.value.message
    else:
        script = written(tmp_path, "about: x\nbell: {sound: sample, file: bad.wav}")
        (problem,) = sounds.problems(script)
        assert reason in problem.message


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "you do not have permission"), (errno.EMFILE, "too many files are open"),
     (errno.EIO, "the disk reports an error"), (errno.ENODEV, "its disk is gone")],
)  # fmt: skip
def test_a_bed_that_cannot_be_opened(
    number: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp3"
    mp3(path)
    right = os.open

    def refused(name: object, *more: object, **given: object) -> int:
        if Path(str(name)) == path:
            raise OSError(number, os.strerror(number))
        return right(name, *more, **given)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(InputError, match=reason):
        sounds.load_bed(str(path))


def test_a_bed_without_a_name_is_called_by_its_path() -> None:
    with pytest.raises(InputError, match=r"^\. cannot be played: it is a folder"):
        sounds.load_bed(".")


def wide(turn: float) -> NDArray[np.float64]:
    """Noise whose right channel has `turn` of the left one, and otherwise noise of its own."""
    left, own = np.random.default_rng(5).standard_normal((2, RATE * 20)) * 0.1
    return np.stack([left, turn * left + (1 - abs(turn)) * own], axis=1)


@pytest.mark.parametrize(("turn", "cancels"), [(-1, True), (-0.8, True), (0, False), (1, False)])
def test_music_out_of_phase_is_heard_in_mono(tmp_path: Path, turn: float, cancels: bool) -> None:
    bed = music(tmp_path, wide(turn), RATE)
    block = bed.block(2_000, 10_000)
    folded = METER.integrated_loudness(block.mean(axis=1))
    assert METER.integrated_loudness(block) == pytest.approx(-34, abs=1)
    assert folded > -34 - 8
    assert bool(bed.warning()) == cancels
    assert "m.wav" in bed.warning() or not cancels


def test_generated_beds_are_in_phase() -> None:
    assert [sounds.load_bed(name).warning() for name, _ in sounds.BEDS] == ["", ""]


def test_ducking_is_smooth_and_deep_enough() -> None:
    ones = np.ones((ms_to_samples(4_000), 2), dtype=np.float32)
    gain = 20 * np.log10(duck(ones, 10_000, [(11_000, 12_000)])[:, 0])
    at = ms_to_samples
    assert gain[: at(850)].min() == 0
    assert gain[at(1_000) : at(2_000)].max() == pytest.approx(-9, abs=1e-3)
    assert gain[at(2_400) :].min() == pytest.approx(0, abs=1e-6)
    assert np.abs(np.diff(gain)).max() < 0.01
    assert np.all(np.diff(gain[at(850) : at(1_000)]) <= 1e-6)
    # The bed stays well over 12 dB under speech at -15 LUFS.
    assert -15 - (sounds.bed.LEVEL - 9) > 12


def test_chapters_fade_to_nothing_and_back() -> None:
    ones = np.ones((ms_to_samples(6_000), 2), dtype=np.float32)
    gain = fade(ones, 0, [0, 3_000, 6_000])[:, 0]
    assert gain[0] == 0
    assert gain[ms_to_samples(3_000)] == 0
    assert gain[-1] < 1e-6
    assert gain[ms_to_samples(1_500)] == 1
    assert np.abs(np.diff(gain)).max() < 1e-3
    assert np.array_equal(fade(ones, 0, []), ones)
