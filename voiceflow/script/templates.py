"""Checks and renders Jinja templates that come from strangers.

In: a text with Jinja and plain values (texts and numbers). Out: the rendered text, or a
`TemplateFault`. Jinja's own sandbox is not enough: it lets `{{ 'x' * 10**8 }}` build 100 MB. So
every part of a parsed template must be on the list `_ALLOWED`, there are no loops, and numbers,
steps and characters are counted while it runs.
"""

from __future__ import annotations

import re
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
# Not here: what makes a text grow (`center`, `replace`, `join`, `format`), what reaches for
# attributes (`attr`, `map`, `groupby`).
FILTERS = frozenset(
    "abs capitalize d default int length lower round string title trim upper".split()
)
# The filters that return numbers.
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


# What Jinja says, and what is meant; and what it calls the marks that stand in a template.
_SYNTAX = (
    (r"expected token '(.+?)', got '(.+?)'$", "`{0}` is missing before `{1}`"),
    (r"Expected an expression, got '(.+?)'", "something is missing before `{0}`"),
    (r"unexpected char '(.+?)'", "the character {0!r} cannot stand here"),
    (r"unknown tag '(.+?)'", "there is no tag `{0}`"),
    (r"[Uu]nexpected end of template", "a `{{% … %}}` or `{{{{ … }}}}` is opened and not closed"),
    (r"unexpected '(.+?)'", "`{0}` cannot stand here"),
    (r"No (filter|test) named '(.+?)'", "there is no {0} `{1}`"),
    (r"Missing end of (comment|raw)", "a {0} is opened and not closed"),
    (r"too (?:few|many)", "the number of values does not fit here"),
)
_MARKS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
    "end of template": "the end",
    "name": "a name",
}


# What Jinja calls things that are written without a word.
_SIGNS = {"dict": "{}", "callblock": "call", "filterblock": "filter", "fromimport": "from"}


class TemplateFault(Exception):
    """A template that cannot be used; `needle` is the word at fault, `line` its line."""

    def __init__(self, message: str, *, hint: str = "", needle: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.hint, self.needle, self.line = message, hint, needle, line


class _Sideless(str):
    """The empty side of an exercise without sides: `{% if side %}` works, `{{ side }}` does not."""


class _Budget(threading.local):
    """Counts what a template outputs in one rendering; each thread has its own counts."""

    steps = 0
    characters = 0

    def reset(self) -> None:
        self.steps = self.characters = 0

    def spend(self, value: Any) -> Any:
        """Count one value that a template outputs; Jinja calls this for each `{{ }}`."""
        if isinstance(value, _Sideless):
            hint = "write `sides: each` or `sides: alternate`, or leave the side out of the text"
            raise TemplateFault("there is no side here: the exercise has no `sides:`", hint=hint)
        # An Undefined passes: as soon as it becomes text, StrictUndefined raises and names it.
        if not isinstance(value, str | int | float | Undefined):
            raise TemplateFault("a template can output only text and numbers")
        _bounded(value)
        self.steps += 1
        self.characters += len(value) if isinstance(value, str) else 1
        if self.steps > MAX_STEPS or self.characters > MAX_CHARACTERS:
            raise TemplateFault("the output is too long", hint="make the template simpler")
        return value


_budget = _Budget()


def _bounded(value: Any) -> Any:
    """`value`, unless it is a number beyond MAX_NUMBER."""
    # `not … <=` refuses NaN, too: every comparison with it is False.
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise TemplateFault(_TOO_LARGE)
    return value


def _bounding(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its result bounded: `'9…9' | int` can be a number of 4,300 digits."""

    @wraps(function)
    def bounded(*given: Any, **named: Any) -> Any:
        return _bounded(function(*given, **named))

    return bounded


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with arithmetic only on numbers, and every result bounded.

    A bound on the output alone would come too late: `{% set a = a * a %}`, 18 times, makes a
    number of 250,000 digits before anything is output.
    """

    # Without `**`: its node is not on the list `_ALLOWED`.
    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%"])

    def __init__(self) -> None:
        # Spoken text: `&` must not become `&amp;`. Jinja needs no cache of its own, as `_compiled`
        # has one of what was checked.
        super().__init__(
            undefined=StrictUndefined, finalize=_budget.spend, autoescape=False, cache_size=0
        )
        # Jinja brings `range`, `lipsum` and more: nothing may be called but a file's own macros.
        self.globals.clear()
        for name in _NUMBERING:
            self.filters[name] = _bounding(self.filters[name])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(side, int | float) for side in (left, right)):
            hint = "join texts with ~"
            raise TemplateFault(f"`{operator}` works only on numbers", hint=hint, needle=operator)
        try:
            return _bounded(super().call_binop(context, operator, left, right))
        except ZeroDivisionError:
            hint = "ask first whether the number is 0: {% if reps > 1 %} … {% endif %}"
            raise TemplateFault("division by zero", hint=hint, needle=operator) from None


_environment = _Environment()


def faults(source: str, variables: frozenset[str] = TEXT_VARIABLES) -> list[TemplateFault]:
    """Every fault in a template, found without running it; empty for a text without braces."""
    if "{" not in source or (source, variables) in _clean:
        return []
    found = _faults(source, variables)
    if not found:
        if len(_clean) >= _MOST_CLEAN:
            _clean.clear()
        _clean.add((source, variables))
    return found


# Templates without a fault, to skip checking them again: a session is decided several times.
_clean: set[tuple[str, frozenset[str]]] = set()
_MOST_CLEAN = 4096


def _faults(source: str, variables: frozenset[str]) -> list[TemplateFault]:
    try:
        tree = _environment.parse(source)
    except TemplateSyntaxError as error:
        return [TemplateFault(_sentence(error.message), line=error.lineno)]
    except RecursionError:
        return [TemplateFault("the template is nested too deeply")]
    except ValueError:  # Python refuses to parse a number of more than 4,300 digits
        return [TemplateFault(_TOO_LARGE)]
    if too_large := _size_fault(tree):
        return [too_large]
    found = chain(_shape_faults(tree), _name_faults(tree, variables))
    return list(islice(found, _MAX_FAULTS))


def _sentence(message: str | None) -> str:
    """What Jinja found, in words for who writes scripts and not programs."""
    for pattern, words in _SYNTAX:
        if found := re.search(pattern, message or ""):
            said = (_MARKS.get(one, one) for one in found.groups())
            return "template: " + words.format(*said)
    return "template: what stands here cannot be read"


def _size_fault(tree: nodes.Template) -> TemplateFault | None:
    """A fault if the tree has too many nodes or is too deep.

    It walks without recursion, so that the recursive checks after it cannot overflow the stack.
    """
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            return TemplateFault("the template is nested too deeply", line=node.lineno)
        if seen > MAX_PARTS:
            return TemplateFault("the template is too long", hint="make the template simpler")
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())
    return None


