"""What the commands do: call the pipeline, and tell the result."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voiceflow.cli import streams
from voiceflow.core.cache import Cache
from voiceflow.core.errors import (
    InputError,
    Problem,
    UnknownNameError,
    VoiceflowError,
    fewest,
)
from voiceflow.core.places import expanded
from voiceflow.core.plain import printable
from voiceflow.core.units import counted
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.script.lookup import Library, default_library, exists, is_name, spelled

# Only their types: what a command needs is imported when it runs.
if TYPE_CHECKING:
    from voiceflow.lint import Proof
    from voiceflow.roster import Cluster


def render(
    session: str,
    output: str | None,
    form: str | None,
    given: Mapping[str, Any],
    context: Context,
    *,
    profile: bool,
) -> None:
    """Render a session to a file and say in one line what came of it."""
    from voiceflow.stitch import render as rendering

    target = Path(output) if output else Path(f"{Path(session).stem}.{form or 'mp3'}")
    with progress() as report:
        summary = rendering.render(session, target, form, options(given), context, report)
    streams.report(summary.line())
    if profile:
        click.echo(summary.profile())
    if summary.warning:
        click.echo(f"warning: {summary.warning}", err=True)
    # Last, and apart from the result: the file is right even where nothing could be kept.
    if context.cache.problem:
        click.echo(f"warning: nothing was kept for next time: {context.cache.problem}", err=True)


def export(
    sessions: tuple[str, ...],
    into: str,
    form: str,
    given: Mapping[str, Any],
    context: Context,
    *,
    split: bool,
) -> None:
    """Export sessions, and say what became of each file."""
    from voiceflow.stitch.export import ExportOptions, Failure, export

    files, folder = ExportOptions(form, split), expanded(into)
    with progress() as report:
        # A generator: each file is told as soon as it is written.
        for result in export(sessions, folder, files, options(given), context, report):
            if isinstance(result, Failure):
                click.echo(result.line(), err=True)
            else:
                streams.report(result.line())


def roster(table: str, into: str, given: dict[str, Any], context: Context) -> None:
    """Make the sessions of a table, and say what came of it."""
    import datetime

    from voiceflow import roster as rosters

    own = {key: given.pop(key) for key in ("pattern", "session", "date", "strict", "verify")}
    dry, cluster = given.pop("dry_run"), _cluster(given)
    date = datetime.date.today().isoformat() if own["date"] is None else own["date"]
    pattern = rosters.USUAL if own["pattern"] is None else own["pattern"]
    usual = rosters.Usual(pattern, own["session"], options(given), date)
    how = rosters.RosterOptions(usual, own["strict"], own["verify"], cluster)
    path, folder = expanded(table), into if rosters.is_address(into) else expanded(into)
    with progress(rate=True) as report:
        if dry:
            forecast, problems = rosters.forecast(path, folder, how, context, report)
            told, lines, wrong = "", forecast.lines(), forecast.wrong > 0
        else:
            outcome = rosters.make_roster(path, folder, how, context, report, _tell_failed)
            problems, told, lines = outcome.problems, outcome.warning, (outcome.line(),)
            wrong = bool(problems or outcome.failed)
            for left in outcome.left_over:
                streams.report(f"left over  {left}: no row has it any more")
    for problem in problems:
        click.echo(str(problem), err=True)
    for line in lines:
        streams.report(line)
    if told:
        click.echo(f"warning: nothing was kept for next time: {told}", err=True)
    if wrong or problems:
        raise click.exceptions.Exit(1)


def _cluster(given: dict[str, Any]) -> Cluster | None:
    """Which machines work; None for this one's own pool."""
    from voiceflow.roster import Cluster

    scheduler, workers = given.pop("scheduler"), given.pop("workers")
    store, tls = given.pop("store"), given.pop("tls")
    if scheduler and workers:
        raise InputError("--workers is for a local cluster, --scheduler for one that runs")
    if (store or tls) and not scheduler:
        raise InputError("--store and --tls are for --scheduler")
    if not (scheduler or workers):
        return None
    return Cluster(scheduler or "", workers or 1, store or "", tls or ())


def _tell_failed(line: str) -> None:
    click.echo(f"not made   {line}", err=True)


def play(session: str, given: Mapping[str, Any], context: Context, *, from_start: bool) -> None:
    """Play a session, and say how to go on where it was left."""
    from voiceflow.player import play

    if play(session, options(given), context, progress, from_start=from_start):
        click.echo(f"`voiceflow play {session}` goes on from here")


def context(*, jobs: int, no_cache: bool) -> Context:
    """Where things are kept and how many work."""
    return Context(cache=Cache(None if no_cache else Cache.default_root()), jobs=jobs)


