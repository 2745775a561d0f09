"""MP3 files made while they are read: in turn, bounded, complete under their name or not there."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import wait_for

from voiceflow.core.errors import SoundError
from voiceflow.score.score import Score
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.http.streaming import _opened
from voiceflow.server.jobs import mp3_files
from voiceflow.server.jobs.mp3_files import GrowingFile, Mp3Files, StoppedGrowing
from voiceflow.server.jobs.render_records import GoneError, Render

CHUNK = 1_000


def render(number: int = 0, size: int = 20 * CHUNK) -> Render:
    score = Score("T", "", "en", "silent", "calm", "none", (), (), 1_000)
    return Render(
        id=f"{number:040x}", slug="s", source="", created=1, given={}, score=score, rate=140,
        parts=(), close_ms=0, bytes=size, head_bytes=0,
    )  # fmt: skip


def content(one: Render) -> bytes:
    return (one.id.encode() * (one.bytes // 40 + 1))[: one.bytes]


class Source:
    """Makes mp3s as fast as it is let."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.free = True
        self.chunk = CHUNK
        self.open = 0
        self.most_open = 0
        self.made: list[str] = []
        self.begun: list[str] = []
        self.error: Exception | None = None
        self.error_at = 0

    def __call__(self, one: Render) -> Iterator[bytes]:
        self.open += 1
        self.begun.append(one.id)
        self.most_open = max(self.most_open, self.open)
        whole = content(one)
        try:
            for at in range(0, len(whole), self.chunk):
                if not self.free:
                    self.allowed.acquire()
                if self.error is not None and at >= self.error_at:
                    raise self.error
                self.made.append(one.id)
                yield whole[at : at + self.chunk]
        finally:
            self.open -= 1


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def folders(tmp_path: Path, source: Source) -> Iterator[Callable[..., Mp3Files]]:
    made: list[Mp3Files] = []

    def make(**more: Any) -> Mp3Files:
        made.append(Mp3Files(tmp_path / "spool", source, **more))
        return made[-1]

    yield make
    source.free = True
    source.allowed.release(100_000)
    for files in made:
        files.close()