def _shape_faults(tree: nodes.Template) -> Iterator[TemplateFault]:
    macros: set[str] = set()
    # By `id`, because nodes of Jinja are equal where their parts are.
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
            # Set or output, a list could hold another several times, and that one a third.
            hint = 'write {% if position in ["seated", "standing"] %}'
            yield TemplateFault("a list is allowed only after `in`", hint=hint, line=line)
        elif isinstance(node, nodes.Const) and not _is_small(node.value, MAX_NUMBER):
            yield TemplateFault(_TOO_LARGE, line=line)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            needle = node.attr if isinstance(node, nodes.Getattr) else ""
            hint = "use the variables as they are: {{ side }}, {{ rep }}"
            yield TemplateFault("`.` and `[]` are not allowed", hint=hint, needle=needle, line=line)
        # Only what is output is counted: `set` could double a text each time it joins it to itself.
        elif isinstance(node, nodes.Assign) and (node.find(nodes.Concat) or node.find(nodes.Call)):
            yield TemplateFault("`set` cannot join texts or call macros", line=line)
        elif isinstance(node, nodes.Expr | nodes.Stmt) and not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            what = _SIGNS.get(what, what)
            hint = "templates cannot loop, import or include"
            yield TemplateFault(
                f"`{what}` is not allowed in a template", hint=hint, needle=what, line=line
            )
    if sets > _MAX_SETS:
        yield TemplateFault(f"the template has more than {_MAX_SETS} `set` statements")


def _macro_faults(node: nodes.Macro, macros: set[str], top: bool) -> Iterator[TemplateFault]:
    message = ""
    if node.args:
        message = "a macro cannot have parameters"
    elif not top:
        message = "a macro must not be inside another block"
    # A second one of that name could call what calls the first: a ring.
    elif node.name in macros:
        message = f"duplicate macro `{node.name}`"
    if message:
        yield TemplateFault(message, needle=node.name, line=node.lineno)


def _is_small(value: Any, most: float) -> bool:
    """Whether a constant is text, or a number up to `most`."""
    return not isinstance(value, int | float) or abs(value) <= most


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """All nodes in the order of the text, but a macro after its body.

    So a macro is not yet known while its own body is checked, and cannot call itself.
    """
    for child in tree.iter_child_nodes():
        if isinstance(child, nodes.Macro):
            yield from _walk(child)
            yield child
        else:
            yield child
            yield from _walk(child)


def _outputs(output: nodes.Output) -> Iterator[nodes.Node]:
    """The expressions that are output directly or through filters: those that are counted."""
    for child in output.nodes:
        one: nodes.Node | None = child
        while isinstance(one, nodes.Filter):
            one = one.node
        if one is not None:
            yield one


def _call_faults(node: nodes.Call, macros: set[str], shown: bool) -> Iterator[TemplateFault]:
    name = node.node.name if isinstance(node.node, nodes.Name) else "this"
    if name not in macros:
        hint = "call only macros that are defined earlier in the file"
        yield TemplateFault(f"`{name}` cannot be called", hint=hint, needle=name, line=node.lineno)
    # Output is counted; what a macro says elsewhere, in a filter's argument, would not be.
    elif not shown or node.args or node.kwargs:
        hint = f"write {{{{ {name}() }}}} on its own"
        yield TemplateFault(
            f"the macro `{name}` can only be output", hint=hint, needle=name, line=node.lineno
        )


