"""Jinja, narrowed: texts that see plain data and can neither loop, allocate nor read without bound.

Jinja's own sandbox is not enough: it lets `{{ 'x' * 10**8 }}` build 100 MB. So a template is
parsed, every part of it must be on the list below, and what runs is counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from itertools import chain, islice
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from voiceflow.core.errors import did_you_mean

Context = Mapping[str, str | int]

TEXT_VARIABLES = frozenset(
    "exercise left level minutes name next other_side position rep reps seconds"
    " set sets side".split()
)
PHRASE_VARIABLES = TEXT_VARIABLES | frozenset(
    "about breath caution equipment exercises n next_position purpose remaining section"
    " sides tip title".split()
)
_SIDES = frozenset(("side", "other_side"))
FILTERS = frozenset(
    "abs capitalize d default int length lower round string title trim upper".split()
)
# The filters that give numbers.
_NUMBERING = ("abs", "int", "length", "round")
TESTS = frozenset(
    "defined divisibleby eq even ge gt in le lt ne number odd string undefined".split()
)

MAX_STEPS = 2_000
MAX_CHARACTERS = 20_000
MAX_NUMBER = 10**12
_TOO_LARGE = f"the number is larger than {MAX_NUMBER:,}"
MAX_PARTS = 5_000
MAX_DEPTH = 40
_MAX_SETS = 20
_MAX_FAULTS = 20

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg,
    nodes.Pos, nodes.Filter, nodes.Test, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.Macro, nodes.Call, nodes.Assign, nodes.List,
    nodes.Tuple,
)  # fmt: skip


class TemplateFault(Exception):
    """A template that cannot be used. `needle` is the part at fault, `line` its line."""

    def __init__(self, message: str, *, hint: str = "", needle: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.hint, self.needle, self.line = message, hint, needle, line


class _Sideless(str):
    """The side of an exercise without sides: it can be asked for, but not said."""


class _Budget(threading.local):
    steps = 0
    characters = 0

    def reset(self) -> None:
        self.steps = self.characters = 0

    def spend(self, value: Any) -> Any:
        """Counts what a template puts out; Jinja calls it for each `{{ }}`."""
        if isinstance(value, _Sideless):
            hint = "write `sides: each` or `sides: alternate`, or the text without it"
            raise TemplateFault("there is no side: the exercise has no `sides:`", hint=hint)
        if not isinstance(value, str | int | float | Undefined):
            raise TemplateFault("only texts and numbers are put out")
        _bounded(value)
        self.steps += 1
        self.characters += len(value) if isinstance(value, str) else 1
        if self.steps > MAX_STEPS or self.characters > MAX_CHARACTERS:
            raise TemplateFault("the text grows without end", hint="make it simpler")
        return value


_budget = _Budget()


def _bounded(value: Any) -> Any:
    """`value`, where it is no number beyond MAX_NUMBER; not a number (NaN) is refused, too."""
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise TemplateFault(_TOO_LARGE)
    return value


def _bounding(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is bounded: `'9…9' | int` would be a number of 4,300 digits."""

    @wraps(function)
    def bounded(*given: Any, **named: Any) -> Any:
        return _bounded(function(*given, **named))

    return bounded


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with arithmetic on numbers alone, each result bounded before it is used.

    A bound on what is put out would come too late: 18 times `{% set a = a * a %}` square a
    number of a quarter million digits before anything is.
    """

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%"])

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, finalize=_budget.spend, autoescape=False, cache_size=0
        )
        self.globals.clear()
        for name in _NUMBERING:
            self.filters[name] = _bounding(self.filters[name])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(side, int | float) for side in (left, right)):
            raise TemplateFault(f"`{operator}` takes numbers", hint="join texts with ~")
        return _bounded(super().call_binop(context, operator, left, right))


_environment = _Environment()


def faults(source: str, variables: frozenset[str] = TEXT_VARIABLES) -> list[TemplateFault]:
    """Everything wrong with a template, without running it. Empty for a text without braces."""
    if "{" not in source or (source, variables) in _clean:
        return []
    found = _faults(source, variables)
    if not found:
        if len(_clean) >= _MOST_CLEAN:
            _clean.clear()
        _clean.add((source, variables))
    return found


# What was found clean is not read again: a session is decided many times over in one process.
_clean: set[tuple[str, frozenset[str]]] = set()
_MOST_CLEAN = 4096


def _faults(source: str, variables: frozenset[str]) -> list[TemplateFault]:
    try:
        tree = _environment.parse(source)
    except TemplateSyntaxError as error:
        return [TemplateFault(_sentence(error.message), line=error.lineno)]
    except RecursionError:
        return [TemplateFault("the template is nested too deeply")]
    except ValueError:  # Python reads no number of more than 4,300 digits
        return [TemplateFault(_TOO_LARGE)]
    if too_large := _size_fault(tree):
        return [too_large]
    found = chain(_shape_faults(tree), _name_faults(tree, variables))
    return list(islice(found, _MAX_FAULTS))


def _sentence(message: str | None) -> str:
    return "template: " + (message or "cannot be read").rstrip(".")


def _size_fault(tree: nodes.Template) -> TemplateFault | None:
    """Too many parts, or parts in parts: what reads the tree after this may then recurse."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            return TemplateFault("the template is nested too deeply", line=node.lineno)
        if seen > MAX_PARTS:
            return TemplateFault("the template is too long", hint="make it simpler")
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())
    return None


