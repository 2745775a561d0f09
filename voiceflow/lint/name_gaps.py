"""Warns of texts that have a gap where the person's name is not known.

In: the texts of a script. Out: a warning at each `{{ name }}` without a guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from voiceflow.core.errors import Problem
from voiceflow.lint.markup import MANY, PLAIN_KEYS
from voiceflow.lint.phrase_checks import MOMENTS
from voiceflow.lint.script_texts import Written
from voiceflow.script.fields import locate, split_versions
from voiceflow.script.sandbox import TemplateFault
from voiceflow.script.templates import names_in, render

# In no text, so that it can be taken out again.
_SOMEONE = "Zqx"
_EXPRESSION = re.compile(r"\{\{-?\s*name\b[^{}]*\}\}")
_GUARD = re.compile(r"\{%[^%]*\bname\b|\{\{[^{}]*\bif\b[^{}]*\bname\b")
_HINT = (
    "write `{% if name %}, {{ name }}{% endif %}`, or `name:` in the session; "
    "the exercise is {{ exercise }}"
)


def name_gaps(texts: Iterable[Written]) -> Iterator[Problem]:
    """Warnings for the texts in which a name is missed where there is none."""
    placed = 0
    for one in texts:
        if one.key in PLAIN_KEYS or "name" not in one.node.text:
            continue
        for version in split_versions(one.node.text):
            if (gap := _gap(version)) and (found := _EXPRESSION.search(version)):
                mark = locate(one.node.mark, found[0]) if placed < MANY else one.node.mark
                placed += 1
                message = f"without a name, `{found[0]}` leaves a gap: {gap[:80]!r}"
                yield Problem(mark, message, _HINT, "warning")


def _gap(version: str) -> str:
    """What is said without a name, if just the name is missing there; "" if that is seen to."""
    try:
        if "name" not in names_in(version) or _GUARD.search(version):
            return ""
        named = render(version, {**MOMENTS[0], "name": _SOMEONE})
        nameless = render(version, {**MOMENTS[0], "name": ""})
    except TemplateFault:  # told by the checker of the script
        return ""
    # A filter such as `upper` may have changed its letters.
    missing = re.sub(_SOMEONE, "", named, flags=re.IGNORECASE)
    # Where more than the name differs, the template has another text for nobody.
    return nameless if " ".join(missing.split()) == nameless != named else ""
