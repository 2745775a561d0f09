"""The command line: declares commands and options, and calls `cli.commands`.

Modules that take long to import are imported inside the commands, so that `--help` is instant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from voiceflow import __version__
from voiceflow.cli import streams
from voiceflow.formats import EXPORTED, RENDERED

F = TypeVar("F", bound=Callable[..., Any])
# The kinds of `score.catalogue`, written out: to import it would slow down `--help`.
KINDS = ("sessions", "exercises", "paces", "voices", "phrases", "tones")

# By itself click folds help at 80 columns.
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 96}


def session_options(command: F) -> F:
    """Add the options that decide a session, for every command that takes one.

    Values stay text here: the table of options (`score.option_table`) reads and checks them.
    """
    options = (
        click.option("--pace", metavar="NAME", help="Pace of the session: calm, steady, brisk."),
        click.option("--voice", metavar="NAME", help="Voice: natural, espeak, espeak:es …"),
        click.option("--phrases", metavar="NAME", help="How the coach speaks: coach, plain."),
        click.option("--tones", metavar="NAME", help="Breath tones: bowl, ocean, pluck, none."),
        click.option("--level", metavar="NUMBER", help="Level of difficulty: 1, 2 or 3."),
        click.option("--name", metavar="TEXT", help="Name of the person to greet."),
        click.option(
            "--mono", is_flag=True, help="One channel: a smaller file, but no left and right."
        ),
        click.option("--minutes", metavar="TIME", help="Length of the session: 20, or 12:30."),
        click.option(
            "--detail", metavar="WORD", help="How much is said: full, brief or tones only."
        ),
        click.option(
            "--with", "equipment", metavar="THINGS", help="Equipment you have: ball,circle,weight."
        ),
        click.option(
            "--only", multiple=True, metavar="EXERCISE", help="Only this exercise; repeatable."
        ),
        click.option(
            "--skip", multiple=True, metavar="EXERCISE", help="Without this exercise; repeatable."
        ),
        click.option(
            "--focus",
            multiple=True,
            metavar="TAG",
            help="Only exercises with this tag: hips, back …; repeatable.",
        ),
        click.option(
            "--shuffle",
            metavar="SEED",
            help="Shuffle exercises in the same position; SEED is any number.",
        ),
        click.option(
            "--bed", metavar="NAME", help="Background sound: ocean, rain, or a sound file."
        ),
        click.option(
            "--set",
            "given",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any pacing value, such as tempo=0.85; repeatable.",
        ),
        click.option(
            "--client",
            multiple=True,
            metavar="NAME=TEXT",
            help="Anything else a text says of the person: goal=…; repeatable.",
        ),
    )
    # click lists last what was added first, as decorators are applied from the bottom up.
    for option in reversed(options):
        command = option(command)
    return command


def machine_options(command: F) -> F:
    """Add the options for how the work is done; the result is the same with all of them."""
    options = (
        click.option(
            "--jobs",
            type=click.IntRange(0, 64),
            default=0,
            help="Number of workers; 0 for one per core.",
        ),
        click.option("--no-cache", is_flag=True, help="Make everything again, and keep nothing."),
    )
    for option in reversed(options):
        command = option(command)
    return command


# In these docstrings `\b` keeps click from folding the lines after it into one paragraph.
@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, "-V", "--version", message="voiceflow %(version)s")
def cli() -> None:
    """Turn exercise scripts into spoken, breath-timed sessions to follow with eyes closed.

    \b
    voiceflow list                           list sessions, exercises, voices …
    voiceflow render hip-back                write the session as hip-back.mp3
    voiceflow render breathing --pace calm -o slow.mp3
    voiceflow show hip-back                  show its timeline
    voiceflow new session mine               start a session of your own
    voiceflow check my-session.yaml          find its errors
    """


def _no_dash(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The name of an output. `-` means standard output elsewhere, and is no name for a file."""
    if value == "-":
        from voiceflow.core.errors import InputError

        told = f"{option.opts[-1]} -: voiceflow does not write to standard output"
        raise InputError(told, hint="give the name of a file, or ./- for one that is called so")
    return value


def _into(what: str) -> Callable[[F], F]:
    """The option that says where several files go."""
    return click.option("--to", "into", metavar="DIR", required=True, callback=_no_dash, help=what)


