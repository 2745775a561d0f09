"""Real workers: natural speech, espeak, and every fault a voice can have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hibari
import numpy as np
import pytest
import pyttsx3

from voiceflow import voices
from voiceflow.audio.loudness import loudness
from voiceflow.audio.true_peak import dbtp, true_peak
from voiceflow.core.cache import Cache
from voiceflow.core.errors import VoiceError
from voiceflow.voices import levelling as level
from voiceflow.voices import pool
from voiceflow.voices import speaker as speaker_room
from voiceflow.voices.drivers.hibari import SEED, HibariDriver, fold, speed_of
from voiceflow.voices.drivers.hibari_model import _Noise
from voiceflow.voices.engine import Engine, _match

LINUX = sys.platform.startswith("linux")
POSIX = os.name == "posix"
CUES = (
    "Inhale.", "Exhale.", "Hold.", "Lift.", "Lower.", "Rest.", "Switch sides.", "Last one.",
    "Inhale to prepare.", "Feel the floor beneath your shoulders.",
    "She finishes with both feet flat.",
    "Exhale, tilt your pelvis and lift your hips slowly.", "Four, three, two, lift.",
    "Thick towels help if the floor is hard.", "Stay, and feel the backs of your legs.",
    "Bring your knees to your chest, hold behind your thighs, and rock gently from side to side.",
    "Well done. The session is complete. Take your time before you sit up.",
)  # fmt: skip
COUNTS = tuple(f"{word} {count}." for word in ("Rep", "Breath", "Set") for count in range(1, 29))


def samples(clip: voices.Clip) -> np.ndarray:
    return np.frombuffer(clip.pcm, "<i2") / 32768


def envelope(x: np.ndarray) -> np.ndarray:
    """Height of each frame of the natural voice."""
    return np.sqrt((x.reshape(-1, 300) ** 2).mean(axis=1))


def cut(*sounds: np.ndarray) -> list[np.ndarray]:
    """`sounds` to the length of the shortest, in whole blocks of 1,200 samples."""
    least = min(map(len, sounds)) // 1200 * 1200
    return [x[:least] for x in sounds]


def left_behind() -> list[Path]:
    folder = Path(tempfile.gettempdir())
    return list(folder.glob(f"voiceflow-voice-{os.getpid()}-*"))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert left_behind() == []


@pytest.fixture(scope="module")
def natural() -> voices.Speaker:
    """A hundred short cues and some longer ones, spoken once for all tests here."""
    with voices.Speaker(voices.find("natural"), 140, Cache(None), jobs=2) as speaker:
        speaker.speak(CUES + COUNTS)
    return speaker


# Natural speech.


def test_a_hundred_cues_are_each_as_long_as_their_words(natural: voices.Speaker) -> None:
    lengths = natural.known(CUES + COUNTS)
    assert len(lengths) == len(CUES + COUNTS) > 100
    ratios = [length / voices.estimate(text, 140) for text, length in lengths.items()]
    assert min(ratios) > 0.7
    assert max(ratios) < 1.4
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_every_cue_sounds_at_once_at_one_loudness(natural: voices.Speaker) -> None:
    for text in CUES + COUNTS:
        x = samples(natural.clip(text))
        assert np.flatnonzero(np.abs(x) > 0.01)[0] < 480, text
        assert loudness(x) == pytest.approx(level.TARGET_LUFS, abs=0.5), text
        assert dbtp(true_peak(x)) <= -2.5, text
        assert abs(x[0]) < 0.001 > abs(x[-1])


def test_the_rate_is_what_was_asked(natural: voices.Speaker) -> None:
    texts = [text for text in CUES if len(text.split()) > 5 and ". " not in text]
    words = sum(len(text.split()) for text in texts)
    minutes = sum(natural.known(texts).values()) / 60_000
    assert words / minutes == pytest.approx(140, rel=0.1)


def test_a_text_sounds_the_same_by_whichever_worker(natural: voices.Speaker) -> None:
    some = CUES[:1:-5]
    with voices.Speaker(voices.find("natural"), 140, Cache(None), jobs=1) as alone:
        alone.speak(some)
        assert [alone.clip(text) for text in some] == [natural.clip(text) for text in some]


def test_sentences_are_parted_by_a_breath_not_by_a_hole(natural: voices.Speaker) -> None:
    x = samples(
        natural.clip("Well done. The session is complete. Take your time before you sit up.")
    )
    quiet = np.convolve(np.abs(x), np.ones(240) / 240, "same") < 0.003
    edges = np.flatnonzero(np.diff(quiet.astype(int)))
    gaps = np.diff(edges)[quiet[edges[:-1] + 1]] / 24
    assert 400 < max(gaps) < 900


def test_pronunciations_change_what_is_heard(natural: voices.Speaker) -> None:
    said = voices.spoken("Rest.", {"rest": "/ˈwɜɹk/"}, natural.voice)
    with natural:
        natural.speak([said])
        assert natural.clip(said).pcm != natural.clip("Rest.").pcm


def test_what_is_left_away_of_a_sentence_cannot_be_heard() -> None:
    """Against hibari as it is: the same speech, without its silent ends."""
    driver = HibariDriver(None)
    plain = hibari.Hibari(g2p=driver._model.g2p)
    spared = 0
    for text in ("Hold.", "Thick towels help if the floor is hard.", "Lift, and rest.", "Six."):
        whole, heard = (
            np.concatenate([*model.stream(text, speed=0.64, seed=SEED)])
            for model in (plain, driver._model)
        )
        spared += len(whole) - len(heard)
        at = 300 * int(np.argmax(np.correlate(envelope(whole), envelope(heard), "valid")))
        around = np.r_[whole[:at], whole[at + len(heard) :]]
        assert np.abs(around).max() < 10 ** (-65 / 20)
        # Where in its turn a vocal fold begins is not heard; spectra tell.
        spectra = [np.abs(np.fft.rfft(x.reshape(-1, 1200))) for x in cut(whole[at:], heard)]
        assert np.corrcoef(*(x.ravel() for x in spectra))[0, 1] > 0.95
        clips = [np.frombuffer(level.make_clip(x), "<i2") for x in (whole, heard)]
        assert len(clips[0]) == pytest.approx(len(clips[1]), abs=50 * 24)
    assert spared > 4 * 12_000


def test_a_frames_noise_is_the_same_in_a_short_sentence_and_in_a_long_one() -> None:
    short, long = (_Noise().standard_normal((601, 2 * frames), np.float32) for frames in (90, 700))
    assert np.array_equal(short, long[:, :180])
    assert short.flags.c_contiguous
    assert long.std() == pytest.approx(1, abs=0.01)
    assert abs(np.corrcoef(long[:, 0::2].ravel(), long[:, 1::2].ravel())[0, 1]) < 0.01
    assert not np.shares_memory(short, _Noise().standard_normal((601, 180), np.float32))


def test_the_nearest_measured_speed_is_taken() -> None:
    assert speed_of(140) == 0.64
    assert speed_of(10) == 0.50
    assert speed_of(1000) == 1.60
    assert speed_of(150) == 0.66


def test_letters_outside_the_models_alphabet_are_folded_into_it() -> None:
    assert fold("Plié  ﬁne\nŷ Ěx [ŷ](/x/)") == "Plié fine y Ex [ŷ](/x/)"


# pyttsx3 itself, with the drivers that voiceflow adds.


def test_the_drivers_work_as_pyttsx3_drivers_do(tmp_path: Path) -> None:
    voices.install_drivers()
    voices.install_drivers()
    engine = pyttsx3.init("faulty")
    engine.setProperty("voice", "hum")
    engine.setProperty("rate", 180)
    assert next(voice.id for voice in engine.getProperty("voices")) == "hum"
    topics: list[str] = []
    for topic in ("started-utterance", "finished-utterance", "error"):
        engine.connect(topic, lambda topic=topic, **_: topics.append(topic))
    for number in range(3):
        engine.save_to_file("Hold still.", str(tmp_path / f"{number}.wav"), "cue")
        engine.save_to_file("Hold still.", str(tmp_path / f"{number}b.wav"), "cue")
        engine.runAndWait()
    assert topics == ["started-utterance", "finished-utterance"] * 6
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert (engine.getProperty("rate"), engine.getProperty("volume")) == (180, 1.0)
    engine.startLoop(False)
    engine.save_to_file("Hold still.", str(tmp_path / "external.wav"))
    engine.iterate()
    engine.endLoop()
    assert (tmp_path / "external.wav").read_bytes() == (tmp_path / "0.wav").read_bytes()
    topics.clear()
    engine.setProperty("voice", "nobody")
    engine.setProperty("pitch", 3)
    engine.save_to_file("Hold.", str(tmp_path / "no" / "such" / "folder.wav"))
    engine.runAndWait()
    assert topics == ["error", "error", "started-utterance", "error"]
    with pytest.raises(KeyError):
        engine.getProperty("pitch")


def test_a_driver_of_another_package_is_taken_by_its_full_name(tmp_path: Path) -> None:
    engine = Engine("voiceflow.voices.drivers.faulty", "hum", 140, 5)
    engine.save("Hold.", tmp_path / "a.wav")
    assert (tmp_path / "a.wav").stat().st_size > 1000
    with pytest.raises(VoiceError, match="could not be loaded"):
        Engine("no.such.driver", None, 140, 5)


def test_a_systems_voice_is_found_by_a_part_of_its_name() -> None:
    class System:
        def getProperty(self, _: str) -> list[object]:  # noqa: N802
            from pyttsx3.voice import Voice

            return [Voice("HKEY/David", "Microsoft David"), Voice("HKEY/Zira", "Microsoft Zira")]

    assert _match(System(), "sapi5", None) is None
    assert _match(System(), "sapi5", "zira") == "HKEY/Zira"
    assert _match(System(), "sapi5", "hkey/david") == "HKEY/David"
    with pytest.raises(VoiceError, match="no voice called"):
        _match(System(), "sapi5", "Hazel")


def test_a_drivers_voices_are_listed_by_a_process_of_their_own() -> None:
    names = [name for _, name, _ in pool.list_voices("faulty")]
    assert len(names) > 5
    assert pool.list_voices("no such driver") == []


# espeak.

SPANISH = (
    "Inhala para prepararte.", "Exhala, y levanta las caderas despacio.", "Baja con control.",
    "Quédate, y siente la parte de atrás de las piernas.", "Cuatro, tres, dos, sube.", "Otra vez.",
    "¿Lista? ¡Sí! Respira.", "Última: 12 segundos.",
)  # fmt: skip


@pytest.mark.skipif(not LINUX, reason="espeak is bundled for Linux")
def test_spanish_by_espeak_is_right_and_the_same_in_any_order() -> None:
    def spoken(texts: tuple[str, ...], jobs: int) -> dict[str, bytes]:
        with voices.Speaker(voices.find("espeak:es"), 140, Cache(None), jobs=jobs) as speaker:
            lengths = speaker.speak(texts)
            for text, length in lengths.items():
                assert 0.4 < length / voices.estimate(text, 140) < 1.4, text
                x = samples(speaker.clip(text))
                assert loudness(x) == pytest.approx(level.TARGET_LUFS, abs=0.5)
                assert dbtp(true_peak(x)) <= -2.5
                assert np.flatnonzero(np.abs(x) > 0.01)[0] < 480
            return {text: speaker.clip(text).pcm for text in texts}

    all_at_once = spoken(SPANISH, 2)
    assert spoken(SPANISH[:2], 1) == {text: all_at_once[text] for text in SPANISH[:2]}
    assert spoken(SPANISH[4:1:-1], 1) == {text: all_at_once[text] for text in SPANISH[4:1:-1]}


@pytest.mark.skipif(not LINUX, reason="espeak is bundled for Linux")
def test_rates_of_espeak_never_mix() -> None:
    lengths = []
    for rate in (100, 200):
        with voices.Speaker(voices.find("espeak"), rate, Cache(None), jobs=2) as speaker:
            lengths.append(speaker.speak(COUNTS[:20]))
    ratios = [slow / lengths[1][text] for text, slow in lengths[0].items()]
    assert 1.4 < min(ratios) <= max(ratios) < 2.3


# The cache.


def test_what_was_spoken_once_is_known_in_another_session(tmp_path: Path) -> None:
    voice, made = voices.find("faulty:hum"), []
    cache = Cache(tmp_path / "cache")
    with voices.Speaker(voice, 140, cache) as speaker:
        lengths = speaker.speak(CUES[:6], made.append)
        clips = [speaker.clip(text) for text in CUES[:6]]
    assert sorted(made) == sorted(CUES[:6])
    assert [clip.length_ms for clip in clips] == list(lengths.values())
    with voices.Speaker(voice, 140, Cache(tmp_path / "cache")) as again:
        assert again.known(CUES[:7]) == lengths
        assert again.speak(CUES[:6], made.append) == lengths
        assert [again.clip(text) for text in CUES[:6]] == clips
        assert again._pool is None
    assert len(made) == 6
    assert voices.Speaker(voice, 150, cache).known(CUES[:6]) == {}


def test_a_clip_that_the_cache_lost_is_spoken_again(tmp_path: Path) -> None:
    import shutil

    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(tmp_path / "c"), jobs=1) as speaker:
        lengths = speaker.speak(["Hold."])
        before = speaker.clip("Hold.")
        shutil.rmtree(tmp_path / "c")
        speaker.close()
        assert speaker.clip("Hold.") == before
        assert speaker.known(["Hold."]) == lengths


@pytest.mark.parametrize("kind", ["none", "a file"])
def test_without_a_cache_that_works_clips_are_held(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    cache = Cache(None if kind == "none" else tmp_path / "file" / "cache")
    with voices.Speaker(voices.find("faulty:hum"), 140, cache, jobs=1) as speaker:
        lengths = speaker.speak(CUES[:3])
    assert speaker.known(CUES[:4]) == lengths
    assert [speaker.clip(text).length_ms for text in CUES[:3]] == list(lengths.values())
    assert speaker._pool is None


def test_nothing_to_speak_starts_nothing() -> None:
    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None)) as speaker:
        assert speaker.speak([]) == {}
        speaker.start(0)
        assert speaker._pool is None


# Loading ahead.


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started from here on. There are two cores."""
    processes, spawn = [], pool.spawn

    def counted(ahead: str = "") -> subprocess.Popen[bytes]:
        processes.append(spawn(ahead))
        return processes[-1]

    monkeypatch.setattr(pool, "spawn", counted)
    monkeypatch.setattr(speaker_room, "cores", lambda: 2)
    return processes


