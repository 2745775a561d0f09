"""Cases of scripts and other files: real ones that were changed, and new ones by the tables."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from conftest import BUNDLED, SOUNDS
from fuzz_cases import Act, Case, Command
from hypothesis import strategies as st
from odd_bytes import (
    ODD_NUMBERS,
    ODD_TEMPLATES,
    ODD_WORDS,
    PIECES,
    TEXT_EDITS,
    TEXTS,
    as_bytes,
    edited,
)

from voiceflow.script import models, pronunciation
from voiceflow.script.fields import (
    Choice,
    Field,
    Flag,
    Number,
    Seconds,
    Several,
    Span,
    Spoken,
    Table,
    Words,
)
from voiceflow.script.models import Changes
from voiceflow.script.pronunciation import _SENSE, _Meaning, _Signs, _Spelled
from voiceflow.script.steps import Hold, Phases, Steps
from voiceflow.script.templates import FILTERS, PHRASE_VARIABLES, TESTS, TEXT_VARIABLES
from voiceflow.sounds import parse
from voiceflow.sounds.parse import _ToneKind
from voiceflow.sounds.sources import TABLES

PLAIN = """\
title: One Good Thing
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 2
    sides: each
    rep:
      - inhale 2.5: Inhale and lift. | Lift.
      - exhale 3: Exhale and lower {{ side }}. | Lower.
  - name: Wait
    position: seated
    setup: Sit. 3x10 reps, 20 min, 1/2.
    work: 12s
    tips: [Soft ribs.]
