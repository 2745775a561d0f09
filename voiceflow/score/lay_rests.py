"""Settles the rests: what is said between two bouts of work comes out of the rest's own length.

A written length is kept to the grid. Where its words need longer, they give way in the order of
`plan.rests.Level`, as few as may be; where not even the fewest fit, nothing is left out, and the
rest lasts longer: before breaths or free steps, which have to be taught, what teaches them then
follows the rest. What teaches an interval and has no room in the rest before it is said at the end
of the work before that, where this has room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from voiceflow.core.units import snap_up
from voiceflow.plan.cues import CueSheet
from voiceflow.plan.moments import Moment, Plan
from voiceflow.plan.rests import Level, Rest, at_level, rests
from voiceflow.score.laid import Ahead, Laid, Settled, SettledRest
from voiceflow.score.lay_moments import MomentLayout

QUIET_LEFT_MS = 480
_Window = dict[int, Laid]


def settle_rests(plan: Plan, cue_sheet: CueSheet, layout: MomentLayout) -> Settled:
    """All rests of `plan` that last until the next work, each by itself."""
    settler = _Settler(plan, cue_sheet, layout)
    done: list[SettledRest] = []
    laid: _Window = {}
    named: set[int] = set()
    for rest in rests(plan.moments, plan.bouts):
        settled, window = settler.settle(rest)
        laid.update(window)
        work = rest.first - 1
        if plan.moments[work].kind == "work":
            begins = cue_sheet.cues[work].named if work in named else ""
            told = layout.fitting_ahead(work, settler.ahead(settled), begins)
            settled = _with_ahead(settled, told)
        if settled.level == Level.ON_THE_BEAT and settler.names_next(rest):
            named.add(rest.end)
        done.append(settled)
    return Settled(tuple(done), laid, frozenset(named))


class _Settler:
    def __init__(self, plan: Plan, cue_sheet: CueSheet, layout: MomentLayout) -> None:
        self.moments, self.cues, self.layout = plan.moments, cue_sheet.cues, layout

    def settle(self, rest: Rest) -> tuple[SettledRest, _Window]:
        """`rest` with the first level at which it fits, and its moments laid out to its length."""
        length = self.moments[rest.at].least_ms
        needs = 0
        for level in rest.levels:
            for window in self._windows(rest, level):
                least = self._least(rest, window)
                # The first level that gives up words tells how long it takes without that.
                needs = least if level <= Level.CLOSE else needs
                if least <= length:
                    self._fill(rest, window, length)
                    return self._settled(rest, level, needs, window), window
        window = self._window(rest, Level.ALL)
        if rest.works:
            self._fill(rest, window, length)
        else:
            self._fill_first(rest, window, length)
            # What follows is no part of the rest any more, and gives way to --minutes again.
            window.update((n, self.layout.spoken(n)) for n in range(rest.at + 1, rest.end))
        return self._settled(rest, Level.ALL, needs, window), window

    def _windows(self, rest: Rest, level: Level) -> Iterator[_Window]:
        """The moments of a rest at `level`: with all the beats of the count-in, then with fewer."""
        yield self._window(rest, level)
        beats = len(self.cues[rest.end - 1].counts)
        fewer: tuple[int, ...] = ()
        if Level.FEWER_BEATS <= level < Level.ON_THE_BEAT:
            fewer = tuple(range(beats - 1, 1, -1))
        if Level.NO_BEATS <= level < Level.ON_THE_BEAT:
            fewer = (*fewer, 0)  # "one" alone counts nothing
        for left in fewer:
            yield self._window(rest, level, left)

    def _window(self, rest: Rest, level: Level, beats: int | None = None) -> _Window:
        if level == Level.ON_THE_BEAT:
            beats = 0
        window = {
            n: self.layout.spoken(n, level, beats if n == rest.end - 1 else None)
            for n in range(rest.first, rest.end)
        }
        for one in window.values():
            one.stretch = one.shrink = 0
        at = window[rest.at]
        at.length = at.words
        if level == Level.ON_THE_BEAT:
            for n, one in window.items():
                # The signal for the end of the work takes no time: it rings into what follows.
                if all(event.kind != "speech" for event in one.events):
                    one.length = 0 if n == rest.at else self.moments[n].least_ms
        return window

    @staticmethod
    def _sum(window: _Window) -> int:
        return sum(snap_up(one.length) for one in window.values())

    def _quiet(self, rest: Rest) -> int:
        """The moment after whose words the quiet of a rest stands.

        Before an interval: ahead of the count-in, where the body gets into place.
        """
        if not rest.works:
            return rest.at
        counted = self.moments[rest.end - 1].kind == "count-in"
        return max(rest.at, rest.end - 2 if counted else rest.end - 1)

    def _kept(self, rest: Rest, window: _Window) -> int:
        """The length that the moment with the quiet has at least: where the words need the whole
        rest, the quiet after them gives way.
        """
        at = self._quiet(rest)
        spoken = max((event.end_ms for event in window[at].events), default=0)
        kept = snap_up(spoken + max(QUIET_LEFT_MS, self.layout.air(self.moments[at])))
        if at != rest.at:
            # A change of sides or of position takes its time, whatever is said.
            kept = max(kept, self.moments[at].least_ms)
        return min(window[at].length, kept)

    def _least(self, rest: Rest, window: _Window) -> int:
        at = window[self._quiet(rest)]
        return self._sum(window) - snap_up(at.length) + self._kept(rest, window)

    def _fill(self, rest: Rest, window: _Window, length: int) -> None:
        at = window[self._quiet(rest)]
        left = length - self._sum(window)
        at.length = max(at.length + left, self._kept(rest, window))

    def _fill_first(self, rest: Rest, window: _Window, length: int) -> None:
        """The rest by itself lasts as written; what teaches the next exercise comes after it."""
        before = sum(snap_up(window[n].length) for n in range(rest.first, rest.at))
        at = window[rest.at]
        at.length = max(at.words, length - before)

    def _settled(self, rest: Rest, level: Level, needs: int, window: _Window) -> SettledRest:
        left = tuple(self._left_out(rest, level)) if level > Level.CLOSE else ()
        return SettledRest(rest, level, self._sum(window), needs, left)

    def _left_out(self, rest: Rest, level: Level) -> Iterator[tuple[int, str, int]]:
        for n in range(rest.first, rest.end):
            moment, cue = self.moments[n], self.cues[n]
            less = at_level(moment, level, works=rest.works)
            # By their places: what is left of a text may be its shorter versions.
            own, left = (
                {line.text.mark for line in one.lines if line.text} for one in (moment, less)
            )
            if own <= left and not _untitled(moment, less):
                continue
            # The name with which a purpose is said belongs to the phrases, as does the time left.
            named = moment.kind in ("name", "section")
            whole = cue.at(Level.NAMED_ONCE) if named else cue.sentences
            said = {*cue.at(level), *(cue.at(Level.NO_PURPOSE) if named else ())}
            texts = [one for one in whole if one not in said]
            yield n, " ".join(texts), self._length(moment, texts)

    def _length(self, moment: Moment, texts: Sequence[str]) -> int:
        return sum(self.layout.length(moment.exercise, text) for text in texts)

    def names_next(self, rest: Rest) -> bool:
        """Whether a rest tells what comes next."""
        return any(line.macro == "next" for line in self.moments[rest.at].lines)

    def ahead(self, settled: SettledRest) -> Iterator[Ahead]:
        """What the end of the work before a short rest may say of what comes next: the texts that
        teach it and have no room in the rest, with its name; then the name by itself.
        """
        rest, work = settled.rest, settled.rest.first - 1
        if not (rest.works and self.names_next(rest)):
            return
        cue = self.cues[rest.at]
        name, *shorter = (
            ((work, " ".join(cue.at(level))),) for level in (Level.NO_REST, Level.NAME_ALONE)
        )
        yield from ((*name, *taught) for taught in self._taught(settled))
        if settled.level == Level.ON_THE_BEAT:
            yield from (name, *shorter)

    def _taught(self, settled: SettledRest) -> Iterator[Ahead]:
        """The texts that teach and were left out, from rich to short: the set-up first, which in
        the end is said without the caution.
        """
        left = {self.moments[n].kind: n for n, _, _ in settled.left_out}
        cautions: list[Ahead] = [()]
        if (n := left.get("caution")) is not None:
            cautions.insert(0, tuple((n, text) for text in self.cues[n].sentences))
        set_ups: list[Ahead] = [()]
        if (n := left.get("set-up")) is not None:
            levels = (Level.ALL, Level.BRIEF, Level.SHORTEST)
            said = dict.fromkeys(self.cues[n].at(level) for level in levels)
            set_ups = [tuple((n, text) for text in texts) for texts in said if texts]
        # Not for the purpose and the title of a section alone.
        yield from (both for end in cautions for one in set_ups if (both := (*one, *end)))


def _with_ahead(settled: SettledRest, told: Ahead) -> SettledRest:
    """`settled` with what the work before it says, which is not left out any more."""
    said = {owner for owner, _ in told}
    left = tuple(one for one in settled.left_out if one[0] not in said)
    return replace(settled, left_out=left, ahead=told)


def _untitled(moment: Moment, less: Moment) -> bool:
    """Whether the title of a section, which is the script's as well, is left out."""
    return any(line.macro == "section" for line in moment.lines) and not any(
        line.macro == "section" for line in less.lines
    )