@cli.command(short_help="Write a session as a sound file.")
@click.argument("session")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=_no_dash,
    help="File to write  [default: ./SESSION.mp3]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(RENDERED),
    help="Sound format  [default: from FILE, else mp3]",
)
@session_options
@click.option(
    "--profile", is_flag=True, help="Show the seconds of each stage, pieces and cache hits."
)
@machine_options
def render(
    session: str,
    output: str | None,
    form: str | None,
    profile: bool,
    jobs: int,
    no_cache: bool,
    **options: Any,
) -> None:
    """Write SESSION (the name of a bundled one or of your own, or a path) as a sound file.

    \b
    voiceflow render hip-back
    voiceflow render hip-back-short --level 2 --name Ana -o morning.mp3
    voiceflow render ./knee.yaml --voice espeak:es --tones ocean
    voiceflow render everyday --mono --format ogg
    voiceflow render hip-back --minutes 20 --detail brief --with ball
    voiceflow render hip-back --set breath.inhale=5 --set breath.exhale=6 --skip squat
    """
    from voiceflow.cli import commands

    context = commands.context(jobs=jobs, no_cache=no_cache)
    commands.render(session, output, form, options, context, profile=profile)


@cli.command(short_help="Write sessions as files to copy to a phone or a player.")
@click.argument("sessions", nargs=-1, required=True, metavar="SESSION...")
@_into("Folder for the files; created if missing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(EXPORTED),
    default="mp3",
    show_default=True,
    help="Sound format; m4b needs the extra `m4b`.",
)
@click.option("--split", is_flag=True, help="Write a numbered file for each exercise.")
@session_options
@machine_options
def export(
    sessions: tuple[str, ...],
    into: str,
    form: str,
    split: bool,
    jobs: int,
    no_cache: bool,
    **options: Any,
) -> None:
    """Write each SESSION into a folder, with its cover, words, chapters and a playlist.

    File names work on every phone and memory card. Files that have not changed are left alone, so
    DIR can be a synced folder. With --split, players without chapters get one file per exercise.

    \b
    voiceflow export hip-back everyday --to ~/Phone/Music
    voiceflow export hip-back --to /media/player --split
    voiceflow export hip-back --to audiobooks --format m4b
    """
    from voiceflow.cli import commands

    context = commands.context(jobs=jobs, no_cache=no_cache)
    commands.export(sessions, into, form, options, context, split=split)


@cli.command(short_help="Make a session for each person in a table.")
@click.argument("table")
@_into("Folder or address for the files and manifest.jsonl; created if missing.")
@click.option(
    "--pattern",
    metavar="PATH",
    help="Where each file goes, with columns in braces  [default: {id}/{session}.mp3]",
)
@click.option("--session", metavar="SESSION", help="Session of the rows that name none.")
@click.option("--date", metavar="DATE", help="{date} of the rows that have none  [default: today]")
@click.option("--strict", is_flag=True, help="Make nothing if a row is wrong.")
@click.option("--verify", is_flag=True, help="Read the files that are there, and not only sizes.")
@click.option("--dry-run", is_flag=True, help="Make nothing; measure how long it would take.")
@click.option(
    "--workers", type=click.IntRange(1, 512), help="Work on a local Dask cluster of so many."
)
@click.option("--scheduler", metavar="ADDRESS", help="Work on a Dask cluster: tcp:// or tls://…")
@click.option("--store", metavar="ADDRESS", help="Where workers of a cluster exchange clips.")
@click.option(
    "--tls",
    nargs=3,
    metavar="CA CERTIFICATE KEY",
    type=click.Path(dir_okay=False),
    help="PEM files for a scheduler with TLS.",
)
@session_options
@machine_options
def roster(table: str, into: str, jobs: int, no_cache: bool, **options: Any) -> None:
    """Make a session for each row of TABLE: a CSV file, or JSON Lines.

    Columns are id, session, and any option below by its name (name, pace, minutes, level, with,
    skip, voice, tempo …); an option given here is for rows that do not say otherwise. Any other
    column is what texts say as {{ client.COLUMN }}. Wrong rows are told, the others are made;
    run again, it makes only what is missing or has changed.

    
    voiceflow roster clients.csv --to ~/Clients
    voiceflow roster clients.csv --to out --pattern '{id}/{date}-{session}.mp3' --strict
    voiceflow roster clients.csv --to out --dry-run
    voiceflow roster clients.csv --to s3://clinic/out --scheduler tls://10.0.0.5:8786
    """
    from voiceflow.cli import commands

    commands.roster(table, into, options, commands.context(jobs=jobs, no_cache=no_cache))


