"""What the tests share: a library of their own, a tone set without sound, sessions from text.

No test may touch the folders of whoever runs them. The places that voiceflow would use are
pointed elsewhere before anything is imported (the system's own too, for processes that tests
start), and a watch on opened files fails the test that goes there all the same.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import HealthCheck, settings

_REAL = (
    Path(platformdirs.user_data_path("voiceflow", appauthor=False)),
    Path(platformdirs.user_cache_path("voiceflow")),
)
_AWAY = Path(tempfile.mkdtemp(prefix="voiceflow-tests-"))
os.environ["VOICEFLOW_HOME"] = str(_AWAY / "home")
os.environ["VOICEFLOW_CACHE"] = str(_AWAY / "cache")
os.environ["XDG_DATA_HOME"] = str(_AWAY / "data")
os.environ["XDG_CACHE_HOME"] = str(_AWAY / "system-cache")

from voiceflow.script.load import load_session  # noqa: E402
from voiceflow.script.lookup import Library, content  # noqa: E402
from voiceflow.script.models import Session  # noqa: E402

# One seed of the fuzzer for all processes of a run, which inherit it.
if os.environ.get("VOICEFLOW_FUZZ"):
    os.environ.setdefault("VOICEFLOW_FUZZ_SEED", str(int.from_bytes(os.urandom(4), "big")))

# How long an example takes says how busy the machine is, and no more.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

BUNDLED, SOUNDS = content() / "scripts", content() / "sounds"

_touched: list[str] = []
_WATCHED = frozenset(
    "open os.mkdir os.rename os.remove os.rmdir os.listdir os.scandir os.truncate".split()
)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _WATCHED and arguments and isinstance(arguments[0], str):
        path = arguments[0]
        if any(path.startswith(str(real)) for real in _REAL):
            _touched.append(f"{event} {path}")


def pytest_configure() -> None:
    sys.addaudithook(_watch)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("VOICEFLOW_SLOW"):
        return
    skip = pytest.mark.skip(reason="slow: VOICEFLOW_SLOW=1 runs it")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases of each kind the fuzzer has tried: see tests/fuzz."""
    reports = [one for how in ("passed", "failed") for one in terminalreporter.getreports(how)]
    told = [str(text) for one in reports for key, text in one.user_properties if key == "fuzz"]
    if told:
        terminalreporter.section("cases tried")
        terminalreporter.write_line("\n".join(told))


def pytest_unconfigure() -> None:
    shutil.rmtree(_AWAY, ignore_errors=True)


@contextmanager
def little_work(limit_s: float = 20) -> Iterator[None]:
    """What is done within takes this process less than `limit_s` of a processor's time.

    No test measures time on the wall: that says how busy the machine is. What hangs is ended by
    pytest's own limit, which is long.
    """
    began = time.process_time()
    yield
    assert time.process_time() - began < limit_s


@pytest.fixture(autouse=True)
def _places_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own library and cache, and leaves the user's alone."""
    _touched.clear()
    monkeypatch.setenv("VOICEFLOW_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("VOICEFLOW_CACHE", str(tmp_path / "cache"))
    yield
    assert not _touched, f"the user's own folders were touched: {_touched}"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """The bundled scripts under an empty library of the user's."""
    return Library(tmp_path / "user", BUNDLED, SOUNDS)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file into the user's library: ``put("exercises/mine.yaml", text)``."""

    def put_file(name: str, text: str | bytes) -> Path:
        path = tmp_path / "user" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return put_file


@pytest.fixture
def session_of(library: Library, put: Callable[..., Path]) -> Callable[..., Session]:
    """Loads a session from the text of a script: ``session_of("title: …", level=2)``."""

    def load(text: str, **options: Any) -> Session:
        return load_session(put("sessions/the-session.yaml", text), library, **options)

    return load


class FakeSignals:
    """A tone set as the score sees it: lengths, not sound. Lengths are on the grid."""

    LENGTHS: dict[str, int] = {  # noqa: RUF012
        "start": 960, "change": 480, "switch": 720, "wake": 240, "count": 96, "bell": 2400,
        "end": 1920,
    }  # fmt: skip

    def __init__(self, **lengths: int) -> None:
        self.lengths = {**self.LENGTHS, **lengths}

    def has(self, name: str) -> bool:
        return name in ("inhale", "exhale", "hold") or self.length_ms(name) > 0

    def kind(self, name: str) -> str:
        return "sample" if name == "bell" else "tone"

    def length_ms(self, signal: str) -> int:
        return self.lengths.get(signal, 0)


class NoSignals(FakeSignals):
    """A tone set that has nothing at all."""

    def __init__(self) -> None:
        self.lengths = {}

    def has(self, name: str) -> bool:
        return False


@pytest.fixture
def signals() -> FakeSignals:
    return FakeSignals()