"""
SILENT = ("--voice", "silent")
Made = st.SearchStrategy[Case]


@lru_cache
def real(folder: str, *endings: str) -> tuple[Path, ...]:
    """The bundled files of a folder."""
    root = SOUNDS if folder == "sounds" else BUNDLED / folder
    return tuple(sorted(path for path in root.iterdir() if path.suffix in endings))


def about_session(file: str, ways: tuple[str, ...]) -> tuple[Act, ...]:
    """`check`, as text or as JSON, and then the session shown."""
    check, show = ("check", file, *SILENT), ("show", file, *SILENT)
    more = {
        "json": Command((*check, "--json")), "text": Command(check),
        "show": Command(show), "events": Command((*show, "--events")),
        "minutes": Command((*show, "--minutes", "3")), "brief": Command((*show, "--detail",
        "brief")),
        "level": Command((*show, "--level", "3", "--with", "ball", "--shuffle", "1")),
        "render": Command(("render", file, *SILENT, "-o", "o.mp3", "--jobs", "1")),
    }  # fmt: skip
    return tuple(more[way] for way in ways)


_CHECKED = st.sampled_from(["json", "json", "text"])
_SHOWN = st.sampled_from(["show", "events", "minutes", "brief", "level"])
WAYS = st.tuples(_CHECKED, _SHOWN)


# Real ones, changed


def _changed(kind: str, files: tuple[Path, ...], name: str, acts: Any) -> Made:
    def case(path: Path, edits: Any, ways: tuple[str, ...]) -> Case:
        file = name.format(stem=path.stem)
        odd = (file, edited(path.read_bytes(), edits))
        return Case(kind, (("s.yaml", PLAIN.encode()), odd), acts(file, ways), file)

    return st.builds(case, st.sampled_from(files), TEXT_EDITS, WAYS)


def changed_scripts() -> Made:
    """Bundled sessions and exercises, changed here and there; and a small one, changed more."""
    sessions = _changed("scripts", real("sessions", ".yaml"), "mine.yaml", about_session)

    def of_exercise(file: str, ways: tuple[str, ...]) -> tuple[Act, ...]:
        user = Command(("show", "uses.yaml", *SILENT))
        return (*about_session(file, ways[:1]), user)

    def small(edits: Any, ways: tuple[str, ...]) -> Case:
        odd = ("mine.yaml", edited(PLAIN.encode(), edits))
        return Case("scripts", (odd,), about_session("mine.yaml", ways), "mine.yaml")

    def exercise(path: Path, edits: Any, ways: tuple[str, ...]) -> Case:
        uses = ("uses.yaml", b"title: Uses\nexercises: [mine, mine: {reps: 2}]\n")
        file = "user/exercises/mine.yaml"
        odd = (file, edited(path.read_bytes(), edits))
        return Case("scripts", (uses, odd), of_exercise(file, ways), file)

    exercises = st.builds(exercise, st.sampled_from(real("exercises", ".yaml")), TEXT_EDITS, WAYS)
    return st.one_of(st.builds(small, TEXT_EDITS, WAYS), sessions, exercises)


def changed_library() -> Made:
    """Phrases, pronunciation, paces, tone sets, settings and positions, changed."""

    def used(option: str) -> Any:
        def acts(file: str, ways: tuple[str, ...]) -> tuple[Act, ...]:
            given = (option, "mine") if option else ()
            show = Command(("show", "s.yaml", *SILENT, *given))
            return (*about_session(file, ways[:1]), show)

        return acts

    def sounded(file: str, ways: tuple[str, ...]) -> tuple[Act, ...]:
        render = ("render", "s.yaml", *SILENT, "--tones", "mine", "-o", "o.mp3", "--jobs", "1")
        return (*about_session(file, ways[:1]), Command(render))

    phrases = tuple(one for one in real("phrases", ".j2"))
    positions = tuple(one for one in real("phrases", ".yaml"))
    both = st.sampled_from(
        [
            _changed("library", phrases, "user/phrases/mine.j2", used("--phrases")),
            _changed("library", positions, "user/phrases/positions.yaml", used("")),
            _changed("library", real("paces", ".yaml"), "user/paces/mine.yaml", used("--pace")),
            _changed(
                "library", real("pronunciation", ".yaml"), "user/pronunciation/en.yaml", used("")
            ),
            _changed("library", real("sounds", ".yaml"), "user/sounds/mine.yaml", sounded),
            _made_table("settings", models.SETTINGS, "user/settings.yaml", used("")),
            _made_table("words", pronunciation.FIELDS, "user/pronunciation/en.yaml", used("")),
            _made_table("tones", parse._set_fields(Path()), "user/sounds/mine.yaml", sounded),
            _made_table("pace", models.PACE, "user/paces/mine.yaml", used("--pace")),
        ]
    )
    return both.flatmap(lambda one: one)


# New ones, by the tables


def _of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of one kind: right ones, those at its bounds, and some that are neither."""
    match kind:
        case Number() | Span():
            least, most = int(kind.least), int(kind.most)
            bounds = [kind.least, least + 1, 3, 8, kind.most]
            right = st.sampled_from([*bounds, *bounds, least - 1, most + 1])
        case Hold() | Seconds():
            right = st.sampled_from(["3", "40s", "1.5 min", "0:30", "12:30", kind.least, kind.most])
        case Choice():
            right = st.sampled_from(kind.words)
        case Flag():
            right = st.sampled_from(["yes", "off", True])
        case Spoken():
            right = SPOKEN
        case Words():
            right = st.sampled_from(
                [*"calm plain en Ana bowl silent espeak bridge".split() * 8, *ODD_WORDS]
            )
        case Several():
            right = st.lists(_of(kind.kind), max_size=3)
        case Table():
            right = st.dictionaries(st.sampled_from(ODD_WORDS), _of(kind.kind), max_size=3)
        case _Signs():
            right = st.dictionaries(_SIGNS, _of(kind.kind), max_size=4)
        case _Spelled():
            right = st.sampled_from(["minute | minutes", "one", "a | b | c", "", "|", *ODD_WORDS])
        case _Meaning():
            sense = st.one_of(_of(_Spelled(2)), _mapping(_SENSE, 3))
            right = st.one_of(sense, sense, st.lists(sense, max_size=2))
        case _ToneKind():
            right = _TONES
        case Changes():
            some = [one for one in models.CHANGES if not isinstance(one.kind, Changes)]
            right = st.dictionaries(st.sampled_from(kind.words), _mapping(some, 3), max_size=2)
        case Phases() | Steps():
            right = _STEPS
        case _:
            right = TEXTS
    return st.one_of(*[right] * 7, _ANYTHING)


