"""The sides that a text names, as a listener understands it: "right away" is no side.

In: a text and its language. Out: which sides it names, each with the word for it. Only whole words
count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

_SIDES: Mapping[str, Mapping[str, str]] = {
    "en": {"right": "right", "left": "left"},
    "es": {"right": r"derech[oa]s?", "left": r"izquierd[oa]s?"},
}

# After these, "right" and "left" are sides whatever stands before them: "that left knee".
_PART = (
    r"(?! (?:arm|leg|hand|foot|feet|knee|hip|side|shoulder|elbow|ankle|heel|ear|eye|cheek|thigh|"
    r"toe|rib|palm|wrist|finger|thumb|calf|shin|buttock|glute|lung|nostril|sit|one|and|or)s?\b)"
)
_BEFORE_RIGHT = (
    r"(?:all|that's|that is|it's|is|feels?|feeling|seems?|looks?|sits?|just|about|quite|not|"
    r"(?:get|getting|do|doing|put|set) (?:it|this|that))"
)
_AFTER_RIGHT = (
    r"away|now|angles?|angled|handed|under|above|below|beneath|behind|in|into|at|through|up|down|back|"
    r"before|after|there|here|so|amount|along|around|across|beside|between|by|inside|off|onto|out|"
    r"past|from|where|when|until|till|then|as (?:you|it|if)|enough|for you|next to|on(?! top)|"
    r"way (?:up|round)|over|side up|"
    r"to (?:the (?:end|top|bottom|floor|edge|tips?|very)|your (?:fingers?|toes?)(?: ?tips?)?)"
)
_FITTING = (
    "height|size|length|weight|distance|pace|speed|tempo|rhythm|moment|time|place|spot|position|"
    "posture|direction|amount|effort|load|resistance|tension|pressure|shoes|thing|words?|choice|"
    "answer|level|balance|kind|sort|muscles?|range|dose|order|technique|form|way|setting|angle|number|"
    "stretch|depth|shape|feeling|one for"
)
_BEFORE_LEFT = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|few|some|any|much|little|more|"
    r"times?|minutes?|seconds?|breaths?|reps?|repetitions?|rounds?|sets?|cycles?|counts?|exercises?|"
    r"moments?|hours?|days?|weeks?|nothing|anything|something|all|that's|what|what's|whatever|energy|"
    r"strength|air|tension|effort|is|are|was|were|be|been|have|has|had|you've|halfway|you|we)"
)
# What is taken out of a text before a side is looked for in it.
_NO_SIDES: Mapping[str, str] = {
    "en": (
        rf"{_BEFORE_RIGHT} right{_PART}|"
        rf"right(?: |-)(?:{_AFTER_RIGHT})(?!\w)(?! (?:the |your )?left)|"
        rf"(?:the|a|at|no) right (?:{_FITTING})|(?<=, )right(?=\?)|"
        r"^right,? (?:let's|let us|we(?:'re| are)|here we)|"
        rf"{_BEFORE_LEFT} left{_PART}|left (?:to|over|behind)(?! (?:the |your )?right)|"
        r"left(?: |-)(?:off|alone|undone|handed)"
    ),
    "es": (
        r"(?:espalda|columna|cuerpo|tronco|torso|cuello|siéntate|ponte|mantente|quédate|todo|bien|"
        r"más|muy) derech[oa]s?"
    ),
}


def sides(text: str, language: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """The sides that `text` names, each with the word for it.

    Parameters
    ----------
    own : mapping from "right" and "left" to words, optional
        The words from the positions of a language; used if the language has no table.
    """
    found: dict[str, str] = {}
    meant = _whole(_NO_SIDES.get(language, "")).sub(" ", text.replace("’", "'"))
    for side in ("right", "left"):
        pattern = _SIDES.get(language, {}).get(side, "")
        word = re.escape(own.get(side, "")) if own and language not in _SIDES else ""
        if match := _whole("|".join(one for one in (pattern, word) if one)).search(meant):
            found[side] = match[0]
    return found


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    """`pattern` for whole words; an empty one becomes a pattern that never matches."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)" if pattern else r"(?!)", re.IGNORECASE)
