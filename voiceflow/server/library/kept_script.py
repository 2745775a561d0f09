"""Writes a render down as a session script that sounds the same.

A `Render` and the script it came from come in; the text of a new script goes out. Its exercises
are copied; options chosen on the phone are written where they take effect: at the top, and again in
each exercise that has a value of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from voiceflow.core.errors import UnknownNameError
from voiceflow.script import models
from voiceflow.script.load import load_pace, load_session, load_settings
from voiceflow.script.lookup import Library
from voiceflow.script.models import Exercise, Session
from voiceflow.script.pacing import layer
from voiceflow.script.yaml import Node, merge, read
from voiceflow.server.jobs.render_records import ExerciseSpan, Render

_HEAD: Final = tuple(field.name for field in models.SESSION_HEAD)
_PACING: Final = frozenset(field.name for field in models.PACING)
_CHOSEN: Final = ("minutes", "bed", "name", "voice", "phrases", "tones", *sorted(_PACING))
_FIRST: Final = ("title", "about", "pace", "level", "name", "voice", "phrases", "language")
_BODIES: Final = ("rep", "work", "flow")
_FLOW_WIDTH: Final = 64

Place = tuple[int, int]


def script_of(render: Render, source: Path, title: str, library: Library) -> str:
    """The text of a session script that sounds as `render` does.

    Parameters
    ----------
    source : Path
        The script that was rendered.
    title : str
        The title of the new session.

    Raises
    ------
    ScriptError
        The source has errors now.
    """
    given = render.given
    root = read(source)
    settings = load_settings(library)
    level = given.get("level") or settings.get("level")
    equipment = settings.get("with", ()) if "equipment" not in given else given["equipment"]
    session = load_session(source, library, level=level, equipment=tuple(equipment))
    items = _Items(render, session, library, source, settings)
    document = _mapping(
        [*_head(root, render, session, title, _asked(items)), *items.listed(root)],
    )
    return _comment(render) + _text(document)


def _comment(render: Render) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(render.created))
    return f"# Kept on the phone: `{render.slug}` as it was heard on {day}. Edit it as you like.\n"


def _asked(items: _Items) -> Mapping[str, Any]:
    """The values of a chosen pace that the user's settings would override.

    In a script, a pace is weaker than the settings, so these values are written out.
    """
    render, library = items.render, items.library
    if "pace" not in render.given:
        return {}
    pace = load_pace(render.score.pace, library, items.source.resolve().parent)
    own = dict(layer("settings", items.settings).values)
    return {key: value for key, value in pace.values if key in own}


def _head(
    root: Node, render: Render, session: Session, title: str, asked: Mapping[str, Any]
) -> Iterator[tuple[str, yaml.Node]]:
    given = render.given
    said: dict[str, yaml.Node] = {
        key.text: _node(value) for key, value in root.pairs if key.text in _HEAD and not value.empty
    }
    chosen: dict[str, Any] = {
        "title": title,
        "pace": render.score.pace,
        "level": session.level,
        **{key: value for key, value in asked.items() if key not in said},
        **{key: given[key] for key in _CHOSEN if key in given},
    }
    said |= {key: _scalar(value) for key, value in chosen.items() if key in _HEAD}
    order = [*_FIRST, *(key for key in said if key not in _FIRST)]
    yield from ((key, said[key]) for key in order if key in said)


@dataclass(frozen=True, slots=True)
class _Items:
    """Writes the exercises of a session, with the options chosen for them."""

    render: Render
    session: Session
    library: Library
    source: Path
    settings: Mapping[str, Any]

    def listed(self, root: Node) -> Iterator[tuple[str, yaml.Node]]:
        """`exercises:` or `sections:`, without exercises that were left out to save time."""
        exercises, sections = root.get("exercises"), root.get("sections")
        if exercises is not None and not exercises.empty:
            yield "exercises", _sequence(self._items(exercises))
            return
        assert sections is not None  # a session that loads has one of the two
        pairs = [*sections.pairs, *(item.pairs[0] for item in sections.items)]
        yield (
            "sections",
            _sequence(
                _mapping([(key.text, body)])
                for key, value in pairs
                if (body := self._section(value)) is not None
            ),
        )

    def _section(self, node: Node) -> yaml.Node | None:
        if node.kind != "map":
            items = self._items(node)
            return _sequence(items) if items else None
        inner = node.get("exercises")
        items = self._items(inner) if inner is not None else []
        if not items:
            return None
        head = [(key.text, _node(value)) for key, value in node.without("exercises").pairs]
        return _mapping([*head, ("exercises", _sequence(items))])

    def _items(self, node: Node) -> list[yaml.Node]:
        return [made for item in node.items if (made := self._item(item)) is not None]

    def _item(self, item: Node) -> yaml.Node | None:
        """One exercise as it was heard; None if it was left out."""
        named = item.kind == "map" and item.get("name") is None
        key = item.pairs[0][0] if named else item
        # By its place in the script, as an exercise may be listed twice.
        exercise = self._exercises()[_place(key)]
        span = self._spans().get(_place(key))
        if span is None:
            return None
        chosen = self._chosen(exercise, span)
        if item.kind == "map" and not named:
            return _over(item, chosen)
        changes = item.pairs[0][1] if named else Node(item.mark, "map")
        changes = changes if changes.kind == "map" else Node(item.mark, "map")
        # From the user's folder its name would find another one, so it is written out in full.
        if self._is_another(key.text):
            return _over(self._in_place(key.text, changes), chosen)
        if not changes.pairs and not chosen:
            return _scalar(key.text)
        return _mapping([(key.text, _over(changes, chosen))])

    def _chosen(self, exercise: Exercise, span: ExerciseSpan) -> dict[str, Any]:
        """The options to write into an exercise, because its own values would override them."""
        given = self.render.given
        own = {key for key, _ in exercise.pacing.values}
        chosen = {key: given[key] for key in given if key in own and key in _PACING}
        usual = self.settings.get("level")
        if usual not in (None, self.session.level) and exercise.level == self.session.level:
            chosen["level"] = exercise.level
        if exercise.equipment:
            chosen["with"] = ", ".join(exercise.equipment)
        # An empty list, or the settings would bring back the equipment that was turned off.
        elif self.settings.get("with") and "equipment" in given:
            chosen["with"] = []
        if "minutes" in given:
            if exercise.rep and span.reps != exercise.reps:
                chosen["reps"] = span.reps
            elif not exercise.rep and span.sets != exercise.sets:
                chosen["sets"] = span.sets
        return chosen

    def _is_another(self, name: str) -> bool:
        """Whether `name` finds another exercise from the user's folder than from the source."""
        try:
            there = self.library.find("exercises", name, self.source.resolve().parent)
            here = self.library.find("exercises", name, self.library.user / "sessions")
        except UnknownNameError:
            return False
        return there.resolve() != here.resolve()

    def _in_place(self, name: str, changes: Node) -> Node:
        path = self.library.find("exercises", name, self.source.resolve().parent)
        base = read(path)
        # As `_over` in script/load.py: with an old body go the times that were set for it.
        if any(changes.get(body) is not None for body in _BODIES):
            base = base.without(*_BODIES, "inhale", "exhale", "hold")
        return merge(base, changes, deep=("levels", "equipment", "pronounce"))

    def _exercises(self) -> dict[Place, Exercise]:
        return {(e.mark.line, e.mark.column): e for e in self.session.exercises}

    def _spans(self) -> dict[Place, ExerciseSpan]:
        # Reversed, so that of several spans from one place the first is kept.
        return {span.place: span for span in reversed(self.render.parts)}


