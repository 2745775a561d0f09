"""Messages are for people: no library's words, nothing that a terminal obeys, nothing endless."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import voiceflow
from voiceflow.core import errors, plain
from voiceflow.core.errors import InputError, Mark, Problem, ScriptError, UnknownNameError
from voiceflow.lint import check_path
from voiceflow.script.lookup import Library

JARGON = re.compile(
    r"NoneType|not subscriptable|not iterable|\bErrno\b|Traceback|object has no|<class|__\w+__"
    r"|positional argument|codec can't|\b\w+(?:Error|Exception)\b|unsupported operand|bad operand"
    r"|not supported between|\bstr\b|\bdict\b|\bNone\b|0x[0-9a-f]{6}|possibly a pipe"
    r"|File does not exist or is not a regular|mapping values|block sequence|simple key"
    r"|cannot start any token|block mapping|print statement|invalid literal|could not convert"
    r"|must be real|expected token|end of template"
)
OBEYED = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ud800-\udfff]"
)


def people(said: str) -> None:
    assert not JARGON.search(said), said
    assert not OBEYED.search(said), repr(said)
    assert max(map(len, said.splitlines()), default=0) <= 2 * plain.MOST + 300, said[:300]


# What is wrong with scripts
# ruff: noqa: E501  tables of what people write

HEAD = "title: A\nexercises:\n  - "
EXERCISE = "name: A\nposition: standing\nrep:\n  - inhale 3: In.\n"
WRONG = {
    "tab": "title: A\nexercises:\n\t- bridge\n",
    "colon": "title: a: b\n",
    "indent": "title: x\n title: y\n",
    "bracket": "title: [a, b\nabout: c\n",
    "brace": "title: {a: b\nabout: c\n",
    "quote": 'title: "never closed\n',
    "at": "title: @bridge\n",
    "percent": "title: %bridge\n",
    "escape": 'title: "\\q"\n',
    "dash": "title: A\n- b\n",
    "dash within": "title: - b\n",
    "no key": "title: A\nbridge\nabout: x\n",
    "anchor": "title: &a A\nabout: *a\n",
    "tag": "title: !!python/object:os.system x\n",
    "two": "title: A\n---\ntitle: B\n",
    "list": "- a\n- b\n",
    "empty": "",
    "null": "~",
    "text": "only a text",
    "key is a list": "[a]: b\n",
    "twice": "title: A\ntitle: B\n",
    "nested": "title: " + "[" * 100 + "\n",
    "control": "title: a\x07b\n",
    **{
        f"{key}: {value}": f"{EXERCISE}{key}: {value}\n"
        for key in ("reps", "sets", "rest", "sides", "levels", "equipment", "tips", "tempo", "setup",
                    "extends", "effort", "needs", "pronounce", "work", "flow", "dose", "count")
        for value in ("", "[]", "{}", "[[]]", "-1", "1e400", "NaN", "x", "[a, {b: c}]", "'{{ rep'")
    },
    **{
        f"template {text}": f"{EXERCISE}setup: '{text}'\n"
        for text in ("{{ side", "{{ 1 / 0 }}", "{{ name.x }}", "{{ name[0] }}", "{{ x }}", "{{ rep + name }}",
                     "{{ name - 1 }}", "{{ -name }}", "{{ name|abs }}", "{{ rep|length }}", "{{ name < rep }}",
                     "{{ rep in left }}", "{% if %}x{% endif %}", "{% for a in b %}{% endfor %}", "{% if rep %}x",
                     "{% foo %}", "{{ rep|foo }}", "{{ rep is foo }}", "{{ rep() }}", "{{ ? }}", "{{ }}",
                     "{{ rep rep }}", "{{ 9 ** 9 ** 9 }}", "{{ range(9) }}", "{% set a = 1 %}{{ a.b }}",
                     "{% macro a() %}{% endmacro %}{{ a() }}", "{{ None }}", "{{ none.x }}", "{# x", "{{ \"a }}",
                     "{% raw %}", "{{ name|round }}", "{{ rep is divisibleby 0 }}", "{{ name is odd }}",
                     "{{ {} }}", "{{ [] }}", "{{ self }}", "{{ name|default }}", "{{ name|truncate(\"x\") }}")
    },
    "key with an escape": f'{EXERCISE}"\\e[2Jred\\u202e": 1\n',
    "endless key": f"{EXERCISE}{'k' * 100_000}: 1\n",
    "endless value": f"{EXERCISE}reps: {'9' * 100_000}\n",
    "endless words": f"{EXERCISE}sides: {'very ' * 20_000}\n",
    "endless exercise": f"{HEAD}{'b' * 100_000}\n",
    "endless changes": f"{HEAD}bridge: {{{'q' * 50_000}: 1}}\n",
}  # fmt: skip


# What is no YAML is wrong in every kind of script; the keys and texts are those of an exercise.
OF_ALL = [what for what in WRONG if ":" not in what and not what.startswith("template")]
KINDS = ("session", "pace", "sounds", "settings")


@pytest.mark.parametrize(
    ("kind", "what"),
    [("exercise", what) for what in WRONG] + [(kind, what) for kind in KINDS for what in OF_ALL],
)
def test_what_check_says_of_a_wrong_script(
    kind: str, what: str, tmp_path: Path, library: Library
) -> None:
    folder = {"session": "sessions", "exercise": "exercises", "pace": "paces"}.get(kind, kind)
    path = tmp_path / (f"{kind}.yaml" if kind == "settings" else f"{folder}/one.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(WRONG[what], encoding="utf-8", errors="surrogatepass")
    for problem in check_path(path, library):
        people(f"{problem.message} ({problem.hint})")


@pytest.mark.parametrize(
    "source",
    [
        "{% macro end() %}", "{% macro end() %}{{ 1 / 0 }}{% endmacro %}", "{{ x }}", "\x1b[2J", "{% macro",
        "{% macro end() %}{{ 9 ~ title|round }}{% endmacro %}", "{% macro \x1b() %}{% endmacro %}",
        "{% macro nobody_needs_it() %}x{% endmacro %}", "{% macro end(a, b) %}{% endmacro %}",
    ],
)  # fmt: skip
def test_what_check_says_of_wrong_phrases(source: str, tmp_path: Path, library: Library) -> None:
    path = tmp_path / "phrases" / "one.j2"
    path.parent.mkdir()
    path.write_text(source, encoding="utf-8")
    for problem in check_path(path, library):
        people(f"{problem.message} ({problem.hint})")


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"t\0i\0t\0l\0e\0", b"\x80abc", b"title: \xed\xa0\x80"]
)
def test_what_check_says_of_bytes(data: bytes, tmp_path: Path, library: Library) -> None:
    path = tmp_path / "sessions" / "one.yaml"
    path.parent.mkdir()
    path.write_bytes(data)
    (problem,) = check_path(path, library)
    people(f"{problem.message} ({problem.hint})")


# What is echoed

CLEARS = "\x1b[2J\x1b]0;owned\x07"
TURNS = "txt.\u202eyaml"


@pytest.mark.parametrize(
    "text", [CLEARS, TURNS, "a\rb", "\x9b31m", "\udc80", "x" * 100_000, "\u2028"]
)
def test_every_kind_of_error_shows_what_it_echoes(text: str) -> None:
    for error in raised(text):
        people(str(error))
        people(error.message)
        people(error.hint)


def raised(text: str) -> Iterator[errors.VoiceflowError]:
    """One of every kind, with `text` in its message and its hint."""
    for name in dir(errors):
        kind = getattr(errors, name)
        if not (isinstance(kind, type) and issubclass(kind, errors.VoiceflowError)):
            continue
        if kind is ScriptError:
            yield ScriptError([Problem(Mark("s.yaml", 1, 1), text, text)])
        elif kind is UnknownNameError:
            yield UnknownNameError("session", text, [text, "other"])
        else:
            yield kind(f"{text} is wrong", hint=text)


def test_a_place_is_shown_and_still_leads_to_its_file() -> None:
    problem = Problem(Mark(f"{CLEARS}.yaml", 1, 2), "wrong")
    people(str(problem))
    assert r"\x1b[2J" in str(problem)
    assert problem.mark.file == f"{CLEARS}.yaml"


def test_paths_are_told_whole() -> None:
    file = "/" + "/".join(["a-folder"] * 100) + "/s.yaml"
    assert str(ScriptError([Problem(Mark(file, 3, 4), "wrong")])) == f"{file}:3:4: error: wrong"


@pytest.mark.parametrize(
    "text",
    [
        "naïve Größe",
        "Спина и бёдра",
        "背中",
        "שלום",
        "👩‍👩‍👧 yoga",
        "می‌خواهم",
        "two\nlines",
        "½\u00a0kg",
    ],
)
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    assert plain.plain(text) == text
    assert InputError(text).message == text


@given(st.text(st.characters(), max_size=400))
def test_anything_is_made_plain_once_and_for_all(text: str) -> None:
    made = plain.plain(text)
    assert not OBEYED.search(made)
    assert plain.plain(made) == made
    made.encode("utf-8")


@pytest.mark.parametrize("most", [10, 160])
def test_what_is_too_long_keeps_both_its_ends(most: int) -> None:
    short = plain.shortened("a" * 500 + "z" * 500, most)
    assert len(short) == most
    assert (short[0], short[-1]) == ("a", "z")


# Every place that raises

FOREIGN = {"error", "exc", "exception", "e"}
# Words of a voice's engine and of what a driver needs: nobody else knows what is wrong there.
PASSED_ON = {"voices/engine.py", "voices/voice.py", "formats/m4b.py"}


def test_no_error_of_a_library_is_passed_on_as_it_is() -> None:
    """`f"… {error}"` in a message of ours: its words are Python's, or a library's."""
    package = Path(voiceflow.__file__).parent
    found = []
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package).as_posix()
        if where in PASSED_ON or where.startswith("server/"):
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and told(call):
                found += [f"{where}:{call.lineno}" for one in call.args if passes_on(one)]
    assert not found


def told(call: ast.Call) -> bool:
    """Whether a call makes an error or a problem of ours."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    return name in {"Problem", "TemplateFault"} or (name in dir(errors) and name.endswith("Error"))


def passes_on(argument: ast.expr) -> bool:
    """Whether an argument holds an exception itself, or the text of one."""
    for node in ast.walk(argument):
        if isinstance(node, ast.FormattedValue):
            node = node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str":
            node = node.args[0]
        else:
            continue
        if isinstance(node, ast.Name) and node.id in FOREIGN:
            return True
    return False