def show(session: str, given: Mapping[str, Any], context: Context) -> None:
    """Print a session's timeline, or draw it."""
    from voiceflow.score.prepare import prepare
    from voiceflow.score.score import as_dict

    # Taken out, as the table of options knows only what decides a session, and fails for the rest.
    forms = {key: given[key] for key in ("as_json", "events", "text", "svg", "png")}
    rest = {key: value for key, value in given.items() if key not in forms}
    with progress() as report:
        decision = prepare(session, options(rest), context, report).decision
    score, plan = decision.score, decision.plan
    if forms["as_json"]:
        click.echo(json.dumps(as_dict(score), ensure_ascii=False, indent=1))
        return
    from voiceflow import draw as picture

    if forms["svg"]:
        _save(forms["svg"], picture.svg(score, plan).encode())
    if forms["png"]:
        _save(forms["png"], picture.png(score, plan))
    if forms["text"]:
        click.echo(picture.golden(score), nl=False)
    elif forms["events"]:
        click.echo(picture.listing(score), nl=False)
    elif not (forms["svg"] or forms["png"]):
        # In a pipe 80 columns without colour, whatever window is open.
        colour = sys.stdout.isatty()
        width = min(shutil.get_terminal_size().columns, 120) if colour else 80
        click.echo(picture.timeline_text(score, plan, width=width, colour=colour), nl=False)


def _save(name: str, data: bytes) -> None:
    from voiceflow.core.files import writing

    with writing(Path(name)) as draft:
        draft.write(data)
    click.echo(name)


