"""Words for things that somebody must fetch before the session: a mat, a chair, a ball.

A text and its language in, the things out, by their names under `needs:`. What is no thing is taken
out first: the ball of the foot, circles that arms draw, weight on a leg, a band of muscle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from voiceflow.lint.word_tables import whole, without

_HANDLED = (
    r"(?:squeeze|squeezing|press|hug|grip|hold|holding|place|put|take|grab|fetch|release|pick up|"
    r"put down|set down|raise|push|pulse)"
)
_LIFTED = (
    r"(?:hold|holding|lift|lower|raise|press|pick up|put down|set down|grip|swing|grab|curl|fetch|"
    r"draw|pass|pull|push|reach|float|bring|place|put|release|with)"
)
_ROUND = "(?:knees?|thighs?|ankles?|feet|foot|hands?|legs?|arms?|soles?|wrists?|back|head|shins?)"
THINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "mat": "mats?",
        "chair": "chairs?",
        "wall": r"(?:a|the|free|nearest) wall",
        "cushion": "cushions?|pillows?",
        "towel": "towels?",
        "strap": "straps?",
        "stool": r"(?:a|the|low|foot|step|your) ?stools?",
        "roller": "rollers?",
        "circle": r"(?:magic|pilates) (?:circle|ring)s?|circle between|"
        rf"{_HANDLED}(?: on| into| against| in)? (?:the|your|a)(?: small)? circle|"
        r"(?:pads?|rim|handles?) of (?:the|your) circle",
        "ball": "balls?",
        "weight": r"(?:light|hand|small|heavy|ankle|free|both|two|the|your) weights|"
        r"(?:hand|ankle|light|small) weight|dumb-?bells?|kettle-?bells?|"
        rf"{_LIFTED} (?:the|a|your) weight|weights? (?:in|held in) (?:each|one|both|your|the) "
        r"(?:hands?|right hand|left hand)",
        "band": r"(?:the|your|this|resistance|elastic|exercise|loop|mini|long|light|stretch)"
        r"[ -]bands?|thera-?bands?|"
        rf"bands? (?:around|over|under|round|above|below|between) (?:both |your |the )*{_ROUND}",
        "reformer": "reformer|footbar",
    },
    "es": {
        "mat": "esterillas?|colchonetas?",
        "chair": "sillas?",
        "wall": r"(?:una|la|pared libre|cualquier) pared",
        "cushion": "coj[ií]n(?:es)?|almohadas?",
        "towel": "toallas?",
        "strap": "correas?",
        "stool": "taburetes?|banquetas?",
        "roller": "rodillos?",
        "circle": r"(?:el|un|tu) aro",
        "ball": "pelotas?|bal[oó]n",
        "weight": r"pesas|(?:una|la|tu|cada) pesa|mancuernas?",
        "band": r"bandas?",
        "reformer": "reformer",
    },
}

# No things, whatever they are called.
_IDIOMS: Mapping[str, str] = {
    "en": (
        r"balls? (?:of|and (?:socket|heels?|toes?)|to (?:heel|toe)s?|joints?|"
        r"under your (?:big|great|little) toes?)|ball-and-socket|"
        r"(?:heels?|toes?)(?:,| to| and| or| through)*(?: the)? balls?|"
        r"into an? (?:\w+ )?ball|balls? (?:up )?(?:your|the) (?:hands?|fists?)|have a ball|"
        r"wall of|toward(?:s)? (?:a|the) wall|(?:look|looking|gaze|gazing) at the wall|"
        r"(?:chest|abdominal|belly|pelvic) wall|chair (?:pose|position)|"
        r"(?:cushions?|pillows?|chairs?|towels?|mats?|straps?|bands?|circles?) of|"
        r"cushion (?:the|your|each|every) (?:landing|step|jump|fall|impact|heel|joints?)\w*|"
        r"(?:bra|shoulder|watch|backpack) straps?|strap in|"
        r"(?:pass|passing|hold back|holding back|hold in|holding in) (?:a |your |the )?stools?|"
        r"roller ?-?coasters?|"
        r"(?<!pass )(?:light|small|heavy|full|the|your) weights? (?:of|off|on|onto|from|into|"
        r"back|forward|over|to|toward|towards|through|down (?:into|through|to)|across|evenly|"
        r"between|in your (?:heel|hip|foot|feet|leg|sit|pelvis|seat|belly|back|shoulder)s?)|"
        r"(?:it|i\.t\.|itb|iliotibial|fascial|muscle|muscular) bands?|"
        r"circle (?:of|with|small\w*|wide\w*|smooth\w*|slow\w*|big\w*|even\w*|low\w*|high\w*|"
        r"larger?|out|as|the other|around)"
    ),
    "es": (
        r"bandas? (?:iliotibial|de|muscular)|pared (?:abdominal|del?|torácica|pélvica)|"
        r"(?:hacia|hasta) la pared|postura de la silla|(?:pelotas?|esterillas?|cojín) de luz|"
        r"rodillos? de"
    ),
}
# An image, to its end: "as if to sit on a chair" asks nobody to fetch a chair. Nor does what is
# not there, or only may be.
_PICTURES: Mapping[str, str] = {
    "en": (
        r"(?:as if|as though|(?<!would )(?<!'d )(?<!you )like (?:an?|the|your|two)|imagin\w+|"
        r"invisible|picture|visuali[sz]e|think of|pretend\w*|if you have|if there is)\b[^,.;:!?…]*|"
        r"(?:no|without|instead of|(?:not|don't) (?:need|use))(?: an?| any| the| your)?"
        r"(?: \w+){1,2}"
    ),
    "es": (
        r"(?:como si|como una?|imagina\w*|visualiza|piensa en|si tienes)\b[^,.;:!?…]*|"
        r"(?:sin|en vez de|en lugar de)(?: una?| la| el)?(?: \w+){1,2}"
    ),
}

# Who lies, sits or kneels is on it already; it is fetched only where it is unrolled or folded.
_FETCHED: Mapping[str, str] = {
    "en": r"(?:roll out|roll up|unroll|unfold|fold|spread|get|fetch|take|grab|bring|lay|use|need|"
    r"find)\b[^.,;:!?…]{0,20} mats?|(?:another|second|two) mats?",
    "es": r"(?:desenrolla|extiende|dobla|enrolla|coge|toma|trae|usa|necesitas)\b[^.,;:!?…]{0,20} "
    r"(?:esterillas?|colchonetas?)",
}

# Under `needs:` a thing stands without the words that tell it from others in a sentence.
_ALONE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "circle": "circles?|rings?", "weight": "weights?", "band": "bands?", "wall": "walls?",
        "stool": "stools?",
    },
    "es": {"circle": "aros?", "weight": "pesas?", "wall": "pared(?:es)?", "band": "bandas?"},
}  # fmt: skip
# Parts that come with a thing.
_PARTS: Mapping[str, tuple[str, ...]] = {"reformer": ("strap",), "chair": ("stool",)}


def things(text: str, language: str, *, lying: bool = False) -> dict[str, str]:
    """The things that `text` asks for, by their name under `needs:`, each with its word.

    Parameters
    ----------
    lying : bool
        Whether it is said to somebody who is on the floor: "on the mat" then asks for none.
    """
    table = THINGS.get(language, {})
    meant = without(text.replace("’", "'"), _PICTURES.get(language, ""))
    meant = without(meant, _IDIOMS.get(language, ""))
    matches = {need: whole(pattern).search(meant) for need, pattern in table.items()}
    if lying:
        matches["mat"] = whole(_FETCHED.get(language, "")).search(meant)
    return {need: match[0] for need, match in matches.items() if match}


def listed(needs: Collection[str], language: str) -> set[str]:
    """The things that `needs` name, also in other words, with their parts."""
    named = set(needs)
    named |= {thing for need in needs for thing in things(need, language)}
    alone = _ALONE.get(language, {})
    named |= {thing for thing in alone if any(whole(alone[thing]).search(one) for one in needs)}
    return named | {part for thing in named for part in _PARTS.get(thing, ())}
