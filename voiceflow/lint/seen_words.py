"""Words that point at something that must be seen.

A text and its languages in, the words out. What only sounds alike is taken out first: "look up"
turns the head, "watch your breath" is done with closed eyes, "stay here" points at nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceflow.lint.word_tables import LANGUAGES, whole, without

# Words that cannot be followed without seeing.
POINTING: Mapping[str, str] = {
    "en": (
        r"like this|like so|like me|as shown|shown here|follow me|watch me|look at me|copy me|"
        r"as i do|as you can see|as you see|on the screen|in the video|in the picture|in the mirror"
    ),
    "es": (
        r"como yo|como se ve|como se muestra|como ves|como puedes ver|sígueme|síganme|seguidme|"
        r"mírame|fíjate en mí|hazlo así|en la pantalla|en el video|en el vídeo|en la imagen|"
        r"en el espejo"
    ),
}

_PLACING = r"(?:put|place|press|touch|point|bring|set|move|lift|reach|step|aim|tap|hands?|fingers?)"
_CLAUSE = r"(?:(?!\band\b|\bto\b|\bfrom\b|\bthen\b)[^.,;:!?…])"
_COLOCAR = r"(?:pon|ponga|poned|coloca|coloque|toca|toque|presiona|lleva|apunta|sube|mueve)"
_ALLI = r"(?:aquí|acá|ahí|allí)"
# Words that often, but not always, point at something that must be seen.
LOOKING: Mapping[str, str] = {
    "en": (
        rf"this way|watch|look|over there|{_PLACING}\b{_CLAUSE}{{0,40}}? here|"
        r"(?:feel|feeling|notice) (?:it|this|that|the \w+) (?:right |just )?here|"
        r"see (?:me|my|here|(?:how|what|where|the way) (?:i|i'm|my)|"
        r"(?:this|that|the) (?:picture|screen|video|image|photo|figure))"
    ),
    "es": (
        rf"mira|mire|mirad|miren|de esta manera|{_COLOCAR}\b[^.,;:!?…y]{{0,40}}? {_ALLI}|"
        rf"{_ALLI} y {_ALLI}"
    ),
}

_GOING_ON = (
    r"(?:stay(?:ing)?|remain(?:ing)?|rest(?:ing)?|breath(?:e|ing)|continu(?:e|ing)|keep \w+|"
    r"(?:go|carry)(?:ing)? on|lying|sitting|standing|relax(?:ing)?|wait(?:ing)?|linger|pause|"
    r"practi[sc](?:e|ing)|feels?|more|days?|times?|moments?|something|anything|nothing)"
)
_INNER = (
    r"(?:breath\w*|thoughts?|mind|inhale|exhale|ris(?:e|ing)|air|sensations?|feelings?|body|belly|"
    r"abdomen|chest|ribs?|waves?|emotions?|images?|clouds?|space|silence|stillness|heartbeat|pulse|"
    r"flow|flame|light|sounds?|moment|tension)"
)
_WHERE = (
    r"up|upwards?|down|downwards?|ahead|forwards?|straight|over|to|towards?|left|right|back|"
    r"inwards?|within|inside|in|beyond|past|between|after|for|out|into|through|around|under|along|"
    r"across|far|at the (?:ceiling|floor|ground|horizon|sky|wall)|as if|like"
)
# Taken out of a text before it is searched.
_HARMLESS: Mapping[str, str] = {
    "en": (
        rf"{_GOING_ON}(?: \w+)? like this|like so (?:many|much|often|far)|"
        r"(?:would|'d|you'd) like me|like me to|as you see fit|"
        r"on the screen (?:of|behind|in front|inside)|in the picture (?:of|you)|"
        rf"watch (?:the |your |each |every |this |that |any |how ){{0,3}}(?:\w+ )?{_INNER}|"
        r"watch (?:over|out|for|that|as|without|whether|what (?:happens|comes|changes|arises)|"
        r"(?:it|them) \w+)|(?:a|the|your|wrist) watch|"
        rf"look(?: \w+ly)? (?:{_WHERE})|(?:don't|not|without|to) look|"
        r"(?:bring|move|set|place) (?:\w+ ){0,5}"
        r"(?:attention|awareness|mind|focus|breath|thoughts?|gaze|yourself)(?: \w+){0,5} here|"
        rf"{_GOING_ON}(?: \w+)? this way|in this way|this way (?:of|and that)"
    ),
    "es": (
        r"mir(?:a|e|ad|en) (?:hacia|al?|arriba|abajo|adelante|por|dentro|lejos|si|más allá)|"
        r"(?:respira|sigue|continúa|quédate|descansa)(?: \w+)? de esta manera"
    ),
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
    for language in languages:
        meant = without(text.replace("’", "'"), _HARMLESS.get(language, ""))
        # Sure ones first: "look at me" is not told again as "look".
        for table, sure in ((POINTING, True), (LOOKING, False)):
            for match in whole(table.get(language, "")).finditer(meant):
                if not any(one.start <= match.start() < one.start + len(one.word) for one in found):
                    word = text[match.start() : match.end()]
                    found.append(Seen(match.start(), word, sure))
    return tuple(sorted(found, key=lambda one: one.start))
