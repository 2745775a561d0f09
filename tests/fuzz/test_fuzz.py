"""No input may bring about a traceback, a hang, more than 1 GB, or an error without its place.

CI tries a fixed sample of cases, about a minute of them. By hand,
``VOICEFLOW_FUZZ=3600 pytest -n 2 tests/fuzz`` tries new ones for so many seconds, goes on after a
find, and tells how many of each kind were tried, and the seed: with ``VOICEFLOW_FUZZ_SEED`` the
same come again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits as POSIX has them")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

import made_files
import made_other
import made_requests
from fuzz_cases import Case
from fuzz_child import Child
from fuzz_judge import Find, finds
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SECONDS = int(os.environ.get("VOICEFLOW_FUZZ") or 0)
SEED = int(os.environ.get("VOICEFLOW_FUZZ_SEED") or random.randrange(10**9))
_BATCH = 40  # a batch is not broken off when the time is over
_SHRINKING_S = 40.0

pytestmark = [pytest.mark.slow] if not SECONDS else []
pytestmark.append(pytest.mark.timeout(SECONDS * 3 + 3_600))

# What is tried, and how many cases of it in CI.
KINDS: dict[str, tuple[Callable[[], st.SearchStrategy[Case]], int]] = {
    "scripts, changed": (made_files.changed_scripts, 150),
    "scripts, made": (made_files.made_scripts, 150),
    "templates": (made_files.templates, 150),
    "phrases, paces, tone sets, words": (made_files.changed_library, 120),
    "options": (made_other.options, 200),
    "sound files": (made_other.sound_files, 40),
    "pictures and names": (made_other.pictures, 25),
    "caches": (made_other.caches, 15),
    "requests": (made_requests.requests, 200),
    "what the server keeps": (made_requests.stored, 40),
    "bytes on a socket": (made_requests.raw, 30),
}
_USUAL = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)


class Found(Exception):
    """A case that must not be, for hypothesis to make smaller."""

    def __init__(self, case: Case, find: Find) -> None:
        super().__init__(f"{find.sign}\n{find.told}\n{_shown(case)}")
        self.find = find


def _shown(case: Case) -> str:
    files = "\n".join(f"{name}: {data[:1_500]!r}" for name, data in case.files)
    acts = "\n".join(repr(act)[:1_500] for act in case.acts)
    return f"{files}\n{acts}"


class Fuzzer:
    """Tries cases of one kind. What is found once is no longer looked at, so that more is found."""

    def __init__(self, made: st.SearchStrategy[Case], child: Child) -> None:
        self.made, self.child = made, child
        self.tried = 0
        self.found: dict[str, Found] = {}
        self._sure: set[str] = set()
        self._smallest: Case | None = None
        self._until = 0.0

    def batch(self, usual: settings, number: int | None) -> None:
        """Try as many as `usual` says; `number` is a seed, None for always the same."""

        @given(self.made)
        def one(case: Case) -> None:
            self._try(case)

        self._until = 0.0
        test = settings(usual, derandomize=number is None)(one)
        try:
            (test if number is None else seed(number)(test))()
        except Found as found:
            self.found[found.find.sign] = found
        except BaseExceptionGroup as group:
            for each in _leaves(group):
                self.found[each.find.sign] = each

    def _try(self, case: Case) -> None:
        self.tried += 1
        wrong = [one for one in finds(case, self.child.run(case)) if one.sign not in self.found]
        if wrong and wrong[0].sign not in self._sure:
            # Once more, alone: what is wrong only after others is told, but not made smaller.
            again = {one.sign for one in finds(case, self.child.run(case, fresh=True))}
            for one in wrong:
                if one.sign in again:
                    self._sure.add(one.sign)
                else:
                    self.found[f"{one.sign} (after others)"] = Found(case, one)
            wrong = [one for one in wrong if one.sign in again]
        if wrong:
            self._until = self._until or time.monotonic() + _SHRINKING_S
            # Later only what was the smallest by then: of a hang each case takes long.
            if time.monotonic() < self._until or case == self._smallest:
                self._smallest = case
                raise Found(case, wrong[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[Found]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        elif isinstance(each, Found):
            yield each
        else:
            raise each


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = Child(tmp_path / "child")
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_confuses_it(
    kind: str, child: Child, record_property: Callable[[str, object], None]
) -> None:
    made, examples = KINDS[kind]
    fuzzer = Fuzzer(made(), child)
    if SECONDS:
        _for_so_long(fuzzer, SECONDS * _workers() / len(KINDS))
        record_property("fuzz", f"{fuzzer.tried:8} {kind}: {len(fuzzer.found)} finds, seed {SEED}")
    else:
        fuzzer.batch(settings(_USUAL, max_examples=examples, phases=_PHASES), None)
    told = "\n\n".join(str(one) for one in fuzzer.found.values())
    assert not fuzzer.found, f"seed {SEED}, {fuzzer.tried} cases\n{told}"


_PHASES = (Phase.generate, Phase.shrink)


def _for_so_long(fuzzer: Fuzzer, seconds: float) -> None:
    end, number = time.monotonic() + seconds, SEED
    while time.monotonic() < end:
        fuzzer.batch(settings(_USUAL, max_examples=_BATCH, phases=_PHASES), number)
        number += 1


def _workers() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT") or 1)
