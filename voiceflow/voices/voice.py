"""A voice by its name, and which there are. One door: a family of voices is a name's first part.

    natural   espeak   espeak:es   piper:/models/amy.onnx   sapi5:Zira   nsss:Samantha   silent

A family is an object with `find` and `available` (`Family`). The built-in ones stand in a table of
``module:attribute`` references; a package adds its own by an entry point of the same form in the
group ``voiceflow.voices``, named by the family.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from voiceflow.core.errors import UnknownNameError, VoiceError
from voiceflow.voices.failures import told

GROUP = "voiceflow.voices"

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "natural": "voiceflow.voices.families:natural",
        "espeak": "voiceflow.voices.espeak:espeak",
        "piper": "voiceflow.voices.families:piper",
        "sapi5": "voiceflow.voices.families:sapi5",
        "nsss": "voiceflow.voices.families:nsss",
        "silent": "voiceflow.voices.families:silent",
        "faulty": "voiceflow.voices.families:faulty",
    }
)

_HIDDEN = frozenset({"faulty"})  # found by name, for tests; not offered


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one engine: all that decides how a text sounds, but for the rate.

    Attributes
    ----------
    driver : str
        The pyttsx3 driver: one of its own, one that voiceflow adds, or ``package.module`` of
        a family from elsewhere. ``silent`` needs none.
    voice_id : str or None
        What the driver calls the voice; None is its default.
    version : str
        Of everything that forms the samples. A clip is believed only for its version.
    language : str
        ``en``, ``es``, ``es-419`` …
    ipa : bool
        Takes pronunciations in IPA.
    """

    name: str
    driver: str
    voice_id: str | None
    version: str
    language: str
    ipa: bool = False


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One line of `list voices`. `why` says why it does not work here; empty where it does."""

    name: str
    language: str
    about: str
    works: bool
    why: str = ""


class Family(Protocol):
    """Voices that share the first part of their name."""

    def find(self, rest: str) -> Voice:
        """The voice called `rest` within the family; an empty one is the family's usual voice.

        Raises
        ------
        UnknownNameError, VoiceError
        """

    def available(self) -> tuple[VoiceInfo, ...]:
        """The family's voices, also those that do not work here."""


def find(name: str) -> Voice:
    """The voice called `name`. No engine is loaded: it is known by its files and versions.

    Raises
    ------
    UnknownNameError
        There is no such voice.
    VoiceError
        There is, but not here: the hint says what is missing.
    """
    prefix, _, rest = name.strip().partition(":")
    family = _family(prefix.casefold())
    if family is None:
        raise UnknownNameError("voice", name, _known())
    return family.find(rest)


def available() -> tuple[VoiceInfo, ...]:
    """All voices, family by family, also those that do not work here, with the reason."""
    import os

    hidden = frozenset() if os.environ.get("VOICEFLOW_FAKES") == "1" else _HIDDEN
    voices: list[VoiceInfo] = []
    for prefix in (*BUILT_IN, *_added()):
        if prefix not in hidden and (family := _family(prefix)):
            voices.extend(family.available())
    return tuple(voices)


def _family(prefix: str) -> Family | None:
    if prefix in BUILT_IN:
        return _load(BUILT_IN[prefix])
    reference = _added().get(prefix)
    if reference is None:
        return None
    try:
        return _load(reference)
    except Exception as error:  # another package's code: whatever it raises, it is named
        why, more = told(error)
        hint = f"they are registered as {reference}" + (f"; {more}" if more else "")
        raise VoiceError(f"the voices {prefix!r} could not be loaded: {why}", hint=hint) from error


def _load(reference: str) -> Family:
    module, _, attribute = reference.partition(":")
    family: Family = getattr(importlib.import_module(module), attribute)
    return family


def _added() -> Mapping[str, str]:
    """Families of other packages. Looked up only when asked: it reads every package's files."""
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP) if one.name not in BUILT_IN}


def _known() -> Iterator[str]:
    yield from (prefix for prefix in (*BUILT_IN, *_added()) if prefix not in _HIDDEN)
