"""The recording, by property: as long as its score, each sound in its place, labelled, whole."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import re
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mutagen
import mutagen.mp3
import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3
from numpy.typing import NDArray
from PIL import Image

from voiceflow.core.cache import Cache
from voiceflow.core.errors import OutputError
from voiceflow.core.files import writing
from voiceflow.core.units import FRAME, RATE, ms_to_samples
from voiceflow.draw import font
from voiceflow.draw.cover import cover, cover_of, waves
from voiceflow.formats import RENDERED, containers, mp3
from voiceflow.formats.id3 import tag, tag_of
from voiceflow.formats.labels import Labels, iso639_2, plain
from voiceflow.score.score import Chapter, Event, Score

CONTAINERS = [one for one in RENDERED if one != "mp3"]
ROOT = Path(__file__).parents[2]
LENGTH_MS = 20_160
STARTS = (480, 3_360, 6_024, 9_984, 12_000, 15_840)
Samples = NDArray[np.int16]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sound(seed: int, length_ms: int, channels: int) -> Samples:
    """A piece: 48 ms of silence, a syllable-like noise over a tone, silence to the end."""
    count = ms_to_samples(length_ms)
    body = count - ms_to_samples(48 + 72)
    noise = np.random.default_rng(seed).normal(0, 1, (body + 40, 1))
    noise = sum(noise[shift : shift + body] for shift in range(40)) / 16
    time_s = np.arange(body)[:, None] / RATE
    gate = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * 3.3 * time_s))
    tone = np.sin(2 * np.pi * (200 + 50 * seed) * time_s)
    ends = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.01)
    lean = np.array([[1.0, 0.7]])[:, :channels]
    out = np.zeros((count, channels))
    out[ms_to_samples(48) :][:body] = (noise * gate * 0.2 + 0.05 * tone) * ends * lean
    return np.clip(np.rint(out * 32767), -28_500, 28_500).astype("<i2")


def session(channels: int) -> tuple[list[tuple[int, Samples]], Samples]:
    """Pieces with their starts, and the whole."""
    pieces = [(start - 48, sound(at % 4, 1_920, channels)) for at, start in enumerate(STARTS)]
    whole = np.zeros((ms_to_samples(LENGTH_MS), channels), "<i2")
    for start_ms, samples in pieces:
        at = ms_to_samples(start_ms)
        whole[at : at + len(samples)] = samples
    return pieces, whole


def spliced(channels: int, jobs: int = 1) -> bytes:
    splice = mp3.Splice(channels)
    pieces, _ = session(channels)
    with ThreadPoolExecutor(jobs) as pool:
        frames = pool.map(splice.piece, [samples.tobytes() for _, samples in pieces])
        starts = [start_ms for start_ms, _ in pieces]
        return b"".join(splice.join(zip(starts, frames, strict=True), LENGTH_MS))


def encoded_whole(channels: int, block: int = 1 << 30) -> bytes:
    _, whole = session(channels)
    raw = whole.tobytes()
    blocks = (raw[at : at + block] for at in range(0, len(raw), block))
    return b"".join(mp3.encode_stream(blocks, channels))


def decoded(data: bytes, channels: int) -> Samples:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (RATE, channels)
    return samples


def segmental_snr(reference: Samples, heard: Samples) -> float:
    """Mean over frames that are not silent, in dB."""
    blocks = reference.astype(float).reshape(-1, FRAME * reference.shape[1])
    errors = blocks - heard.astype(float).reshape(blocks.shape)
    signal, noise = (blocks**2).sum(axis=1), (errors**2).sum(axis=1)
    loud = signal > blocks.shape[1] * 100.0**2
    return float((10 * np.log10(signal[loud] / (noise[loud] + 1))).mean())


def lag(reference: Samples, heard: Samples, start_ms: int) -> int:
    """By how many samples `heard` is late at an event, from the peak of the correlation."""
    at, count, reach = ms_to_samples(start_ms), 9_600, 40
    wanted = reference[at : at + count].astype(float).sum(axis=1)
    around = heard[at - reach : at + count + reach].astype(float).sum(axis=1)
    return int(np.correlate(around, wanted, "valid").argmax()) - reach


# The splice


@pytest.mark.parametrize("channels", [1, 2])
def test_the_stream_is_as_long_as_the_score_to_the_sample(channels: int) -> None:
    data = spliced(channels)
    assert len(data) == mp3.stream_length(LENGTH_MS, channels)
    assert len(decoded(data, channels)) == ms_to_samples(LENGTH_MS)
    info = mutagen.mp3.MP3(io.BytesIO(data)).info
    assert info.length == pytest.approx(LENGTH_MS / 1000, abs=0.001)
    assert info.bitrate == 1000 * mp3.BIT_RATES[channels]


@pytest.mark.parametrize("channels", [1, 2])
def test_spliced_sounds_like_encoded_whole(channels: int) -> None:
    _, reference = session(channels)
    heard = decoded(spliced(channels), channels)
    whole = decoded(encoded_whole(channels), channels)
    assert len(heard) == len(whole) == len(reference)
    for start_ms in STARTS:
        assert lag(reference, heard, start_ms) == lag(reference, whole, start_ms) == 0
    assert abs(segmental_snr(reference, heard) - segmental_snr(reference, whole)) < 0.5
    assert segmental_snr(reference, heard) > 20


@pytest.mark.parametrize("channels", [1, 2])
def test_no_join_is_heard(channels: int) -> None:
    pieces, reference = session(channels)
    heard = decoded(spliced(channels), channels)
    for start_ms, samples in pieces:
        start = ms_to_samples(start_ms)
        for at in (start, start + len(samples)):
            assert np.abs(heard[at - 300 : at + 300]).max() <= 4
    silent = np.ones(len(reference), bool)
    for start_ms, samples in pieces:
        at = ms_to_samples(start_ms)
        silent[at : at + len(samples)] = False
    assert np.abs(heard[silent]).max() <= 1


@pytest.mark.parametrize("channels", [1, 2])
def test_the_recording_is_as_loud_as_its_samples(channels: int) -> None:
    _, reference = session(channels)
    heard = decoded(spliced(channels), channels).astype(float)
    gain = (heard * reference).sum() / (reference.astype(float) ** 2).sum()
    assert gain == pytest.approx(1.0, abs=0.015)


def test_threads_change_no_byte() -> None:
    assert spliced(2) == spliced(2, jobs=2) == spliced(2, jobs=8)


def test_another_decoder_hears_the_same() -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    for channels in (1, 2):
        data = spliced(channels)
        command = [ffmpeg, "-v", "error", "-i", "-", "-f", "s16le", "-"]
        raw = subprocess.run(command, input=data, capture_output=True, check=True).stdout
        other = np.frombuffer(raw, "<i2").reshape(-1, channels)
        ours = decoded(data, channels)
        assert len(other) == len(ours)
        assert np.abs(other.astype(int) - ours).max() <= 1


@pytest.mark.parametrize("block", [1_000, 4_608, 1 << 20])
def test_a_stream_in_blocks_is_the_stream_in_one(block: int) -> None:
    assert encoded_whole(1, block * 2) == encoded_whole(1)
    assert len(encoded_whole(1)) == mp3.stream_length(LENGTH_MS, 1)


def test_silence_alone() -> None:
    data = b"".join(mp3.Splice(2).join([], 60_000))
    assert len(data) == mp3.stream_length(60_000, 2)
    assert not decoded(data, 2).any()
    assert len(decoded(data, 2)) == 60_000 * 24


def test_join_takes_pieces_only_when_their_turn_comes() -> None:
    taken = []

    def pieces() -> Any:
        for start_ms in (24_000, 120_000):
            taken.append(start_ms)
            yield start_ms, mp3.Splice(1).silence(2)

    chunks = mp3.Splice(1).join(pieces(), 240_000)
    next(chunks)
    assert taken == [24_000]
    assert max(map(len, chunks)) <= 100_000


def test_pieces_that_overlap_or_run_over_are_refused() -> None:
    splice = mp3.Splice(1)
    for pieces in ([(0, splice.silence(2)), (24, splice.silence(1))], [(960, splice.silence(9))]):
        with pytest.raises(ValueError):
            list(splice.join(pieces, 1_008))
    with pytest.raises(ValueError):
        splice.piece(bytes(100))


# Labels and tags


def a_score(**changes: Any) -> Score:
    events = []
    for at in range(0, 1_800_000, 12_000):
        events += [
            Event("tone", at + 480, 5_000, "inhale", breath="inhale"),
            Event("speech", at + 960, 900, f"Lift {at // 12_000}", "lift"),
            Event("tone", at + 6_000, 5_000, "exhale", breath="exhale"),
        ]
    chapters = tuple(
        Chapter(f"Señal {at}" if at % 2 else f"Bridge {at}", at * 60_000, (at + 1) * 60_000)
        for at in range(30)
    )
    score = Score(
        "Hüfte & Rücken", "About.", "es", "espeak:es", "calm", "bowl", tuple(events), chapters,
        1_800_000,
    )  # fmt: skip
    return dataclasses.replace(score, **changes)


def read_back(data: bytes) -> ID3:
    return ID3(io.BytesIO(data + b"".join(mp3.Splice(1).join([], 240))))


def test_a_tag_reads_back_as_it_was_meant() -> None:
    score = a_score()
    found = read_back(tag(Labels.of(score), b"\xff\xd8 jpeg"))
    assert found.version == (2, 3, 0)
    texts = {"TIT2": "Hüfte & Rücken", "TPE1": "voiceflow", "TLAN": "spa", "TLEN": "1800000"}
    for name, wanted in texts.items():
        assert found[name].text == [wanted]
    assert {"TALB", "TCON"} <= set(found)
    assert found["APIC:"].data == b"\xff\xd8 jpeg"
    timed = found["SYLT::spa"]
    assert (timed.format, timed.type) == (2, 1)
    spoken = [event for event in score.events if event.kind == "speech"]
    assert timed.text == [(event.name, event.start_ms) for event in spoken]
    assert found["USLT::spa"].text.split("\n") == [event.name for event in spoken]


def test_chapters_read_back_in_order() -> None:
    score = a_score()
    found = read_back(tag(Labels.of(score)))
    contents = found["CTOC:toc"]
    assert int(contents.flags) == 3
    assert contents.sub_frames["TIT2"].text == [score.title]
    chapters = [found[f"CHAP:{name}"] for name in contents.child_element_ids]
    assert [(one.sub_frames["TIT2"].text[0], one.start_time, one.end_time) for one in chapters] == [
        (one.title, one.start_ms, one.end_ms) for one in score.chapters
    ]
    raw = tag(Labels.of(score))
    assert [int(at) for at in re.findall(rb"CHAP.{6}ch(\d+)\0", raw, re.S)] == list(range(30))


def test_more_chapters_than_one_table_can_name() -> None:
    chapters = tuple(Chapter(f"C{at}", at * 1_000, at * 1_000 + 1_000) for at in range(600))
    found = read_back(tag(Labels.of(a_score(chapters=chapters))))
    assert len(found.getall("CHAP")) == 600
    parts = [found[f"CTOC:{name}"] for name in found["CTOC:toc"].child_element_ids]
    named = [name for part in parts for name in part.child_element_ids]
    assert named == [f"ch{at}" for at in range(600)]


def test_a_tag_without_text_chapters_or_cover() -> None:
    found = read_back(tag(Labels("T", 1_000, "eng")))
    assert not {"USLT", "SYLT", "CHAP", "CTOC", "APIC", "COMM"} & {name[:4] for name in found}


TAG = """
import hashlib
from voiceflow.formats.labels import Labels
from voiceflow.formats.id3 import tag, tag_of
from voiceflow.score.score import Chapter
chapters = tuple(Chapter(f"C{at}", at, at + 1) for at in range(9))
labels = Labels("é", 9, "eng", chapters, ((1, "a"), (2, "ñ")), about="b")
print(hashlib.sha256(tag(labels, b"cover")).hexdigest())
"""


def test_same_labels_same_bytes_in_any_process() -> None:
    found = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        found.add(subprocess.run([sys.executable, "-c", TAG], capture_output=True, env=env).stdout)
    assert len(found) == 1
    assert len(found.pop()) == 65


@pytest.mark.parametrize(
    ("language", "code"),
    [("en", "eng"), ("es", "spa"), ("en-gb", "eng"), ("pt_BR", "por"), ("cmn", "cmn"), ("", "und"),
     ("xx", "und"), ("DE", "deu"), ("klingon", "und")],
)  # fmt: skip
def test_languages_have_three_letters(language: str, code: str) -> None:
    assert iso639_2(language) == code


def test_labels_hold_nothing_that_a_tag_cannot() -> None:
    assert plain("a\nb\0c\udc80d \u200bé 腰") == "a bcd é 腰"
    odd = Labels.of(a_score(title="a\0b\udc80", about="\ud800"))
    assert read_back(tag(odd))["TIT2"].text == ["ab"]


# Cover


def test_a_cover_is_a_small_square_jpeg_and_always_the_same() -> None:
    data = cover(a_score())
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("JPEG", (1000, 1000))
    assert len(data) < 150_000
    assert data == cover(a_score())
    assert data != cover(a_score(title="Other"))


@pytest.mark.parametrize(
    ("title", "count"),
    [("", 0), ("腰痛", 1), ("🙂", 60), ("x" * 300, 9), ("word " * 80, 1), ("a\0b\udc80", 2)],
)
def test_any_title_and_any_number_of_chapters_gives_a_cover(title: str, count: int) -> None:
    chapters = tuple(Chapter("C", at * 1_000, at * 1_000 + 1_000) for at in range(count))
    score = a_score(title=title, chapters=chapters, length_ms=max(count, 1) * 1_000)
    assert Image.open(io.BytesIO(cover(score))).size == (1000, 1000)


def test_rings_follow_the_breath() -> None:
    breathing, still = waves(a_score())[0], waves(a_score(events=()))[0]
    assert max(breathing) > 0.9
    assert min(breathing) < 0.1
    assert set(still) == {0.5}
    assert 8 <= len(waves(a_score(chapters=()))) <= len(waves(a_score())) <= 16


def test_breath_that_is_only_said_moves_the_rings_too() -> None:
    said = tuple(
        Event("speech", at * 5_000, 900, breath, moment="phase", breath=breath)
        for at, breath in enumerate(("inhale", "exhale") * 6)
    )
    assert max(waves(a_score(events=said))[0]) > 0.9


def ink(data: bytes, top: int, bottom: int) -> int:
    """Pixels of a cover between two heights that are much lighter than the ground."""
    light = np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=int)[top:bottom]
    return int((light > light[:, :40].max(axis=1, keepdims=True) + 60).sum())


@pytest.mark.parametrize("title", ["Αναπνοή", "Дыхание", "Źdźbło", "Thắt lưng", "Işık", "Hips"])
def test_a_cover_shows_title_rings_and_length(title: str) -> None:
    data = cover(a_score(title=title))
    assert ink(data, 820, 900) > 1_000
    assert ink(data, 910, 950) > 200
    assert ink(data, 40, 780) > 5_000


@pytest.mark.parametrize("title", ["腰痛と骨盤底", "تنفس", "🫁🧘", ""])
def test_a_title_that_no_font_has_leaves_rings_and_length(
    title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(font, "SYSTEM", ())
    data = cover(a_score(title=title))
    assert ink(data, 800, 900) == 0
    assert ink(data, 910, 950) > 200
    assert ink(data, 40, 780) > 5_000


def test_a_long_title_stays_between_the_margins() -> None:
    for title in ("x" * 300, "Rückenschmerzgymnastikübungen im Sitzen", "word " * 80):
        image = Image.open(io.BytesIO(cover(a_score(title=title))))
        edges = np.asarray(image.convert("L"), dtype=int)[790:]
        assert np.ptp(edges[:, :60], axis=1).max() < 20
        assert np.ptp(edges[:, 940:], axis=1).max() < 20


def test_a_kept_tag_loads_no_picture_and_no_tag_library(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made = tag_of(a_score(), cache)
    assert cover_of(a_score(), cache) in made
    code = f"""
