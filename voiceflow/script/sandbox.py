"""Where the templates of strangers run: Jinja's sandbox, with everything counted and bounded.

In: checked templates and plain values. Jinja's own sandbox is not enough: it lets
`{{ 'x' * 10**8 }}` build 100 MB. So numbers, steps and characters are counted while it runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

CLIENT = "client"
"""What is known of one person beyond the name: `{{ client.goal }}`."""

# The filters that return numbers.
_NUMBERING = ("abs", "int", "length", "round")

MAX_STEPS = 2_000
MAX_CHARACTERS = 20_000
MAX_NUMBER = 10**12
TOO_LARGE = f"the number is larger than {MAX_NUMBER:,}"


class TemplateFault(Exception):
    """A template that cannot be used; `needle` is the word at fault, `line` its line."""

    def __init__(self, message: str, *, hint: str = "", needle: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.hint, self.needle, self.line = message, hint, needle, line


class Client:
    """The values of one person, as a template sees them: `client.goal`."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str | int]) -> None:
        self.values = values


class _NoValue(StrictUndefined):
    """A value that this person does not have: `if` and `default` may ask for it, none can say it.

    Nothing of a person is guessed: a letter to "your ," has to be apologised for.
    """

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


class Sideless(str):
    """The empty side of an exercise without sides: `{% if side %}` works, `{{ side }}` does not."""


class _Budget(threading.local):
    """Counts what a template outputs in one rendering; each thread has its own counts."""

    steps = 0
    characters = 0

    def reset(self) -> None:
        self.steps = self.characters = 0

    def spend(self, value: Any) -> Any:
        """Count one value that a template outputs; Jinja calls this for each `{{ }}`."""
        if isinstance(value, Sideless):
            hint = "write `sides: each` or `sides: alternate`, or leave the side out of the text"
            raise TemplateFault("there is no side here: the exercise has no `sides:`", hint=hint)
        if isinstance(value, _NoValue):
            name = str(value._undefined_name)
            hint = (
                f"give it: --client {name}=…, or a column `{name}` of a roster; or write "
                f'{{{{ client.{name} | default("…") }}}}'
            )
            raise TemplateFault(f"there is no value `client.{name}` here", hint=hint, needle=name)
        # An Undefined passes: as soon as it becomes text, StrictUndefined raises and names it.
        if not isinstance(value, str | int | float | Undefined):
            raise TemplateFault("a template can output only text and numbers")
        _bounded(value)
        self.steps += 1
        self.characters += len(value) if isinstance(value, str) else 1
        if self.steps > MAX_STEPS or self.characters > MAX_CHARACTERS:
            raise TemplateFault("the output is too long", hint="make the template simpler")
        return value


budget = _Budget()


def _bounded(value: Any) -> Any:
    """`value`, unless it is a number beyond MAX_NUMBER."""
    # `not … <=` refuses NaN, too: every comparison with it is False.
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise TemplateFault(TOO_LARGE)
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
            undefined=StrictUndefined, finalize=budget.spend, autoescape=False, cache_size=0
        )
        # Jinja brings `range`, `lipsum` and more: nothing may be called but a file's own macros.
        self.globals.clear()
        for name in _NUMBERING:
            self.filters[name] = _bounding(self.filters[name])

    def getattr(self, obj: Any, attribute: str) -> Any:
        # Not Jinja's own: it finds a method of Python's before a column of that name, as `items`.
        if not isinstance(obj, Client):
            raise TemplateFault(f"`{CLIENT}` is a text here", needle=CLIENT)
        found = obj.values.get(attribute)
        return _NoValue(name=attribute) if found is None else found

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(side, int | float) for side in (left, right)):
            hint = "join texts with ~"
            raise TemplateFault(f"`{operator}` works only on numbers", hint=hint, needle=operator)
        try:
            return _bounded(super().call_binop(context, operator, left, right))
        except ZeroDivisionError:
            hint = "ask first whether the number is 0: {% if reps > 1 %} … {% endif %}"
            raise TemplateFault("division by zero", hint=hint, needle=operator) from None


environment = _Environment()
