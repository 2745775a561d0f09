"""Playing: the transport by its samples, the whole in a pseudo-terminal with the null device."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import BUNDLED, SOUNDS

from voiceflow import Options
from voiceflow.cli.main import cli
from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError, SoundError
from voiceflow.core.units import ms_to_samples
from voiceflow.player import play
from voiceflow.player.bookmarks import Bookmark, Bookmarks, bookmark_at, time_of
from voiceflow.player.device import Device
from voiceflow.player.reel import Breath, Reel, counterpart
from voiceflow.player.screen import Display, drawn
from voiceflow.player.transport import Player
from voiceflow.score.options import Context
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library
from voiceflow.stitch.stitcher import Stitcher

TINY = """\
title: Three Things
exercises:
  - name: Wall Slide
    position: standing
    setup: Stand tall.
    reps: 2
    rep:
      - inhale 3: Inhale. | In.
      - exhale 3: Exhale. | Out.
  - name: Heel Raise
    position: standing
    setup: Hold on to the wall.
    reps: 2
    rep:
      - inhale 3: Inhale, rise. | Rise.
      - exhale 3: Exhale, lower. | Lower.
  - name: Ankle Rock
    position: standing
    setup: Step forward.
    reps: 1
    rep:
      - exhale 3: Exhale, knee over toes. | Exhale.
      - inhale 3: Inhale, and back. | Back.
