"""The command line where the system gives it little: no terminal, no home, no files, no time.

Whatever happens, what is told is in plain words, the exit code is right, and a recording that could
be made is made.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from odd_files import odd
from plain_words import plain

import voiceflow
from voiceflow.core.errors import InputError
from voiceflow.core.places import expanded, named_or

resource = pytest.importorskip("resource", reason="limits as POSIX has them")
# A process for each: a hundred of them take a while.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="as POSIX has them"),
]

SESSION = """\
title: One Good Thing
phrases: plain
tones: none
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 1
    rep:
      - inhale 2.5: Inhale and lift. | Lift.
      - exhale 3: Exhale and lower. | Lower.
"""
PATIENCE_S = 100
QUICK = ("--voice", "silent", "--jobs", "1")


class Shell:
    """Runs `voiceflow` in a folder with one session, and reads what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        folder.mkdir()
        (folder / "s.yaml").write_text(SESSION, encoding="utf-8")

    def environment(self, **more: str | None) -> dict[str, str]:
        package = str(Path(voiceflow.__file__).parent.parent)
        own = {"VOICEFLOW_HOME": str(self.home), "VOICEFLOW_CACHE": str(self.folder / "cache")}
        given = {**os.environ, "PYTHONPATH": package, **own, **more}
        return {key: value for key, value in given.items() if value is not None}

    def run(
        self,
        *arguments: str,
        redirect: str = "",
        before: Callable[[], None] | None = None,
        **environment: str | None,
    ) -> subprocess.CompletedProcess[str]:
        """`redirect` is what a shell is told to do with its streams: ``>&-``."""
        command = [sys.executable, "-m", "voiceflow", *arguments]
        if redirect:
            command = ["sh", "-c", f'exec "$0" "$@" {redirect}', *command]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**environment), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False, preexec_fn=before,
        )  # fmt: skip
        plain(done.stdout + done.stderr)
        return done

    def scraps(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.suffix == ".part"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "place")


# Who is nobody, and where nobody lives


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "~nosuchuser/y.yaml"],
        ["check", "~nosuchuser/y.yaml"],
        ["export", "s.yaml", "--to", "~nosuchuser/y"],
        ["render", "s.yaml", "--voice", "piper:~nosuchuser/o"],
        ["render", "s.yaml", "--bed", "~nosuchuser/o.mp3"],
        ["render", "s.yaml", "-o", "~nosuchuser/o.mp3"],
    ],
    ids=" ".join,
)
def test_a_user_who_is_not_there(arguments: list[str], shell: Shell) -> None:
    done = shell.run(*arguments)
    assert done.returncode in (1, 2)
    assert "nosuchuser" in done.stderr + done.stdout
    assert not (shell.folder / "~nosuchuser").exists()


@pytest.mark.parametrize("variable", ["VOICEFLOW_HOME", "VOICEFLOW_CACHE"])
def test_a_folder_of_a_user_who_is_not_there(variable: str, shell: Shell) -> None:
    done = shell.run("render", "s.yaml", *QUICK, **{variable: "~nosuchuser/x"})
    assert done.returncode == 2
    assert f"{variable} is ~nosuchuser/x: there is no user called 'nosuchuser'" in done.stderr


def test_no_home(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"VOICEFLOW_HOME": None, "VOICEFLOW_CACHE": None, "XDG_DATA_HOME": None}
    done = shell.run("list", "paces", HOME=None, XDG_CACHE_HOME=None, **gone)
    assert (done.returncode, done.stderr) == (0, "")  # the system's list of users knows it
    monkeypatch.delenv("VOICEFLOW_HOME")
    with pytest.raises(InputError, match="your home folder is not known"):
        named_or("VOICEFLOW_HOME", lambda: Path("~/.local/share/voiceflow"))
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(InputError, match="your home folder is not known"):
        expanded("~/Music")
    assert expanded("here/and there") == Path("here/and there")


def test_no_locale(shell: Shell) -> None:
    bare = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "LANG": None}
    (shell.folder / "é.yaml").write_text(SESSION.replace("One Good", "Спина"), encoding="utf-8")
    for arguments in (["show", "s.yaml", *QUICK], ["list"], ["check", "é.yaml", *QUICK[:2]]):
        done = shell.run(*arguments, **bare)
        assert (done.returncode, done.stderr) == (0, "")
    assert shell.run("export", "é.yaml", *QUICK, "--to", "out", **bare).returncode == 0
    assert (shell.folder / "out" / "Спина Thing.mp3").exists()
    # Where even Python is forbidden to use UTF-8, no such file can be named.
    done = shell.run("export", "é.yaml", *QUICK, "--to", "out2", PYTHONUTF8="0", **bare)
    assert done.returncode in (0, 1)
    assert done.returncode == 0 or "language settings" in done.stderr