def _shape_faults(tree: nodes.Template) -> Iterator[TemplateFault]:
    macros: set[str] = set()
    top = {id(node) for node in tree.body}
    compared = {id(one.expr) for one in tree.find_all(nodes.Operand) if one.op in ("in", "notin")}
    shown = {id(child) for output in tree.find_all(nodes.Output) for child in _outputs(output)}
    sets = 0
    for node in _walk(tree):
        line = getattr(node, "lineno", 0)
        sets += isinstance(node, nodes.Assign)
        if isinstance(node, nodes.Macro):
            yield from _macro_faults(node, macros, id(node) in top)
            macros.add(node.name)
        elif isinstance(node, nodes.Call):
            yield from _call_faults(node, macros, id(node) in shown)
        elif isinstance(node, nodes.Filter | nodes.Test):
            yield from _word_faults(node)
        elif isinstance(node, nodes.List | nodes.Tuple) and id(node) not in compared:
            hint = 'a list stands only after `in`: {% if position in ["seated", "standing"] %}'
            yield TemplateFault("a list is not for texts", hint=hint, line=line)
        elif isinstance(node, nodes.Const) and not _is_small(node.value, MAX_NUMBER):
            yield TemplateFault(_TOO_LARGE, line=line)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            needle = node.attr if isinstance(node, nodes.Getattr) else ""
            hint = "use the names as they are: {{ side }}, {{ rep }}"
            yield TemplateFault("texts see plain data only", hint=hint, needle=needle, line=line)
        elif isinstance(node, nodes.Assign) and (node.find(nodes.Concat) or node.find(nodes.Call)):
            yield TemplateFault("`set` takes a plain value", line=line)
        elif isinstance(node, nodes.Expr | nodes.Stmt) and not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            hint = "texts have no loops, imports or includes"
            yield TemplateFault(f"`{what}` is not for texts", hint=hint, needle=what, line=line)
    if sets > _MAX_SETS:
        yield TemplateFault(f"more than {_MAX_SETS} `set`s")


def _macro_faults(node: nodes.Macro, macros: set[str], top: bool) -> Iterator[TemplateFault]:
    message = ""
    if node.args:
        message = "macros take no parameters"
    elif not top:
        message = "a macro stands by itself, not inside another part"
    elif node.name in macros:
        message = f"the macro `{node.name}` is there twice"
    if message:
        yield TemplateFault(message, needle=node.name, line=node.lineno)


def _is_small(value: Any, most: float) -> bool:
    """Whether a constant is a text, or a number up to `most`."""
    return not isinstance(value, int | float) or abs(value) <= most


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """All nodes in order of the text; a macro's name is known only after its body."""
    for child in tree.iter_child_nodes():
        if isinstance(child, nodes.Macro):
            yield from _walk(child)
            yield child
        else:
            yield child
            yield from _walk(child)


def _outputs(output: nodes.Output) -> Iterator[nodes.Node]:
    """The expressions put out directly, looking through filters: what is counted at run time."""
    for child in output.nodes:
        one: nodes.Node | None = child
        while isinstance(one, nodes.Filter):
            one = one.node
        if one is not None:
            yield one


def _call_faults(node: nodes.Call, macros: set[str], shown: bool) -> Iterator[TemplateFault]:
    name = node.node.name if isinstance(node.node, nodes.Name) else "this"
    if name not in macros:
        hint = "only a macro that stands earlier in the file can be called"
        yield TemplateFault(f"`{name}` cannot be called", hint=hint, needle=name, line=node.lineno)
    elif not shown or node.args or node.kwargs:
        hint = f"write {{{{ {name}() }}}} by itself"
        yield TemplateFault("a macro is only put out", hint=hint, needle=name, line=node.lineno)


def _word_faults(node: nodes.Filter | nodes.Test) -> Iterator[TemplateFault]:
    known, sort = (FILTERS, "filter") if isinstance(node, nodes.Filter) else (TESTS, "test")
    if node.name not in known:
        hint = did_you_mean(node.name, known)
        yield TemplateFault(
            f"there is no {sort} `{node.name}`", hint=hint, needle=node.name, line=node.lineno
        )
    # `round` would compute 10 to the power of what it is given.
    given = [*(node.args or ()), *(pair.value for pair in node.kwargs or ())]
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield TemplateFault("`*` is not for texts", needle=node.name, line=node.lineno)
    plain = all(isinstance(one, nodes.Const) and _is_small(one.value, 100) for one in given)
    if node.name in ("round", "int") and (not plain or (node.name == "int" and given[1:])):
        message = f"`{node.name}` takes small numbers only"
        yield TemplateFault(message, needle=node.name, line=node.lineno)


