"""The splice proved: a session joined from pieces sounds as if it were encoded whole.

Every proof holds the finished file, decoded, against two others: the samples that were meant, and
those samples encoded in one go by an encoder of this test's own.
"""

from __future__ import annotations

import base64
import io
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import lameenc
import mutagen.mp3
import numpy as np
import pytest
import soundfile
from conftest import BUNDLED, SOUNDS
from mutagen.id3 import ID3
from numpy.typing import NDArray

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.units import FRAME, RATE, ms_to_samples
from voiceflow.formats import mp3
from voiceflow.score.score import Score
from voiceflow.script.lookup import Library
from voiceflow.stitch.pieces import cut

SESSION = """\
title: Two Good Things
pace: brisk
phrases: plain
exercises:
  - name: Ankle Rock
    position: standing
    sides: each
    setup: Step your {{ side }} foot forward.
    reps: 2
    rep:
      - exhale 3: Exhale, knee over toes. | Forward.
      - hold 1.5: Hold. | Hold.
      - inhale 3: Inhale, and back. | Back.
  - name: Wall Slide
    position: standing
    setup: Stand with your back against a wall. Bend your elbows.
    reps: 2
    rep:
      - inhale 3.5: Inhale, slide your arms up. | Up.
      - exhale 4.5: Exhale, draw them down. | Down.
"""
SHORT = """\
title: One Good Thing
phrases: plain
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 2
    rep: [inhale 3: Inhale and lift., exhale 4: Exhale and lower.]
"""
JOIN = 300  # samples to either side of a join: there the samples are silent
Samples = NDArray[np.float64]


@dataclass
class Made:
    """A session rendered, and everything it is held against."""

    folder: Path
    text: str
    options: Options
    context: Context

    @property
    def channels(self) -> int:
        return 1 if self.options.mono else 2

    @cached_property
    def path(self) -> Path:
        script, path = self.folder / "session.yaml", self.folder / "spliced.mp3"
        script.write_text(self.text, encoding="utf-8")
        voiceflow.render(script, path, options=self.options, context=self.context)
        return path

    @cached_property
    def score(self) -> Score:
        session = self.path.with_name("session.yaml")
        return voiceflow.arrange(session, self.options, self.context).score

    @cached_property
    def meant(self) -> Samples:
        """The samples of the whole session, before any encoder."""
        session = self.path.with_name("session.yaml")
        segment = voiceflow.segment(session, self.options, self.context)
        return np.frombuffer(segment.raw_data, "<i2").reshape(-1, self.channels).astype(float)

    @cached_property
    def stream(self) -> bytes:
        """The file without its tag."""
        return self.path.read_bytes()[ID3(self.path).size :]

    @cached_property
    def stream_of_whole(self) -> bytes:
        return encoded_whole(self.meant)

    @cached_property
    def spliced(self) -> Samples:
        return decoded(self.path.read_bytes(), self.channels)

    @cached_property
    def whole(self) -> Samples:
        return decoded(self.stream_of_whole, self.channels)

    @cached_property
    def joins(self) -> list[int]:
        """Sample at which each piece begins and ends."""
        return [ms_to_samples(ms) for p in cut(self.score) for ms in (p.start_ms, p.end_ms)]