# Names and paths


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "LONG"],
        ["check", "LONG"],
        ["check", "LONG.yaml"],
        ["show", "LONG"],
        ["settings", "--session", "LONG"],
        ["new", "session", "LONG"],
        ["export", "LONG", "--to", "o"],
        ["export", "s.yaml", *QUICK, "--to", "LONG"],
        ["render", "s.yaml", *QUICK, "-o", "LONG.mp3"],
        ["show", "s.yaml", *QUICK, "--svg", "LONG"],
        *(["render", "s.yaml", f"--{one}", "LONG"] for one in ("voice", "bed", "pace", "tones")),
        ["render", "s.yaml", "--voice", "piper:LONG"],
    ],
    ids=" ".join,
)
def test_a_name_over_255_bytes(arguments: list[str], shell: Shell) -> None:
    done = shell.run(*(one.replace("LONG", "a" * 300) for one in arguments))
    assert done.returncode in (1, 2)
    assert "aaaa" in done.stderr + done.stdout
    assert len(done.stderr + done.stdout) < 1000
    assert not shell.scraps()


SPECIAL = {
    "pipe": "it is a pipe",
    "/dev/zero": "it is a device",
    "/dev/full": "it is a device",
    "loop": "leads back to itself",
    "dangling": "leads nowhere",
    "folder": "folder",
}


@pytest.mark.parametrize("what", SPECIAL)
@pytest.mark.parametrize("command", ["render", "check"])
def test_a_script_that_is_no_ordinary_file(command: str, what: str, shell: Shell) -> None:
    odd(shell.folder / "odd.yaml", what)
    done = shell.run(command, "odd.yaml")
    assert done.returncode == 2
    assert SPECIAL[what] in done.stderr + done.stdout


@pytest.mark.parametrize("what", SPECIAL)
def test_what_is_no_script_of_the_library_disturbs_nobody(what: str, shell: Shell) -> None:
    for kind in ("sessions", "exercises", "paces", "sounds", "pronunciation", "phrases"):
        ending = "j2" if kind == "phrases" else "yaml"
        odd(shell.home / kind / f"odd.{ending}", what)
        odd(shell.home / kind / f"{'coach' if kind == 'phrases' else 'en'}.{ending}", what)
    odd(shell.folder / "beside.yaml", what)
    assert shell.run("list").returncode == 0
    done = shell.run("render", "s.yaml", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--pace", "--tones", "--phrases"):
        done = shell.run("render", "s.yaml", *QUICK, option, "odd")
        assert done.returncode == 2
        assert "odd" in done.stderr


@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "folder"])
def test_settings_that_are_no_ordinary_file(what: str, shell: Shell) -> None:
    odd(shell.home / "settings.yaml", what)
    done = shell.run("render", "s.yaml", *QUICK)
    assert done.returncode == 2
    assert "settings.yaml: error: cannot be read: " in done.stderr
    assert SPECIAL[what] in done.stderr


@pytest.mark.parametrize("what", SPECIAL)
def test_an_output_that_is_no_ordinary_file(what: str, shell: Shell) -> None:
    odd(shell.folder / "o.mp3", what)
    done = shell.run("render", "s.yaml", *QUICK, "-o", "o.mp3")
    # A link to a place that is free is a name for it.
    assert done.returncode == (0 if what == "dangling" else 1)
    assert not shell.scraps()


# Streams