def _place(node: Node) -> Place:
    return (node.mark.line, node.mark.column)


# YAML output: every scalar is text, unquoted wherever that is unambiguous.


class _Plain(yaml.SafeDumper):
    """Writes no tags, resolves no scalar to another type, and indents lists."""

    # With PyYAML's own, `no` and `1:30` would be put in quotes, which our reader does not need.
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  as PyYAML declares it

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(node: yaml.Node) -> str:
    made = yaml.serialize(node, Dumper=_Plain, allow_unicode=True, width=88, indent=2)
    return str(made)


def _scalar(value: Any) -> yaml.Node:
    if isinstance(value, list | tuple):
        return _sequence([_scalar(one) for one in value], flow=True)
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    if text is None:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return _word(text)


def _word(text: str, quoted: bool = False) -> yaml.Node:
    folded = " ".join(text.split())
    # Without quotes these would be read as no value at all.
    style = '"' if folded in ("", "~", "null") and (quoted or folded) else None
    return yaml.ScalarNode("tag:yaml.org,2002:str", folded, style=style)


def _node(node: Node) -> yaml.Node:
    if node.kind == "scalar":
        return _word(node.text, node.quoted)
    if node.kind == "list":
        plain = all(item.kind == "scalar" and len(item.text) < 30 for item in node.items)
        return _sequence([_node(item) for item in node.items], flow=plain)
    return _mapping([(key.text, _node(value)) for key, value in node.pairs if not value.empty])


def _over(node: Node, chosen: Mapping[str, Any]) -> yaml.Node:
    """A mapping with the values in `chosen` replaced or added; on one line if it is short."""
    left = dict(chosen)
    pairs = [
        (key.text, _scalar(left.pop(key.text)) if key.text in left else _node(value))
        for key, value in node.pairs
    ]
    pairs += [(key, _scalar(value)) for key, value in left.items()]
    return _mapping(pairs, flow=_is_short(pairs))


def _is_short(pairs: Iterable[tuple[str, yaml.Node]]) -> bool:
    width = 0
    for key, value in pairs:
        if not (isinstance(value, yaml.ScalarNode) or getattr(value, "flow_style", False)):
            return False
        width += len(key) + len(str(value.value)) + 4
        if isinstance(value, yaml.SequenceNode):
            width = width - len(str(value.value)) + sum(len(str(v.value)) + 2 for v in value.value)
    return width <= _FLOW_WIDTH


def _sequence(items: Iterable[yaml.Node], flow: bool = False) -> yaml.Node:
    return yaml.SequenceNode("tag:yaml.org,2002:seq", list(items), flow_style=flow)


def _mapping(pairs: Iterable[tuple[str, yaml.Node]], flow: bool = False) -> yaml.Node:
    made = [(_word(key, quoted=True), value) for key, value in pairs]
    return yaml.MappingNode("tag:yaml.org,2002:map", made, flow_style=flow)
