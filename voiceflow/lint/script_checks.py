"""Checks exercises, sessions, paces, tone sets and settings.

A file in, its problems out. Texts are not only read but rendered, at each level and with each
piece of equipment, because a template may fail only with certain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from voiceflow import sounds, voices
from voiceflow.core.errors import (
    InputError,
    Mark,
    Problem,
    ScriptError,
    TimingError,
    UnknownNameError,
    VoiceError,
    lacking,
)
from voiceflow.lint.body_rules import told_uneven
from voiceflow.lint.no_effect import unused_changes, unused_keys
from voiceflow.lint.number_words import count_problems
from voiceflow.lint.phrase_checks import OF_A_CLIENT
from voiceflow.lint.script_texts import empty_tips, script_warnings, written
from voiceflow.plan import cues
from voiceflow.plan.moments import Wishes
from voiceflow.plan.phrases import Phrases, load_phrases
from voiceflow.plan.unroll import least_ms, unroll
from voiceflow.script import models
from voiceflow.script.load import (
    ITEM,
    load_exercise,
    load_pace,
    load_session,
    read_pace,
    read_settings,
)
from voiceflow.script.lookup import Library
from voiceflow.script.models import EQUIPMENT, LEVELS, Exercise, Section, Session
from voiceflow.script.pacing import Layer
from voiceflow.script.positions import Positions, load_positions
from voiceflow.script.pronunciation import Pronunciation, load_pronunciation, read_pronunciation
from voiceflow.script.templates import ANYTHING
from voiceflow.script.yaml import Node, read


class LintLibrary:
    """The library of one check: reads phrases and positions once, however often they are used."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._positions: dict[str, Positions] = {}
        self._phrases: dict[tuple[str, str, Path], Phrases] = {}

    def positions(self, language: str) -> Positions:
        """See `load_positions`."""
        if language not in self._positions:
            self._positions[language] = load_positions(self.library, language)
        return self._positions[language]

    def phrases(self, name: str, language: str, beside: Path) -> Phrases:
        """See `load_phrases`."""
        key = (name, language, beside)
        if key not in self._phrases:
            self._phrases[key] = load_phrases(name, language, self.library, beside)
        return self._phrases[key]

    def pronunciation(self, language: str) -> Pronunciation:
        """See `load_pronunciation`, which remembers it by itself."""
        return load_pronunciation(self.library, language)


# More repetitions show no new errors, and take longer to render. As few as eight still have their
# first, their middle and their last two.
MOST_REPS, _FEWEST_REPS, _MOST_PHASES = 60, 8, 2_000
# In these the whole body turns over, or changes its legs, for the other side.
_TURNED = ("side-lying", "half-kneeling")