_SIGNS = st.one_of(
    st.sampled_from(["s", "min", "reps", "s, sec", "min, m.", "x", "kg", "½", "number", "²", "3"]),
    st.sampled_from("( [ a) *? .* (a|a)*b \\ ^ $ {3} - _ +".split()),
    TEXTS,
)
_AMOUNT = st.one_of(
    st.sampled_from(
        [
            "A3",
            "A3 -> E4",
            "220 Hz",
            "-32 LUFS",
            "-6 dB",
            "0.2 s",
            "15 %",
            "200-900 Hz",
            "1",
            "0",
            "200-900 Hz -> 400-2400 Hz",
            "30 s",
            "0.024 s",
            "11 kHz",
            "60 s",
            "100 %",
            "-60",
            "12 dB",
            "A3 E4 A5",
            "[1, 2, 3]",
            "C0",
            "B#9",
            "A3->A3->A3",
        ]
    ),
    st.sampled_from(ODD_NUMBERS),
    TEXTS,
)
_TONE_KEYS = sorted({one.name for table in TABLES.values() for one in table} - {"file"})
_SOUND = st.builds(
    lambda sound, more: {"sound": sound, "length": "1 s", **more},
    st.sampled_from([*TABLES, "x"]),
    st.dictionaries(
        st.sampled_from(["level", "length", "gain", *_TONE_KEYS]),
        st.one_of(_AMOUNT, _AMOUNT, st.lists(_AMOUNT, max_size=3)),
        max_size=5,
    ),
)
_TONES = st.one_of(
    _SOUND,
    st.just("none"),
    st.lists(_SOUND, max_size=2).map(lambda one: {"layers": one, "length": "2 s"}),
)

_SIMPLE = st.one_of(TEXTS, st.sampled_from([None, True, 0, -1, 1.5, 10**30]))
_ANYTHING = st.recursive(
    _SIMPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
_VARIABLES = sorted(TEXT_VARIABLES | PHRASE_VARIABLES)
_EXPRESSIONS = st.recursive(
    st.sampled_from(
        [
            *sorted(TEXT_VARIABLES) * 3,
            *_VARIABLES,
            "1",
            "0",
            "'a'",
            "999999999",
            "1.5",
            "''",
            "none",
        ]
    ),
    lambda inner: st.one_of(
        st.builds("{}|{}".format, inner, st.sampled_from(sorted(FILTERS))),
        st.builds("{}|{}".format, inner, st.sampled_from(sorted(FILTERS))),
        st.builds("{}|{}({})".format, inner, st.sampled_from(sorted(FILTERS)), inner),
        st.builds("{} is {}".format, inner, st.sampled_from(sorted(TESTS))),
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from("+ - * / // % ** ~ < == in and".split()),
            inner,
        ),
        st.builds("{} if {} else {}".format, inner, inner, inner),
    ),
    max_leaves=4,
)
_JINJA = st.one_of(
    st.sampled_from(ODD_TEMPLATES),
    _EXPRESSIONS.map(lambda one: "{{ " + one + " }}"),
    _EXPRESSIONS.map(lambda one: "{% if " + one + " %}a{% else %}b{% endif %}"),
    _EXPRESSIONS.map(lambda one: "{% set a = " + one + " %}{{ a }}"),
)
_PHRASE = st.sampled_from(
    ["Lift your heel.", "Inhale.", "Stay. 3x10.", "|", "20-30s", "½", "C# #2"]
)
SPOKEN = st.lists(
    st.one_of(_PHRASE, _PHRASE, _PHRASE, _JINJA, st.sampled_from(ODD_WORDS), TEXTS),
    min_size=1,
    max_size=3,
).map(" ".join)
_AMOUNTS = st.sampled_from(["3", "4s", "0.5", "60", "61", "0", "2!", "1:30", "x", "", "1e3", "3 s"])
_STEP_KEYS = st.builds(
    "{} {}".format, st.sampled_from("inhale exhale hold pause silence say bell x".split()), _AMOUNTS
)
_STEPS = st.lists(
    st.one_of(
        st.sampled_from(
            [{"inhale 3": "Inhale."}, {"say": "Stay."}, "bell", "silence 5s", "hold 3"]
        ),
        st.dictionaries(_STEP_KEYS, SPOKEN, min_size=1, max_size=1),
        _STEP_KEYS,
    ),
    min_size=1,
    max_size=4,
)


