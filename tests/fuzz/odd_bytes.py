"""Odd words, and edits of bytes: what a fuzzer changes in files that were right."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import strategies as st

MOST_BYTES = 1_200_000

ODD_NUMBERS = (
    *(
    "0 -0 -1 1 2 3 4 00 007 1e3 1e999 -1e999 NaN .inf -.inf inf 0x10 0o17 1_000 1,5 .5 5. ½ ² ① ٣ "
    "1:30 0:45 99:99 1:99:99 -1:30 12:30:00 3x10 8-12 30s 40 1.5min 5h 0.5s 61s 2! 100% 1/3 10/0 "
    "3s-4s 24 1000 10000 10001 86400 999999999999".split()
    ),
    "9" * 41, "9" * 5_000, "0." + "0" * 60 + "1",
)  # fmt: skip
ODD_YAML = (
    "&a b", "*a", "<<: *a", "!!python/object/apply:os.getcwd []", "!!int 3", "!x y", "! z",
    "{a: {a: 1}", "[[[[", "[a, b", "{}", "[]", "{", "}", "- a", "? a", ": b", "|", ">", "|2", ">-",
    "%YAML 1.1", "---", "...", "'", '"', '"\\x07"', '"\\ud800"', '"\\u202e"', '"\\0"',
    '"\\U0001F600"',
    "#c", " # c", "@a", "`a`", "\t", "~", "null", "no", "on", "true", "=", "2020-01-01",
    "[" * 30 + "]" * 30, "{a: " * 30 + "}" * 30, "[" * 3_000,
)  # fmt: skip
ODD_TEMPLATES = (
    "{{", "}}", "{%", "%}", "{#", "#}", "{{ }}", "{{ side }}", "{{ nosuch }}", "{{ rep.x }}",
    "{{ rep[0] }}", "{{ 1/0 }}", "{{ 10**9 }}", "{{ 9**9**9 }}", "{{ 'x' * 10**9 }}", "{{ -rep }}",
    "{{ rep|nosuch }}", "{{ rep|int(2) }}", "{{ 'a'|round(99) }}", "{{ rep|join }}", "{{ 1 ~ 2 }}",
    "{{ title|replace('', 'x' * 99) }}", "{{ title|center(10**8) }}", "{{ range(10**9) }}",
    "{{ title|truncate(-1) }}", "{{ title|wordwrap(0) }}", "{{ title|indent(10**7) }}",
    "{{ 'a'|format(1) }}", "{{ '%s'|format }}", "{{ '%999999999d'|format(1) }}", "{{ rep % 0 }}",
    "{% for x in range(10**9) %}x{% endfor %}", "{% if rep %}a{% endif %}", "{% if %}",
    "{% else %}",
    "{% if rep is divisibleby 0 %}x{% endif %}", "{% if rep is nosuch %}x{% endif %}",
    "{% if name < rep %}x{% endif %}", "{% if rep in 3 %}x{% endif %}",
    "{% if rep in [1] %}x{% endif %}",
    "{% set a = 1 %}{{ a }}", "{% set a = 'x' ~ 'y' %}", "{% macro a() %}{{ a() }}{% endmacro %}",
    "{% macro count() %}{{ n }}{% endmacro %}", "{% macro inhale(x) %}{% endmacro %}",
    "{% macro welcome() %}{{ title }} | {% endmacro %}", "{% raw %}{{{% endraw %}", "{% raw %}",
    "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}",
    "{% block a %}{% endblock %}",
    "{% call a() %}{% endcall %}", "{% filter upper %}a{% endfilter %}", "{% autoescape true %}",
    "{{ self }}", "{{ loop }}", "{{ caller() }}", "{{ varargs }}", "{{ cycler }}", "{{ lipsum() }}",
    "{{ ''.__class__ }}", "{{ ''['__class__'] }}", "{{ title|attr('x') }}", "{{ {'a': 1} }}",
    "{{ (1,2) }}", "{{ not rep }}", "{{ rep if rep }}", "{{ none }}", "{{ true }}", "{{ 1.5 }}",
    "{{ 1e400 }}", "{{ " + "9" * 5_000 + " }}", "{{ " + "(" * 200 + "1" + ")" * 200 + " }}",
    "{% if rep %}" * 60, "{{ 'a' 'b' }}", "{{ \"a }}", "{{ a..b }}", "{{ ? }}", "{{ 0x }}",
    "{{ \\ }}",
    "{{- title -}}", "{%- if 1 -%}", "{{ title|upper|lower|title|trim|length }}",
)  # fmt: skip
ODD_WORDS = (
    "", " ", "a", "|", " | ", "||", "a | b | c", "²", "①", "½", "3²", "n\u0303", "\u202eabc\u202c",
    "\u200f", "\u200b", "\ufeff", "\u2028", "\x85", "\xa0", "\xad", "👩‍👩‍👧‍👦", "🙂" * 50, "李小龙",
    "ひざを曲げる",
    "Спина", "ركبة", "हाथ", "ẞßİıſ", "ﬁ", "\ue000", "\U000e0041", "\U0001d7d8", "e\u0301" * 40,
    "a" * 300, "a" * 5_000, "lift your heel " * 200, "..", "../x", "../../etc/passwd",
    "/dev/null/x",
    "x/y", "x\\y", "C:\\x", "~nosuchuser/x", "-", "--", "-x", "con", "nul.yaml", ".yaml", "s.yaml",
    "silent", "espeak:xx", "piper:x", "faulty:hum", "none", "coach", "plain", "calm", "bowl", "en",
    "%s%d%n", "${HOME}", "$(id)", "`id`", "<b>x</b>", "&amp;", "]]>", "<!--", "a=b", "=", "tempo=1",
    "a,b,,c", ",", "\r\n", "a\nb", "a\tb", "self", "__class__", "C#", "1.", "e.g.", "10/side", "(",
)  # fmt: skip
HARD_BYTES = (
    b"\0", b"\x07", b"\x1b[2J", b"\x7f", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\r", b"\r\n", b"\0" * 300,
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"RIFF", b"data", b"ID3", b"OggS",
    b"fLaC",
)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(ODD_WORDS),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_YAML),
    st.sampled_from(ODD_TEMPLATES),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20),
    st.text(max_size=5),
)
"""Odd texts of all kinds."""


def as_bytes(text: str) -> bytes:
    """UTF-8, with half a pair as a broken editor would write it."""
    return text.encode("utf-8", "surrogatepass")


PIECES = st.one_of(
    TEXTS.map(as_bytes), TEXTS.map(as_bytes), st.sampled_from(HARD_BYTES), st.binary(max_size=8)
)
_IN_TEXT = (
    "digits digits digits digits word word value value value other other insert replace delete "
    "twice many indent swap cut encode long"
).split()
_IN_BYTES = "flip flip flip insert replace replace delete cut twice zero number".split()
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp1252", "utf-7")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a file; `at` is where, in thousandths of its length."""

    what: str
    at: int
    size: int
    piece: bytes


