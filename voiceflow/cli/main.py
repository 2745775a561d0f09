"""The command line: it declares and delegates. Heavy imports wait inside the commands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click

from voiceflow import __version__
from voiceflow.formats import EXPORTED, RENDERED

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("sessions", "exercises", "paces", "voices", "phrases", "tones")

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 96}


def session_options(command: F) -> F:
    """The options that decide a session: the same for every command that takes one."""
    options = (
        click.option(
            "--pace", metavar="NAME", help="How fast, how much is said: calm, steady, brisk."
        ),
        click.option("--voice", metavar="NAME", help="Who speaks: natural, espeak, espeak:es …"),
        click.option("--phrases", metavar="NAME", help="How a coach says it: coach, plain."),
        click.option("--tones", metavar="NAME", help="Breath tones: bowl, ocean, pluck, none."),
        click.option("--level", type=click.IntRange(1, 3), help="How hard: 1, 2 or 3."),
        click.option("--name", metavar="TEXT", help="Whom to greet."),
        click.option("--mono", is_flag=True, help="One channel: a smaller file, no sides."),
        click.option("--minutes", metavar="TIME", help="How long it shall last: 20, or 12:30."),
        click.option(
            "--detail", type=click.Choice(("full", "brief", "tones")), help="How much is said."
        ),
        click.option(
            "--with", "equipment", metavar="THINGS", help="What is at hand: ball,circle,weight."
        ),
        click.option(
            "--only", multiple=True, metavar="EXERCISE", help="Only this exercise; may be repeated."
        ),
        click.option(
            "--skip", multiple=True, metavar="EXERCISE", help="Not this one; may be repeated."
        ),
        click.option(
            "--focus", multiple=True, metavar="TAG", help="Only what works this: hips, back …"
        ),
        click.option(
            "--shuffle", type=int, metavar="SEED", help="Another order, as positions allow."
        ),
        click.option("--bed", metavar="NAME", help="Under everything: ocean, rain, a sound file."),
        click.option(
            "--set",
            "given",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any pacing value: tempo=0.85.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def machine_options(command: F) -> F:
    """How it is done, not what: the result is the same with any of them."""
    options = (
        click.option(
            "--jobs", type=click.IntRange(0, 64), default=0, help="Workers; 0 for one a core."
        ),
        click.option("--no-cache", is_flag=True, help="Make everything anew and keep nothing."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, "-V", "--version", message="voiceflow %(version)s")
def cli() -> None:
    """Exercise scripts become spoken, breath-timed sessions to follow with eyes closed.

    \b
    voiceflow list                           what there is
    voiceflow render hip-back                the whole session, as hip-back.mp3
    voiceflow render breathing --pace calm -o slow.mp3
    voiceflow show hip-back                  its timeline
    voiceflow new session mine               a session of your own, to edit
    voiceflow check my-session.yaml          is it right?
    """


@cli.command(short_help="Write a session as a sound file.")
@click.argument("session")
@click.option("-o", "--output", metavar="FILE", help="Where to write  [default: ./SESSION.mp3]")
@click.option(
    "--format",
    "form",
    type=click.Choice(RENDERED),
    help="Sound format  [default: by FILE, else mp3]",
)
@session_options
@click.option("--profile", is_flag=True, help="Seconds by stage, pieces and cache hits.")
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
    """Write SESSION (a bundled name, a name of yours, or a path) as a sound file.

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
@click.option("--to", "into", metavar="DIR", required=True, help="The folder; made if missing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(EXPORTED),
    default="mp3",
    show_default=True,
    help="Sound format; m4b needs the extra `m4b`.",
)
@click.option("--split", is_flag=True, help="A numbered file for each exercise.")
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

    File names suit every phone and card. What is there and the same is left alone, so that it can
    run into a synced folder. With --split, players without chapters get a file for each exercise.

    \b
    voiceflow export hip-back everyday --to ~/Phone/Music
    voiceflow export hip-back --to /media/player --split
    voiceflow export hip-back --to audiobooks --format m4b
    """
    from voiceflow.cli import commands

    context = commands.context(jobs=jobs, no_cache=no_cache)
    commands.export(sessions, into, form, options, context, split=split)


@cli.command(short_help="Play a session here, in the terminal.")
@click.argument("session")
@click.option("--from-start", is_flag=True, help="Not from where you left it.")
@session_options
@machine_options
def play(session: str, from_start: bool, jobs: int, no_cache: bool, **options: Any) -> None:
    """Play SESSION in the terminal while it is made: needs the extra `play`.

    \b
    space      pause, go on
    ← →        the exercise before, the next one
    a          this one again
    + -        faster, slower from the next exercise on
    d          less talk from the next exercise on; after the least, all of it
    q          quit; the next time it goes on from here

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
@click.option("--json", "as_json", is_flag=True, help="One JSON object with chapters and events.")
@click.option("--events", is_flag=True, help="Every word and tone, a line each.")
@click.option("--text", is_flag=True, help="The timeline as plain text that compares well.")
@click.option("--svg", metavar="FILE", help="Draw the whole session as an SVG picture.")
@click.option("--png", metavar="FILE", help="Draw the whole session as a PNG picture.")
@machine_options
def show(session: str, jobs: int, no_cache: bool, **options: Any) -> None:
    """Show what SESSION will be: chapters, words and breaths with their times.

    \b
    voiceflow show hip-back
    voiceflow show hip-back --minutes 20 --png hip-back.png
    voiceflow show breathing --pace brisk --json
    """
    from voiceflow.cli import commands

    commands.show(session, options, commands.context(jobs=jobs, no_cache=no_cache))


