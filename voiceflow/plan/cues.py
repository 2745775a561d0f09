"""Writes the cues: a plan and phrases in, a cue sheet out, with what may be said in each moment.

Spoken moments get sentences. Breath phases get versions from rich to short; the score takes the
first that fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceflow.core.errors import Problem, ScriptError
from voiceflow.plan.moments import RICHNESS, Line, Moment, Plan, Richness
from voiceflow.plan.phrases import Phrases
from voiceflow.plan.rests import NAME_AT_START, Level, Rest, at_level, rests
from voiceflow.plan.sentences import sentences
from voiceflow.plan.timing import side_words
from voiceflow.script.fields import SHORTEN, Text, too_long
from voiceflow.script.pronunciation import PLAIN, Pronunciation
from voiceflow.script.sandbox import TemplateFault
from voiceflow.script.side_words import sides
from voiceflow.script.templates import names_in, render

# Macros that say a script's own text, and the variable in which they get it.
_CARRIED = {"exercise": "purpose", "caution": "caution", "tip": "tip"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Whole minutes that only a score tells: in all, and left at the start of each section."""

    minutes: int
    remaining: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """What may be said in one moment.

    Attributes
    ----------
    sentences : tuple of str
        Said one after another; the moment becomes as long as they need.
    versions : tuple of str
        The versions for a box, rich to short; at most one is said.
    counts : tuple of str
        Said one beat apart, the last one beat before the end.
    halfway : str
        Said in the middle of an interval; "" for none.
    own : int >= 0
        How many of `versions` are the author's: the first ones, with an announcement and without.
    shorter : tuple of tuple of str
        In a rest of written length: the sentences at each `Level` after the first.
    announced : tuple of str
        What is said at the head of a phase where it fits, the most important last: "Last one.",
        "Left.".
    named : str
        What an interval begins with where nothing before it had room for its name.
    """

    sentences: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    halfway: str = ""
    own: int = 0
    shorter: tuple[tuple[str, ...], ...] = ()
    named: str = ""
    announced: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything in it that may be said, each once."""
        shorter = (text for texts in self.shorter for text in texts)
        texts = (*self.sentences, *self.versions, *self.counts, self.halfway, *shorter, self.named)
        return tuple(text for text in dict.fromkeys(texts) if text)

    def at(self, level: Level) -> tuple[str, ...]:
        """The sentences that `level` leaves."""
        return self.shorter[level - 1] if level and self.shorter else self.sentences


@dataclass(frozen=True, slots=True)
class CueSheet:
    """Everything that may be said in a plan.

    Attributes
    ----------
    cues : tuple of Cue
        One for each moment.
    tips : tuple of tuple of str
        The tips of each bout.
    closing : str
        The title of the last chapter.
    sided : frozenset of str
        The tips that name a side: they are true only while the first side works.
    """

    cues: tuple[Cue, ...]
    tips: tuple[tuple[str, ...], ...]
    closing: str
    sided: frozenset[str] = frozenset()


def write(
    plan: Plan, phrases: Phrases, facts: Facts, pronunciation: Pronunciation = PLAIN
) -> CueSheet:
    """The cues of every moment of `plan`, split into sentences as `pronunciation` knows them.

    Raises
    ------
    ScriptError
        A text or a macro fails with the values of its moment.
    """
    writer = _Writer(phrases, facts, pronunciation)
    writer.about = plan.session.about
    writer.language = plan.session.language.split("-")[0]
    written = [rest for rest in rests(plan.moments, plan.bouts) if rest.written]
    inside = {n: rest for rest in written for n in range(rest.first, rest.end)}
    begins = {rest.end for rest in written if rest.works}
    cues = tuple(
        writer.cue(moment, inside.get(n), named=n in begins)
        for n, moment in enumerate(plan.moments)
    )
    tips = tuple(
        tuple(writer.tips(bout.exercise.tips, plan, index))
        if bout.pacing.tips and not bout.known
        else ()
        for index, bout in enumerate(plan.bouts)
    )
    closing = " ".join(phrases.say("closing", {"title": plan.session.title})[:1])
    writer.finish()
    return CueSheet(cues, tips, closing or plan.session.title, frozenset(writer.sided))


class _Writer:
    """Renders texts moment by moment, and collects their errors until `finish`."""

    def __init__(self, phrases: Phrases, facts: Facts, pronunciation: Pronunciation) -> None:
        self.phrases, self.facts, self.pronunciation = phrases, facts, pronunciation
        self.problems: list[Problem] = []
        self.sided: set[str] = set()
        self.about: Text | None = None
        self.language = ""

    def finish(self) -> None:
        if self.problems:
            raise ScriptError(self.problems)

    def cue(self, moment: Moment, rest: Rest | None = None, *, named: bool = False) -> Cue:
        """The cue of a moment, in a written `rest` with its shorter forms; `named`: of work that
        may have to begin with its name.
        """
        context = dict(moment.context)
        context["minutes"] = self.facts.minutes
        left = self.facts.remaining
        context["remaining"] = left[moment.section] if moment.section < len(left) else 0
        about = self._carried(self.about, 0, context) if self.about else ""
        # Words of the phrases follow: without a stop they would run into them.
        context["about"] = f"{about}." if about[-1:].isalnum() else about
        counts = self._counts(moment, context)
        if not moment.box:
            said = self._sentences(moment, context)
            shorter = self._shorter(moment, context, works=rest.works) if rest else ()
            return Cue(sentences=said, counts=counts, shorter=shorter)
        own, others, told = self._versions(moment, context)
        halfway = self._macro("halfway", context) if moment.halfway else ""
        name = " ".join(self._spoken(NAME_AT_START, context, "full")) if named else ""
        return Cue((), (*own, *others), counts, halfway, len(own), named=name, announced=told)

    def _sentences(self, moment: Moment, context: Mapping[str, Any]) -> tuple[str, ...]:
        rich = moment.richness
        return tuple(one for line in moment.lines for one in self._spoken(line, context, rich))

    def _shorter(
        self, moment: Moment, context: Mapping[str, Any], *, works: bool
    ) -> tuple[tuple[str, ...], ...]:
        """The sentences of a moment at each level of a short rest."""
        # Most levels leave a moment as it is: each different one is written once.
        known: dict[tuple[Any, ...], tuple[str, ...]] = {}
        found = []
        for level in list(Level)[1:]:
            less = at_level(moment, level, works=works)
            key = less.lines, less.richness
            if key not in known:
                known[key] = self._sentences(less, context)
            found.append(known[key])
        return tuple(found)

    def tips(self, tips: tuple[Text, ...], plan: Plan, index: int) -> Iterator[str]:
        # A tip has no moment yet: it gets the values of the first, with the side that works first.
        context = next((dict(m.context) for m in plan.moments if m.exercise == index), {})
        for tip in tips:
            text = self._carried(tip, 0, context)
            if said := self._macro("tip", {**context, "tip": text}):
                if {"side", "other_side"} & set(names_in(tip.versions[0])):
                    self.sided.add(said)
                yield said

    def _counts(self, moment: Moment, context: Mapping[str, Any]) -> tuple[str, ...]:
        numbers = range(1, moment.count + 1) if moment.count_up else range(moment.count, 0, -1)
        return tuple(self._macro("count", {**context, "n": number}) for number in numbers)

    def _macro(self, name: str, context: Mapping[str, Any], version: int = 0) -> str:
        versions = self.phrases.say(name, context)
        return versions[min(version, len(versions) - 1)] if versions else ""

    def _spoken(
        self, line: Line, context: Mapping[str, Any], richness: Richness
    ) -> tuple[str, ...]:
        """The sentences of a line in a spoken moment."""
        version = RICHNESS.index(richness)
        if line.macro in _CARRIED:
            own = self._carried(line.text, version, context) if line.text else ""
            own = self._macro(line.macro, {**context, _CARRIED[line.macro]: own}, version)
        else:
            own = self._text(line.text, version, context) if line.text else ""
            own = own or self._macro(line.macro, context, version)
        return sentences(own, self.pronunciation)

    def _versions(
        self, moment: Moment, context: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """The versions for a box, each once: the author's, rich to short, and then ours; and what
        is announced.

        An announcement ("Last one", "Left") is added to the author's words where both fit, and
        given up where they do not: it never takes their place.
        """
        line = moment.lines[0] if moment.lines else Line("")
        if moment.richness == "none":
            return (), (), ()
        word = self._macro(line.macro, context) if line.macro else ""
        own = self._own(line.text, moment.richness, context) if line.text else ()
        told = self._announcements(moment, context)
        announced = self._heads(moment, told, own[0] if own else "")
        # From all that is announced to its last part, which is the side.
        heads = [told[n:] for n in range(len(told))]
        ours = [_joined(*head.values(), *end) for head in map(dict, heads) for end in ((word,), ())]
        headed = (_joined(*self._heads(moment, head, text), text) for head in heads for text in own)
        own = tuple(dict.fromkeys((*headed, *own)))
        others = (text for text in dict.fromkeys((*ours, word)) if text and text not in own)
        return own, tuple(others), announced

    def _announcements(
        self, moment: Moment, context: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        """What is announced at the head of a phase, each with its macro."""
        said = {name: self._macro(name, context) for name in moment.announces}
        # Phrases may name the side with the last one.
        if len(said) > 1 and self._sided(moment, said["last"]):
            said.pop("alternate", None)
        return tuple((name, text) for name, text in said.items() if text)

    def _heads(self, moment: Moment, told: Sequence[tuple[str, str]], text: str) -> tuple[str, ...]:
        """What is announced before `text`: a text that names a side gets no other."""
        sided = any(macro == "alternate" for macro, _ in told) and self._sided(moment, text)
        return tuple(one for macro, one in told if not (sided and macro == "alternate"))

    def _sided(self, moment: Moment, text: str) -> bool:
        return bool(sides(text, self.language, side_words(moment)))

    def _own(self, text: Text, richness: Richness, context: Mapping[str, Any]) -> tuple[str, ...]:
        """The author's versions that a box may say, rich to short."""
        texts = [self._text(text, n, context) for n in range(len(text.versions))]
        start = 0 if richness == "full" else 1
        # An only version is its own brief one: what an author wrote is not replaced by a bare
        # breath word as long as it fits.
        said = [one for one in texts[start:] or texts if one]
        # Written the other way round: the one that was meant to be full may fit where brief does
        # not.
        least = min(map(len, said), default=0)
        return tuple(dict.fromkeys((*said, *(t for t in texts[:start] if t and len(t) < least))))

    def _carried(self, text: Text, version: int, context: Mapping[str, Any]) -> str:
        """A text that a macro carries; "" where it is so long that the macro would fail for it."""
        said = self._text(text, version, context)
        if told := too_long(said):
            self.problems.append(Problem(text.mark, told, SHORTEN))
            return ""
        return said

    def _text(self, text: Text, version: int, context: Mapping[str, Any]) -> str:
        source = text.versions[min(version, len(text.versions) - 1)]
        try:
            return render(source, context)
        except TemplateFault as fault:
            self.problems.append(Problem(text.mark, fault.message, fault.hint))
            return ""


def _joined(*texts: str) -> str:
    """Announcements and a text joined by commas: a full stop would cost a second of silence."""
    said = ""
    for text in texts:
        if not text or not said.endswith("."):
            said = f"{said} {text}".strip()
            continue
        # "I" and words in capitals keep theirs.
        lower = text[:1].lower() if text[1:2].islower() else text[:1]
        said = f"{said[:-1]}, {lower}{text[1:]}"
    return said
