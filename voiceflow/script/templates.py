"""Renders Jinja templates that come from strangers.

In: a text with Jinja and plain values (texts and numbers). Out: the rendered text, or a
`TemplateFault`. What may stand in a template is checked in `template_checks`, and it runs in a
`sandbox`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, nodes

from voiceflow.script.sandbox import (
    CLIENT,
    TOO_LARGE,
    Client,
    Sideless,
    TemplateFault,
    budget,
    environment,
)
from voiceflow.script.template_checks import (
    PHRASE_VARIABLES,
    TEXT_VARIABLES,
    client_names,
    faults,
    names_read,
    sentence,
)

Context = Mapping[str, str | int]

_SIDES = frozenset(("side", "other_side"))
# In a context the client's values stand under their full names, ``client.goal``; a value for
# `ANY_CLIENT` stands in for all that lack.
ANYTHING = "*"
ANY_CLIENT = f"{CLIENT}.{ANYTHING}"


@dataclass(frozen=True, slots=True)
class _Compiled:
    template: Template
    names: tuple[str, ...]


@lru_cache(maxsize=4096)
def _compiled(source: str, variables: frozenset[str]) -> _Compiled:
    if wrong := faults(source, variables):
        raise wrong[0]
    tree = environment.parse(source)
    # A template gets what it reads and nothing else.
    names = tuple(sorted(names_read(tree) & variables | client_names(tree)))
    return _Compiled(_built(source), names)


def _built(source: str | nodes.Template) -> Template:
    """A checked source as a template. Jinja evaluates constants here, which may still fail."""
    try:
        return environment.from_string(source)
    except (ValueError, ArithmeticError, SyntaxError, RecursionError):
        raise TemplateFault("the template cannot be evaluated") from None


def names_in(source: str) -> tuple[str, ...]:
    """The variables that a text reads; () for a text without braces."""
    return _compiled(source, TEXT_VARIABLES).names if "{" in source else ()


def render(source: str, context: Context) -> str:
    """The text that `source` renders to with the values in `context`, white space folded.

    Raises
    ------
    TemplateFault
        The template is not allowed, or fails with these values.
    """
    if "{" not in source:
        return source
    compiled = _compiled(source, TEXT_VARIABLES)
    values = _values(compiled.names, context)
    values |= {name: Sideless() for name in _SIDES & values.keys() if not values[name]}
    given = _given(values)
    return " ".join(_guarded(lambda: compiled.template.render(given)).split())


def _values(names: Iterable[str], context: Context) -> dict[str, str | int]:
    """The values for a template. A bar in a title becomes a pause: it must not split versions."""
    given = ((name, _value(name, context)) for name in names)
    return {
        n: one if isinstance(one, int) or "|" not in one else _bare(one)
        for n, one in given
        if one is not None
    }


def _value(name: str, context: Context) -> str | int | None:
    """The value of a variable; None for one that this client does not have."""
    if name.startswith(f"{CLIENT}."):
        return context.get(name, context.get(ANY_CLIENT))
    return context.get(name, "")


def _given(values: Mapping[str, str | int]) -> dict[str, Any]:
    """Values by their full names as a template takes them: those of the client in one object."""
    own, prefix = {}, f"{CLIENT}."
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith(prefix):
            own[name.removeprefix(prefix)] = value
        else:
            given[name] = value
    return given | {CLIENT: Client(own)}


def _bare(text: str) -> str:
    return ", ".join(part for part in map(str.strip, text.split("|")) if part)


def _guarded(run: Callable[[], str]) -> str:
    budget.reset()
    try:
        return run()
    except TemplateFault as fault:
        fault.line = fault.line or _line_of(fault)
        raise
    except TemplateError as error:
        raise TemplateFault(sentence(error.message), line=_line_of(error)) from None
    # OverflowError, TypeError, ValueError … are not TemplateError: a filter may raise any.
    except (ArithmeticError, TypeError, ValueError, RecursionError, LookupError) as error:
        raise _failure(error) from None


def _failure(error: Exception) -> TemplateFault:
    """Why a template failed with the values of its moment: Python's words are not for people."""
    line = _line_of(error)
    if isinstance(error, ZeroDivisionError):
        return TemplateFault("template: division by zero", line=line)
    if isinstance(error, ArithmeticError):
        return TemplateFault(TOO_LARGE, line=line)
    if isinstance(error, RecursionError):
        return TemplateFault("the template is nested too deeply", line=line)
    message = "template: this cannot be done with the values that stand here"
    hint = "`~` joins texts and numbers; `|int` makes a number of a text"
    return TemplateFault(message, hint=hint, line=line)


def _line_of(error: Exception) -> int:
    """The line of the innermost template in which `error` was raised; 0 outside of templates.

    A compiled template is a Python module: only the template itself knows which of its own lines
    a line of that module stands for.
    """
    line, trace = 0, error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


class Macros:
    """A file of macros without parameters. A macro is rendered once for the values it reads."""

    def __init__(self, source: str) -> None:
        """`source` must have passed `faults(source, PHRASE_VARIABLES)` without a fault."""
        self.source = source
        tree = environment.parse(source)
        # Before `_prefixed`, which renames the macros in the tree itself.
        self._needs = _macro_needs(tree)
        self._template = _built(_prefixed(tree))
        self._said: dict[tuple[Any, ...], str] = {}

    @property
    def reads(self) -> frozenset[str]:
        """The variables that any of the macros reads."""
        return frozenset(name for names in self._needs.values() for name in names)

    def __contains__(self, name: str) -> bool:
        return name in self._needs

    def render(self, name: str, context: Context) -> str:
        """The text of macro `name` with the values in `context`, with its bars; may be empty."""
        values = _values(self._needs[name], context)
        # By name too: of the client's values some may be missing.
        key = (name, *values.items())
        said = self._said.get(key)
        if said is None:
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            said = self._said[key] = _guarded(lambda: self._call(name, values))
        return said

    def _call(self, name: str, values: dict[str, Any]) -> str:
        # In a module a macro has a name to be called by; it is made anew, as it holds the values.
        module = self._template.make_module(_given(values))
        return str(budget.spend(getattr(module, _PREFIX + name)())).strip()


_MOST_SAID = 20_000

# A macro and a variable may share a name (`next` says `{{ next }}`), so macros get a prefix.
_PREFIX = "say_"


def _prefixed(tree: nodes.Template) -> nodes.Template:
    for macro in tree.find_all(nodes.Macro):
        macro.name = _PREFIX + macro.name
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            call.node.name = _PREFIX + call.node.name
    return tree


def _macro_needs(tree: nodes.Template) -> dict[str, tuple[str, ...]]:
    """For each macro, the variables that it and the macros it calls read."""
    needs: dict[str, set[str]] = {}
    top = {n.name for assign in tree.find_all(nodes.Assign) for n in assign.find_all(nodes.Name)}
    for macro in tree.find_all(nodes.Macro):
        # A macro calls only earlier ones (`_call_faults`): what they need stands here already.
        calls = [call.node for call in macro.find_all(nodes.Call)]
        called = {node.name for node in calls if isinstance(node, nodes.Name)}
        needs[macro.name] = (names_read(macro) | top).union(
            *(needs.get(name, set()) for name in called)
        )
    return {
        name: tuple(sorted(one for one in used if one in PHRASE_VARIABLES or "." in one))
        for name, used in needs.items()
    }


def macro_names(source: str) -> tuple[str, ...]:
    """The macros in a source without faults, in order."""
    return tuple(macro.name for macro in environment.parse(source).find_all(nodes.Macro))