@pytest.fixture
def known(tmp_path: Path) -> Cache:
    """A cache in which something was kept already."""
    cache = Cache(tmp_path / "known")
    cache.put("length", Cache.key("one"), b"1000")
    return cache


def test_the_first_worker_is_the_one_that_was_begun(
    begun: list[subprocess.Popen[bytes]], natural: voices.Speaker, known: Cache
) -> None:
    voice = voices.find("natural")
    with voices.expecting("natural", known):
        assert len(begun) == 1
        with voices.Speaker(voice, 140, Cache(None), jobs=1) as speaker:
            speaker.speak(["Hold."])
            assert speaker.clip("Hold.") == natural.clip("Hold.")
        assert begun[0].poll() is not None
        with voices.Speaker(voice, 140, Cache(None), jobs=1) as speaker:
            assert speaker.speak(["Rest."]) == natural.known(["Rest."])
    assert len(begun) == 2


@pytest.mark.skipif(not LINUX, reason="espeak is bundled for Linux")
def test_where_nothing_was_spoken_yet_every_core_begins(
    begun: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "new")
    with voices.expecting("espeak", cache):
        assert len(begun) == 2
        with voices.Speaker(voices.find("espeak:es"), 140, cache, jobs=2) as speaker:
            speaker.speak(SPANISH)
            speaker.start(20)
        with voices.expecting("espeak", cache):
            assert len(begun) == 3, "one is enough from now on"
    assert all(process.poll() is not None for process in begun)