"""
SILENT = Options(voice="silent", tones="bowl")
FRAMES = 4_800
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("play")
    (room / "tiny.yaml").write_text(TINY)
    return room


@pytest.fixture(scope="module")
def context(room: Path) -> Context:
    return Context(Library(room / "user", BUNDLED, SOUNDS), Cache(room / "cache"), jobs=1)


@pytest.fixture(scope="module")
def reel(room: Path, context: Context) -> Reel:
    return reel_of(room, context)


def reel_of(room: Path, context: Context, options: Options = SILENT) -> Reel:
    prepared = prepare(room / "tiny.yaml", options, context)
    return Reel(prepared, context, mono=options.mono)


def whole(reel: Reel, context: Context) -> bytes:
    """All samples, as a render has them."""
    out = bytearray(ms_to_samples(reel.score.length_ms) * reel.width)
    mono = reel.width == 2
    for start_ms, pcm in Stitcher(reel.score, reel.instruments, context.cache, mono=mono).samples():
        at = ms_to_samples(start_ms) * reel.width
        out[at : at + len(pcm)] = pcm
    return bytes(out)


def part_of(reel: Reel, sound: bytes, number: int) -> bytes:
    part, rate = reel.parts[number], 24 * reel.width
    return sound[part.start_ms * rate : part.end_ms * rate]


@contextmanager
def playing(reel: Reel, at_ms: int = 0) -> Iterator[Player]:
    player = Player(reel, at_ms)
    player.start()
    try:
        yield player
    finally:
        player.close()


def pull(player: Player, until: Callable[[], bool]) -> bytes:
    """As a device does, but as fast as it can, and without the silence of waiting."""
    out, end = bytearray(), time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < end
        assert player.problem is None
        before = player.now
        data = player.read(FRAMES)
        now = player.now
        if now == before:
            time.sleep(0.001)
        else:
            # Less may be ready than is asked for: the rest is filled with silence.
            moved = now.at_ms - before.at_ms
            same = now.reel is before.reel and 0 < moved * 24 < FRAMES
            out += data[: moved * 24 * now.reel.width] if same else data
    return bytes(out)


def listen(player: Player) -> bytes:
    return pull(player, lambda: player.finished)


# The transport


@pytest.mark.parametrize("options", [SILENT, replace(SILENT, mono=True, bed="ocean")])
def test_what_is_heard_is_what_is_rendered(room, context, options):
    reel = reel_of(room, context, options)
    sound = whole(reel, context)
    with playing(reel) as player:
        assert listen(player) == sound


def test_any_stretch_can_be_made_alone(reel, context):
    sound = whole(reel, context)
    for start, length in ((0, 240), (5_016, 24), (7_200, 1_000), (reel.score.length_ms - 240, 240)):
        rate = 24 * reel.width
        assert reel.block(start, length) == sound[start * rate : (start + length) * rate]


def test_a_pause_is_silent_and_time_stands_still(reel):
    with playing(reel) as player:
        pull(player, lambda: player.now.at_ms > 1_000)
        player.paused = True
        before = player.now
        assert all(not any(player.read(FRAMES)) for _ in range(5))
        assert player.now == before
        assert not player.finished


def test_on_back_and_again(reel):
    with playing(reel) as player:
        player.step(1)
        pull(player, lambda: player.now.at_ms > reel.parts[1].start_ms + 500)
        assert player.now.part == 1
        player.step(1)
        assert player.now.at_ms == reel.parts[2].start_ms
        pull(player, lambda: player.now.at_ms > reel.parts[2].start_ms + 500)
        player.again()
        assert player.now.at_ms == reel.parts[2].start_ms
        player.step(-1)
        assert player.now.at_ms == reel.parts[1].start_ms
        player.step(-9)
        assert player.now.at_ms == 0
        player.step(len(reel.parts))
        assert player.now.at_ms == 0, "after the last one comes nothing"


def test_a_change_begins_with_the_next_exercise(room, context, reel):
    slow = reel_of(room, context, replace(SILENT, pacing=(("tempo", 0.8),)))
    assert slow.score.length_ms > reel.score.length_ms
    start = reel.parts[1].start_ms + 1_200
    with playing(reel, start) as player:
        pull(player, lambda: player.now.at_ms > start)
        player.change(slow)
        seen: list[tuple[bool, int]] = []

        def done() -> bool:
            seen.append((player.now.reel is slow, player.now.part))
            return player.finished

        pull(player, done)
    assert (False, 1) in seen
    assert (False, 2) not in seen
    assert (True, 1) not in seen
    assert {(True, number) for number in range(2, len(slow.parts))} <= set(seen)


def test_a_step_takes_the_change_with_it_and_again_does_not(room, context, reel):
    slow = reel_of(room, context, replace(SILENT, pacing=(("tempo", 0.8),)))
    with playing(reel) as player:
        player.change(slow)
        player.again()
        assert player.now.reel is reel
        player.step(1)
        assert player.now.reel is slow
        assert player.now.at_ms == slow.parts[1].start_ms


def test_an_exercise_is_found_where_others_were_dropped(room, context, reel):
    less = reel_of(room, context, replace(SILENT, skip=("heel-raise",)))
    titles = [part.title for part in less.parts]
    assert "Heel Raise" not in titles
    number = [part.title for part in reel.parts].index("Ankle Rock")
    assert counterpart(reel, less, number) == titles.index("Ankle Rock")
    assert counterpart(reel, less, number - 1) == titles.index("Ankle Rock")


def test_a_piece_that_cannot_be_made_is_told_of(reel, monkeypatch):
    def broken(*_: object) -> bytes:
        raise SoundError("no such tone")

    monkeypatch.setattr(Reel, "block", broken)
    with playing(reel) as player:
        end = time.monotonic() + PATIENCE_S
        while player.problem is None and time.monotonic() < end:
            player.read(FRAMES)
            time.sleep(0.001)
        assert isinstance(player.problem, SoundError)


# Where one left it


def test_a_place_is_found_again(room, context, reel, tmp_path):
    bookmarks = Bookmarks(replace(context.library, user=tmp_path))
    at_ms = reel.parts[2].start_ms + 1_200
    bookmarks.put("tiny", bookmark_at(reel, at_ms))
    kept = bookmarks.get("tiny")
    assert kept is not None
    assert time_of(kept, reel) == at_ms
    slow = reel_of(room, context, replace(SILENT, pacing=(("tempo", 0.8),)))
    assert time_of(kept, slow) == slow.parts[2].start_ms
    assert time_of(replace(kept, title="Gone"), reel) == 0
    bookmarks.put("tiny", None)
    assert bookmarks.get("tiny") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "nonsense", '{"part": 1}', '{"part":"1","title":2,"into_ms":0}']
)
def test_a_scribbled_place_is_none(text, context, tmp_path):
    folder = tmp_path / "play"
    folder.mkdir()
    (folder / "tiny.json").write_text(text)
    assert Bookmarks(replace(context.library, user=tmp_path)).get("tiny") is None


def test_neither_the_first_nor_the_last_seconds_are_kept(reel):
    assert bookmark_at(reel, 1_000) is None
    assert bookmark_at(reel, reel.score.length_ms - 1_000) is None
    assert isinstance(bookmark_at(reel, reel.score.length_ms // 2), Bookmark)


# The screen


@pytest.mark.parametrize("width", [8, 20, 40, 80, 200])
def test_a_view_fits_its_lines(width):
    display = Display(
        "A Title", "An Exercise \u4e2d\u6587 of a long name", 3, 19, "Words " * 40,
        Breath("inhale", 0.5), 754_000, 0.4, False, "a note",
    )  # fmt: skip
    lines = drawn(display, width).split("\n")
    assert len(lines) == 7
    assert all(line.cell_len <= max(width, 10) for line in lines)


def test_a_breath_is_a_bar_that_grows_and_falls():
    def bar(name: str, share: float) -> int:
        display = Display("T", "E", 1, 2, "", Breath(name, share), 1000, 0.1, False)
        return drawn(display, 60).plain.count("━")

    rising = [bar("inhale", share / 4) for share in range(5)]
    assert rising == sorted(rising)
    assert rising[0] == 0
    assert [bar("exhale", share / 4) for share in range(5)] == rising[::-1]
    assert bar("hold", 0.1) == bar("hold", 0.9) == rising[-1]


# The device


class QuickDevice:
    """Asks as fast as it is answered."""

    def __init__(self, *_: object) -> None:
        self._over = threading.Event()

    def start(self, read: Callable[[int], bytes]) -> None:
        def run() -> None:
            while not self._over.is_set():
                read(FRAMES)
                time.sleep(0.0005)

        threading.Thread(target=run, daemon=True).start()

    def close(self) -> None:
        self._over.set()


def test_without_a_terminal_it_plays_to_its_end(room, context, reel, monkeypatch, capsys):
    monkeypatch.setattr("voiceflow.player.loop.Device", QuickDevice)
    monkeypatch.setattr("voiceflow.player.loop.TICK_S", 0.002)
    monkeypatch.setattr("voiceflow.player.loop._STALLED_S", PATIENCE_S)
    told: list[str] = []
    bookmarks = Bookmarks(context.library)
    bookmarks.put("tiny", bookmark_at(reel, 20_000))
    assert not play(room / "tiny.yaml", SILENT, context, told=told.append)
    assert told[-1] == "end"
    assert bookmarks.get("tiny") is None, "what was heard to its end begins anew"
    printed = capsys.readouterr().out
    assert f"of {len(reel.parts)}  Ankle Rock\n" in printed
    assert "\x1b" not in printed


def test_a_device_that_asks_no_more_is_told_of(room, context, monkeypatch):
    class Deaf(QuickDevice):
        def start(self, read: Callable[[int], bytes]) -> None:
            read(FRAMES)

    monkeypatch.setattr("voiceflow.player.loop.Device", Deaf)
    monkeypatch.setattr("voiceflow.player.loop._STALLED_S", 0.3)
    with pytest.raises(SoundError, match="the sound device has stopped"):
        play(room / "tiny.yaml", SILENT, context, from_start=True)


def test_no_sound_device_is_said_clearly(room, monkeypatch):
    miniaudio = pytest.importorskip("miniaudio", reason="the extra `play` is not installed")

    class Missing:
        def __init__(self, *, backends: list[object], **_: object) -> None:
            assert miniaudio.Backend.NULL not in backends
            raise miniaudio.MiniaudioError("failed to init device", -401)

    monkeypatch.setattr(miniaudio, "PlaybackDevice", Missing)
    monkeypatch.delenv("VOICEFLOW_AUDIO", raising=False)
    with pytest.raises(SoundError, match="no sound device") as caught:
        Device(2)
    assert caught.value.exit_code == 1


def test_without_its_extra_it_says_what_to_install(room, monkeypatch):
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    with pytest.raises(InputError, match=r"pip install miniaudio"):
        Device(2)


def test_the_command_asks_for_a_session_that_is_there(monkeypatch):
    pytest.importorskip("miniaudio", reason="the extra `play` is not installed")
    monkeypatch.setenv("VOICEFLOW_AUDIO", "null")
    done = CliRunner().invoke(cli, ["play", "no-such-session"])
    assert isinstance(done.exception, InputError)


# In a pseudo-terminal

CHILD = """\
import sys
from pathlib import Path
from voiceflow import Options
from voiceflow.cli.main import main
from voiceflow.player import loop as run
run._STALLED_S = {patience}
usual = run.play
log = open({log!r}, "a", buffering=1)
def play(*arguments, **named):
    return usual(*arguments, **named, told=lambda line: print(line, file=log))