def exercise_problems(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Every problem of the exercise in the file `path`, at each level and with each equipment."""
    try:
        root = read(path)
    except ScriptError as error:
        yield from error.problems
        return
    found: list[Exercise] = []
    for level in LEVELS:
        # Each thing alone: an exercise uses only the first for which it has changes.
        for at_hand in ((), *((one,) for one in _variants(root))):
            exercise, problems = _exercise(path, lint.library, level, at_hand)
            yield from problems
            if exercise is not None:
                found.append(exercise)
                yield from _rendered(_session_of(exercise), lint)
    for exercise in found:
        if exercise.uneven:
            yield Problem(exercise.reps_mark or root.mark, *told_uneven(exercise), "warning")
    sided = any(exercise.sides != "none" for exercise in found)
    yield from script_warnings(written(root), sided=sided)
    yield from empty_tips(root)
    yield from unused_keys(root, found)
    if any(_turns_in_silence(exercise) for exercise in found):
        hint = "write under `switch:` how to turn to the other side"
        yield Problem(root.mark, "nothing says how to change sides", hint, "warning")


def _variants(root: Node) -> tuple[str, ...]:
    """The equipment for which an exercise has changes; all of it if it extends another."""
    own = root.get("equipment")
    if root.get("extends") is not None:
        # What it extends may have variants, too, and is not read here.
        return EQUIPMENT
    return tuple(key.text for key, _ in own.pairs if key.text in EQUIPMENT) if own else ()


def _exercise(
    path: Path, library: Library, level: int, at_hand: tuple[str, ...]
) -> tuple[Exercise | None, list[Problem]]:
    try:
        return load_exercise(path, library, level=level, equipment=at_hand), []
    except ScriptError as error:
        return None, list(error.problems)


def _turns_in_silence(exercise: Exercise) -> bool:
    turned = exercise.sides == "each" and exercise.position in _TURNED
    return turned and exercise.switch is None


def _session_of(exercise: Exercise) -> Session:
    sections = (Section("", (exercise,)),)
    return Session(exercise.slug, exercise.name, exercise.mark, sections, level=exercise.level)


def _rendered(
    session: Session, lint: LintLibrary, before: tuple[Layer, ...] = (), phrases: str = "coach"
) -> list[Problem]:
    """The problems of rendering the texts of `session`, in full and in brief."""
    problems: list[Problem] = []
    try:
        # First: a session of days is refused before it is rendered, twice at each level.
        least_ms(session, Wishes(before=before))
    except TimingError as error:
        return [Problem(session.mark, error.message, error.hint)]
    every = (e for one in session.sections for _ in range(one.rounds) for e in one.exercises)
    counts = ((n, e.reps if e.rep else e.sets, _enough(e)) for n, e in enumerate(every))
    reps = tuple((n, enough) for n, count, enough in counts if count > enough)
    beside = Path(session.mark.file).resolve().parent
    # They take other versions of a text, of which only one may fail.
    for detail in ("full", "brief"):
        after = (Layer("check", (("detail", detail),)),)
        # With a name, so that what is said only to someone known is rendered as well.
        # What is known of a client differs from one to the next: any text stands in for it.
        client = ((ANYTHING, OF_A_CLIENT),)
        wishes = Wishes(name="Ana", client=client, before=before, after=after, reps=reps)
        try:
            plan = unroll(session, lint.positions(session.language), wishes)
            book = lint.phrases(phrases, session.language, beside)
            # Any minutes will do: the true ones are known only from a score.
            facts = cues.Facts(20, (10,) * len(session.sections))
            sheet = cues.write(plan, book, facts, lint.pronunciation(session.language))
            problems.extend(count_problems(plan, sheet))
        except ScriptError as error:
            problems.extend(error.problems)
        except UnknownNameError:
            pass  # reported at the name itself
    return problems


def _enough(exercise: Exercise) -> int:
    """How many repetitions of an exercise are rendered: fewer where each has very many phases."""
    phases = _MOST_PHASES // max(1, len(exercise.rep))
    return max(_FEWEST_REPS, min(MOST_REPS, phases))


def session_problems(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Every problem of the session in the file `path`, at each level, and of what it names."""
    try:
        root = read(path)
    except ScriptError as error:
        yield from error.problems
        return
    yield from names_problems(root, path, lint)
    yield from _language_problems(root, path, lint)
    loaded: list[Session] = []
    for level in LEVELS:
        try:
            session = load_session(path, lint.library, level=level)
        except ScriptError as error:
            yield from error.problems
            continue
        except InputError as error:
            yield Problem(Mark(str(path)), error.message, error.hint)
            return
        loaded.append(session)
        yield from _at_its_pace(session, path, lint)
        yield from _with_equipment(root, path, level, lint)
    language = root.get("language")
    tongue = language.text.lower().split("-")[0] if language and language.kind == "scalar" else "en"
    yield from script_warnings(written(root, models.SESSION_HEAD), sided=False, languages=(tongue,))
    yield from unused_changes(
        _items(root), loaded, lambda: load_session(path, lint.library, equipment=EQUIPMENT)
    )
    sided = {e.mark for one in loaded[-1:] for e in one.exercises if e.sides != "none"}
    for mark, changes in _items(root):
        texts = list(written(changes, (*ITEM, *_ONLY_WHOLE)))
        yield from script_warnings(texts, sided=mark in sided, languages=(tongue,))
        yield from empty_tips(changes)


def _with_equipment(root: Node, path: Path, level: int, lint: LintLibrary) -> Iterator[Problem]:
    """The problems of the variants that are written in the session itself, each thing alone."""
    things = dict.fromkeys(one for _, item in _items(root) for one in _variants(item))
    for thing in things:
        try:
            session = load_session(path, lint.library, level=level, equipment=(thing,))
        except ScriptError as error:
            yield from error.problems
        else:
            yield from _at_its_pace(session, path, lint)


def _language_problems(root: Node, path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Warnings for a language that no voice on this machine or no phrases speak."""
    node = root.get("language")
    if node is None or node.kind != "scalar" or node.text.lower().split("-")[0] == "en":
        return
    language = node.text.lower()
    tongue = language.split("-")[0]
    folders = lint.library.folders("phrases", path.resolve().parent)
    asked = root.get("phrases")
    # What other phrases leave out is said by `coach`.
    names = {"coach", asked.text.strip() if asked and asked.kind == "scalar" else "coach"}
    if not any((folder / f"{name}.{tongue}.j2").is_file() for folder in folders for name in names):
        message = f"there are no phrases in `{tongue}`: welcome, rests and farewell are in English"
        hint = f"`voiceflow new phrases NAME` begins some: save them as coach.{tongue}.j2"
        yield Problem(node.mark, message, hint, "warning")
    if root.get("voice") is None:
        # The last resort for any language but English: see `usual_voice` in score/inputs.py.
        yield from _voice_problems(f"espeak:{language}", node, f"no voice speaks `{language}`")


_ONLY_WHOLE = tuple(f for f in models.EXERCISE if f.name in ("levels", "equipment"))


def _at_its_pace(session: Session, path: Path, lint: LintLibrary) -> Iterator[Problem]:
    beside = path.resolve().parent
    before: tuple[Layer, ...] = ()
    if session.pace:
        try:
            before = (load_pace(session.pace, lint.library, beside),)
        except UnknownNameError:
            pass  # reported at the name itself
        except ScriptError as error:
            yield from error.problems
    yield from _rendered(session, lint, before, session.phrases or "coach")


def _items(root: Node) -> Iterator[tuple[Mark, Node]]:
    """The changes to exercises in a session, and the exercises written there, with their marks."""
    lists = [root.get("exercises")]
    sections = root.get("sections")
    if sections is not None:
        # `sections:` is a mapping, or a list of mappings with one pair each.
        pairs = [*sections.pairs, *(pair for item in sections.items for pair in item.pairs)]
        lists += [value.get("exercises") if value.kind == "map" else value for _, value in pairs]
    for node in lists:
        for item in node.items if node is not None else ():
            if item.get("name") is not None:
                yield item.mark, item
            elif len(item.pairs) == 1 and item.pairs[0][1].kind == "map":
                yield item.pairs[0][0].mark, item.pairs[0][1]


def pace_problems(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Every problem of the pace in the file `path`."""
    yield from _table_problems(read_pace, path, lint)


def settings_problems(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Every problem of the settings in the file `path`."""
    yield from _table_problems(read_settings, path, lint)


def _table_problems(
    reader: Callable[[Path], object], path: Path, lint: LintLibrary
) -> Iterator[Problem]:
    try:
        reader(path)
        root = read(path)
    except ScriptError as error:
        yield from error.problems
        return
    yield from names_problems(root, path, lint)


def sound_problems(path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Every problem of the tone set in the file `path`."""
    yield from sounds.problems(path, lint.library.folders("sounds", path.resolve().parent))


def pronunciation_problems(path: Path) -> Iterator[Problem]:
    """Everything wrong with the words of a language at `path`."""
    try:
        read_pronunciation(path)
    except ScriptError as error:
        yield from error.problems


def names_problems(root: Node, path: Path, lint: LintLibrary) -> Iterator[Problem]:
    """Names in a script of scripts, tone sets and voices that do not exist."""
    beside = path.resolve().parent
    kinds = {"pace": "paces", "phrases": "phrases", "tones": "sounds", "known": "exercises"}
    for key, kind in kinds.items():
        for node in _scalars(root.get(key)):
            try:
                lint.library.find(kind, node.text.strip(), beside)
            except UnknownNameError as error:
                what = {"paces": "pace", "sounds": "tone set", "exercises": "exercise"}
                message = f"{lacking(what.get(kind, kind))} called `{node.text.strip()}`"
                yield Problem(node.mark, message, error.hint)
    for node in _scalars(root.get("voice")):
        yield from _voice_problems(node.text.strip(), node)


def _voice_problems(name: str, node: Node, message: str = "") -> Iterator[Problem]:
    """A problem at `node` if there is no voice called `name`; `message` replaces the usual one."""
    try:
        voices.find(name)
    except UnknownNameError as error:
        yield Problem(node.mark, message or error.message, error.hint)
    except VoiceError as error:  # the voice exists, but not on this machine
        yield Problem(node.mark, error.message, error.hint, "warning")


def _scalars(node: Node | None) -> Iterable[Node]:
    """The words under a key: one, a list, or several separated by commas."""
    if node is None or node.empty:
        return ()
    found = node.items if node.kind == "list" else (node,)
    return tuple(
        Node(one.mark, "scalar", part.strip())
        for one in found
        if one.kind == "scalar"
        for part in one.text.split(",")
        if part.strip()
    )
