"""espeak-ng's voices: found in the data folder of its wheel, and its library made ready.

The wheel `espeakng-loader` holds library and data, so that no system package is needed.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voiceflow.core.errors import UnknownNameError, VoiceError
from voiceflow.core.packages import version_of
from voiceflow.voices.voice import Voice, VoiceInfo

_USUAL = "en-us"  # the same English as the natural voice
_SEAM = "seam-1"  # raise it when `prepare` or the way one utterance is made changes the samples


@dataclass(frozen=True, slots=True)
class _Tongue:
    """One voice file: `codes` are language codes, each with its priority (lower wins)."""

    identifier: str
    title: str
    codes: tuple[tuple[int, str], ...]

    @property
    def short(self) -> str:
        return self.identifier.rpartition("/")[2].casefold()


class Espeak:
    """The family ``espeak``: ``espeak``, ``espeak:es``, ``espeak:en-gb+f3``."""

    def find(self, rest: str) -> Voice:
        """The voice of a language code, or of espeak's own name for it; ``+f3`` is a variant."""
        folder = _data()
        if why := _why_not(folder):
            raise VoiceError(f"there is no espeak voice here: {why}", hint=_hint())
        assert folder is not None
        wanted, _, variant = (rest.strip() or _USUAL).partition("+")
        tongue = _tongue(folder, wanted.casefold())
        identifier = tongue.identifier + _variant(folder, rest, variant)
        return Voice(
            name=f"espeak:{rest.strip()}" if rest.strip() else "espeak",
            driver="espeak",
            voice_id=identifier,
            version=_version(),
            language=min(tongue.codes)[1],
        )

    def available(self) -> tuple[VoiceInfo, ...]:
        folder = _data()
        why = _why_not(folder)
        about = "robotic and quick; espeak:CODE speaks any of its languages"
        usual = VoiceInfo("espeak", "en", about, not why, why)
        if why or folder is None:
            return (usual,)
        tongues = sorted(_tongues(folder), key=lambda one: one.short)
        return (
            usual,
            *(
                VoiceInfo(f"espeak:{one.short}", min(one.codes)[1], one.title, True)
                for one in tongues
            ),
        )


espeak = Espeak()


def prepare() -> None:
    """Let pyttsx3 find the wheel's library, and have it speak without its races.

    For a worker process only: both changes are for good. Raises VoiceError without the wheel.
    """
    folder = _data()
    if folder is None:
        raise VoiceError(f"there is no espeak voice here: {_why_not(folder)}", hint=_hint())
    _load_library(folder)
    _speak_synchronously()


def _load_library(folder: Path) -> None:
    """Load the wheel's espeak-ng, so that pyttsx3's load of ``libespeak-ng.so.1`` finds it.

    The first load is by its full path; a later one by the same soname gets the same library.
    """
    import ctypes

    os.environ["ESPEAK_DATA_PATH"] = str(folder)
    ctypes.CDLL(str(folder.parent / "libespeak-ng.so.1"), mode=ctypes.RTLD_GLOBAL)


def _speak_synchronously() -> None:
    """The seam with pyttsx3's espeak driver: have it wait for the samples of each text.

    The driver opens espeak for asynchronous retrieval. Its parameters then overtake each other (a
    rate set before a text may miss it), and `espeak_Synth` copies ten times the text's size from
    memory that is not the text's. Synchronous retrieval has neither fault, but sends no closing
    event, so that is sent here.

    Relied on, and held by tests/voices/test_seams.py: the driver opens espeak with
    `_espeak.Initialize(_espeak.AUDIO_OUTPUT_RETRIEVAL, …)` and speaks with
    `_espeak.Synth(text, flags=…)`, looking up both names at each call; `_espeak.SynthCallback` is
    its own callback, and `EVENT_MSG_TERMINATED` ends a text.
    """
    from pyttsx3.drivers import _espeak as api

    # Two, because a list of events ends with one that is all zero.
    ended = (api.EVENT * 2)()
    ended[0].type = api.EVENT_MSG_TERMINATED

    def synth(text: bytes, flags: int = 0, **_: Any) -> None:
        status = api.cSynth(text, len(text) + 1, 0, api.POS_CHARACTER, 0, flags, None, None)
        if status != api.EE_OK:
            raise RuntimeError(f"espeak_Synth gave {status}")
        api.SynthCallback(None, 0, ended)

    api.AUDIO_OUTPUT_RETRIEVAL = api.AUDIO_OUTPUT_SYNCHRONOUS
    api.Synth = synth