@cli.command(short_help="Find the errors in scripts; prove a session eyes-free.")
@click.argument("things", nargs=-1, required=True, metavar="PATH|SESSION...")
@session_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(things: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Find every error in scripts, and prove that a session can be followed with eyes closed.

    A PATH (a file or a folder) is checked for errors of writing. A SESSION, by its name, is
    held against the pace and the voice: does every word fit its breath, do both sides get the
    same, is there time to get there? A path to a session with any option is proved, too.
    Exits with 0 when clean, 2 when there are errors.

    \b
    voiceflow check my-session.yaml
    voiceflow check ~/my-scripts
    voiceflow check hip-back --pace brisk --level 3
    """
    from voiceflow.cli import commands

    commands.check(things, options, as_json=as_json)


@cli.command("list", short_help="List what there is.")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(kind: str | None, as_json: bool) -> None:
    """List sessions, exercises, paces, voices, phrases or tones: bundled ones and your own.

    \b
    voiceflow list
    voiceflow list voices
    voiceflow list exercises --json
    """
    from voiceflow.cli import commands

    commands.list_(kind, as_json=as_json)


@cli.command(short_help="Show your pacing values.")
@click.option("--origin", is_flag=True, help="Where each value comes from.")
@click.option("--session", metavar="SESSION", help="The values that a session gets.")
@click.option("--pace", metavar="NAME", help="The values that a pace gives.")
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="Any pacing value.")
def settings(origin: bool, session: str | None, pace: str | None, given: tuple[str, ...]) -> None:
    """Show every pacing value, and with --origin where it comes from.

    Your own values stand in settings.yaml in your library.

    \b
    voiceflow settings --origin
    voiceflow settings --session hip-back --pace brisk --origin
    """
    from voiceflow.cli import commands

    commands.settings(session, pace, given, origin=origin)


@cli.command(short_help="Begin a script of your own.")
@click.argument("kind", type=click.Choice(("session", "exercise", "pace", "phrases")))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Put a commented, working example called NAME into your library, to edit.

    \b
    voiceflow new session my-morning
    voiceflow new exercise wall-slide
    """
    from voiceflow.cli import commands

    commands.new(kind, name)


@cli.command(short_help="A studio for your phone, from this computer.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens the home network."
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True)
@click.option("--library", type=click.Path(file_okay=False), help="The folder of your own scripts.")
@click.option("--open", "open_browser", is_flag=True, help="Open it on this computer, too.")
@click.option("--forget", is_flag=True, help="Forget all phones that were paired, and end.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="A name that it is called by, too, as behind another server; repeatable.",
)
@click.option("--certificate", type=click.Path(dir_okay=False), help="For https: a PEM file.")
@click.option("--key", type=click.Path(dir_okay=False), help="For https: its key.")
@click.option("--jobs", type=click.IntRange(0, 64), default=0, help="Workers; 0 for one a core.")
def serve(**options: Any) -> None:
    """Serve a class studio: point the phone's camera at the code in the terminal.

    Choose a session on the phone, set its length and pace, listen while it is made, keep it, or
    subscribe in a podcast app. Nothing leaves your network. Needs the extra `serve`.

    \b
    voiceflow serve --open
    voiceflow serve --host 0.0.0.0
    voiceflow serve --forget
    """
    from voiceflow.cli import commands

    commands.serve(**options)


@cli.command(short_help="What is kept, and forgetting it.")
@click.argument("action", type=click.Choice(("info", "clear", "path")), default="info")
def cache(action: str) -> None:
    """Show what is kept of earlier renders, forget it, or tell where it is.

    Nothing is lost by clearing but time.
    """
    from voiceflow.cli import commands

    commands.cache(action)


def main() -> NoReturn:
    """The `voiceflow` command: errors become messages and exit codes, never tracebacks.

    0 done, 1 could not be done, 2 the input or the command line is wrong.
    """
    from voiceflow.core.errors import VoiceflowError

    _end_on_terminate()
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a sign shows another in its place, rather than fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = cli.main(standalone_mode=False, prog_name="voiceflow")
        sys.stdout.flush()
    except click.exceptions.Abort:
        _fail("stopped", 1)
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except VoiceflowError as error:
        _fail(_told(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped", 1)
    except BrokenPipeError:
        # The reader has gone (`voiceflow list | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        if os.environ.get("VOICEFLOW_DEBUG"):
            raise
        kind = type(error).__name__
        _fail(f"voiceflow has a fault: {kind}: {error} (VOICEFLOW_DEBUG=1 shows where)", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _told(error: Exception) -> str:
    from voiceflow.core.errors import ScriptError

    return str(error) if isinstance(error, ScriptError) else f"error: {error}"


def _fail(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _end_on_terminate() -> None:
    """Ctrl-C and SIGTERM end alike: workers stopped, nothing half-written left.

    The first one is heard; those that follow would only disturb the clearing up.
    """
    import signal

    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(*_: object) -> NoReturn:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in signals:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, stop)


if __name__ == "__main__":
    main()