@cli.command(short_help="Play a session in the terminal.")
@click.argument("session")
@click.option(
    "--from-start", is_flag=True, help="Play from the start, not from where you left off."
)
@session_options
@machine_options
def play(session: str, from_start: bool, jobs: int, no_cache: bool, **options: Any) -> None:
    """Play SESSION in the terminal while it is being made. Needs the extra `play`.

    \b
    space      pause, continue
    ← →        previous exercise, next exercise
    a          this exercise again
    + -        faster, slower, from the next exercise on
    d          less talk, from the next exercise on; after the least, full talk again
    q          quit; next time it continues from here

    \b
    voiceflow play hip-back
    voiceflow play hip-back --minutes 20 --pace calm --from-start
    """
    from voiceflow.cli import commands

    context = commands.context(jobs=jobs, no_cache=no_cache)
    commands.play(session, options, context, from_start=from_start)


@cli.command(short_help="Show a session's timeline.")
@click.argument("session")
@session_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object with chapters and events."
)
@click.option("--events", is_flag=True, help="List every word and tone, one per line.")
@click.option(
    "--text", is_flag=True, help="Print the timeline as plain text, to compare with another."
)
@click.option(
    "--svg", metavar="FILE", callback=_no_dash, help="Draw the session as an SVG picture."
)
@click.option("--png", metavar="FILE", callback=_no_dash, help="Draw the session as a PNG picture.")
@machine_options
def show(session: str, jobs: int, no_cache: bool, **options: Any) -> None:
    """Show the timeline of SESSION: its chapters, words and breaths, with their times.

    \b
    voiceflow show hip-back
    voiceflow show hip-back --minutes 20 --png hip-back.png
    voiceflow show breathing --pace brisk --json
    """
    from voiceflow.cli import commands

    commands.show(session, options, commands.context(jobs=jobs, no_cache=no_cache))


