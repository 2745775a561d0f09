"""The same roster on a real Dask cluster, with workers that die and stores that fail."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from rosters import context, made, table, usual

from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError, OutputError
from voiceflow.roster import Cluster, RosterOptions, make_roster
from voiceflow.roster.addresses import Address, is_address, opened
from voiceflow.roster.manifest import read_manifest

pytest.importorskip("distributed", reason="clusters need the extra `cluster`")
from voiceflow.roster.cluster import DaskCrew
from voiceflow.roster.shared_cache import SharedCache
from voiceflow.roster.workers import Task

__all__ = ["context"]

ROWS = "id,session,name\n" + "".join(f"{n},arms,Name{n}\n" for n in range(6))


def shas(out: Path) -> dict[str, str]:
    return {one.id: one.sha256 for one in read_manifest(out / "manifest.jsonl").values()}


@pytest.mark.slow
def test_a_cluster_makes_the_same_files_to_the_byte(tmp_path: Path, context: Context) -> None:
    made(tmp_path, context, ROWS)
    address = (tmp_path / "there").as_uri()
    how = RosterOptions(usual(), cluster=Cluster(workers=2))
    outcome = make_roster(table(tmp_path, ROWS), address, how, context)
    assert (outcome.made, outcome.failed) == (6, [])
    assert shas(tmp_path / "there") == shas(tmp_path / "out")
    for one in read_manifest(tmp_path / "there" / "manifest.jsonl").values():
        raw = (tmp_path / "there" / one.file).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == one.sha256
    again = make_roster(table(tmp_path, ROWS), address, how, context)
    assert (again.made, again.unchanged) == (0, 6)
    assert not [one for one in (tmp_path / "there").rglob("*") if ".part" in one.name]


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_no_file(
    tmp_path: Path, context: Context
) -> None:
    tasks = [
        Task(
            str(n), "arms", Options(voice="silent", name=f"N{n}"), str(tmp_path), f"{n}.mp3", "mp3"
        )
        for n in range(24)
    ]
    with DaskCrew(Cluster(workers=2), context.library, context.cache.root) as crew:
        found = {}
        for at, one in enumerate(crew.run(tasks)):
            found[one.id] = one
            if at == 3:
                info: dict[str, Any] = crew._client.run(os.getpid)
                os.kill(next(iter(info.values())), signal.SIGKILL)
    assert {one.error for one in found.values()} == {""}
    assert len(found) == 24
    for identity, one in found.items():
        raw = (tmp_path / f"{identity}.mp3").read_bytes()
        assert hashlib.sha256(raw).hexdigest() == one.sha256


@pytest.mark.slow
def test_a_scheduler_that_runs_elsewhere_with_a_shared_store(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    # What a machine of its own has as its cache.
    monkeypatch.setenv("VOICEFLOW_CACHE", str(tmp_path / "theirs"))
    store = (tmp_path / "store").as_uri()
    with LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as running:
        how = RosterOptions(
            usual(), cluster=Cluster(scheduler=running.scheduler_address, store=store)
        )
        outcome = make_roster(table(tmp_path, ROWS), tmp_path / "out", how, context)
    assert (outcome.made, outcome.failed) == (6, [])
    kinds = {path.name for path in (tmp_path / "store").iterdir()}
    assert {"piece", "head"} <= kinds
    # Another machine, with nothing of its own, takes what is there.
    other = SharedCache(tmp_path / "other", store)
    (piece, *_) = (tmp_path / "store" / "piece").rglob("?" * 40)
    assert other.get("piece", piece.name) is not None
    assert Cache(tmp_path / "other").get("piece", piece.name) is not None


def test_nobody_answers(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from voiceflow.roster import cluster

    monkeypatch.setattr(cluster, "_ANSWER_S", 1)
    how = RosterOptions(usual(), cluster=Cluster(scheduler="tcp://127.0.0.1:1"))
    with pytest.raises(OutputError, match="does not answer"):
        make_roster(table(tmp_path, ROWS), tmp_path / "out", how, context)


@pytest.mark.parametrize(
    ("address", "told"),
    [("nosuch://x/y", "no kind of address nosuch://"), ("s3://x/y", "s3:// needs s3fs")],
)
def test_an_address_that_cannot_be_opened_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(InputError, match=told):
        opened(address)


@pytest.mark.parametrize("text", ["", "file://", "://x", "s3:/x/y", "memory://x", "A B://x"])
def test_what_is_neither_folder_nor_address_is_told(text: str) -> None:
    with pytest.raises(InputError):
        is_address(text)
    assert not is_address("c:/clients")


KEY = Cache.key("some", "thing")


@pytest.mark.parametrize("damage", ["broken", "of another key", "empty"])
def test_what_does_not_hold_in_the_store_is_a_miss(tmp_path: Path, damage: str) -> None:
    store = (tmp_path / "store").as_uri()
    SharedCache(tmp_path / "one", store).put("clip", KEY, b"sound")
    place = tmp_path / "store" / "clip" / KEY[:2] / KEY
    raw = place.read_bytes()
    if damage == "of another key":
        SharedCache(tmp_path / "x", store).put("clip", Cache.key("else"), b"other")
        other = Cache.key("else")
        raw = (tmp_path / "store" / "clip" / other[:2] / other).read_bytes()
    place.write_bytes({"broken": raw[:-1] + b"?", "empty": b""}.get(damage, raw))
    assert SharedCache(tmp_path / "two", store).get("clip", KEY) is None


def test_a_store_that_fails_costs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SharedCache(tmp_path / "one", (tmp_path / "store").as_uri())
    asked: list[str] = []

    def fails(*_: object, **__: object) -> bytes:
        asked.append("")
        raise TimeoutError

    for name in ("cat_file", "pipe_file"):
        monkeypatch.setattr(cache._files, name, fails)
    assert cache.put("clip", KEY, b"sound")
    assert cache.get("clip", KEY) == b"sound"
    assert cache.get("clip", Cache.key("else")) is None
    # It is left alone for a while: not every look-up waits for it.
    assert len(asked) == 1


def test_a_file_that_cannot_be_sent_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"sound")
    address = Address((tmp_path / "there").as_uri())
    monkeypatch.setattr(
        address._files, "mv", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OutputError, match="cannot be written"):
        address.send(tmp_path / "a", "1/a.mp3")
    assert [path for path in (tmp_path / "there").rglob("*") if path.is_file()] == []


def test_a_run_to_an_address_that_was_stopped_is_gone_on_with(
    tmp_path: Path, context: Context
) -> None:
    """Its manifest lies here until it is sent; the files are there already."""
    address = (tmp_path / "there").as_uri()
    how = RosterOptions(usual())
    told: list[int] = []

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "making" and done == 3:
            told.append(total)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_roster(table(tmp_path, ROWS), address, how, context, stop)
    outcome = make_roster(table(tmp_path, ROWS), address, how, context)
    assert told == [6]
    assert (outcome.made, outcome.unchanged) == (3, 3)
    assert len(shas(tmp_path / "there")) == 6
