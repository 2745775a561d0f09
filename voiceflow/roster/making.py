"""Making a roster: what is missing or has changed is rendered, and the manifest tells what came of
it.

In: a table of clients and a folder. Out: a file for each, and ``manifest.jsonl``. A run that is
stopped, however, is taken up by the next one: what is done is done.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from voiceflow.core.cache import Cache
from voiceflow.core.errors import Problem, ScriptError
from voiceflow.core.machine import cores
from voiceflow.core.units import clock, counted
from voiceflow.roster.addresses import Address, Folder, is_address
from voiceflow.roster.clients import Client, Roster, Usual, read_clients
from voiceflow.roster.cluster import Cluster, DaskCrew
from voiceflow.roster.manifest import Entry, Manifest, entries_in
from voiceflow.roster.table import read_table
from voiceflow.roster.workers import Crew, Made, Task
from voiceflow.score.options import Context, Report, quiet
from voiceflow.stitch.rerender import Keys

_TRIM_S: Final = 60.0
_MEASURED: Final = 8  # groups of which a dry run makes one file

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How a roster is made.

    Attributes
    ----------
    usual : Usual
        What holds for every row that does not say otherwise.
    strict : bool
        Nothing is made if a row is wrong.
    verify : bool
        Files of earlier runs are read and held against the manifest, not only their sizes.
    cluster : Cluster or None
        None is a pool of processes on this machine.
    """

    usual: Usual
    strict: bool = False
    verify: bool = False
    cluster: Cluster | None = None


@dataclass(slots=True)
class Outcome:
    """What came of a run; `problems` are those of the table."""

    made: int = 0
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    failed: list[Entry] = field(default_factory=list)
    wrong: int = 0
    left_over: tuple[str, ...] = ()
    seconds: float = 0.0
    warning: str = ""

    def line(self) -> str:
        parts = [f"{self.made} made", f"{self.unchanged} unchanged"]
        if self.wrong:
            parts.append(f"{self.wrong} wrong")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        return f"{', '.join(parts)}  in {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would take: measured on some of its files, which were made and thrown away."""

    rows: int
    unchanged: int
    to_make: int
    measured: int
    wrong: int
    busy_s: float
    wall_s: float
    length_ms: int
    bytes: int

    def lines(self) -> tuple[str, ...]:
        told = counted(self.to_make, "file")
        if not self.to_make:
            return (f"nothing to make: {self.unchanged} unchanged",)
        return (
            f"{told} to make, {self.unchanged} unchanged; measured on {self.measured} of them",
            f"  about {self.busy_s / 3600:.2f} CPU-hours, {self.wall_s / 60:.1f} minutes here",
            f"  {clock(self.length_ms)} of sound, {self.bytes / 1e6:.0f} MB",
        )