def test_finished_files_are_forgotten_and_found_again(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    """Each that is remembered holds its render, with all of its score."""
    files = folders()
    for number in range(100):
        mp3 = files.of(render(number))
        wait_for(lambda mp3=mp3: mp3.whole and not mp3.busy)
    assert len(files._files) <= mp3_files._MOST_FINISHED + 1
    assert files.of(render(0)).whole
    assert source.begun.count(render(0).id) == 1


async def read(files: Mp3Files, mp3: GrowingFile, start: int = 0, end: int | None = None) -> bytes:
    """What a listener gets."""
    end = mp3.size if end is None else end
    place, found, me = start, b"", object()
    files.enter(mp3, me, place)
    try:
        while place < end:
            there = await mp3.wait(place, 120)
            with _opened(mp3.path, mp3.render.id) as file:
                file.seek(place)
                data = file.read(min(there, end - place))
            found += data
            place += len(data)
            files.enter(mp3, me, place)
    finally:
        files.leave(mp3, me)
    return found


def test_a_file_is_read_while_it_is_made(folders: Callable[..., Mp3Files], source: Source) -> None:
    source.free = False
    files = folders()
    mp3 = files.of(render())

    async def listen() -> bytes:
        task = asyncio.create_task(read(files, mp3))
        for _ in range(20):
            source.allowed.release()
            await asyncio.sleep(0)
        return await task

    assert asyncio.run(listen()) == content(render())


def test_a_whole_file_stands_under_its_name(folders: Callable[..., Mp3Files]) -> None:
    files = folders()
    mp3 = files.of(render())
    wait_for(lambda: files.status(render())["state"] == "ready" and mp3.path.suffix == ".mp3")
    assert (files.folder / f"{render().id}.mp3").read_bytes() == content(render())
    assert [path.suffix for path in files.folder.iterdir()] == [".mp3"]


def test_a_file_that_is_there_is_not_made_again(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    first = folders()
    mp3 = first.of(render())
    wait_for(lambda: mp3.path.suffix == ".mp3")
    assert first.of(render()) is mp3
    second = folders()  # as after a restart
    assert asyncio.run(read(second, second.of(render()))) == content(render())
    assert source.begun == [render().id]


@pytest.mark.parametrize("keep", [0, 100])
def test_a_file_that_was_cut_or_removed_is_made_again(
    folders: Callable[..., Mp3Files], keep: int
) -> None:
    files = folders()
    mp3 = files.of(render())
    wait_for(lambda: mp3.path.suffix == ".mp3")
    if keep:
        with mp3.path.open("r+b") as file:
            file.truncate(keep)
    else:
        mp3.path.unlink()
    assert asyncio.run(read(files, files.of(render()))) == content(render())


def test_a_listener_far_ahead_waits_for_its_part(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    files = folders()
    mp3 = files.of(render())
    assert asyncio.run(read(files, mp3, 15_500, 16_500)) == content(render())[15_500:16_500]


def test_a_listener_who_vanishes_stops_nothing(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.free = False
    files = folders()
    mp3 = files.of(render())

    async def go() -> None:
        task = asyncio.create_task(read(files, mp3))
        source.allowed.release()
        await mp3.wait(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert mp3.readers == {}
    assert mp3._waiters == set()
    source.allowed.release(100)
    wait_for(lambda: mp3.whole)


def test_fifty_listeners_all_begin_before_any_is_far(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    """Nobody starves: each gets its first bytes after at most one slice of each other."""
    source.free, source.chunk = False, 16_000
    files = folders(makers=1, clock=lambda: 0.0)
    size = 2 << 20
    renders = [render(n, size) for n in range(50)]
    mp3s = [files.of(one) for one in renders]
    readers = [object() for _ in mp3s]
    for mp3, reader in zip(mp3s, readers, strict=True):
        files.enter(mp3, reader, 0)
    source.allowed.release(200_000)
    wait_for(lambda: all(mp3.whole for mp3 in mp3s))
    first = [source.made.index(one.id) for one in renders]
    # With turns the last begins once each other is 20 s ahead; without, after 49 times 2 MiB.
    assert max(first) * source.chunk < 50 * (350 << 10)


def test_who_waits_comes_before_who_has_enough(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.free = False
    files = folders(makers=1)
    rich = files.of(render(1, 4 << 20))
    files.enter(rich, "rich", 0)
    source.allowed.release(1_000)
    wait_for(lambda: rich.done >= 1_000 * CHUNK)
    poor = files.of(render(2, 1 << 20))
    files.enter(poor, "poor", 0)
    source.allowed.release(100)
    wait_for(lambda: poor.done > 0)
    assert not rich.whole


def test_what_nobody_listens_to_comes_last(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.free = False
    files = folders(makers=1)
    left = files.of(render(1, 4 << 20))
    wanted = files.of(render(2, 1 << 20))
    files.enter(wanted, "me", 0)
    source.allowed.release(1_700)  # what both need together is 5,243
    wait_for(lambda: wanted.whole)
    assert not left.whole


def test_open_sources_are_few_and_taken_up_where_they_were(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.chunk = 16_000
    files = folders(makers=2, clock=lambda: 0.0)
    renders = [render(n, 2 << 20) for n in range(30)]
    mp3s = [files.of(one) for one in renders]
    for number, mp3 in enumerate(mp3s):
        files.enter(mp3, number, 0)
    wait_for(lambda: all(mp3.path.suffix == ".mp3" for mp3 in mp3s))
    assert source.most_open <= 12 + 2
    assert all(t.path.read_bytes() == content(t.render) for t in mp3s)


def test_too_many_are_told_to_come_back(folders: Callable[..., Mp3Files], source: Source) -> None:
    source.free = False
    files = folders(most=3)
    mp3s = [files.of(render(n)) for n in range(3)]
    for number, mp3 in enumerate(mp3s):
        files.enter(mp3, number, 0)
    with pytest.raises(Refusal) as refusal:
        files.of(render(4))
    assert (refusal.value.status, refusal.value.error) == (503, "busy")
    assert files.of(render(1)) is mp3s[1]  # who has one keeps it


def test_a_file_that_nobody_listens_to_gives_way(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.free = False
    files = folders(most=3, makers=1)
    busy = files.of(render(0))
    wait_for(lambda: source.begun)
    left = [files.of(render(n)) for n in (1, 2)]
    files.of(render(3))
    assert left[0].dropped
    assert not left[0].path.exists()
    assert not left[1].dropped
    assert not busy.dropped


def test_what_goes_wrong_is_told_to_who_waits(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.error, source.error_at = SoundError("the bell is broken", hint="mend it"), 5 * CHUNK
    files = folders()
    mp3 = files.of(render())
    with pytest.raises((StoppedGrowing, FileNotFoundError)):
        asyncio.run(read(files, mp3))
    wait_for(lambda: mp3.problem is not None)
    assert mp3.problem is not None
    assert mp3.problem.status == 500
    assert mp3.problem.message == "the bell is broken"
    assert files.status(render())["state"] == "failed"
    assert list(files.folder.iterdir()) == []
    source.error = None  # and the next who asks has it made again
    assert asyncio.run(read(files, files.of(render()))) == content(render())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GoneError("changed"), 410),
        (OSError(errno.ENOSPC, "No space left"), 507),
        (OSError(errno.EIO, "Input/output error"), 507),
        (ZeroDivisionError(), 500),
    ],
)
def test_every_fault_has_its_answer(
    folders: Callable[..., Mp3Files], source: Source, error: Exception, status: int
) -> None:
    source.error = error
    files = folders()
    mp3 = files.of(render())
    wait_for(lambda: mp3.problem is not None)
    assert mp3.problem is not None
    assert mp3.problem.status == status


@pytest.mark.parametrize("off", [-1, 1])
def test_a_file_of_another_length_is_none(folders: Callable[..., Mp3Files], off: int) -> None:
    folder = folders().folder

    def wrong(one: Render) -> Iterator[bytes]:
        yield bytes(one.bytes + off)

    files = Mp3Files(folder, wrong)
    mp3 = files.of(render())
    wait_for(lambda: mp3.problem is not None)
    assert mp3.problem is not None
    assert mp3.problem.status == 410
    files.close()
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_before_the_work(
    folders: Callable[..., Mp3Files], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1_000))
    with pytest.raises(Refusal) as refusal:
        folders().of(render())
    assert refusal.value.status == 507
    assert "no space" in refusal.value.message
    assert source.begun == []


def test_finished_files_are_bounded_and_the_oldest_go(folders: Callable[..., Mp3Files]) -> None:
    files = folders(limit_bytes=60 * CHUNK)
    for number in range(5):
        mp3 = files.of(render(number))
        wait_for(lambda mp3=mp3: mp3.path.suffix == ".mp3")
        os.utime(mp3.path, (1_000 + number, 1_000 + number))
    files.of(render(9))
    wait_for(lambda: files.status(render(9))["state"] == "ready")
    wait_for(lambda: sum(size for _, size, _ in files._finished()) <= 60 * CHUNK)
    left = {path.stem for path in files.folder.iterdir()}
    assert render(0).id not in left
    assert render(9).id in left


def test_what_is_listened_to_stays(folders: Callable[..., Mp3Files]) -> None:
    files = folders(limit_bytes=25 * CHUNK)
    heard = files.of(render(0))
    wait_for(lambda: heard.path.suffix == ".mp3")
    files.enter(heard, "me", 500)
    os.utime(heard.path, (1_000, 1_000))
    other = files.of(render(1))
    wait_for(lambda: other.whole)
    assert heard.path.exists()
    assert asyncio.run(read(files, heard)) == content(render(0))


def test_what_a_killed_server_left_is_removed(folders: Callable[..., Mp3Files]) -> None:
    folder = folders().folder
    folder.mkdir(exist_ok=True)
    dead, other = folder / f"{'a' * 40}.999999999-00.part", folder / "note.txt"
    dead.write_bytes(b"x")
    other.write_bytes(b"x")
    living = folder / f"{'b' * 40}.{os.getppid()}-00.part"
    living.write_bytes(b"x")
    folders()
    assert {path.name for path in folder.iterdir()} == {other.name, living.name}


def test_a_server_that_ends_leaves_nothing_half_made(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    source.free = False
    files = folders()
    mp3 = files.of(render())
    source.allowed.release(3)
    wait_for(lambda: mp3.done == 3 * CHUNK)
    source.free = True
    threading.Timer(0.01, source.allowed.release).start()
    files.close()
    assert [path for path in files.folder.iterdir() if path.suffix == ".part"] == []


def test_a_file_does_not_wait_for_ever(folders: Callable[..., Mp3Files], source: Source) -> None:
    source.free = False
    files = folders()
    mp3 = files.of(render())
    with pytest.raises(StoppedGrowing):
        asyncio.run(mp3.wait(0, 0.01))


def test_a_render_with_a_bed_is_not_begun_twice(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    """It cannot be taken up in the middle, so it stays open while others come and go."""
    source.chunk = 16_000
    files = folders(makers=1, clock=lambda: 0.0)
    bedded = [replace(render(n, 2 << 20), bed="ocean") for n in range(4)]
    others = [render(10 + n, 2 << 20) for n in range(16)]
    mp3s = [files.of(one) for one in (*bedded, *others)]
    for number, mp3 in enumerate(mp3s):
        files.enter(mp3, number, 0)
    wait_for(lambda: all(mp3.whole for mp3 in mp3s))
    assert all(source.begun.count(one.id) == 1 for one in bedded)


def test_who_is_far_enough_ahead_waits_for_what_is_decided(
    folders: Callable[..., Mp3Files], source: Source
) -> None:
    busy = [True]
    files = folders()
    files.others_wait = lambda: busy[0]
    mp3, left = files.of(render(1, 2 << 20)), files.of(render(2))
    files.enter(mp3, "me", 0)
    wait_for(lambda: mp3.done > 256 << 10 and not mp3.busy)
    assert mp3.done < 512 << 10
    assert left.done == 0
    files.enter(mp3, "me", mp3.done)  # as the listener comes near, there is more
    wait_for(lambda: mp3.done > 512 << 10 and not mp3.busy)
    assert not mp3.whole
    busy[0] = False
    wait_for(lambda: mp3.whole and left.whole)