def encoded_whole(meant: Samples) -> bytes:
    """All samples through one encoder in one go, its delay and its gain made up for."""
    count, channels = meant.shape
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(RATE)
    encoder.set_bit_rate(mp3.BIT_RATES[channels])
    encoder.set_quality(mp3.QUALITY)
    late = np.concatenate((meant[mp3.DELAY :], np.zeros((mp3.DELAY + 2 * FRAME, channels))))
    louder = np.rint(late.astype(np.float32) * np.float32(1 / mp3.GAIN)).clip(-32768, 32767)
    data = bytes(encoder.encode(louder.astype("<i2").tobytes())) + bytes(encoder.flush())
    return data[: count // FRAME * mp3.frame_bytes(channels)]


def decoded(data: bytes, channels: int) -> Samples:
    """By libsndfile, whose decoder is mpg123."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (RATE, channels)
    return samples.astype(float)


def ffmpeg() -> str:
    """FFmpeg, of the system or of the bench's extra; the test is skipped where there is none."""
    if found := shutil.which("ffmpeg"):
        return found
    return str(pytest.importorskip("imageio_ffmpeg", reason="no FFmpeg here").get_ffmpeg_exe())


def lag(reference: Samples, heard: Samples, start: int, count: int, reach: int = 24) -> int:
    """By how many samples `heard` is late within a window: where the correlation is highest."""
    first, last = max(start - reach, 0), min(start + count + reach, len(reference))
    wanted = reference[first + reach : last - reach]
    around = heard[first:last]
    both = zip(around.T, wanted.T, strict=True)
    return int(sum(np.correlate(a, w, "valid") for a, w in both).argmax()) - reach


def segmental_snr(reference: Samples, heard: Samples) -> Samples:
    """Decibels of each frame that is not silent."""
    frames = reference.reshape(-1, FRAME * reference.shape[1])
    errors = frames - heard.reshape(frames.shape)
    signal, noise = (frames**2).sum(axis=1), (errors**2).sum(axis=1)
    loud = signal > frames.shape[1] * 30.0**2
    return 10 * np.log10(signal[loud] / (noise[loud] + 1))


KINDS = {
    "stereo, bowl": (SESSION, Options(voice="espeak", tones="bowl")),
    "mono, ocean": (SESSION, Options(voice="espeak", tones="ocean", mono=True)),
    "stereo, pluck, bed": (SESSION, Options(voice="espeak", tones="pluck", bed="rain")),
    "mono, bed": (SHORT, Options(voice="espeak", tones="none", bed="ocean", mono=True)),
    "natural": (SHORT, Options(voice="natural", tones="bowl")),
}
BEDS = [kind for kind in KINDS if "bed" in kind]
SPLICED = [kind for kind in KINDS if "bed" not in kind]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Each kind of session, made once; speech is shared between them."""
    root = tmp_path_factory.mktemp("splice")
    context = Context(Library(root / "user", BUNDLED, SOUNDS), Cache(root / "cache"))
    known: dict[str, Made] = {}

    def made(kind: str) -> Made:
        if kind not in known:
            folder = root / str(len(known))
            folder.mkdir()
            known[kind] = Made(folder, *KINDS[kind], context)
        return known[kind]

    return made


# Equal to the whole


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_long_as_the_score_to_the_sample(make, kind):
    made = make(kind)
    length = ms_to_samples(made.score.length_ms)
    assert len(made.spliced) == len(made.whole) == len(made.meant) == length
    assert len(made.stream) == mp3.stream_length(made.score.length_ms, made.channels)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_sounds_where_the_score_has_it(make, kind):
    made = make(kind)
    for event in made.score.events:
        start, count = ms_to_samples(event.start_ms), ms_to_samples(min(event.length_ms, 400))
        spliced = lag(made.meant, made.spliced, start, count)
        whole = lag(made.meant, made.whole, start, count)
        assert abs(spliced) <= 1, event
        assert abs(spliced - whole) <= 1, event


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_near_to_the_samples_as_the_whole(make, kind):
    made = make(kind)
    spliced, whole = (segmental_snr(made.meant, one) for one in (made.spliced, made.whole))
    # One channel for both ears has a seventh fewer bits. They are missing where noise is far below
    # the sound, in better than 30 dB; the frames that need them most have them.
    less = 0.5 if made.channels == 1 or kind in BEDS else 1.5
    assert abs(spliced.mean() - whole.mean()) < less
    # Nor is it bought by some frames at the cost of others.
    for share in (1, 5, 25, 50):
        spare = less if np.percentile(spliced, share) > 30 else 0
        assert np.percentile(spliced, share) > np.percentile(whole, share) - max(0.5, spare)


@pytest.mark.parametrize("kind", SPLICED)
def test_no_join_is_heard(make, kind):
    made = make(kind)
    near = np.zeros(len(made.meant), bool)
    for join in made.joins:
        near[max(join - JOIN, 0) : join + JOIN] = True
    sounding = np.abs(made.meant).max(axis=1) > 30
    error = (made.spliced - made.meant) ** 2
    assert not sounding[near].any()
    assert error[near].mean() < error[sounding & ~near].mean() / 10
    assert error[near].mean() <= ((made.whole - made.meant) ** 2)[near].mean() + 1
    steps = np.abs(np.diff(made.spliced, axis=0)).max(axis=1)
    assert steps[near[1:]].max() < np.percentile(steps[sounding[1:]], 50)
    assert steps[near[1:]].max() <= 8


@pytest.mark.parametrize("kind", BEDS)
def test_with_a_bed_it_is_the_whole_to_the_byte(make, kind):
    made = make(kind)
    assert made.stream == made.stream_of_whole


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_one_stream_of_equal_frames(make, kind):
    made = make(kind)
    size = mp3.frame_bytes(made.channels)
    frames = [made.stream[at : at + size] for at in range(0, len(made.stream), size)]
    assert len(frames) * FRAME == len(made.meant)
    # Sync, layer, bit rate, sampling rate: the same in each. No Xing or Info header, no tag.
    assert len({frame[:3] for frame in frames}) == 1
    assert not any(mark in made.stream for mark in (b"Xing", b"Info", b"LAME3", b"ID3"))


# Other ears


@pytest.mark.parametrize("kind", KINDS)
def test_another_decoder_hears_the_same(make, kind):
    made = make(kind)
    command = [ffmpeg(), "-v", "error", "-i", str(made.path), "-map", "0:a", "-f", "s16le", "-"]
    heard = subprocess.run(command, capture_output=True, check=True)
    assert not heard.stderr
    other = np.frombuffer(heard.stdout, "<i2").reshape(-1, made.channels)
    assert len(other) == len(made.spliced)
    assert np.abs(other - made.spliced).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_mutagen_finds_its_length(make, kind):
    made = make(kind)
    info = mutagen.mp3.MP3(made.path).info
    assert info.length * 1000 == pytest.approx(made.score.length_ms, abs=1)
    assert info.bitrate == 1000 * mp3.BIT_RATES[made.channels]


@pytest.mark.parametrize("kind", SPLICED)
def test_ffmpeg_finds_its_length(make, kind):
    made = make(kind)
    told = subprocess.run([ffmpeg(), "-i", str(made.path)], capture_output=True, text=True).stderr
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told).groups()
    found = (int(hours) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000
    assert found == pytest.approx(made.score.length_ms, abs=15)  # it tells hundredths


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed")
@pytest.mark.parametrize("kind", SPLICED)
def test_ffprobe_finds_its_length(make, kind):
    made = make(kind)
    ask = "ffprobe -v error -show_entries format=duration -of csv=p=0".split()
    told = subprocess.run([*ask, str(made.path)], capture_output=True, check=True).stdout
    assert float(told) * 1000 == pytest.approx(made.score.length_ms, abs=5)


LISTEN = """
async ([data, positions]) => {
  const audio = new Audio(URL.createObjectURL(await (await fetch(data)).blob()));
  const heard = (name) => new Promise((done) => audio.addEventListener(name, done, {once: true}));
  const context = new AudioContext({sampleRate: 24000});
  await Promise.all([context.resume(), audio.readyState ? 0 : heard("loadedmetadata")]);
  const tap = context.createScriptProcessor(1024, 1, 1);
  let samples = [];
  tap.onaudioprocess = (event) => samples.push(...event.inputBuffer.getChannelData(0));
  context.createMediaElementSource(audio).connect(tap).connect(context.destination);
  const found = [];
  for (const position of positions) {
    audio.currentTime = position;
    await heard("seeked");
    samples = [];
    await audio.play();
    const enough = () => samples.length - samples.findIndex((one) => one !== 0) > 16000;
    while (!samples.some((one) => one !== 0) || !enough()) await new Promise(requestAnimationFrame);
    audio.pause();
    found.push(samples.slice(samples.findIndex((one) => one !== 0)).slice(0, 16000));
  }
  return [audio.duration, found];
}
"""


@pytest.mark.parametrize("kind", ["stereo, bowl", "stereo, pluck, bed"])
def test_chromium_finds_its_length_and_every_chapter(make, kind):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no Chromium")
    made = make(kind)
    spoken = [event for event in made.score.events if event.kind == "speech"]
    # Into the first words of each chapter: what is heard first tells where it landed.
    asked = [
        next(one.start_ms + 300 for one in spoken if one.start_ms >= chapter.start_ms)
        for chapter in made.score.chapters
    ]
    data = "data:audio/mpeg;base64," + base64.b64encode(made.path.read_bytes()).decode()
    with api.sync_playwright() as play:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        length, found = page.evaluate(LISTEN, [data, [ms / 1000 for ms in asked]])
        browser.close()
    assert length * 1000 == pytest.approx(made.score.length_ms, abs=1)
    for position_ms, heard in zip(asked, found, strict=True):
        around = made.meant[ms_to_samples(position_ms - 250) :][:28_000].sum(axis=1)
        landed = int(np.correlate(around, np.array(heard)[:9_600], "valid").argmax()) / 24 - 250
        assert abs(landed) < 50, made.score.chapters


# The same bytes, whatever happens

ESPEAK = Options(voice="espeak", tones="pluck")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    """A session, a cache that knows it, and the bytes it comes to, made cold by one worker."""
    root = tmp_path_factory.mktemp("truth")
    session = root / "session.yaml"
    session.write_text(SESSION, encoding="utf-8")
    return session, root / "cache", rendered(session, Cache(root / "cache"), jobs=1)


def rendered(session: Path, cache: Cache, jobs: int = 0) -> bytes:
    target = session.with_name("out.mp3")
    target.unlink(missing_ok=True)
    context = Context(Library(session.parent / "user", BUNDLED, SOUNDS), cache, jobs)
    voiceflow.render(session, target, options=ESPEAK, context=context)
    return target.read_bytes()


@pytest.mark.parametrize(("root", "jobs"), [("cache", 8), (None, 2)])
def test_cold_with_any_number_of_workers(truth, tmp_path, root, jobs):
    session, _, data = truth
    assert rendered(session, Cache(root and tmp_path / root), jobs) == data


@pytest.mark.parametrize("jobs", [1, 8])
def test_warm(truth, jobs):
    session, cache, data = truth
    assert rendered(session, Cache(cache), jobs) == data


def test_warm_without_its_memo(truth, tmp_path):
    session, cache, data = truth
    shutil.copytree(cache, tmp_path / "cache")
    for folder in (tmp_path / "cache").glob("*/memo"):
        shutil.rmtree(folder)
    assert rendered(session, Cache(tmp_path / "cache")) == data


def test_from_the_command_line_and_as_a_stream(truth, tmp_path):
    session, cache, data = truth
    out = tmp_path / "cli.mp3"
    command = f"-m voiceflow render {session} -o {out} --voice espeak --tones pluck".split()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    assert out.read_bytes() == data
    context = Context(Library(session.parent / "user", BUNDLED, SOUNDS), Cache(cache))
    stream = voiceflow.stream(session, ESPEAK, context)
    assert b"".join(stream) == data
    assert stream.length == len(data)


def test_a_stream_whose_cache_goes_half_way(truth, tmp_path):
    session, cache, data = truth
    shutil.copytree(cache, tmp_path / "cache")
    context = Context(Library(session.parent / "user", BUNDLED, SOUNDS), Cache(tmp_path / "cache"))
    chunks = iter(voiceflow.stream(session, ESPEAK, context))
    begun = [next(chunks) for _ in range(8)]
    shutil.rmtree(tmp_path / "cache")
    assert b"".join([*begun, *chunks]) == data


def _delete(path: Path, _: random.Random) -> None:
    path.unlink()


def _truncate(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def _scribble(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def _exchange(path: Path, chance: random.Random) -> None:
    """Another whole entry of the same kind in this one's place."""
    others = [one for one in path.parent.parent.glob("*/*") if one != path]
    if others:
        shutil.copy(chance.choice(sorted(others)), path)


@pytest.mark.parametrize("harm", [_delete, _truncate, _scribble, _empty, _exchange])
def test_after_half_of_the_cache_was_harmed(truth, tmp_path, harm):
    session, cache, data = truth
    root, chance = tmp_path / "cache", random.Random(harm.__name__)
    shutil.copytree(cache, root)
    entries = [path for path in sorted(root.glob("*/*/*/*")) if path.is_file()]
    assert len(entries) > 40
    for path in entries:
        if chance.random() < 0.5:
            harm(path, chance)
    assert rendered(session, Cache(root)) == data
    assert rendered(session, Cache(root)) == data
    # Nothing else is left there: what it made anew is what was there before.
    assert {path.name for path in root.glob("*/*/*/*")} <= {path.name for path in entries}