def _edits(kinds: list[str], most_size: int) -> st.SearchStrategy[tuple[Edit, ...]]:
    one = st.builds(
        Edit, st.sampled_from(kinds), st.integers(0, 1000), st.integers(1, most_size), PIECES
    )
    return st.lists(one, min_size=1, max_size=3).map(tuple)


TEXT_EDITS = _edits(_IN_TEXT, 40)
BYTE_EDITS = _edits(_IN_BYTES, 400)


def edited(data: bytes, edits: tuple[Edit, ...]) -> bytes:
    """`data` with `edits`, one after another."""
    for edit in edits:
        data = _edited(data, edit)[:MOST_BYTES]
    return data


def _edited(data: bytes, edit: Edit) -> bytes:
    at = len(data) * edit.at // 1000
    before, after = data[:at], data[at:]
    match edit.what:
        case "insert":
            return before + edit.piece + after
        case "replace":
            return before + edit.piece + after[len(edit.piece) or 1 :]
        case "delete":
            return before + after[edit.size :]
        case "cut":
            return before
        case "zero":
            return before + bytes(edit.size) + after[edit.size :]
        case "flip":
            return before + bytes(one ^ 0xFF for one in after[:1]) + after[1:]
        case "number":  # a size or a count in a head, where most of them are
            head = at % 120
            return data[:head] + (edit.piece + b"\xff" * 4)[:4] + data[head + 4 :]
        case "digits":  # so that a text stays what it is, but for one number
            odd = ODD_NUMBERS[edit.size % len(ODD_NUMBERS)].encode()
            return _in_place(data, at, rb"\d+", odd)
        case "word":
            return _in_place(data, at, rb"[^\W\d]\w*", edit.piece)
        case "encode":
            text, form = data.decode("utf-8", "replace"), _ENCODINGS[edit.size % len(_ENCODINGS)]
            return text.encode(form, "replace")
        case "long":
            return before + edit.piece * (20_000 // (len(edit.piece) or 1)) + after
    return _edited_line(data, edit)


def _in_place(data: bytes, at: int, pattern: bytes, piece: bytes) -> bytes:
    """`data` with `piece` for the first match of `pattern` from `at` on."""
    found = re.compile(pattern).search(data, at)
    return data if found is None else data[: found.start()] + piece + data[found.end() :]


def _edited_line(data: bytes, edit: Edit) -> bytes:
    lines = data.split(b"\n")
    number = min(len(lines) * edit.at // 1000, len(lines) - 1)
    line = lines[number]
    match edit.what:
        case "value":
            key, colon, _ = line.partition(b":")
            changed = [key + colon + b" " + edit.piece]
        case "other":  # a right value, of another key
            value = lines[edit.size * 7 % len(lines)].partition(b":")[2]
            changed = [line.partition(b":")[0] + b":" + value]
        case "twice":
            changed = [line, line]
        case "many":
            changed = [line] * (edit.size * 50)
        case "indent":
            changed = [b" " * (edit.size % 5) + line]
        case _:  # swap
            changed, number = [line, *lines[number - 1 : number]], max(number - 1, 0)
            return b"\n".join([*lines[:number], *changed, *lines[number + 2 :]])
    return b"\n".join([*lines[:number], *changed, *lines[number + 1 :]])
