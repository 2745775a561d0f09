"""Finds markup that a text does not know, and that is said as it stands.

In: the source of a text. Out: `{side}` with one brace, HTML and SSML tags, entities, and what to
write instead.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5

from voiceflow.core.errors import Problem, did_you_mean
from voiceflow.lint.script_texts import Written, plain
from voiceflow.script.fields import locate
from voiceflow.script.template_checks import PHRASE_VARIABLES, TEXT_VARIABLES

# Keys of plain text that nobody hears.
UNHEARD_KEYS = ("tags", "pronounce")
# Keys of plain text that is heard: `{{ side }}` is not filled in there.
_PLAIN = ("name", "title", "needs")
PLAIN_KEYS = (*_PLAIN, *UNHEARD_KEYS)

# With a dollar sign, too: so other template languages write it.
_BRACED = re.compile(r"(?<![{$])\$?\{\s*([^\W\d]\w*)\s*\}\}?(?!\})")
_ANY_BRACES = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}|\$?\{\s*[^\W\d]\w*\s*\}")
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][\w:-]*)"
    r"(?P<values>(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))*)\s*(?P<empty>/?)>"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_PAUSES = ("break", "mstts:silence")
_TAGS = frozenset(
    "a abbr audio b big blockquote body br center cite code dd del div dl dt em emphasis font"
    " footer h1 h2 h3 h4 h5 h6 head header hr html i img ins lang li lexicon mark meta ol p"
    " paragraph phoneme pre prosody q s say-as script section sentence small span speak strike"
    " strong style sub sup table tbody td th title tr tt u ul video voice w".split()
)
_SPACES = "\t\n\r\xa0 \u2002\u2003\u2009\u200b\u200c\u200d"

# Later findings stand at the beginning of their text: to find places for thousands takes too long.
MANY = 100


@dataclass(frozen=True, slots=True)
class Markup:
    """What was found at `start`, and what is wrong with it."""

    start: int
    source: str
    message: str
    hint: str


def markup_warnings(texts: Iterable[Written]) -> Iterator[Problem]:
    """A warning at each piece of markup in the spoken texts of a script."""
    placed = 0
    for one in texts:
        if one.key in UNHEARD_KEYS:
            continue
        found = list(markup(one.node.text))
        if one.key in _PLAIN:
            # `_not_filled` tells of braces: here it would not help to double them.
            found = [each for each in found if each.source[0] not in "${"]
            found += _not_filled(one.key, one.node.text)
        for each in found:
            mark = locate(one.node.mark, each.source) if placed < MANY else one.node.mark
            placed += 1
            yield Problem(mark, each.message, each.hint, "warning")


def markup(text: str) -> Iterator[Markup]:
    """The markup in the source of a template, outside its Jinja."""
    bare = plain(text)
    for match in _BRACED.finditer(bare):
        yield _found(match, _variable(match[1]))
    for match in _TAG.finditer(bare):
        if hint := _tag_hint(match):
            yield _found(match, hint)
    for match in re.finditer("<!--", bare):
        yield _found(match, "remove the comment, or write it as {# … #}")
    for match in _ENTITY.finditer(bare):
        sign = html.unescape(match[0])
        # The names in `html5` end in a semicolon, as the match does.
        if match[0].startswith("&#") or match[0][1:] in html5:
            hint = "write a blank" if sign in _SPACES else f"write {sign}"
            yield _found(match, hint)


def _found(match: re.Match[str], hint: str) -> Markup:
    told = match[0] if len(match[0]) <= 40 else f"{match[0][:39]}…"
    return Markup(match.start(), match[0], f"`{told}` is not understood and is said as it is", hint)


def _variable(name: str) -> str:
    """A hint for a variable that is not in double braces."""
    word = name.lower()
    if word in PHRASE_VARIABLES:
        return f"write {{{{ {word} }}}}"
    close = did_you_mean(word, TEXT_VARIABLES)
    return close or "write it without braces; a variable has two: {{ side }}"


def _tag_hint(match: re.Match[str]) -> str:
    """What to write instead of a tag; "" for what is none."""
    name = match["name"].lower()
    if name in _PAUSES:
        return "for a pause use a step of its own in a `flow:`: `- silence 2s`"
    if name in TEXT_VARIABLES and not match["values"] and not match["end"]:
        return f"write {{{{ {name} }}}}"
    # An unknown `<word>` alone may be no tag at all.
    if name in _TAGS or match["values"] or match["end"] or match["empty"]:
        return "remove the tag: only plain text is spoken"
    return ""


def _not_filled(key: str, text: str) -> Iterator[Markup]:
    for match in _ANY_BRACES.finditer(text):
        message = f"`{match[0][:40]}` is said as it is: `{key}:` is not a template"
        yield Markup(match.start(), match[0], message, "write the words themselves")
