"""Tapes: made while they are read, in turn, bounded; whole under their name, or not there."""

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

from voiceflow.errors import SoundError
from voiceflow.score import Score
from voiceflow.serve.media import _opened
from voiceflow.serve.records import GoneError, Record
from voiceflow.serve.refusal import Refusal
from voiceflow.serve.spool import Spool, Tape, TapeError

CHUNK = 1_000


def record(number: int = 0, size: int = 20 * CHUNK) -> Record:
    score = Score("T", "", "en", "silent", "calm", "none", (), (), 1_000)
    return Record(
        id=f"{number:040x}", slug="s", source="", created=1, given={}, score=score, rate=140,
        parts=(), close_ms=0, bytes=size, head_bytes=0,
    )  # fmt: skip


def content(one: Record) -> bytes:
    return (one.id.encode() * (one.bytes // 40 + 1))[: one.bytes]


class Source:
    """Makes tapes as fast as it is let."""

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

    def __call__(self, one: Record) -> Iterator[bytes]:
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
def spools(tmp_path: Path, source: Source) -> Iterator[Callable[..., Spool]]:
    made: list[Spool] = []

    def make(**more: Any) -> Spool:
        made.append(Spool(tmp_path / "spool", source, **more))
        return made[-1]

    yield make
    source.free = True
    source.allowed.release(100_000)
    for spool in made:
        spool.close()


async def read(spool: Spool, tape: Tape, start: int = 0, end: int | None = None) -> bytes:
    """What a listener gets."""
    end = tape.size if end is None else end
    place, found, me = start, b"", object()
    spool.enter(tape, me, place)
    try:
        while place < end:
            there = await tape.wait(place, 120)
            with _opened(tape.path, tape.record.id) as file:
                file.seek(place)
                data = file.read(min(there, end - place))
            found += data
            place += len(data)
            spool.enter(tape, me, place)
    finally:
        spool.leave(tape, me)
    return found


def test_a_tape_is_read_while_it_is_made(spools: Callable[..., Spool], source: Source) -> None:
    source.free = False
    spool = spools()
    tape = spool.tape(record())

    async def listen() -> bytes:
        task = asyncio.create_task(read(spool, tape))
        for _ in range(20):
            source.allowed.release()
            await asyncio.sleep(0)
        return await task

    assert asyncio.run(listen()) == content(record())


def test_a_whole_tape_stands_under_its_name(spools: Callable[..., Spool]) -> None:
    spool = spools()
    tape = spool.tape(record())
    wait_for(lambda: spool.status(record())["state"] == "ready" and tape.path.suffix == ".mp3")
    assert (spool.folder / f"{record().id}.mp3").read_bytes() == content(record())
    assert [path.suffix for path in spool.folder.iterdir()] == [".mp3"]


def test_a_tape_that_is_there_is_not_made_again(
    spools: Callable[..., Spool], source: Source
) -> None:
    first = spools()
    tape = first.tape(record())
    wait_for(lambda: tape.path.suffix == ".mp3")
    assert first.tape(record()) is tape
    second = spools()  # as after a restart
    assert asyncio.run(read(second, second.tape(record()))) == content(record())
    assert source.begun == [record().id]


@pytest.mark.parametrize("keep", [0, 100])
def test_a_file_that_was_cut_or_removed_is_made_again(
    spools: Callable[..., Spool], keep: int
) -> None:
    spool = spools()
    tape = spool.tape(record())
    wait_for(lambda: tape.path.suffix == ".mp3")
    if keep:
        with tape.path.open("r+b") as file:
            file.truncate(keep)
    else:
        tape.path.unlink()
    assert asyncio.run(read(spool, spool.tape(record()))) == content(record())


def test_a_listener_far_ahead_waits_for_its_part(
    spools: Callable[..., Spool], source: Source
) -> None:
    spool = spools()
    tape = spool.tape(record())
    assert asyncio.run(read(spool, tape, 15_500, 16_500)) == content(record())[15_500:16_500]


def test_a_listener_who_vanishes_stops_nothing(
    spools: Callable[..., Spool], source: Source
) -> None:
    source.free = False
    spool = spools()
    tape = spool.tape(record())

    async def go() -> None:
        task = asyncio.create_task(read(spool, tape))
        source.allowed.release()
        await tape.wait(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert tape.places == {}
    assert tape._waiters == set()
    source.allowed.release(100)
    wait_for(lambda: tape.whole)


def test_fifty_listeners_all_begin_before_any_is_far(
    spools: Callable[..., Spool], source: Source
) -> None:
    """Nobody starves: each gets its first bytes after at most one slice of each other."""
    source.free, source.chunk = False, 16_000
    spool = spools(makers=1, clock=lambda: 0.0)
    size = 2 << 20
    records = [record(n, size) for n in range(50)]
    tapes = [spool.tape(one) for one in records]
    readers = [object() for _ in tapes]
    for tape, reader in zip(tapes, readers, strict=True):
        spool.enter(tape, reader, 0)
    source.allowed.release(200_000)
    wait_for(lambda: all(tape.whole for tape in tapes))
    first = [source.made.index(one.id) for one in records]
    # With turns the last begins once each other is 20 s ahead; without, after 49 times 2 MiB.
    assert max(first) * source.chunk < 50 * (350 << 10)


def test_who_waits_comes_before_who_has_enough(
    spools: Callable[..., Spool], source: Source
) -> None:
    source.free = False
    spool = spools(makers=1)
    rich = spool.tape(record(1, 4 << 20))
    spool.enter(rich, "rich", 0)
    source.allowed.release(1_000)
    wait_for(lambda: rich.done >= 1_000 * CHUNK)
    poor = spool.tape(record(2, 1 << 20))
    spool.enter(poor, "poor", 0)
    source.allowed.release(100)
    wait_for(lambda: poor.done > 0)
    assert not rich.whole


def test_what_nobody_listens_to_comes_last(spools: Callable[..., Spool], source: Source) -> None:
    source.free = False
    spool = spools(makers=1)
    left = spool.tape(record(1, 4 << 20))
    wanted = spool.tape(record(2, 1 << 20))
    spool.enter(wanted, "me", 0)
    source.allowed.release(1_700)  # what both need together is 5,243
    wait_for(lambda: wanted.whole)
    assert not left.whole


def test_open_sources_are_few_and_taken_up_where_they_were(
    spools: Callable[..., Spool], source: Source
) -> None:
    source.chunk = 16_000
    spool = spools(makers=2, clock=lambda: 0.0)
    records = [record(n, 2 << 20) for n in range(30)]
    tapes = [spool.tape(one) for one in records]
    for number, tape in enumerate(tapes):
        spool.enter(tape, number, 0)
    wait_for(lambda: all(tape.path.suffix == ".mp3" for tape in tapes))
    assert source.most_open <= 12 + 2
    assert all(t.path.read_bytes() == content(t.record) for t in tapes)


def test_too_many_are_told_to_come_back(spools: Callable[..., Spool], source: Source) -> None:
    source.free = False
    spool = spools(most=3)
    tapes = [spool.tape(record(n)) for n in range(3)]
    for number, tape in enumerate(tapes):
        spool.enter(tape, number, 0)
    with pytest.raises(Refusal) as refusal:
        spool.tape(record(4))
    assert (refusal.value.status, refusal.value.error) == (503, "busy")
    assert spool.tape(record(1)) is tapes[1]  # who has one keeps it


def test_a_tape_that_nobody_listens_to_gives_way(
    spools: Callable[..., Spool], source: Source
) -> None:
    source.free = False
    spool = spools(most=3, makers=1)
    busy = spool.tape(record(0))
    wait_for(lambda: source.begun)
    left = [spool.tape(record(n)) for n in (1, 2)]
    spool.tape(record(3))
    assert left[0].dropped
    assert not left[0].path.exists()
    assert not left[1].dropped
    assert not busy.dropped


def test_what_goes_wrong_is_told_to_who_waits(spools: Callable[..., Spool], source: Source) -> None:
    source.error, source.error_at = SoundError("the bell is broken", hint="mend it"), 5 * CHUNK
    spool = spools()
    tape = spool.tape(record())
    with pytest.raises((TapeError, FileNotFoundError)):
        asyncio.run(read(spool, tape))
    wait_for(lambda: tape.problem is not None)
    assert tape.problem is not None
    assert tape.problem.status == 500
    assert tape.problem.message == "the bell is broken"
    assert spool.status(record())["state"] == "failed"
    assert list(spool.folder.iterdir()) == []
    source.error = None  # and the next who asks has it made again
    assert asyncio.run(read(spool, spool.tape(record()))) == content(record())


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
    spools: Callable[..., Spool], source: Source, error: Exception, status: int
) -> None:
    source.error = error
    spool = spools()
    tape = spool.tape(record())
    wait_for(lambda: tape.problem is not None)
    assert tape.problem is not None
    assert tape.problem.status == status


@pytest.mark.parametrize("off", [-1, 1])
def test_a_tape_of_another_length_is_none(spools: Callable[..., Spool], off: int) -> None:
    folder = spools().folder

    def wrong(one: Record) -> Iterator[bytes]:
        yield bytes(one.bytes + off)

    spool = Spool(folder, wrong)
    tape = spool.tape(record())
    wait_for(lambda: tape.problem is not None)
    assert tape.problem is not None
    assert tape.problem.status == 410
    spool.close()
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_before_the_work(
    spools: Callable[..., Spool], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1_000))
    with pytest.raises(Refusal) as refusal:
        spools().tape(record())
    assert refusal.value.status == 507
    assert "no space" in refusal.value.message
    assert source.begun == []


def test_finished_tapes_are_bounded_and_the_oldest_go(spools: Callable[..., Spool]) -> None:
    spool = spools(limit_bytes=60 * CHUNK)
    for number in range(5):
        tape = spool.tape(record(number))
        wait_for(lambda tape=tape: tape.path.suffix == ".mp3")
        os.utime(tape.path, (1_000 + number, 1_000 + number))
    spool.tape(record(9))
    wait_for(lambda: spool.status(record(9))["state"] == "ready")
    wait_for(lambda: spool.used() <= 60 * CHUNK)
    left = {path.stem for path in spool.folder.iterdir()}
    assert record(0).id not in left
    assert record(9).id in left


def test_what_is_listened_to_stays(spools: Callable[..., Spool]) -> None:
    spool = spools(limit_bytes=25 * CHUNK)
    heard = spool.tape(record(0))
    wait_for(lambda: heard.path.suffix == ".mp3")
    spool.enter(heard, "me", 500)
    os.utime(heard.path, (1_000, 1_000))
    other = spool.tape(record(1))
    wait_for(lambda: other.whole)
    assert heard.path.exists()
    assert asyncio.run(read(spool, heard)) == content(record(0))


def test_what_a_killed_server_left_is_removed(spools: Callable[..., Spool]) -> None:
    folder = spools().folder
    folder.mkdir(exist_ok=True)
    dead, other = folder / f"{'a' * 40}.999999999-00.part", folder / "note.txt"
    dead.write_bytes(b"x")
    other.write_bytes(b"x")
    living = folder / f"{'b' * 40}.{os.getppid()}-00.part"
    living.write_bytes(b"x")
    spools()
    assert {path.name for path in folder.iterdir()} == {other.name, living.name}


def test_a_server_that_ends_leaves_nothing_half_made(
    spools: Callable[..., Spool], source: Source
) -> None:
    source.free = False
    spool = spools()
    tape = spool.tape(record())
    source.allowed.release(3)
    wait_for(lambda: tape.done == 3 * CHUNK)
    source.free = True
    threading.Timer(0.01, source.allowed.release).start()
    spool.close()
    assert [path for path in spool.folder.iterdir() if path.suffix == ".part"] == []


def test_a_tape_does_not_wait_for_ever(spools: Callable[..., Spool], source: Source) -> None:
    source.free = False
    spool = spools()
    tape = spool.tape(record())
    with pytest.raises(TapeError):
        asyncio.run(tape.wait(0, 0.01))


def test_a_render_with_a_bed_is_not_begun_twice(
    spools: Callable[..., Spool], source: Source
) -> None:
    """It cannot be taken up in the middle, so it stays open while others come and go."""
    source.chunk = 16_000
    spool = spools(makers=1, clock=lambda: 0.0)
    bedded = [replace(record(n, 2 << 20), bed="ocean") for n in range(4)]
    others = [record(10 + n, 2 << 20) for n in range(16)]
    tapes = [spool.tape(one) for one in (*bedded, *others)]
    for number, tape in enumerate(tapes):
        spool.enter(tape, number, 0)
    wait_for(lambda: all(tape.whole for tape in tapes))
    assert all(source.begun.count(one.id) == 1 for one in bedded)


def test_who_is_far_enough_ahead_waits_for_what_is_decided(
    spools: Callable[..., Spool], source: Source
) -> None:
    busy = [True]
    spool = spools()
    spool.others_wait = lambda: busy[0]
    tape, left = spool.tape(record(1, 2 << 20)), spool.tape(record(2))
    spool.enter(tape, "me", 0)
    wait_for(lambda: tape.done > 256 << 10 and not tape.busy)
    assert tape.done < 512 << 10
    assert left.done == 0
    spool.enter(tape, "me", tape.done)  # as the listener comes near, there is more
    wait_for(lambda: tape.done > 512 << 10 and not tape.busy)
    assert not tape.whole
    busy[0] = False
    wait_for(lambda: tape.whole and left.whole)