def check(things: tuple[str, ...], given: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what is wrong with scripts, and whether sessions can be followed eyes-free."""
    from voiceflow.lint import check_path, is_session, prove
    from voiceflow.score.prepare import prepare

    library = default_library()
    problems: list[Problem] = []
    proofs: list[Proof] = []
    for thing in things:
        path = _checked_path(thing, library)
        if path is not None:
            found = check_path(path, library)
            problems.extend(found)
            sound = not any(one.severity == "error" for one in found)
            # A session with errors cannot be decided: there is nothing to prove.
            if not (sound and is_session(path)):
                continue
        try:
            with progress() as report:
                decision, made = prepare(thing, options(given), Context(library=library), report)
        except VoiceflowError:
            # A voice refuses what the scripts have warnings for: these tell what to do about it.
            for problem in () if as_json else fewest(problems):
                click.echo(str(problem))
            raise
        proofs.append(prove(decision, made.tones, made.bed))
    # A folder and a file in it, both given, tell of the same problem twice.
    problems = list(dict.fromkeys(problems))
    _tell_checked(problems, proofs, as_json=as_json)
    wrong = any(one.severity == "error" for one in problems)
    if wrong or any(finding.severity == "error" for proof in proofs for finding in proof.findings):
        # Everything has been told: what is left to say is the code.
        raise click.exceptions.Exit(2)


def _tell_checked(problems: list[Problem], proofs: list[Proof], *, as_json: bool) -> None:
    from voiceflow.lint.report import summary

    if as_json:
        told = {
            "problems": [asdict(one) for one in problems],
            "proofs": [p.to_dict() for p in proofs],
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for problem in fewest(problems):
            click.echo(str(problem))
        for proof in proofs:
            click.echo(summary(proof))
        if not problems and not proofs:
            click.echo("no errors")


def _checked_path(thing: str, library: Library) -> Path | None:
    """The file or folder that is checked as `thing`; None for a name without a session's file."""
    path = spelled(Path(thing))
    # What cannot be a name was meant as a path, and is told as one even if it is missing. A name
    # that is only too long was meant as a name.
    if exists(path) or not is_name(thing[:_NAME]):
        return path
    try:
        return library.find("sessions", thing)
    except UnknownNameError:
        return None


def cache(action: str) -> None:
    """Tell of the cache, or clear it, with what a server made for its phones."""
    # This much of the server needs none of the packages of its extra.
    from voiceflow.server.jobs.store import recordings

    kept = Cache(Cache.default_root())
    made = recordings(kept)
    if action == "path":
        click.echo(str(Cache.default_root()))
        return
    if action == "clear":
        gone = kept.clear()
        for path in made:
            with suppress(OSError):  # Windows: a phone is listening to it
                path.unlink()
                gone += 1
        click.echo(f"{counted(gone, 'entry', 'entries')} forgotten")
        return
    info = kept.info()
    kinds = [(kind.kind, kind.entries, kind.bytes) for kind in info.kinds]
    if made:
        kinds.append(("phones", len(made), sum(map(_size, made))))
    entries, size = sum(count for _, count, _ in kinds), sum(size for *_, size in kinds)
    told = counted(entries, "entry", "entries")
    click.echo(f"{told}, {size / 1e6:.1f} MB in {Cache.default_root()}")
    for name, count, size in kinds:
        click.echo(f"  {name:<8} {count:>6}  {size / 1e6:8.1f} MB")


def _size(path: Path) -> int:
    """Bytes of a file; 0 where it went meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def list_(kind: str | None, *, as_json: bool) -> None:
    """Print what there is."""
    from voiceflow.score import catalogue

    found = catalogue.everything(Context().library, (kind,) if kind else None)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for title, entries in found.items():
        click.secho(title, bold=True)
        # Who asks for voices alone wants to see each of them.
        if kind is None:
            entries = _folded(entries)
        width = max((len(entry["name"]) for entry in entries), default=0)
        for entry in entries:
            told = entry.get("about") or ""
            if not entry.get("works", True):
                told = f"not here: {entry.get('why', '')}"
            own = " (yours)" if entry.get("own") else ""
            # A name, or what a script says of itself, can hold anything.
            click.echo(printable(f"  {entry['name']:<{width}}  {told}{own}".rstrip()))


def _folded(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A voice's many languages on one line: a list of everything is read from the top."""
    tongues = [one for one in entries if one["name"].startswith("espeak:")]
    if len(tongues) < 2:
        return entries
    at = entries.index(tongues[0])
    one = {"name": "espeak:CODE", "about": f"{len(tongues)} languages: voiceflow list voices"}
    return [*entries[:at], one, *(e for e in entries[at:] if e not in tongues)]


def new(kind: str, name: str) -> None:
    """Write an example into the user's library and say where."""
    from voiceflow.script import examples

    path = examples.create(kind, name, Context().library)
    click.echo(f"{path}")
    if kind == "session":
        click.echo(f"edit it, then: voiceflow render {name}")


def settings(
    session: str | None, pace: str | None, given: tuple[str, ...], *, origin: bool
) -> None:
    """Print every pacing value, and where it comes from."""
    from voiceflow.score.inputs import pacing_layers
    from voiceflow.script.overrides import pacing_values
    from voiceflow.script.pacing import KEYS, origins, resolve

    layers = pacing_layers(session, Options(pace=pace, pacing=tuple(pacing_values(given).items())))
    values, told = resolve(layers), origins(layers)
    for key in KEYS:
        value = getattr(values, key)
        # None is a breath of one's own that nobody gave: then breaths last as written.
        line = f"{key:<12} {'as written' if value is None else value}"
        click.echo(f"{line:<28} {told[key]}" if origin else line)


def options(given: Mapping[str, Any]) -> Options:
    """The command line's options, read by the table of options.

    Raises
    ------
    InputError
        With all that is wrong with them.
    """
    from voiceflow.score.option_table import client_values, options_of, read_values
    from voiceflow.script.overrides import pacing_values

    # click gives None for an option that was not used.
    said = {key: value for key, value in given.items() if value is not None}
    changes = said.pop("given", ())
    client, strange = client_values(said.pop("client", ()))
    values, problems = read_values(said)
    problems += strange
    wrong = [one.line(_FLAGS.get(one.name, f"--{one.name}")) for one in problems]
    pacing: dict[str, Any] = {}
    try:
        pacing = pacing_values(changes)
    except InputError as error:
        # These lines name their flag, `--set`, already.
        wrong += error.message.splitlines()
    if wrong:
        raise InputError("\n".join(wrong))
    return options_of(values, pacing.items(), client)


_NAME = 100  # characters: by then it is seen whether something is a path
# What an option is called on the command line, where that is not its name.
_FLAGS = {"equipment": "--with"}


@contextmanager
def progress(*, rate: bool = False) -> Iterator[Report]:
    """A bar for each stage on a terminal, with its rate if wanted; silence in a pipe."""
    # Standard error, so that a result may go into a pipe and the bars still show.
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Any) -> str:
            return f"{task.speed * 60:.0f}/min" if task.speed else ""

    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        *((Rate(),) if rate else ()),
        TimeRemainingColumn(),
    )
    # Transient: what stays on the screen is the line that says what came of it.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            # The total as well: voices speak in rounds, and each has as many clips as it lacks.
            bars.update(tasks[stage], completed=done, total=total)

        yield report


def serve(printed: str | None, **options: Any) -> None:
    """Run the server, until Ctrl-C; or print a file for those who run it always."""
    from voiceflow import server as serving
    from voiceflow.server import service

    if printed:
        click.echo(service.text(printed), nl=False)
    else:
        serving.main(**options)