def _mapping(fields: Any, most: int) -> st.SearchStrategy[dict[str, Any]]:
    def chosen(names: list[Field]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({one.name: _of(one.kind) for one in names})

    return st.lists(st.sampled_from(tuple(fields)), max_size=most, unique_by=id).flatmap(chosen)


_BODIES = st.sampled_from(
    [
        {"rep": [{"inhale 3": "Inhale."}, {"exhale 4": "Exhale. | Out."}], "reps": 3},
        {"work": "20s"},
        {"flow": [{"say": "Listen."}, "silence 10s", "bell"]},
        {},
    ]
)
_EXERCISE = st.builds(
    lambda body, more: {"name": "Made", "position": "supine", "setup": "Lie.", **body, **more},
    _BODIES,
    _mapping(models.EXERCISE, 4),
)
_NAMED = st.one_of(
    st.sampled_from(["bridge", "squat", "side-leg-lift", "nosuch"]),
    st.builds(lambda more: {"bridge": more}, _mapping(models.CHANGES, 3)),
)
_LISTED = st.lists(st.one_of(_EXERCISE, _EXERCISE, _NAMED), min_size=1, max_size=3)
_GROUP = (Field("rounds", Span(1, 100), ""), Field("time", Seconds(1, 7200), ""))
_SECTIONS = st.lists(
    st.builds(
        lambda title, inner, more: {title: {"exercises": inner, **more} if more else inner},
        st.sampled_from(["Begin", "", "²", "a | b", "🙂", "{{ name }}"]),
        _LISTED,
        _mapping(_GROUP, 2),
    ),
    max_size=3,
)
_SESSION = st.builds(
    lambda head, body: {"title": "Made", **head, **body},
    _mapping(models.SESSION_HEAD, 4),
    st.one_of(
        _LISTED.map(lambda one: {"exercises": one}), _SECTIONS.map(lambda one: {"sections": one})
    ),
)


def written(value: Any, raw: bool) -> bytes:
    """`value` as JSON, which is YAML; or `raw`, with nothing in quotes, whatever it then means."""
    if not raw:
        return as_bytes(json.dumps(value, ensure_ascii=False, indent=1))
    return as_bytes("\n".join(_lines(value, 0)) + "\n")


def _lines(value: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        found = []
        for key, inner in value.items():
            below = _lines(inner, depth + 1)
            nested = isinstance(inner, dict | list) and inner
            found += [f"{pad}{key}:", *below] if nested else [f"{pad}{key}: {below[0].strip(' ')}"]
        return found
    if isinstance(value, list) and value:
        found = []
        for inner in value:
            first, *rest = _lines(inner, depth + 1)
            found += [f"{pad}- {first[len(pad) + 2 :]}", *rest]
        return found
    return [
        pad + {None: "", True: "true"}.get(value, str(value))
        if not isinstance(value, dict | list)
        else pad + str(value)
    ]


def made_scripts() -> Made:
    """Sessions by the tables of their keys."""

    def case(value: Any, raw: bool, ways: tuple[str, ...]) -> Case:
        odd = ("mine.yaml", written(value, raw))
        return Case("made", (odd,), about_session("mine.yaml", ways), "mine.yaml")

    return st.builds(case, _SESSION, st.booleans(), WAYS)


def _made_table(kind: str, fields: Any, file: str, acts: Any) -> Made:
    def case(value: Any, raw: bool, ways: tuple[str, ...]) -> Case:
        files = (("s.yaml", PLAIN.encode()), (file, written(value, raw)))
        return Case("library", files, acts(file, ways), file)

    return st.builds(case, _mapping(fields, 5), st.booleans(), WAYS)


# Templates

_MACROS = (
    "welcome section exercise sides ready count inhale exhale hold last more halfway set".split()
)
_MACRO = st.builds(
    lambda name, text: "{% macro " + name + "() %}" + text + "{% endmacro %}",
    st.sampled_from(_MACROS),
    st.one_of(SPOKEN, _JINJA),
)


def templates() -> Made:
    """Texts of a session, and phrases, full of Jinja."""

    def in_session(texts: list[str], ways: tuple[str, ...]) -> Case:
        root = {
            "title": "Made", "about": texts[0],
            "exercises": [
                {"name": "Made", "position": "supine", "setup": texts[1], "sides": "each",
                "tips": texts[2],
                 "rep": [{"inhale 3": texts[3]}, {"exhale 3": "Out."}], "reps": 2},
            ],
        }  # fmt: skip
        odd = ("mine.yaml", written(root, raw=False))
        return Case("templates", (odd,), about_session("mine.yaml", ways), "mine.yaml")

    def as_phrases(macros: list[str], piece: bytes, ways: tuple[str, ...]) -> Case:
        file = "user/phrases/mine.j2"
        show = Command(("show", "s.yaml", *SILENT, "--phrases", "mine"))
        files = (("s.yaml", PLAIN.encode()), (file, as_bytes("\n".join(macros)) + piece))
        return Case("templates", files, (*about_session(file, ways[:1]), show), file)

    text = st.one_of(SPOKEN, st.just("Stay."))
    return st.one_of(
        st.builds(in_session, st.lists(text, min_size=4, max_size=4), WAYS),
        st.builds(as_phrases, st.lists(_MACRO, max_size=4), st.one_of(st.just(b""), PIECES), WAYS),
    )
