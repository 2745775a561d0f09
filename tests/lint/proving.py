"""A session as text, and what the proof finds in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from voiceflow.core.cache import Cache
from voiceflow.lint import Finding, Proof, prove
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library

Put = Callable[..., Path]


def move(**changes: Any) -> dict[str, Any]:
    """An exercise of six repetitions, lying down; a change to None takes a key out."""
    plain = {
        "name": "Curl",
        "position": "supine",
        "setup": "Lie on your back, knees bent, feet flat.",
        "reps": 6,
        "rep": [
            {"inhale 4": "Inhale, grow long. | Inhale."},
            {"exhale 5": "Exhale, curl. | Curl."},
        ],
    }
    return {key: value for key, value in {**plain, **changes}.items() if value is not None}


def script(*exercises: Any, **head: Any) -> str:
    """A session of exercises written in place."""
    return written({"title": "One", "exercises": list(exercises), **head})


class _Plain(yaml.SafeDumper):
    """Writes everything out: scripts have no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(data: Any) -> str:
    return yaml.dump(data, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)


def proof_of(library: Library, put: Put, text: str, **options: Any) -> Proof:
    path = put("sessions/the-session.yaml", text)
    wanted = Options(**{"pace": "steady", "voice": "silent", **options})
    made = prepare(path, wanted, Context(library, Cache(None)))
    return prove(made[0], made[1].tones, made[1].bed)


def found(proof: Proof, rule: str) -> list[Finding]:
    return [one for one in proof.findings if one.rule == rule]