@cli.command(short_help="Find errors in scripts; check sessions for eyes-free use.")
@click.argument("things", nargs=-1, required=True, metavar="PATH|SESSION...")
@session_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(things: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Find every error in scripts, and prove that a session can be followed with eyes closed.

    In a PATH (a file or a folder), every script is checked for errors. A SESSION, by name or by
    the path of its file, is decided with your pace and voice: does every word fit its
    breath, do both sides get the same, is there time for each change of position?
    The exit code is 0 without errors, 2 with errors.

    \b
    voiceflow check my-session.yaml
    voiceflow check ~/my-scripts
    voiceflow check hip-back --pace brisk --level 3
    """
    from voiceflow.cli import commands

    commands.check(things, options, as_json=as_json)


@cli.command("list", short_help="List sessions, exercises, voices and more.")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(kind: str | None, as_json: bool) -> None:
    """List all sessions, exercises, paces, voices, phrases or tones: the bundled and your own.

    \b
    voiceflow list
    voiceflow list voices
    voiceflow list exercises --json
    """
    from voiceflow.cli import commands

    commands.list_(kind, as_json=as_json)


@cli.command(short_help="Show pacing values and where they come from.")
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@click.option("--session", metavar="SESSION", help="Show the values for this session.")
@click.option("--pace", metavar="NAME", help="Show the values with this pace.")
@click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="Any pacing value; repeatable."
)
def settings(origin: bool, session: str | None, pace: str | None, given: tuple[str, ...]) -> None:
    """Show every pacing value, and with --origin where it comes from.

    Your own values are in settings.yaml in your library.

    \b
    voiceflow settings --origin
    voiceflow settings --session hip-back --pace brisk --origin
    """
    from voiceflow.cli import commands

    commands.settings(session, pace, given, origin=origin)


@cli.command(short_help="Start a script of your own.")
@click.argument("kind", type=click.Choice(("session", "exercise", "pace", "phrases")))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Write a commented, working example called NAME into your library, to edit.

    \b
    voiceflow new session my-morning
    voiceflow new exercise wall-slide
    """
    from voiceflow.cli import commands

    commands.new(kind, name)


@cli.command(short_help="Serve a class studio for your phone.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 for your home network.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="Port."
)
@click.option("--library", type=click.Path(file_okay=False), help="Folder of your own scripts.")
@click.option(
    "--open", "open_browser", is_flag=True, help="Also open it in the browser of this computer."
)
@click.option("--forget", is_flag=True, help="Forget all paired phones, and exit.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="Another name of this server, for example behind a proxy; repeatable.",
)
@click.option(
    "--certificate", type=click.Path(dir_okay=False), help="Certificate for https: a PEM file."
)
@click.option("--key", type=click.Path(dir_okay=False), help="Key of the certificate.")
@click.option(
    "--jobs",
    type=click.IntRange(0, 64),
    default=0,
    help="Number of workers; 0 for one per core.",
)
@click.option("-v", "--verbose", count=True, help="Tell of each request; -vv: of all there is.")
@click.option(
    "--print",
    "printed",
    type=click.Choice(("unit", "container")),
    help="Print a unit for systemd, or a container file, and exit.",
)
def serve(**options: Any) -> None:
    """Serve a class studio: point your phone's camera at the code in the terminal.

    On the phone, choose a session, set its length and pace, listen while it is being made, keep
    it, or subscribe in a podcast app. Nothing leaves your network. Needs the extra `serve`.

    \b
    voiceflow serve --open
    voiceflow serve --host 0.0.0.0
    voiceflow serve --forget
    voiceflow serve --print unit
    """
    from voiceflow.cli import commands

    commands.serve(**options)


@cli.command(short_help="Show or clear the cache.")
@click.argument("action", type=click.Choice(("info", "clear", "path")), default="info")
def cache(action: str) -> None:
    """Show what the cache holds (info), delete it (clear), or print its folder (path).

    Clearing is safe: the next render only takes longer.
    """
    from voiceflow.cli import commands

    commands.cache(action)


def main() -> NoReturn:
    """Run the `voiceflow` command. Errors become messages and exit codes, never tracebacks.

    Exit codes: 0 done, 1 could not be done, 2 the input or the command line is wrong.
    """
    from voiceflow.core.errors import VoiceflowError
    from voiceflow.core.plain import plain

    _end_on_terminate()
    streams.forgive()
    try:
        # By itself, click would end the process: exit codes and messages are decided here.
        code = cli.main(standalone_mode=False, prog_name="voiceflow")
        # Here, where a closed pipe is caught, and not when Python exits.
        sys.stdout.flush()
    except click.exceptions.Abort:
        _stopped()
    # Of click itself: a wrong option, told with the usage of its command.
    except click.ClickException as error:
        # It echoes what was typed, which may hold anything.
        error.message = plain(error.message)  # type: ignore[misc]
        error.show()
        code = error.exit_code
    except VoiceflowError as error:
        _fail(_told(error), error.exit_code)
    except KeyboardInterrupt:
        _stopped()
    except BrokenPipeError:
        # The reader has closed the pipe, as in `voiceflow list | head`.
        # Python flushes once more when it exits, and must not fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        if os.environ.get("VOICEFLOW_DEBUG"):
            raise
        _fail(_unforeseen(error), 1)
    # Without standalone mode click returns the number of an `Exit`, as after `--help`, and else
    # what the command returned, which is None.
    code = code if isinstance(code, int) else 0
    if (reason := streams.lost()) and not code:
        _fail(f"error: what there is to say cannot be written to standard output: {reason}", 1)
    sys.exit(code)


def _unforeseen(error: Exception) -> str:
    """What to say of an error that is none of ours: the system's can strike anywhere."""
    from voiceflow.core.opening import why
    from voiceflow.core.plain import plain

    if isinstance(error, MemoryError):
        return "error: there is not enough memory"
    if isinstance(error, OSError):
        about = f"{error.filename} cannot be used" if error.filename else "the system refuses"
        return plain(f"error: {about}: {why(error)}")
    kind = type(error).__name__
    return plain(f"internal error: {kind}: {error} (VOICEFLOW_DEBUG=1 shows where)")


def _told(error: Exception) -> str:
    from voiceflow.core.errors import ScriptError

    # Its lines begin with file, line and column, and say themselves which of them are errors.
    return str(error) if isinstance(error, ScriptError) else f"error: {error}"


def _stopped() -> NoReturn:
    # An interrupt that came while Python ran generated code (dataclasses make some on import)
    # leaves a mark, for which `python -m voiceflow` would end by the signal though it is handled
    # here. Running any other code clears it.
    exec("")
    from voiceflow.core.files import drop_unfinished

    drop_unfinished()
    _fail("stopped", 1)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _end_on_terminate() -> None:
    """Make SIGTERM and SIGHUP end like Ctrl-C: workers are stopped and unfinished files removed.

    After the first signal, more are ignored: they would interrupt the cleaning up.
    """
    import signal

    # A terminal that is closed says so with SIGHUP, which Windows does not have.
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]

    def stop(*_: object) -> NoReturn:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in signals:
        # Ignored from the start, as in a job that a script runs in the background: it stays so.
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, stop)


if __name__ == "__main__":
    main()
