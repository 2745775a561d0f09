"""Loads scripts: YAML files in, complete sessions and exercises out.

Names are looked up, levels, equipment and changes are merged, and all errors are collected before
any is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from voiceflow.core.errors import Mark, Problem, ScriptError, UnknownNameError
from voiceflow.script import models
from voiceflow.script.fields import (
    Choice,
    Field,
    Number,
    Problems,
    Seconds,
    Several,
    Span,
    as_dict,
    complain,
    read_fields,
)
from voiceflow.script.lookup import Library, composed, exists, is_name, session_path
from voiceflow.script.models import Exercise, Section, Session
from voiceflow.script.pacing import Layer, layer
from voiceflow.script.yaml import Node, merge, read

MAX_EXERCISES = 1000
MAX_EXTENDS = 20
_BODIES = ("rep", "work", "flow")
# Merged entry by entry: an exercise that sets its level 3 keeps the level 2 that it extends.
_DEEP = ("levels", "equipment", "pronounce")

ITEM = (
    *models.CHANGES,
    Field("level", Number(1, 3, whole=True), "The level of this exercise."),
    Field(
        "with", Several(Choice(models.EQUIPMENT), commas=True), "Equipment to use in this exercise."
    ),
)
GROUP = (
    Field(
        "rounds",
        Span(1, 100),
        "How many times the exercises are done: 3, or 2-6 for as many as --minutes has time for.",
    ),
    Field("time", Seconds(10, 7200), "Length of a time box: as many rounds as fit."),
)


def load_session(
    reference: str | Path,
    library: Library,
    *,
    level: int | None = None,
    equipment: Sequence[str] = (),
) -> Session:
    """The session `reference` (a name or a path), with all its exercises.

    Parameters
    ----------
    level : {1, 2, 3}, optional
        The level of every exercise for which the session sets none.
    equipment : sequence of str
        What is available; an exercise uses the first for which it has changes.

    Raises
    ------
    ScriptError
        Every problem of the session and of all exercises it names.
    UnknownNameError, InputError
        There is no such session.
    """
    path = session_path(str(reference), library)
    return _Loader(library, path, level, tuple(equipment)).session()


def load_exercise(
    path: Path, library: Library, *, level: int = 1, equipment: Sequence[str] = ()
) -> Exercise:
    """The exercise in a file, with what it extends. Raises ScriptError."""
    loader = _Loader(library, path, level, tuple(equipment))
    # As if a session named it.
    item = Node(Mark(str(path), 1, 1), "scalar", path.stem)
    base = loader.exercise_node(path, ())
    exercise = loader.exercise(path.stem, item, base, None) if base else None
    if exercise is None or loader.problems:
        raise ScriptError(loader.problems)
    return exercise


class _Loader:
    """Reads one session and every exercise it names, and collects all problems."""

    def __init__(
        self, library: Library, path: Path, level: int | None, equipment: tuple[str, ...]
    ) -> None:
        self.library, self.path = library, path
        self.asked_level, self.equipment = level, equipment
        self.level = level or 1
        self.problems: Problems = []
        # A session may use an exercise many times: its file is read once.
        self._nodes: dict[Path, Node | None] = {}
        self.is_session = False

    def session(self) -> Session:
        root = read(self.path)
        if root.kind != "map":
            message = f"expected a session as `key: value` lines, found {root.described}"
            hint = "start with `title:` and `exercises:`"
            raise ScriptError([Problem(root.mark, message, hint)])
        self.is_session = True
        head = root.without("exercises", "sections")
        values = read_fields(head, models.SESSION_HEAD, self.problems, "a session")
        # Before the sections, whose exercises are read at this level.
        self.level = self.asked_level or values.get("level", 1)
        sections = self._sections(root)
        self._find_pace(root)
        # With the rounds: the plan has the exercises of each.
        count = sum(len(section.exercises) * section.rounds for section in sections)
        if count > MAX_EXERCISES:
            complain(self.problems, root, f"the session has more than {MAX_EXERCISES} exercises")
        if self.problems:
            raise ScriptError(self.problems)
        # Only what was written: the defaults stand in `Session` alone.
        keys = ("about", "pace", "phrases", "voice", "bed", "needs", "pronounce")
        given = {key: values[key] for key in keys if key in values}
        # In seconds by now, see `Seconds`.
        length_ms = round(values["minutes"] * 1000) if "minutes" in values else None
        return Session(
            slug=composed(self.path.stem),
            title=values["title"],
            mark=root.mark,
            sections=sections,
            language=values.get("language", "en").lower(),
            level=self.level,
            name=values.get("name", ""),
            length_ms=length_ms,
            length_mark=wanted.mark if (wanted := root.get("minutes")) else None,
            pacing=layer(str(self.path), values),
            **given,
        )

    def _find_pace(self, root: Node) -> None:
        """A pace that does not exist is told at its place in the script."""
        node = root.get("pace")
        if node is None or node.kind != "scalar" or node.empty:
            return
        try:
            self.library.find("paces", node.text.strip(), self.path.resolve().parent)
        except UnknownNameError as error:
            message = f"there is no pace called `{node.text.strip()}`"
            complain(self.problems, node, message, error.hint)

    def _sections(self, root: Node) -> tuple[Section, ...]:
        exercises, sections = root.get("exercises"), root.get("sections")
        if exercises is not None and sections is not None:
            message = "`exercises:` and `sections:` cannot be used together"
            complain(self.problems, root, message, "keep one of them")
        if sections is not None and not sections.empty:
            return self._named_sections(sections)
        if exercises is None or exercises.empty:
            complain(
                self.problems,
                exercises or root,
                "the session has no exercises",
                "list them: `exercises: [bridge]`",
            )
            return ()
        return (self._section("", exercises),)

    def _named_sections(self, node: Node) -> tuple[Section, ...]:
        pairs = list(node.pairs)
        for item in node.items:
            if item.kind == "map" and len(item.pairs) == 1:
                pairs.append(item.pairs[0])
            else:
                hint = "write `- Strength: [bridge, squat]`"
                complain(self.problems, item, "expected a title with its exercises", hint)
        if node.kind == "scalar" or not (node.items or node.pairs):
            complain(self.problems, node, "the session has no sections")
        return tuple(self._section(key.text.strip(), value) for key, value in pairs)

    def _section(self, title: str, node: Node) -> Section:
        values: dict[str, Any] = {}
        if node.kind == "map":
            values = read_fields(node.without("exercises"), GROUP, self.problems, "a section")
            inner = node.get("exercises")
            if inner is None:
                complain(self.problems, node, "the section has no `exercises:`")
                return Section(title, ())
            node = inner
        if node.kind != "list" or not node.items:
            found = "an empty list" if node.kind == "list" else node.described
            message = f"expected a list of exercises, found {found}"
            complain(self.problems, node, message, "write [bridge, squat]")
            return Section(title, ())
        # Before they are read, which is the work that a limit spares.
        if len(node.items) > MAX_EXERCISES:
            complain(self.problems, node, f"the section has more than {MAX_EXERCISES} exercises")
            return Section(title, ())
        read_all = (self._item(item) for item in node.items)
        exercises = tuple(exercise for exercise in read_all if exercise is not None)
        rounds, most = values.get("rounds", (1, 1))
        return Section(title, exercises, rounds, values.get("time"), most)

    def _item(self, item: Node) -> Exercise | None:
        # Where the file really lies: a link to it may stand in another folder.
        beside = self.path.resolve().parent
        # `- name: X` alone has one pair, too, but is an exercise written here.
        if item.kind == "map" and item.get("name") is None and len(item.pairs) == 1:
            key, changes = item.pairs[0]
            if changes.kind != "map" and not changes.empty:
                hint = f"write `- {key.text}: {{reps: 6}}`"
                message = f"expected changes as `key: value` pairs, found {changes.described}"
                complain(self.problems, changes, message, hint)
                return None
            base = self._named(key, beside, ())
            over = None if changes.empty else changes
            return self.exercise(key.text, key, base, over) if base else None
        if item.kind == "map":
            if item.get("name") is None:
                hint = "write `- bridge: {reps: 6}`, or start with `name:`"
                complain(self.problems, item, "the exercise has no name", hint)
                return None
            name = item.get("name")
            # Both belong to the use of an exercise: `exercise` reads them from the item.
            base = self._extended(item.without("level", "with"), self.path, (self.path,))
            # What its file would be called, so that `--skip shoulder-slide` finds it.
            slug = "-".join(name.text.lower().split()) if name else ""
            return self.exercise(slug, item, base, None) if base else None
        if item.kind == "scalar" and not item.empty:
            base = self._named(item, beside, ())
            return self.exercise(item.text, item, base, None) if base else None
        complain(self.problems, item, f"expected an exercise, found {item.described}")
        return None

    def _named(self, name: Node, beside: Path, stack: tuple[Path, ...]) -> Node | None:
        """The mapping of the exercise called `name`; `beside` is the folder to look in first."""
        try:
            path = self._find(name.text, beside)
        except UnknownNameError as error:
            hint = error.hint if is_name(name.text) else "write a name, not a path"
            complain(self.problems, name, f"there is no exercise called `{name.text}`", hint)
            return None
        if path in stack:
            chain = " → ".join(one.stem for one in (*stack, path))
            complain(self.problems, name, f"the exercise extends itself: {chain}")
            return None
        if len(stack) > MAX_EXTENDS:
            complain(self.problems, name, f"more than {MAX_EXTENDS} exercises extend each other")
            return None
        return self.exercise_node(path, stack)

    def _find(self, name: str, beside: Path) -> Path:
        path = self.library.find("exercises", name, beside)
        # A session may have the name of an exercise in it: the name then means the exercise.
        if path.resolve() == self.path.resolve() and self.is_session:
            return self.library.find("exercises", name)
        return path

    def exercise_node(self, path: Path, stack: tuple[Path, ...]) -> Node | None:
        """The mapping in an exercise file, with what it extends; None if it cannot be read."""
        if path not in self._nodes:
            try:
                root = read(path)
                if root.kind != "map":
                    message = f"expected an exercise as `key: value` lines, found {root.described}"
                    hint = "start with `name:` and `position:`"
                    raise ScriptError([Problem(root.mark, message, hint)])
                self._nodes[path] = self._extended(root, path, (*stack, path))
            except ScriptError as error:
                self.problems.extend(error.problems)
                # Remembered, too: a broken file tells its problems once, not at every use.
                self._nodes[path] = None
        return self._nodes[path]

    def _extended(self, root: Node, path: Path, stack: tuple[Path, ...]) -> Node | None:
        above = root.get("extends")
        # For its problems alone: values are read when everything is merged.
        read_fields(root, models.EXERCISE, self.problems, "an exercise")
        if above is None:
            return root
        base = self._named(above, path.resolve().parent, stack)
        return _over(base, root.without("extends")) if base else None

    def exercise(self, slug: str, item: Node, base: Node, changes: Node | None) -> Exercise | None:
        """The exercise in `base`, changed by level, equipment and `changes`, in this order."""
        own = read_fields(changes, ITEM, self.problems, "a change") if changes else {}
        if changes is None and item.kind == "map":
            picks = Node(
                item.mark,
                "map",
                pairs=tuple(p for p in item.pairs if p[0].text in ("level", "with")),
            )
            own = read_fields(picks, ITEM, self.problems, "a change")
        level = own.get("level", self.level)
        at_hand = own.get("with", self.equipment)
        node = base.without("levels", "equipment", "level", "with")
        used = ""
        # `2:` is text here, as every key is.
        for key, word in (("levels", str(level)), *(("equipment", one) for one in at_hand)):
            variants = base.get(key)
            variant = (
                variants.get(word) if variants is not None and variants.kind == "map" else None
            )
            if variant is not None and variant.kind == "map" and not (key == "equipment" and used):
                node = _over(node, variant)
                used = word if key == "equipment" else used
        if changes is not None:
            node = _over(node, changes.without("level", "with"))
        # Others may have failed before: only its own problems stop this exercise.
        before = len(self.problems)
        fields = tuple(
            f for f in models.EXERCISE if f.name not in ("levels", "equipment", "extends")
        )
        # Unknown keys were reported when their own file was read.
        known = {field.name for field in fields}
        node = replace(node, pairs=tuple(pair for pair in node.pairs if pair[0].text in known))
        values = read_fields(node, fields, self.problems, "an exercise")
        self._complete(node, values)
        if len(self.problems) > before:
            return None
        made = self._build(slug, item, values, level, (used,) if used else ())
        reps = node.get("reps")
        return made if reps is None else replace(made, reps_mark=reps.mark)

    def _complete(self, node: Node, values: dict[str, Any]) -> None:
        """Adds a problem for each thing that an exercise needs and does not have."""
        # A position that is there but wrong has had its problem already.
        if "position" not in values and _silent(node, "position"):
            words = ", ".join(models.POSITIONS)
            complain(self.problems, node, "an exercise needs `position:`", words)
        bodies = [body for body in _BODIES if not _silent(node, body)]
        if not bodies:
            hint = "write breaths under `rep:`, a time as `work: 40s`, or steps under `flow:`"
            complain(self.problems, node, "the exercise has no `rep:`, `work:` or `flow:`", hint)
        elif len(bodies) > 1:
            message = f"`{bodies[0]}:` and `{bodies[1]}:` cannot be used together"
            complain(self.problems, node, message, "keep one of them")
        if _silent(node, "setup") and "flow" not in bodies:
            hint = "describe how to get into place, for someone who cannot look"
            complain(self.problems, node, "an exercise needs `setup:`", hint)
        if values.get("sides") == "alternate" and "rep" not in bodies:
            hint = "write `sides: each`"
            message = "`sides: alternate` needs repetitions under `rep:`"
            complain(self.problems, node, message, hint)

    def _build(
        self, slug: str, item: Node, values: dict[str, Any], level: int, used: tuple[str, ...]
    ) -> Exercise:
        rep = models.scaled(values.get("rep", ()), values)
        keys = (
            "purpose", "needs", "reps", "sets", "sides", "first", "switch", "tips", "caution",
            "finish", "effort", "tags", "pronounce", "flow",
        )  # fmt: skip
        given = {key: values[key] for key in keys if key in values}
        # In an exercise `tips` are texts; in the pacing, whether they are said.
        said = {key: value for key, value in values.items() if key != "tips"}
        return Exercise(
            slug=slug,
            name=values["name"],
            mark=item.mark,
            position=values["position"],
            setup=values.get("setup"),
            rep=rep,
            work_s=values.get("work"),
            equipment=used,
            level=level,
            fixed=values.get("dose") == "fixed",
            pacing=layer(f"{item.mark}", said),
            **given,
        )


def _silent(node: Node, key: str) -> bool:
    """Whether a mapping has no value for `key`."""
    value = node.get(key)
    return value is None or value.empty


def _over(base: Node, over: Node) -> Node:
    """`over` merged into an exercise.

    A new body (`rep`, `work` or `flow`) replaces the old one, and the breath times set for it:
    `hold: 8` was written for other phases.
    """
    if any(over.get(body) is not None for body in _BODIES):
        base = base.without(*_BODIES, "inhale", "exhale", "hold")
    return replace(merge(base, over, deep=_DEEP), mark=base.mark)


def load_pace(name: str, library: Library, beside: Path | None = None) -> Layer:
    """The values of the pace called `name`. Raises UnknownNameError, ScriptError."""
    return read_pace(library.find("paces", name, beside))


def read_pace(path: Path) -> Layer:
    """The values of the pace in the file `path`. Raises ScriptError."""
    return layer(f"pace {path.stem}", _read_table(path, models.PACE, "a pace"))


def settings_file(library: Library) -> Path:
    """Where the user's own values stand, if there are any."""
    return library.user / "settings.yaml"


def load_settings(library: Library) -> dict[str, Any]:
    """The user's ``settings.yaml``; empty if there is none. Raises ScriptError."""
    path = settings_file(library)
    return read_settings(path) if exists(path) else {}


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in the file `path`. Raises ScriptError."""
    return _read_table(path, models.SETTINGS, "the settings")


def _read_table(path: Path, fields: Sequence[Field], what: str) -> dict[str, Any]:
    root = read(path)
    if root.empty:
        return {}
    problems: Problems = []
    values = read_fields(root, fields, problems, what)
    if problems:
        raise ScriptError(problems)
    return values


def pronunciations(*tables: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Several pronunciation tables as one; a later entry replaces an earlier one."""
    merged: dict[str, str] = {}
    for table in tables:
        merged.update(as_dict(table))
    return merged