import sys
from pathlib import Path
from voiceflow.core.cache import Cache
from voiceflow.formats.id3 import tag_of
import pickle
score = pickle.loads(Path({str(tmp_path / "score")!r}).read_bytes())
sys.stdout.buffer.write(tag_of(score, Cache(Path({str(tmp_path)!r}))))
assert not {{"numpy", "PIL.Image", "mutagen", "pydub", "lameenc"}} & set(sys.modules)
"""
    (tmp_path / "score").write_bytes(pickle.dumps(a_score()))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env)
    assert done.stderr == b""
    assert done.stdout == made


def test_a_tag_changes_with_what_it_shows(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    base = tag_of(a_score(), cache)
    for change in ({"title": "Other"}, {"events": ()}, {"language": "en"}, {"about": "Else"}):
        assert tag_of(a_score(**change), cache) != base
    assert tag_of(a_score(), Cache(None)) == base


# Containers


def contained(path: Path, kind: str, channels: int, labels: Labels, art: bytes | None) -> Path:
    pieces, _ = session(channels)
    target = path / f"session.{kind}"
    with writing(target) as draft:
        sounds = ((start_ms, samples.tobytes()) for start_ms, samples in pieces)
        containers.write(draft, kind, sounds, channels, labels, art)
    return target


def some_labels() -> Labels:
    chapters = (Chapter("Señal", 0, 9_984), Chapter("Bridge", 9_984, LENGTH_MS))
    return Labels("Hüfte", LENGTH_MS, "spa", chapters, ((480, "Sube."),), about="About.")


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("channels", [1, 2])
def test_containers_hold_every_sample_in_its_place(
    tmp_path: Path, kind: str, channels: int
) -> None:
    target = contained(tmp_path, kind, channels, some_labels(), b"\xff\xd8 jpeg")
    heard, rate = soundfile.read(target, dtype="int16", always_2d=True)
    _, reference = session(channels)
    assert (rate, heard.shape) == (RATE, reference.shape)
    if kind in ("ogg", "opus"):
        most = {"ogg": 0, "opus": 1}[kind]
        assert all(abs(lag(reference, heard, start_ms)) <= most for start_ms in STARTS)
    else:
        assert (heard == reference).all()
    assert names(tmp_path) == [target.name]


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus"])
def test_vorbis_comments_and_chapters(tmp_path: Path, kind: str) -> None:
    target = contained(tmp_path, kind, 1, some_labels(), b"\xff\xd8 jpeg")
    found = mutagen.File(target)
    assert found["title"] == ["Hüfte"]
    assert found["artist"] == ["voiceflow"]
    assert found["chapter001"] == ["00:00:00.000"]
    assert found["chapter002"] == ["00:00:09.984"]
    assert found["chapter001name"] == ["Señal"]
    assert found["lyrics"] == ["Sube."]
    assert found.pictures if kind == "flac" else found["metadata_block_picture"]


def test_wav_carries_the_same_tag(tmp_path: Path) -> None:
    target = contained(tmp_path, "wav", 2, some_labels(), None)
    found = mutagen.File(target)
    assert found.info.length == pytest.approx(LENGTH_MS / 1000)
    assert found.tags["TIT2"].text == ["Hüfte"]
    assert len(found.tags.getall("CHAP")) == 2
    assert soundfile.SoundFile(target).title == "Hüfte"
    raw = target.read_bytes()
    assert int.from_bytes(raw[4:8], "little") == len(raw) - 8


@pytest.mark.parametrize("kind", CONTAINERS)
def test_same_input_same_file(tmp_path: Path, kind: str) -> None:
    first = contained(tmp_path, kind, 1, some_labels(), None).read_bytes()
    time.sleep(1.05 if kind == "ogg" else 0)  # libsndfile draws its stream number from the clock
    assert contained(tmp_path, kind, 1, some_labels(), None).read_bytes() == first


def test_a_wav_that_would_not_fit_is_refused_at_once(tmp_path: Path) -> None:
    endless = Labels("Long", 13 * 3_600_000, "eng")
    with pytest.raises(OutputError, match="4 GB"), writing(tmp_path / "long.wav") as draft:
        containers.write(draft, "wav", iter(()), 2, endless)
    assert names(tmp_path) == []


FULL = """
import resource, signal, sys
from pathlib import Path
import mutagen.flac, mutagen.oggvorbis, numpy, soundfile
from voiceflow.core.errors import OutputError
from voiceflow.formats import containers
from voiceflow.formats.labels import Labels
from voiceflow.core.files import writing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = numpy.random.default_rng(1).integers(-9000, 9000, 576 * 100, "<i2").tobytes()
labels = Labels("T", 24000, "eng")
def render(target, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    with writing(target) as draft:
        pieces = ((2400 * at, noise) for at in range(10))
        containers.write(draft, target.suffix[1:], pieces, 1, labels, bytes(60000))
    return target.stat().st_size
target = Path(sys.argv[1])
size = render(target, 1 << 30)
target.unlink()
for share in (0, 0.1, 0.9, 0.99):
    try:
        render(target, int(size * share) + 1)
    except OutputError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_file_that_cannot_grow_is_no_file(tmp_path: Path, kind: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", FULL, str(tmp_path / f"full.{kind}")]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(f"full.{kind}") == 4
    assert names(tmp_path) == []


# Output


def test_a_file_appears_whole_and_replaces_whole(tmp_path: Path) -> None:
    target = tmp_path / "session.mp3"
    for content in (b"first", b"second"):
        with writing(target) as draft:
            draft.write(content)
            assert not target.exists() or target.read_bytes() == b"first"
        assert target.read_bytes() == content
        assert names(tmp_path) == [target.name]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_what_stops_half_way_leaves_the_old_file(tmp_path: Path, stop: type[BaseException]) -> None:
    target = tmp_path / "session.mp3"
    target.write_bytes(b"old")

    def render() -> None:
        with writing(target) as draft:
            draft.write(b"half")
            raise stop

    with pytest.raises(stop):
        render()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == [target.name]


@pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.mp3", tmp_path / "link.mp3"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    with writing(link) as draft:
        draft.write(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/session.mp3", "no folder"),
        ("file/session.mp3", "no folder"),
        ("folder", "is a folder"),
        ("", "is a folder"),
        ("n" * 300, "too long"),
        ("a\0b", "cannot be written"),
        ("loop", "cannot be written"),
        ("pipe", "not an ordinary file"),
    ],
)
def test_places_that_cannot_be_written_are_told(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = names(tmp_path)
    with pytest.raises(OutputError, match=words), writing(tmp_path / name) as draft:
        draft.write(b"x")
    assert names(tmp_path) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_devices_are_left_alone() -> None:
    with pytest.raises(OutputError, match="not an ordinary file"), writing(Path("/dev/full")):
        pass
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_the_longest_name_still_fits(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 251 + ".mp3")
    with writing(target) as draft:
        draft.write(b"x")
    assert target.exists()


def test_a_full_disk_shows_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="are free"), writing(tmp_path / "x.mp3", size=1 << 60):
        pytest.fail("the work began")


def test_a_disk_that_fills_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left"), writing(tmp_path / "x.mp3") as draft:
        draft.write(b"x")
    assert names(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from voiceflow.core.files import writing
with writing(Path(sys.argv[1])) as draft:
    draft.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_the_next_write_sweeps_what_a_kill_left(tmp_path: Path) -> None:
    target, other = tmp_path / "session.mp3", tmp_path / "other.mp3"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for path in (target, other):
        subprocess.run([sys.executable, "-c", KILLED, str(path)], env=env)
        assert not path.exists()
    assert len(names(tmp_path)) == 2
    with writing(target) as draft, writing(target) as second:
        second.write(b"x")
        draft.write(b"y")
    assert target.read_bytes() == b"y"
    left = [name for name in names(tmp_path) if name != target.name]
    assert len(left) == 1
    assert left[0].startswith(".voiceflow-")
    with writing(other) as draft:
        draft.write(b"z")
    assert names(tmp_path) == ["other.mp3", "session.mp3"]