def _data() -> Path | None:
    spec = find_spec("espeakng_loader") if sys.platform.startswith("linux") else None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "espeak-ng-data"
    return folder if folder.is_dir() else None


def _version() -> str:
    loader = version_of("espeakng_loader", "espeakng-loader")
    return f"espeakng-loader {loader}, pyttsx3 {version_of('pyttsx3', 'pyttsx3')}, {_SEAM}"


def _why_not(folder: Path | None) -> str:
    if not sys.platform.startswith("linux"):
        return "it is bundled for Linux only"
    return "" if folder else "the package espeakng-loader is not installed"


def _hint() -> str:
    if sys.platform.startswith("linux"):
        return "pip install espeakng-loader"
    return "the system's own voices are sapi5 on Windows and nsss on macOS"


def _tongue(folder: Path, wanted: str) -> _Tongue:
    """The file named `wanted`, else the one that serves the code `wanted` best."""
    # By name first, since that opens no file; the codes stand inside the files.
    for identifier in _identifiers(folder):
        if wanted in (identifier.casefold(), identifier.rpartition("/")[2].casefold()):
            return _read(folder, identifier)
    tongues = _tongues(folder)
    serving = [
        (rank, one.short, one) for one in tongues for rank, code in one.codes if code == wanted
    ]
    if serving:
        # Without the voice itself, which has no order.
        return min(serving, key=lambda found: found[:2])[2]
    error = UnknownNameError(
        "voice", f"espeak:{wanted}", (f"espeak:{one.short}" for one in tongues)
    )
    titled = [one.short for one in tongues if wanted and one.title.casefold().startswith(wanted)]
    if titled:
        error.hint = (
            "did you mean " + " or ".join(f"`espeak:{code}`" for code in sorted(titled)[:3]) + "?"
        )
    error.hint = error.hint or "`voiceflow list voices` names them all"
    raise error


def _variant(folder: Path, rest: str, variant: str) -> str:
    if not variant:
        return ""
    known = sorted(path.name for path in (folder / "voices" / "!v").iterdir())
    for name in known:
        if name.casefold() == variant.casefold():
            return f"+{name}"
    base = rest.partition("+")[0]
    raise UnknownNameError("voice", f"espeak:{rest}", (f"espeak:{base}+{name}" for name in known))


@functools.cache
def _tongues(folder: Path) -> tuple[_Tongue, ...]:
    return tuple(_read(folder, identifier) for identifier in _identifiers(folder))


def _identifiers(folder: Path) -> Iterator[str]:
    """espeak's names of its voices, ``roa/es``: the places of their files. No file is opened."""
    for base, folders, names in os.walk(folder / "lang"):
        # In place, because `os.walk` goes on with this list; on disk the order may be any.
        folders.sort()
        group = Path(base).relative_to(folder / "lang").as_posix()
        yield from (name if group == "." else f"{group}/{name}" for name in sorted(names))


def _read(folder: Path, identifier: str) -> _Tongue:
    path = folder / "lang" / identifier
    title, codes = path.name, []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if line.startswith("name ") and len(words) > 1:
            title = " ".join(words[1:])
        elif line.startswith("language ") and len(words) > 1:
            rank = int(words[2]) if len(words) > 2 and words[2].isdigit() else 5
            codes.append((rank, words[1].casefold()))
    return _Tongue(identifier, title, tuple(codes) or ((5, path.name.casefold()),))
