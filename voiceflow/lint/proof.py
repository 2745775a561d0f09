"""The eyes-free proof: a decided session in, its figures and every finding of all rules out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voiceflow.lint import bed_rules
from voiceflow.lint import body_rules as body
from voiceflow.lint import quiet_rules as quiet
from voiceflow.lint import reading_rules as reading
from voiceflow.lint import telling_rules as telling
from voiceflow.lint import timing_rules as timing
from voiceflow.lint import unsaid_rules as unsaid
from voiceflow.lint.evidence import Evidence, Finding
from voiceflow.lint.quiet_rules import SectionTalk, section_talk
from voiceflow.score.decide import Decision
from voiceflow.sounds import ToneSet

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed

Rule = Callable[[Evidence], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    *timing.RULES, *unsaid.RULES, *quiet.RULES, *body.RULES, *telling.RULES, *reading.RULES,
    *bed_rules.RULES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proof:
    """What the rules find out about a session, before it is heard.

    Attributes
    ----------
    spoken : float, 0 to 1
        Share of the time that is speech.
    sides : int
        Number of exercises that have two sides.
    tips, tips_said : int
        Tips in the exercises, and how many are said: few repetitions have no room for all.
    findings : tuple of Finding
        Sorted by time; errors first where several have the same.
    stored_tips : tuple of Finding
        The tips of other files that this session has no room for: listed, and no fault.
    """

    title: str
    length_ms: int
    pace: str
    voice: str
    detail: str
    level: int
    tempo: float
    exercises: int
    position_changes: int
    sides: int
    spoken: float
    tips: int
    tips_said: int
    sections: tuple[SectionTalk, ...]
    findings: tuple[Finding, ...]
    length_changes: tuple[str, ...] = ()
    stored_tips: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings because of which it cannot be followed with eyes closed."""
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that could be better."""
        return tuple(one for one in self.findings if one.severity == "warning")

    @property
    def fits(self) -> bool:
        """Whether every word fits its breath."""
        return not any(one.rule == "does-not-fit" for one in self.findings)

    @property
    def sides_equal(self) -> bool:
        """Whether both sides get the same time and repetitions in every exercise."""
        return not any(one.rule == "unequal-sides" for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The proof as plain values for JSON."""
        return {
            "title": self.title,
            "length_ms": self.length_ms,
            "pace": self.pace,
            "voice": self.voice,
            "detail": self.detail,
            "level": self.level,
            "tempo": self.tempo,
            "exercises": self.exercises,
            "position_changes": self.position_changes,
            "exercises_with_sides": self.sides,
            "spoken": round(self.spoken, 4),
            "tips": self.tips,
            "tips_said": self.tips_said,
            "length_changes": list(self.length_changes),
            "fits": self.fits,
            "sides_equal": self.sides_equal,
            "sections": [
                {
                    "title": one.title,
                    "start_ms": one.start_ms,
                    "end_ms": one.end_ms,
                    "spoken": round(one.share, 4),
                }
                for one in self.sections
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "stored_tips": [tip.to_dict() for tip in self.stored_tips],
        }


def prove(decision: Decision, tones: ToneSet, bed: Bed | None = None) -> Proof:
    """The proof of a session that was decided with `tones`: the findings of all rules.

    With `bed`, its music is looked at as well.
    """
    evidence = Evidence(decision, tones, bed)
    found = [finding for rule in RULES for finding in rule(evidence)]
    # "error" sorts before "warning" by its letters.
    found.sort(key=lambda one: (one.start_ms, one.severity, one.rule, one.message))
    pacing = evidence.plan.pacing
    tips, said = _tips(evidence)
    return Proof(
        title=evidence.session.title,
        length_ms=evidence.score.length_ms,
        pace=evidence.score.pace,
        voice=evidence.score.voice,
        detail=pacing.detail,
        level=evidence.session.level,
        tempo=pacing.tempo,
        # One that comes in every round is one exercise.
        exercises=len({bout.exercise.slug for bout in evidence.bouts}),
        position_changes=body.position_changes(evidence),
        sides=len({b.exercise.slug for b in evidence.bouts if b.exercise.sides != "none"}),
        spoken=sum(one.event.length_ms for one in evidence.said) / max(1, evidence.score.length_ms),
        tips=len(tips),
        tips_said=len(said),
        sections=section_talk(evidence),
        findings=tuple(found),
        length_changes=evidence.score.length_changes,
        stored_tips=unsaid.stored_tips(evidence),
    )


def _tips(evidence: Evidence) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The tips of all exercises, and those that are said, in whichever round."""
    tips: set[tuple[str, str]] = set()
    said: set[tuple[str, str]] = set()
    for n, bout in enumerate(evidence.bouts):
        own = {(bout.exercise.slug, tip) for tip in evidence.cue_sheet.tips[n]}
        # By their text: an event does not tell whether it is a tip.
        names = {one.event.name for one in evidence.of_bout(n)}
        tips |= own
        said |= {(slug, tip) for slug, tip in own if tip in names}
    return tips, said