def make_roster(
    table: Path,
    into: Path | str,
    how: RosterOptions,
    context: Context,
    report: Report = quiet,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Make the file of every client in a table, each as right as a single render.

    Parameters
    ----------
    table : Path
        CSV or JSON Lines, see `voiceflow.roster.clients` for its columns.
    into : Path or str
        The folder, or an address for fsspec (``s3://…``); ``manifest.jsonl`` in it says what is
        there.
    tell : function of a line
        Told of each client whose file could not be made, when that is known.

    Raises
    ------
    ScriptError
        The table is none; or with `strict`, all that is wrong with its rows.
    VoiceflowError
        The folder or the manifest cannot be written.
    """
    began = time.monotonic()
    roster, there = _read(table, how, context), _place(into, context)
    outcome = Outcome(problems=roster.problems, wrong=_wrong_rows(roster))
    path = there.begin()
    with Manifest(path) as manifest:
        before = dict(manifest.entries)
        work = _Work(roster, before, there, how, context)
        for identity, message in roster.wrong:
            manifest.add(Entry(identity, error=message))
        outcome.unchanged = len(roster.clients) - len(work.clients)
        report("making", 0, len(work.clients))
        for done, made in enumerate(work.run(), 1):
            entry = work.entry(made)
            manifest.add(entry)
            outcome.made += not entry.error
            if entry.error:
                outcome.failed.append(entry)
                tell(f"{entry.id}: {entry.error}")
            report("making", done, len(work.clients))
        manifest.settle(roster.ids)
        there.end(path)
    named = {client.file for client in roster.clients}
    # Whose row is only wrong today has not left.
    wrong = {identity for identity, _ in roster.wrong}
    gone = [one.file for one in before.values() if one.id not in wrong and one.file not in named]
    outcome.left_over = tuple(one for one in gone if one and there.size(one) is not None)
    outcome.seconds = time.monotonic() - began
    outcome.warning = work.cache.problem
    return outcome


def forecast(
    table: Path, into: Path | str, how: RosterOptions, context: Context, report: Report = quiet
) -> tuple[Forecast, tuple[Problem, ...]]:
    """What `make_roster` would take, measured on one file of each kind, up to eight.

    Nothing is written into the folder; the clips that were spoken stay in the cache.
    """
    roster, there = _read(table, how, context), _place(into, context)
    work = _Work(roster, entries_in(there.manifest()), there, how, context)
    sample = work.sample(_MEASURED)
    kinds = Counter(client.group for client in work.clients)
    busy_s = length_ms = size = 0.0
    with TemporaryDirectory(prefix="voiceflow-roster-") as place:
        made = [*work.run(sample, Folder(Path(place)), report)]
    good = {one.id: one for one in made if not one.error}
    measured = [client for client in sample if client.id in good]
    weight = sum(kinds[client.group] for client in measured) or 1
    # The second of a kind says what each of the others takes: the first has spoken for all.
    first = {client.group: good[client.id] for client in reversed(measured)}
    for client in {one.group: one for one in measured}.values():
        one, share = good[client.id], kinds[client.group] / weight * len(work.clients)
        busy_s += one.seconds * share
        length_ms += first[client.group].length_ms * share
        size += first[client.group].bytes * share
    return Forecast(
        rows=roster.rows,
        unchanged=len(roster.clients) - len(work.clients),
        to_make=len(work.clients),
        measured=len(good),
        wrong=_wrong_rows(roster),
        busy_s=busy_s,
        wall_s=busy_s / work.jobs,
        length_ms=round(length_ms),
        bytes=round(size),
    ), roster.problems


def _read(table: Path, how: RosterOptions, context: Context) -> Roster:
    roster = read_clients(read_table(table), how.usual, context)
    if how.strict and roster.problems:
        raise ScriptError(list(roster.problems))
    return roster


def _place(into: Path | str, context: Context) -> Folder | Address:
    if isinstance(into, str) and is_address(into):
        root = context.cache.root
        return Address(into, root / "rosters" if root else None)
    return Folder(Path(into))


def _wrong_rows(roster: Roster) -> int:
    return roster.rows - len(roster.clients)


class _Work:
    """What there is to do, in the order in which it takes least."""

    def __init__(
        self,
        roster: Roster,
        before: dict[str, Entry],
        into: Folder | Address,
        how: RosterOptions,
        context: Context,
    ) -> None:
        self.into, self.form, self.how = into, roster.form, how
        self.library, self.cache = context.library, context.cache
        self.jobs = context.jobs or cores()
        keys = Keys(context.library, context.cache)
        self.keys = {one.id: _key(one, roster.form, keys) for one in roster.clients}
        self.files = {one.id: one.file for one in roster.clients}
        lacking = [one for one in roster.clients if not self._done(one, before.get(one.id))]
        self.clients = _ordered(lacking)

    def _done(self, client: Client, entry: Entry | None) -> bool:
        """Whether the file is there already, and the one that is wanted."""
        key = self.keys[client.id]
        if entry is None or entry.error or not key or (entry.key, entry.file) != (key, client.file):
            return False
        if self.how.verify:
            return self.into.digest(client.file) == (entry.sha256, entry.bytes)
        return self.into.size(client.file) == entry.bytes

    def sample(self, most: int) -> list[Client]:
        """Two clients of each kind, or one where there is only one, of the first kinds."""
        groups: dict[str, list[Client]] = {}
        for client in self.clients:
            groups.setdefault(client.group, []).append(client)
        return [one for group in [*groups.values()][:most] for one in group[:2]]

    def run(
        self, clients: Sequence[Client] | None = None, into: Folder | None = None,
        report: Report = quiet,
    ) -> Iterator[Made]:  # fmt: skip
        """What became of each client's file, as it is done."""
        chosen, place = self.clients if clients is None else clients, into or self.into
        if not chosen:
            return
        tasks = [
            Task(one.id, one.reference, one.options, str(place), one.file, self.form)
            for one in chosen
        ]
        trimmed = time.monotonic()
        with self._crew(len(tasks)) as crew:
            for done, made in enumerate(crew.run(tasks), 1):
                report("measuring", done, len(tasks))
                yield made
                if time.monotonic() - trimmed > _TRIM_S:
                    self.cache.trim(always=True)
                    trimmed = time.monotonic()
        self.cache.trim(always=True)

    def _crew(self, tasks: int) -> Crew | DaskCrew:
        if self.how.cluster is not None:
            return DaskCrew(self.how.cluster, self.library, self.cache.root)
        return Crew(min(self.jobs, tasks), self.library, self.cache.root)

    def entry(self, made: Made) -> Entry:
        if made.error:
            return Entry(made.id, error=made.error)
        return Entry(
            id=made.id,
            file=self.files[made.id],
            sha256=made.sha256,
            length_ms=made.length_ms,
            bytes=made.bytes,
            key=self.keys[made.id],
        )


def _ordered(clients: Sequence[Client]) -> list[Client]:
    """By voice and rate, as a voice loads for one rate; within that, first one of each kind.

    Workers that are at it side by side then have different sentences to speak, and what is the same
    for all of a kind is there when the others come.
    """
    seen: Counter[str] = Counter()
    turns = []
    for at, client in enumerate(clients):
        turns.append((client.voice, client.rate, seen[client.group] > 0, client.group, at, client))
        seen[client.group] += 1
    return [turn[-1] for turn in sorted(turns, key=lambda turn: turn[:-1])]


def _key(client: Client, form: str, keys: Keys) -> str:
    """Of all that decides the file; "" where that cannot be told."""
    known = keys.of(client.reference, client.options) if client.lasting else None
    if known is None:
        return ""
    stamp = ""
    if client.bed is not None:
        try:
            stat = os.stat(os.path.expanduser(client.bed))  # noqa: PTH111, PTH116
        except OSError:
            return ""
        stamp = f"{stat.st_size} {stat.st_mtime_ns}"
    return Cache.key(known, form, stamp)
