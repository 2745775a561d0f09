"""Options of a request: read by the table that the command line and programs use."""

from __future__ import annotations

from typing import Any

import pytest

from voiceflow.cli import commands
from voiceflow.score.options import Options
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.library.requested_options import KEYS, Offered, canonical, read_options

NAMES = Offered(pace=("calm",), voice=("silent",), phrases=("coach",), tones=("bowl",), bed=())

# A phone's JSON, the same on the command line.
PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"minutes": 12.5}, {"minutes": "12.5"}),
    ({"minutes": " 12:30 "}, {"minutes": "12:30"}),
    ({"level": 2}, {"level": "2"}),
    ({"equipment": ["ball", "circle"]}, {"equipment": "ball, circle"}),
    ({"pace": "calm", "voice": "silent"}, {"pace": "calm", "voice": "silent"}),
    ({"name": " Ana  Maria "}, {"name": "Ana Maria"}),
    ({"detail": "brief", "tempo": 0.9, "tips": False}, {"given": ("tempo=0.9", "tips=no"),
                                                         "detail": "brief"}),
]  # fmt: skip


@pytest.mark.parametrize(("json", "line"), PAIRS)
def test_a_phone_and_the_command_line_mean_the_same(
    json: dict[str, Any], line: dict[str, Any]
) -> None:
    options, _ = read_options(json, NAMES)
    typed = commands.options(line)
    assert sorted(options.pacing) == sorted(typed.pacing)
    assert Options(**{**_own(options), "pacing": ()}) == Options(**{**_own(typed), "pacing": ()})


def _own(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in Options.__dataclass_fields__}


@pytest.mark.parametrize(
    ("json", "plain"),
    [
        ({"minutes": 20}, {"minutes": "20"}),
        ({"minutes": 20.0}, {"minutes": "20"}),
        ({"minutes": " 12:30"}, {"minutes": "12:30"}),
        ({"equipment": ["ball", "ball"]}, {"equipment": ["ball"]}),
        ({"name": "", "tempo": None}, {}),
        ({"tempo": "0.90", "level": "2"}, {"level": 2, "tempo": 0.9}),
    ],
)
def test_equal_requests_are_recorded_alike(json: dict[str, Any], plain: dict[str, Any]) -> None:
    _, said = read_options(json, NAMES)
    assert canonical(said) == canonical(plain)


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {"level": 9, "pace": "calmer", "nope": 1, "tempo": "fast", "name": "a\nb"}
    with pytest.raises(Refusal) as caught:
        read_options(wrong, NAMES)
    assert {one["field"] for one in caught.value.faults} == {f"options.{key}" for key in wrong}


def test_a_flood_of_faults_is_cut() -> None:
    with pytest.raises(Refusal) as caught:
        read_options({f"x{n}": n for n in range(5_000)}, NAMES)
    assert len(caught.value.faults) < 30


def test_options_that_only_the_command_line_has_are_not_taken() -> None:
    assert not {"only", "skip", "focus", "shuffle", "mono"} & set(KEYS)
