"""Cutting a score into pieces and sounding them, by property."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voiceflow import sounds
from voiceflow.audio.loudness import loudness
from voiceflow.audio.pcm import segment_of
from voiceflow.core.errors import SoundError
from voiceflow.core.units import GRID_MS, RATE, ms_to_samples, samples_to_ms, snap_up
from voiceflow.score.score import Chapter, Event, EventKind, Score
from voiceflow.stitch.mixdown import DUCK_DB, RAMP_MS, stitch
from voiceflow.stitch.pieces import HEAD_MS, TAIL_MS, Piece, cut, piece_keys

FOLDERS = [Path(__file__).parents[2] / "sounds"]
Samples = NDArray[np.float64]


class Tones:
    """A plain sine for every name, as loud as asked for."""

    def __init__(self, level: float = 0.05) -> None:
        self.level = level

    def key(self, name: str) -> str:
        return f"{name} at {self.level}"

    def tone(self, name: str, length_ms: int, side: str | None) -> Any:
        count = ms_to_samples(length_ms)
        mono = self.level * np.sin(2 * np.pi * 400 * np.arange(count) / RATE)
        left, right = {"left": (1.0, 0.5), "right": (0.5, 1.0)}.get(side or "", (1.0, 1.0))
        both = np.stack([mono * left, mono * right], axis=1)
        return segment_of((both * 32767).astype("<i2").tobytes(), 2)


def clip(text: str) -> bytes:
    """Noise, loud, 0.3 s for each word, the same for the same text; not of whole milliseconds."""
    count = ms_to_samples(300 * len(text.split())) - 7
    noise = np.random.default_rng(len(text)).uniform(-0.7, 0.7, count)
    return (noise * 32767).astype("<i2").tobytes()


def said(start_ms: int, text: str, **more: Any) -> Event:
    length_ms = samples_to_ms(len(clip(text)) // 2)
    return Event("speech", start_ms, length_ms, text, text, **more)


def toned(start_ms: int, length_ms: int, name: str = "inhale", **more: Any) -> Event:
    return Event("tone", start_ms, length_ms, name, **more)


def score(*events: Event, length_ms: int = 60_000) -> Score:
    chapters = (Chapter("All", 0, length_ms),)
    return Score("T", "", "en", "silent", "calm", "bowl", events, chapters, length_ms)


def heard(piece: Piece, tones: Any, mono: bool = False) -> Samples:
    segment = stitch(piece, clip, tones, mono).set_channels(1 if mono else 2)
    assert (segment.frame_rate, segment.sample_width) == (RATE, 2)
    assert segment.channels == (1 if mono else 2)
    samples = np.frombuffer(segment.raw_data, "<i2").reshape(-1, segment.channels)
    assert len(samples) == ms_to_samples(piece.length_ms)
    return samples.astype(float)


def rms(samples: Samples, start_ms: int, end_ms: int) -> float:
    return float(np.sqrt((samples[ms_to_samples(start_ms) : ms_to_samples(end_ms)] ** 2).mean()))


# Cutting


def test_cuts_stand_48_ms_before_the_next_event() -> None:
    first, second = cut(score(toned(480, 2_328), toned(2_880, 1_000)))
    assert (first.start_ms, first.end_ms) == (432, 2_832)
    assert (second.start_ms, second.end_ms) == (2_832, 3_912)
    assert [event.start_ms for event in second.events] == [HEAD_MS]


def test_71_ms_are_too_short_to_cut_in() -> None:
    assert len(cut(score(toned(480, 2_329), toned(2_880, 1_000)))) == 1
    assert (
        len(cut(score(toned(480, 2_328), said(960, "one two three four five six seven eight"))))
        == 1
    )


def test_speech_that_straddles_phases_keeps_them_together() -> None:
    (piece,) = cut(score(toned(480, 2_328), said(2_400, "and lift a little"), toned(2_880, 1_000)))
    assert len(piece.events) == 3


def test_pieces_hold_what_is_heard_and_no_more() -> None:
    events = (
        said(480, "Lift", exercise="Bridge", rep=1, moment="rep", side="left", breath="exhale"),
        said(4_800, "Lift", exercise="Squat", rep=7, moment="rep", side="left"),
    )
    one, other = cut(score(*events))
    assert (one.length_ms, one.events) == (other.length_ms, other.events)
    assert one.events[0].exercise is None


def test_a_silent_score_has_no_pieces() -> None:
    assert cut(score()) == ()


@pytest.mark.parametrize("broken", [toned(24, 240), toned(490, 240), toned(59_000, 1_000)])
def test_a_score_that_breaks_its_rules_is_refused(broken: Event) -> None:
    with pytest.raises(ValueError):
        cut(score(broken))


moments = st.lists(st.tuples(st.integers(2, 60), st.integers(1, 3_000)), min_size=1, max_size=30)


@given(moments)
def test_pieces_cover_every_event_and_never_meet(moments: list[tuple[int, int]]) -> None:
    at, events = 0, []
    for gap, length_ms in moments:
        at += gap * GRID_MS
        events.append(toned(at, length_ms))
        at = snap_up(at + length_ms) if gap % 3 else at
    whole = score(*events, length_ms=max(event.end_ms for event in events) // 24 * 24 + 120)
    pieces = cut(whole)
    placed = [
        (piece.start_ms + event.start_ms, event.length_ms)
        for piece in pieces
        for event in piece.events
    ]
    assert placed == [(event.start_ms, event.length_ms) for event in events]
    done = 0
    for piece in pieces:
        assert piece.start_ms >= done
        assert piece.start_ms % GRID_MS == piece.length_ms % GRID_MS == 0
        assert piece.events[0].start_ms == HEAD_MS
        assert max(event.end_ms for event in piece.events) + TAIL_MS <= piece.length_ms
        done = piece.end_ms
    assert done <= whole.length_ms


# Keys


def keys(*pieces: Piece, tones: Any = None, settings: tuple[str, ...] = ()) -> list[str]:
    return piece_keys(pieces, str.upper, tones or Tones(), *settings)


def one_piece(*events: Event) -> Piece:
    (piece,) = cut(score(*events))
    return piece


def test_equal_pieces_have_one_key_wherever_they_stand() -> None:
    early, late = cut(score(said(480, "Lift", rep=1), said(9_600, "Lift", rep=2)))
    assert len(set(keys(early, late))) == 1


def test_whatever_is_heard_changes_the_key() -> None:
    base = one_piece(toned(480, 2_400), said(600, "Lift"))
    others = [
        one_piece(toned(480, 2_400), said(624, "Lift")),
        one_piece(toned(480, 2_400), said(600, "Hold")),
        one_piece(toned(480, 2_424), said(600, "Lift")),
        one_piece(toned(480, 2_400, "exhale"), said(600, "Lift")),
        one_piece(toned(480, 2_400, side="left"), said(600, "Lift")),
        one_piece(toned(480, 2_400)),
    ]
    found = keys(base, *others)
    found += keys(base, tones=Tones(0.1)) + keys(base, settings=("mono",))
    assert len(set(found)) == len(found)


def test_each_text_and_tone_is_asked_for_once() -> None:
    asked: list[str] = []

    def clip_key(text: str) -> str:
        asked.append(text)
        return text

    events = [said(480 + 2_400 * number, "Lift" if number % 2 else "Hold") for number in range(20)]
    piece_keys(cut(score(*events)), clip_key, Tones())  # type: ignore[arg-type]
    assert sorted(asked) == ["Hold", "Lift"]


# Sounding


@pytest.mark.parametrize("mono", [False, True])
def test_a_clip_keeps_its_samples_and_its_place(mono: bool) -> None:
    samples = heard(one_piece(said(480, "Lift your hips")), Tones(), mono)
    wanted = np.frombuffer(clip("Lift your hips"), "<i2")
    start = ms_to_samples(HEAD_MS)
    for channel in samples.T:
        assert not channel[:start].any()
        assert (channel[start : start + len(wanted)] == wanted).all()
        assert not channel[start + len(wanted) :].any()


def test_tones_duck_under_speech_and_nowhere_else() -> None:
    piece = one_piece(toned(480, 6_000), said(2_400, "Lift your hips"))
    start, end = 2_400 - 432, 2_400 - 432 + 900
    quiet = heard(piece, Tones(0.0))
    tone = heard(piece, Tones()) - quiet
    plain = rms(heard(one_piece(toned(480, 6_000)), Tones()), 500, 1_000)
    assert rms(tone, 100, start - RAMP_MS - 10) == pytest.approx(plain, rel=0.01)
    assert rms(tone, start, end) == pytest.approx(plain * 10 ** (-DUCK_DB / 20), rel=0.03)
    assert rms(tone, end + RAMP_MS + 10, 5_900) == pytest.approx(plain, rel=0.01)
    levels = [rms(tone, at, at + 20) for at in range(start - RAMP_MS, start - 20, 20)]
    assert levels == sorted(levels, reverse=True)
    steepest = np.abs(np.diff(heard(one_piece(toned(480, 6_000)), Tones()), 2, axis=0)).max()
    assert np.abs(np.diff(tone, 2, axis=0)).max() <= steepest + 4


def test_short_pauses_do_not_pump() -> None:
    piece = one_piece(toned(480, 4_800), said(1_200, "three"), said(1_920, "two"))
    tone = heard(piece, Tones()) - heard(piece, Tones(0.0))
    assert rms(tone, 1_100, 1_450) < 0.45 * rms(tone, 100, 500)


def test_signals_do_not_duck() -> None:
    piece = one_piece(toned(480, 480, "wake"), said(960, "Lift"))
    alone = heard(one_piece(toned(480, 480, "wake")), Tones())
    assert rms(heard(piece, Tones()), 48, 500) == pytest.approx(rms(alone, 48, 500), rel=0.001)


@pytest.mark.parametrize("start", [480, 504])
def test_speech_at_the_very_edge_of_a_piece(start: int) -> None:
    """Ramps that have no room are shortened, not refused."""
    heard(one_piece(said(480, "Lift"), toned(start, 240)), Tones())
    heard(one_piece(toned(480, 312), said(480, "Lift")), Tones())


def test_sides_lean_and_mono_folds() -> None:
    piece = one_piece(toned(480, 2_400, side="left"))
    left, right = heard(piece, Tones()).T
    assert np.abs(left).max() > 1.9 * np.abs(right).max()
    (mono,) = heard(piece, Tones(), mono=True).T
    assert np.abs(mono - (left + right) / 2).max() <= 1


def test_tones_give_way_before_the_sum_clips() -> None:
    piece = one_piece(toned(480, 2_400, "bell"), said(600, "Lift your hips"))
    samples = heard(piece, Tones(0.9))
    assert np.abs(samples).max() <= 28_500
    wanted = np.frombuffer(clip("Lift your hips"), "<i2")
    start = ms_to_samples(600 - 432)
    spoken = samples[start : start + len(wanted), 0]
    assert np.corrcoef(spoken, wanted)[0, 1] > 0.8


@pytest.mark.parametrize(
    ("kind", "length_ms"), [("speech", 299 - 24), ("tone", 240)], ids=["clip", "tone"]
)
def test_what_is_longer_than_the_score_says_is_refused(kind: EventKind, length_ms: int) -> None:
    class Longer(Tones):
        def tone(self, name: str, length_ms: int, side: str | None) -> Any:
            return super().tone(name, length_ms + 1, side)

    piece = one_piece(Event(kind, 480, length_ms, "Lift", "Lift"))
    with pytest.raises(SoundError, match="Lift"):
        heard(piece, Longer())


@pytest.mark.parametrize("name", ["bowl", "ocean", "pluck"])
@pytest.mark.parametrize("mono", [False, True])
def test_bundled_tones_leave_headroom_and_silent_ends(name: str, mono: bool) -> None:
    tones = sounds.load(name, FOLDERS)
    piece = one_piece(
        toned(480, 4_728, "inhale", side="right"),
        said(600, "Lift your hips up"),
        said(5_040, "Hold a little while and"),
        toned(5_280, 3_000, "exhale"),
    )
    samples = heard(piece, tones, mono)
    assert np.abs(samples).max() <= 28_500
    assert not samples[: ms_to_samples(HEAD_MS)].any()
    assert not samples[-ms_to_samples(TAIL_MS) :].any()
    assert loudness(samples / 32768) > -30


def test_same_piece_same_samples() -> None:
    piece = one_piece(toned(480, 3_000, side="left"), said(600, "Lift"))
    assert (heard(piece, Tones()) == heard(piece, Tones())).all()