def _word_faults(node: nodes.Filter | nodes.Test) -> Iterator[TemplateFault]:
    known, sort = (FILTERS, "filter") if isinstance(node, nodes.Filter) else (TESTS, "test")
    if node.name not in known:
        hint = did_you_mean(node.name, known)
        yield TemplateFault(
            f"unknown {sort} `{node.name}`", hint=hint, needle=node.name, line=node.lineno
        )
    # `round` computes 10 to the power of its argument: a large one would never end.
    given = [*(node.args or ()), *(pair.value for pair in node.kwargs or ())]
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield TemplateFault(
            "`*` and `**` arguments are not allowed", needle=node.name, line=node.lineno
        )
    plain = all(isinstance(one, nodes.Const) and _is_small(one.value, 100) for one in given)
    # In a base that is a power of two, Python reads any number of digits: `int` takes no base.
    if node.name in ("round", "int") and (not plain or (node.name == "int" and given[1:])):
        message = f"`{node.name}` takes only small numbers"
        yield TemplateFault(message, needle=node.name, line=node.lineno)


def _name_faults(tree: nodes.Template, variables: frozenset[str]) -> Iterator[TemplateFault]:
    lines: dict[str, int] = {}
    for one in tree.find_all(nodes.Name):
        lines.setdefault(one.name, one.lineno)
    for name in sorted(_names(tree) - variables):
        line = lines.get(name, 0)
        hint = did_you_mean(name, variables)
        yield TemplateFault(f"unknown variable `{name}`", hint=hint, needle=name, line=line)


def _names(tree: nodes.Node) -> set[str]:
    """The variables that a template reads: names that it neither sets nor calls."""
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
    # A template gets what it reads and nothing else.
    names = tuple(sorted(_names(tree) & variables))
    return _Compiled(_built(source), names)


def _built(source: str | nodes.Template) -> Template:
    """A checked source as a template. Jinja evaluates constants here, which may still fail."""
    try:
        return _environment.from_string(source)
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
    values |= {name: _Sideless() for name in _SIDES & values.keys() if not values[name]}
    return " ".join(_guarded(lambda: compiled.template.render(values)).split())


def _values(names: Iterable[str], context: Context) -> dict[str, str | int]:
    """The values for a template. A bar in a title becomes a pause: it must not split versions."""
    given = ((name, context.get(name, "")) for name in names)
    return {n: one if isinstance(one, int) or "|" not in one else _bare(one) for n, one in given}


def _bare(text: str) -> str:
    return ", ".join(part for part in map(str.strip, text.split("|")) if part)


def _guarded(run: Callable[[], str]) -> str:
    _budget.reset()
    try:
        return run()
    except TemplateFault as fault:
        fault.line = fault.line or _line_of(fault)
        raise
    except TemplateError as error:
        raise TemplateFault(_sentence(error.message), line=_line_of(error)) from None
    # OverflowError, TypeError, ValueError … are not TemplateError: a filter may raise any.
    except (ArithmeticError, TypeError, ValueError, RecursionError, LookupError) as error:
        raise _failure(error) from None


def _failure(error: Exception) -> TemplateFault:
    """Why a template failed with the values of its moment: Python's words are not for people."""
    line = _line_of(error)
    if isinstance(error, ZeroDivisionError):
        return TemplateFault("template: division by zero", line=line)
    if isinstance(error, ArithmeticError):
        return TemplateFault(_TOO_LARGE, line=line)
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
        tree = _environment.parse(source)
        # Before `_prefixed`, which renames the macros in the tree itself.
        self._needs = _macro_needs(tree)
        self._template = _built(_prefixed(tree))
        self._said: dict[tuple[Any, ...], str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._needs

    def render(self, name: str, context: Context) -> str:
        """The text of macro `name` with the values in `context`, with its bars; may be empty."""
        values = _values(self._needs[name], context)
        key = (name, *values.values())
        said = self._said.get(key)
        if said is None:
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            said = self._said[key] = _guarded(lambda: self._call(name, values))
        return said

    def _call(self, name: str, values: dict[str, Any]) -> str:
        # In a module a macro has a name to be called by; it is made anew, as it holds the values.
        module = self._template.make_module(values)
        return str(_budget.spend(getattr(module, _PREFIX + name)())).strip()


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
        needs[macro.name] = (_names(macro) | top).union(
            *(needs.get(name, set()) for name in called)
        )
    return {name: tuple(sorted(used & PHRASE_VARIABLES)) for name, used in needs.items()}


def macro_names(source: str) -> tuple[str, ...]:
    """The macros in a source without faults, in order."""
    return tuple(macro.name for macro in _environment.parse(source).find_all(nodes.Macro))