@pytest.mark.parametrize("redirect", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "paces"], ["list", "--json"], ["show", "s.yaml", *QUICK], ["--help"],
        ["check", "s.yaml", *QUICK[:2]], ["settings"], ["cache"], ["--version"],
        ["serve", "--print", "unit"], ["serve", "--print", "container"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_told_is_not_done(arguments: list[str], redirect: str, shell: Shell) -> None:
    done = shell.run(*arguments, redirect=redirect)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "standard output" in done.stderr


@pytest.mark.parametrize(
    "redirect", [">/dev/full", ">&-", ">&- 2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"]
)
def test_a_recording_is_made_though_nobody_can_be_told(redirect: str, shell: Shell) -> None:
    done = shell.run("render", "s.yaml", *QUICK, "-o", "o.mp3", "--no-cache", redirect=redirect)
    assert done.returncode == 0
    shell.run("render", "s.yaml", *QUICK, "-o", "right.mp3")
    right = (shell.folder / "right.mp3").read_bytes()
    assert (shell.folder / "o.mp3").read_bytes() == right
    done = shell.run("export", "s.yaml", *QUICK, "--to", "out", redirect=redirect)
    assert done.returncode == 0
    assert len(list((shell.folder / "out").iterdir())) == 6


def test_a_wrong_name_is_wrong_though_nobody_can_be_told(shell: Shell) -> None:
    for redirect in ("2>/dev/full", "2>&-", ">&- 2>&-"):
        assert shell.run("render", "nosuch", redirect=redirect).returncode == 2


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    done = shell.run("list", redirect="| head -n 1")
    assert done.stdout == "sessions\n"


# Little of everything


@pytest.mark.parametrize("most", [8, 12])
@pytest.mark.parametrize(
    "arguments",
    [
        ["list"], ["check", "s.yaml"], ["render", "s.yaml", "-o", "o.mp3"],
        ["render", "s.yaml", *QUICK], ["export", "s.yaml", "--to", "out"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_few_files_may_be_open(arguments: list[str], most: int, shell: Shell) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    done = shell.run(*arguments, before=few)
    assert done.returncode in (0, 1)
    if done.returncode:
        assert "too many files are open" in done.stderr
    assert not shell.scraps()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_read_only(shell: Shell) -> None:
    disk = shell.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be made here")
    try:
        for arguments in (
            ["render", "s.yaml", *QUICK, "-o", "disk/o.mp3"],
            ["export", "s.yaml", *QUICK, "--to", "disk"],
            ["export", "s.yaml", *QUICK, "--to", "disk/below"],
            ["show", "s.yaml", *QUICK, "--svg", "disk/o.svg"],
        ):
            done = shell.run(*arguments)
            assert done.returncode == 1
            assert re.search("read-only|may not be written", done.stderr)
        done = shell.run("new", "session", "mine", VOICEFLOW_HOME=str(disk))
        assert done.returncode == 1
        assert "read-only" in done.stderr
        done = shell.run("render", "s.yaml", *QUICK, VOICEFLOW_CACHE=str(disk))
        assert done.returncode == 0
        assert "the cache" in done.stderr
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_library_that_goes_away_in_the_middle(shell: Shell) -> None:
    for kind in ("sessions", "exercises", "paces"):
        (shell.home / kind).mkdir(parents=True)
    (shell.home / "sessions" / "mine.yaml").write_text(SESSION, encoding="utf-8")
    command = [sys.executable, "-m", "voiceflow", "render", "mine", *QUICK, "--no-cache"]
    for wait in (0.2, 0.5, 0.8):
        process = subprocess.Popen(
            command, cwd=shell.folder, env=shell.environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(wait)
        away = shell.home.rename(shell.folder / "away")
        out, err = process.communicate(timeout=PATIENCE_S)
        away.rename(shell.home)
        plain(out + err)
        assert process.returncode in (0, 2)


# Signals


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.6])
def test_stopped_at_any_moment(number: str, share: float, shell: Shell) -> None:
    """SIGHUP, which a terminal sends when it is closed, left drafts behind."""
    command = [sys.executable, "-m", "voiceflow", "render", "s.yaml", "--no-cache", *QUICK]
    process = subprocess.Popen(
        command, cwd=shell.folder, env=shell.environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and not takes(process.pid, signal.SIGTERM):
        time.sleep(0.001)
    time.sleep(share)
    process.send_signal(getattr(signal, number))
    out, err = process.communicate(timeout=PATIENCE_S)
    plain(out + err)
    if process.returncode:
        assert (process.returncode, err.strip()) == (1, "stopped")
    assert not shell.scraps()


def takes(pid: int, number: int) -> bool:
    """Whether a process has a way of its own to take a signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = re.search(r"SigCgt:\s*(\w+)", status)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


INTERRUPTED = """
import os, signal, sys
from voiceflow.__main__ import main

left = int(sys.argv.pop(1))

def watch(event, arguments):
    global left
    if event == "import":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(watch)
main()
"""


@pytest.mark.parametrize("number", [1, 2, 5, 20, 50, 100, 200, 300])
def test_stopped_while_it_starts(number: int, shell: Shell) -> None:
    """Ctrl-C at the n-th import: it showed a traceback until the command line was loaded."""
    command = [sys.executable, "-c", INTERRUPTED, str(number), "render", "s.yaml", *QUICK]
    done = subprocess.run(
        command, cwd=shell.folder, env=shell.environment(), capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    plain(done.stdout + done.stderr)
    assert (done.returncode, done.stderr.strip()) == (1, "stopped")
    assert not shell.scraps()


def test_a_job_that_hears_no_hangup_goes_on(shell: Shell) -> None:
    """As under `nohup`."""

    def deaf() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    command = [sys.executable, "-m", "voiceflow", "render", "s.yaml", "--no-cache", *QUICK]
    process = subprocess.Popen(
        command, cwd=shell.folder, env=shell.environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=deaf,
    )  # fmt: skip
    while process.poll() is None and not takes(process.pid, signal.SIGTERM):
        time.sleep(0.001)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