import voiceflow.player
voiceflow.player.play = play
sys.argv = ["voiceflow", "play", {session!r}, "--voice", "silent", "--jobs", "1", *{more!r}]
main()
"""


class Terminal:
    """A terminal with the player in it."""

    def __init__(self, room: Path, *more: str) -> None:
        import pty
        import termios

        self.room, self.log, self.text = room, room / "log.txt", ""
        self.log.write_text("")
        self._main, self.side = pty.openpty()
        self.before = termios.tcgetattr(self.side)
        code = CHILD.format(
            log=str(self.log), session=str(room / "tiny.yaml"), more=more, patience=PATIENCE_S
        )
        env = {
            **os.environ, "VOICEFLOW_AUDIO": "null", "VOICEFLOW_HOME": str(room / "user"),
            "VOICEFLOW_CACHE": str(room / "cache"), "TERM": "xterm-256color", "COLUMNS": "80",
            "PYTHONPATH": os.pathsep.join(sys.path), "LINES": "24",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=self.side, stdout=self.side, stderr=self.side,
            env=env, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._main, 65536)
            except OSError:
                return
            self.text += data.decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def told(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait(self, there: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < end, (self.told(), self.text[-2000:])
            assert self.process.poll() is None, (self.told(), self.text[-2000:])
            time.sleep(0.02)

    def wait_for(self, pattern: str, after: int = 0) -> None:
        self.wait(lambda: any(re.search(pattern, line) for line in self.told()[after:]))

    def end(self) -> int:
        import termios

        code = self.process.wait(PATIENCE_S)
        assert termios.tcgetattr(self.side) == self.before, "the terminal is as it was"
        self.close()
        assert self.text.rstrip().count("\x1b[?25l") == self.text.count("\x1b[?25h")
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.side >= 0:
            os.close(self.side)
            self.side = -1
            self._reader.join(5)
            os.close(self._main)


@pytest.fixture
def terminal(room: Path) -> Iterator[Callable[..., Terminal]]:
    pytest.importorskip("miniaudio", reason="the extra `play` is not installed")
    pytest.importorskip("termios")
    begun: list[Terminal] = []

    def begin(*more: str) -> Terminal:
        begun.append(Terminal(room, *more))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def test_keys_do_what_they_say(terminal):
    one = terminal("--from-start")
    one.wait_for("exercise 0 Three Things tempo 1.0 detail full")
    one.wait(lambda: "playing" in one.text)
    one.press("\x1b[C")
    one.wait_for("exercise 1 Wall Slide tempo 1.0")
    one.press(" ")
    one.wait_for("key ' ' .* paused True")
    one.wait(lambda: "paused" in one.text)
    one.press(" ")
    one.wait_for("key ' ' .* paused False")
    one.press("+")
    one.wait(lambda: "tempo 1.05 from the next exercise on\x1b" in one.text)
    one.press("\x1bOC")
    one.wait_for("exercise 2 Heel Raise tempo 1.05 detail full")
    one.press("d")
    one.wait(lambda: "detail brief from the next exercise on\x1b" in one.text)
    one.press("-")
    one.wait(lambda: "tempo 1.0 from the next exercise on\x1b" in one.text)
    one.press("a")
    one.wait_for("key 'a'")
    one.press("\x1b[C")
    one.wait_for("exercise 3 Ankle Rock tempo 1.0 detail brief")
    count = len(one.told())
    one.press("x\x1b[D")
    one.wait_for("exercise 2 Heel Raise tempo 1.0 detail brief", count)
    one.press("q")
    assert one.end() == 0
    assert one.told()[-1] == "quit"
    assert "goes on from here" in one.text


def test_it_goes_on_where_one_left_it(terminal):
    first = terminal("--from-start")
    first.wait_for("exercise 0")
    first.press("\x1b[C")
    first.wait_for("exercise 1")
    first.press("\x1b[C")
    first.wait_for("exercise 2")
    first.press("q")
    assert first.end() == 0
    second = terminal()
    second.wait_for("exercise 2 Heel Raise")
    assert "exercise 0" not in " ".join(second.told())
    second.wait(lambda: "continuing where you left off" in second.text)
    second.press("q")
    assert second.end() == 0


@pytest.mark.parametrize("how", ["ctrl-c", "terminate"])
def test_however_it_is_stopped_the_terminal_is_as_before(how, terminal):
    one = terminal("--from-start")
    one.wait_for("exercise 0")
    one.wait(lambda: "playing" in one.text)
    one.process.send_signal(signal.SIGINT if how == "ctrl-c" else signal.SIGTERM)
    assert one.end() == 1
    assert "Traceback" not in one.text
    assert "stopped" in one.text