def test_what_was_begun_for_nothing_is_gone(
    begun: list[subprocess.Popen[bytes]], known: Cache
) -> None:
    with voices.expecting("natural", known), voices.expecting("natural", known):
        with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=1) as speaker:
            speaker.speak(["Hold."])
        assert len(begun) == 2, "one begun, and one that speaks"
        assert begun[0].poll() is None
    assert begun[0].poll() is not None
    assert not any(pool._begun.values())


@pytest.mark.parametrize("name", ["silent", "no-such-voice", "natural:nobody", "faulty:hum"])
def test_nothing_is_begun_for_what_loads_at_once_or_not_at_all(
    name: str, begun: list[subprocess.Popen[bytes]]
) -> None:
    with voices.expecting(name, Cache(None)):
        assert begun == []


def test_one_core_has_nothing_to_spare(
    begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker_room, "cores", lambda: 1)
    with voices.expecting("natural", Cache(None)):
        assert begun == []


# Faults.


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("hang", "took more than 0.7 s, twice"),
        ("crash", r"crashed \(exit code 11\), twice"),
        ("error", "its driver says: an error on purpose, twice"),
        ("empty", "wrote no sound, twice"),
        ("nothing", "empty sound, twice"),
        ("noise", "is not audio, twice"),
        ("silence", "gave silence, twice"),
        ("short", "too short for its words, twice"),
        ("long", "too long for its words, twice"),
    ],
)
def test_a_fault_that_stays_ends_with_the_cues_name(
    fault: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = voices.find(f"faulty:{fault}")
    limit = 0.7 if fault == "hang" else 30
    monkeypatch.setattr(pool, "_LOAD_FACTOR", 100)  # loading takes what it takes
    with (
        voices.Speaker(voice, 140, Cache(None), jobs=1, timeout_s=limit) as speaker,
        pytest.raises(VoiceError, match=message) as error,
    ):
        speaker.speak(["Lift your hips."])
    assert error.value.text == "Lift your hips."
    assert "'Lift your hips.'" in error.value.message
    assert error.value.hint
    assert speaker._pool is None


def test_a_voice_that_cannot_be_loaded_says_so_at_once() -> None:
    with (
        voices.Speaker(voices.find("faulty:load"), 140, Cache(None), jobs=2) as speaker,
        pytest.raises(VoiceError, match="cannot be loaded, on purpose"),
    ):
        speaker.speak(CUES)


def test_a_fault_that_passes_is_not_noticed(tmp_path: Path) -> None:
    voice = voices.find(f"faulty:once:{tmp_path / 'mark'}")
    with voices.Speaker(voice, 140, Cache(None), jobs=2) as speaker:
        lengths = speaker.speak(CUES)
    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=1) as well:
        assert lengths == well.speak(CUES)


