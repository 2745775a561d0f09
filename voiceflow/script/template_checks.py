"""Checks Jinja templates that come from strangers, without running them.

In: a text with Jinja. Out: its faults. Every part of a parsed template must be on the list
`_ALLOWED`, there are no loops, and nothing may be reached for but `client.NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from voiceflow.core.errors import did_you_mean
from voiceflow.script.sandbox import CLIENT, MAX_NUMBER, TOO_LARGE, TemplateFault, environment

TEXT_VARIABLES = frozenset(
    "exercise left level minutes name next other_side position rep reps seconds"
    " set sets side".split()
)
PHRASE_VARIABLES = TEXT_VARIABLES | frozenset(
    "about breath caution equipment exercises n next_position purpose remaining section"
    " sides tip title".split()
)
# Not here: what makes a text grow (`center`, `replace`, `join`, `format`), what reaches for
# attributes (`attr`, `map`, `groupby`).
FILTERS = frozenset(
    "abs capitalize d default int length lower round string title trim upper".split()
)
TESTS = frozenset(
    "defined divisibleby eq even ge gt in le lt ne number odd string undefined".split()
)

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
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        return [TemplateFault(sentence(error.message), line=error.lineno)]
    except RecursionError:
        return [TemplateFault("the template is nested too deeply")]
    except ValueError:  # Python refuses to parse a number of more than 4,300 digits
        return [TemplateFault(TOO_LARGE)]
    if too_large := _size_fault(tree):
        return [too_large]
    found = chain(_shape_faults(tree), _name_faults(tree, variables))
    return list(islice(found, _MAX_FAULTS))


def sentence(message: str | None) -> str:
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
            yield TemplateFault(TOO_LARGE, line=line)
        elif isinstance(node, nodes.Getattr | nodes.Getitem) and not _of_client(node):
            needle = node.attr if isinstance(node, nodes.Getattr) else ""
            hint = "use the variables as they are: {{ side }}, {{ rep }}"
            yield TemplateFault("`.` and `[]` are not allowed", hint=hint, needle=needle, line=line)
        # Only what is output is counted: `set` could double a text each time it joins it to itself.
        elif isinstance(node, nodes.Assign) and (node.find(nodes.Concat) or node.find(nodes.Call)):
            yield TemplateFault("`set` cannot join texts or call macros", line=line)
        elif isinstance(node, nodes.Expr | nodes.Stmt) and not (
            isinstance(node, _ALLOWED) or _of_client(node)
        ):
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
    for name in sorted(names_read(tree) - variables - client_names(tree)):
        line = lines.get(name, 0)
        hint = did_you_mean(name, variables)
        if name == CLIENT:
            hint = "write which of the client's values: {{ client.goal }}"
        yield TemplateFault(f"unknown variable `{name}`", hint=hint, needle=name, line=line)


def names_read(tree: nodes.Node) -> set[str]:
    """The variables that a template reads: names that it neither sets nor calls."""
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    called |= {id(one.node) for one in tree.find_all(nodes.Getattr) if _of_client(one)}
    names = [name for name in tree.find_all(nodes.Name) if id(name) not in called]
    read = {n.name for n in names if n.ctx == "load"} - {n.name for n in names if n.ctx != "load"}
    return read | client_names(tree)


def client_names(tree: nodes.Node) -> set[str]:
    """The client's values that a template reads, by their full names: ``client.goal``."""
    found = (one for one in tree.find_all(nodes.Getattr) if _of_client(one))
    return {f"{CLIENT}.{one.attr}" for one in found}


def _of_client(node: nodes.Node) -> bool:
    """Whether a node is `client.NAME`, the one attribute that a template may reach for."""
    return (
        isinstance(node, nodes.Getattr)
        and isinstance(node.node, nodes.Name)
        and node.node.name == CLIENT
        and not node.attr.startswith("_")
    )
