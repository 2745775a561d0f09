"""Voices that stay loaded for the next session, where that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceflow import voices
from voiceflow.core.cache import Cache
from voiceflow.voices import pool, resident


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process numbers of all workers that are started."""
    numbers: list[int] = []
    spawn = pool.spawn

    def counted(*ahead: str) -> object:
        process = spawn(*ahead)
        numbers.append(process.pid)
        return process

    monkeypatch.setattr(pool, "spawn", counted)
    return numbers


def say(tmp_path: Path, text: str, rate: int = 140) -> None:
    cache = Cache(tmp_path / "cache")
    with voices.Speaker(voices.find("faulty:hum"), rate, cache, jobs=1) as speaker:
        speaker.speak([text])


def test_a_voice_that_stays_is_loaded_once(tmp_path: Path, spawned: list[int]) -> None:
    with resident.staying():
        for text in ("One.", "Two.", "Three."):
            say(tmp_path, text)
    assert len(spawned) == 1
    say(tmp_path, "Four.")
    assert len(spawned) == 2


def test_it_ends_where_nobody_needs_it_any_more(tmp_path: Path, spawned: list[int]) -> None:
    with resident.staying():
        say(tmp_path, "One.")
        (process,) = [worker.process for *_, one in resident._waiting for worker in one._workers]
        assert process.poll() is None
    assert process.poll() is not None


def test_only_so_many_stay(tmp_path: Path, spawned: list[int]) -> None:
    with resident.staying(1):
        for turn, rate in enumerate((140, 150, 140)):
            say(tmp_path, f"Turn {turn}.", rate)
            say(tmp_path, f"Once more, {turn}.", rate)
        assert len(spawned) == 3
        assert len(resident._waiting) == 1


def test_a_voice_makes_room_for_the_next_before_that_loads(
    tmp_path: Path, spawned: list[int]
) -> None:
    with resident.staying(1):
        say(tmp_path, "One.", 140)
        (worker,) = [worker for *_, one in resident._waiting for worker in one._workers]
        cache = Cache(tmp_path / "cache")
        with voices.Speaker(voices.find("faulty:hum"), 150, cache, jobs=1) as speaker:
            speaker.start(1)
            assert worker.process.poll() is not None


def test_a_voice_that_failed_does_not_stay(tmp_path: Path, spawned: list[int]) -> None:
    from voiceflow.core.errors import VoiceError

    cache = Cache(tmp_path / "cache")
    with resident.staying():
        with (
            pytest.raises(VoiceError),
            voices.Speaker(voices.find("faulty:crash"), 140, cache, jobs=1) as speaker,
        ):
            speaker.speak(["One."])
        assert resident._waiting == []


def test_one_that_ended_while_it_waited_is_replaced(tmp_path: Path, spawned: list[int]) -> None:
    with resident.staying():
        say(tmp_path, "One.")
        (worker,) = [worker for *_, one in resident._waiting for worker in one._workers]
        worker.process.kill()
        worker.process.wait()
        say(tmp_path, "Two.")
    assert len(spawned) == 2