@pytest.mark.skipif(not POSIX, reason="a signal")
def test_a_killed_worker_is_replaced() -> None:
    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=2) as speaker:
        killed: list[int] = []

        def kill(_: str) -> None:
            if not killed and speaker._pool is not None:
                killed.append(speaker._pool._workers[0].process.pid)
                os.kill(killed[0], signal.SIGKILL)

        lengths = speaker.speak(CUES + COUNTS[:20], kill)
    assert len(lengths) == len(CUES) + 20


@pytest.mark.skipif(not POSIX, reason="a signal")
def test_all_workers_may_be_killed_while_they_load() -> None:
    """Each is replaced once: two that fail are not one that fails twice."""
    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=3) as speaker:
        speaker.start()
        assert speaker._pool is not None
        first = [worker.process.pid for worker in speaker._pool._workers]
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        assert len(first) == 3
        assert len(speaker.speak(CUES[:6])) == 6


def test_a_text_that_cannot_be_read_starts_no_worker() -> None:
    with (
        voices.Speaker(voices.find("natural"), 140, Cache(None)) as speaker,
        pytest.raises(VoiceError, match="cannot read"),
    ):
        speaker.speak(["Hold.", "привет"])
    assert speaker._pool is None


_CHILD = """
import sys
from voiceflow import voices
from voiceflow.core.cache import Cache
with voices.Speaker(voices.find(sys.argv[1]), 140, Cache(None), jobs=2, timeout_s=60) as speaker:
    speaker.start()
    print(*(w.process.pid for w in speaker._pool._workers), flush=True)
    speaker.speak([f"Lift your hips slowly {n}." for n in range(500)])
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not LINUX, reason="looks into /proc")
@pytest.mark.parametrize("name", ["faulty:hang", "espeak"])
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("after", [0.0, 0.6])
def test_workers_never_outlive_their_parent(name: str, how: str, after: float) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _CHILD, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    time.sleep(after)
    os.killpg(parent.pid, signal.Signals[how])
    _, errors = parent.communicate()
    for _ in range(10_000):
        if not any(map(alive, workers)):
            break
        time.sleep(0.01)
    assert not any(map(alive, workers))
    assert "voices/worker" not in errors
    assert list(Path(tempfile.gettempdir()).glob(f"voiceflow-voice-{parent.pid}-*")) == []


@pytest.mark.skipif(not POSIX, reason="a process group")
def test_interrupted_speech_ends_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def interrupt(_: str) -> None:
        assert speaker._pool is not None
        pids.extend(worker.process.pid for worker in speaker._pool._workers)
        raise KeyboardInterrupt

    speaker = voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=2)
    with pytest.raises(KeyboardInterrupt), speaker:
        speaker.speak(COUNTS, interrupt)
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_take_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wave.py", "json.py", "numpy.py"):
        (tmp_path / name).write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    with voices.Speaker(voices.find("faulty:hum"), 140, Cache(None), jobs=1) as speaker:
        assert speaker.speak(["Hold."])["Hold."] > 0