def _name_faults(tree: nodes.Template, variables: frozenset[str]) -> Iterator[TemplateFault]:
    lines: dict[str, int] = {}
    for one in tree.find_all(nodes.Name):
        lines.setdefault(one.name, one.lineno)
    for name in sorted(_names(tree) - variables):
        line = lines.get(name, 0)
        hint = did_you_mean(name, variables)
        yield TemplateFault(f"`{name}` is not known here", hint=hint, needle=name, line=line)


def _names(tree: nodes.Node) -> set[str]:
    """The variables a template reads: names that it neither sets itself nor calls."""
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    names = [name for name in tree.find_all(nodes.Name) if id(name) not in called]
    return {n.name for n in names if n.ctx == "load"} - {n.name for n in names if n.ctx != "load"}


@dataclass(frozen=True, slots=True)
class _Compiled:
    template: Template
    names: tuple[str, ...]


@lru_cache(maxsize=4096)
def _compiled(source: str, variables: frozenset[str]) -> _Compiled:
    if wrong := faults(source, variables):
        raise wrong[0]
    tree = _environment.parse(source)
    names = tuple(sorted(_names(tree) & variables))
    return _Compiled(_built(source), names)


def _built(source: str | nodes.Template) -> Template:
    """A clean source as a template. What Jinja works out at once may still be too much."""
    try:
        return _environment.from_string(source)
    except (ValueError, ArithmeticError, SyntaxError, RecursionError):
        raise TemplateFault("the template cannot be worked out") from None


def names_in(source: str) -> tuple[str, ...]:
    """The variables that a text looks at; () for a text without braces."""
    return _compiled(source, TEXT_VARIABLES).names if "{" in source else ()


def render(source: str, context: Context) -> str:
    """The text that `source` gives in `context`, white space folded.

    Raises
    ------
    TemplateFault
        It is not allowed, or it fails with these values.
    """
    if "{" not in source:
        return source
    compiled = _compiled(source, TEXT_VARIABLES)
    values = _values(compiled.names, context)
    values |= {name: _Sideless() for name in _SIDES & values.keys() if not values[name]}
    return " ".join(_guarded(lambda: compiled.template.render(values)).split())


def _values(names: Iterable[str], context: Context) -> dict[str, str | int]:
    """What a template sees. A bar in a title is a pause when it is said: it parts no versions."""
    given = ((name, context.get(name, "")) for name in names)
    return {n: one if isinstance(one, int) or "|" not in one else _bare(one) for n, one in given}


def _bare(text: str) -> str:
    return ", ".join(part for part in map(str.strip, text.split("|")) if part)


def _guarded(run: Callable[[], str]) -> str:
    _budget.reset()
    try:
        return run()
    except TemplateFault:
        raise
    except TemplateError as error:
        raise TemplateFault(_sentence(error.message)) from None
    # ZeroDivisionError, OverflowError, TypeError … are not TemplateError: a filter may raise any.
    except (ArithmeticError, TypeError, ValueError, RecursionError, LookupError) as error:
        raise TemplateFault(f"template: {error}") from None


class Macros:
    """A file of macros without parameters, each rendered once for what it looks at."""

    def __init__(self, source: str) -> None:
        """`source` has been through `faults(source, PHRASE_VARIABLES)` and is clean."""
        tree = _environment.parse(source)
        self._needs = _macro_needs(tree)
        self._template = _built(_prefixed(tree))
        self._said: dict[tuple[Any, ...], str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._needs

    def render(self, name: str, context: Context) -> str:
        """What macro `name` says in `context`, as written with its versions; may be empty."""
        values = _values(self._needs[name], context)
        key = (name, *values.values())
        said = self._said.get(key)
        if said is None:
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            said = self._said[key] = _guarded(lambda: self._call(name, values))
        return said

    def _call(self, name: str, values: dict[str, Any]) -> str:
        module = self._template.make_module(values)
        return str(_budget.spend(getattr(module, _PREFIX + name)())).strip()


_MOST_SAID = 20_000

# Macros and variables may share a name (`next` says what `{{ next }}` is): macros get a prefix.
_PREFIX = "say_"


def _prefixed(tree: nodes.Template) -> nodes.Template:
    for macro in tree.find_all(nodes.Macro):
        macro.name = _PREFIX + macro.name
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            call.node.name = _PREFIX + call.node.name
    return tree


def _macro_needs(tree: nodes.Template) -> dict[str, tuple[str, ...]]:
    """For each macro, the variables that it and the macros it calls look at."""
    needs: dict[str, set[str]] = {}
    top = {n.name for assign in tree.find_all(nodes.Assign) for n in assign.find_all(nodes.Name)}
    for macro in tree.find_all(nodes.Macro):
        calls = [call.node for call in macro.find_all(nodes.Call)]
        called = {node.name for node in calls if isinstance(node, nodes.Name)}
        needs[macro.name] = (_names(macro) | top).union(
            *(needs.get(name, set()) for name in called)
        )
    return {name: tuple(sorted(used & PHRASE_VARIABLES)) for name, used in needs.items()}


def macro_names(source: str) -> tuple[str, ...]:
    """The macros that a clean source defines, in order."""
    return tuple(macro.name for macro in _environment.parse(source).find_all(nodes.Macro))
