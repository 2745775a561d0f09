"""Tables of words for a listener who cannot look: pointing words, sides, things, breath.

A text and its language in, the words of each kind out; only whole words count. A language without
a table has no findings of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

LANGUAGES = ("en", "es")

# Words that cannot be followed without seeing.
POINTING: Mapping[str, tuple[str, ...]] = {
    "en": (
        "like this", "like so", "like me", "as shown", "shown here", "follow me", "watch me",
        "look at me", "copy me", "as i do", "as you can see", "as you see", "on the screen",
        "in the video", "in the picture", "in the mirror",
    ),
    "es": (
        "como yo", "como se ve", "como se muestra", "como ves", "como puedes ver", "sígueme",
        "síganme", "seguidme", "mírame", "fíjate en mí", "hazlo así", "en la pantalla",
        "en el video", "en el vídeo", "en la imagen", "en el espejo",
    ),
}  # fmt: skip

# Words that often, but not always, point at something that must be seen.
LOOKING: Mapping[str, tuple[str, ...]] = {
    "en": ("this way", "watch", "look", "see", "here", "over there"),
    "es": ("mira", "mire", "mirad", "miren", "aquí", "acá", "ahí", "allí", "de esta manera"),
}

# Things by their name under `needs:` and `equipment:`. The patterns leave out the ball of the
# foot, circles that arms draw, weight on a leg, and the abdominal wall.
THINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "mat": "mats?",
        "chair": "chairs?",
        "wall": r"(?:a|the|free|nearest) wall(?! of)",
        "cushion": "cushions?|pillows?",
        "towel": "towels?",
        "strap": "straps?",
        "stool": "stools?",
        "roller": "rollers?",
        "circle": r"(?:the|your|small|magic) circle(?! of| with)",
        "ball": r"(?<!into a )balls?(?! of| joint| and socket)",
        "weight": r"(?:light|hand|small) weights?|(?:the|a|both) weights?(?! of| off)|dumb-?bells?",
        "band": r"(?<!it )bands?",
        "reformer": "reformer|footbar",
    },
    "es": {
        "mat": "esterillas?|colchonetas?",
        "chair": "sillas?",
        "wall": r"(?:una|la|pared libre|cualquier) pared(?! abdominal)",
        "cushion": "coj[ií]n(?:es)?|almohadas?",
        "towel": "toallas?",
        "strap": "correas?",
        "stool": "taburetes?|banquetas?",
        "roller": "rodillos?",
        "circle": r"(?:el|un|tu) aro",
        "ball": "pelotas?|bal[oó]n",
        "weight": "pesas?|mancuernas?",
        "band": r"bandas?(?! iliotibial)",
        "reformer": "reformer",
    },
}

# Parts that come with a thing.
_PARTS: Mapping[str, tuple[str, ...]] = {"reformer": ("strap",), "chair": ("stool",)}

# An image, to its end: "as if to sit on a chair" asks nobody to fetch a chair.
_PICTURES: Mapping[str, str] = {
    "en": r"\b(?:as if|as though|like an?|imagine)\b[^,.;:!?…]*",
    "es": r"\b(?:como si|como una?|imagina)\b[^,.;:!?…]*",
}

_BREATH: Mapping[str, str] = {
    "en": r"breath\w*|inhal\w*|exhal\w*",
    "es": r"respir\w*|inhal\w*|exhal\w*",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A word that points at something that must be seen; `sure` if it can mean nothing else."""

    start: int
    word: str
    sure: bool


def seen(text: str, languages: tuple[str, ...] = LANGUAGES) -> tuple[Seen, ...]:
    """The words in `text` that point at something that must be seen, in order, not nested."""
    found: list[Seen] = []
    # Sure ones first: "look at me" is not told again as "look".
    for table, sure in ((POINTING, True), (LOOKING, False)):
        for language in languages:
            for match in _any_of(table.get(language, ())).finditer(text):
                if not any(one.start <= match.start() < one.start + len(one.word) for one in found):
                    found.append(Seen(match.start(), match[0], sure))
    return tuple(sorted(found, key=lambda one: one.start))


def things(text: str, language: str) -> dict[str, str]:
    """The things that `text` asks for, by their name under `needs:`, each with its word."""
    table = THINGS.get(language, {})
    meant = _whole(_PICTURES.get(language, "")).sub("", text)
    matches = ((need, _whole(pattern).search(meant)) for need, pattern in table.items())
    return {need: match[0] for need, match in matches if match}


def listed(needs: Iterable[str], language: str) -> set[str]:
    """The things that `needs` name, also in other words, with their parts."""
    named = set(needs)
    named |= {thing for need in needs for thing in things(need, language)}
    return named | {part for thing in named for part in _PARTS.get(thing, ())}


def breathes(text: str, language: str) -> bool:
    """Whether `text` speaks of the breath; True in a language without a table."""
    pattern = _BREATH.get(language)
    return pattern is None or bool(_whole(pattern).search(text))


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    # An alternation takes the first word that matches, not the longest.
    longest = sorted(words, key=len, reverse=True)
    return _whole("|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest))


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    """`pattern` for whole words; an empty one becomes a pattern that never matches."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)" if pattern else r"(?!)", re.IGNORECASE)
