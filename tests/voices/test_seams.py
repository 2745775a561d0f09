"""What the drivers use of other packages beyond their documented interfaces is still there.

A test that fails here names what changed in a package, and which function of ours relied on it.
"""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import types
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hibari
import numpy as np
import pytest
import pyttsx3
from hibari import dsp
from hibari import voices as hibari_voices

from voiceflow import voices
from voiceflow.voices.drivers import hibari_model, piper
from voiceflow.voices.drivers.base import WaveDriver

LINUX = sys.platform.startswith("linux")


def holds(true: object, package: str, what: str, seam: str) -> None:
    try:
        found = version(package)
    except PackageNotFoundError:
        found = "unknown"
    assert true, f"{package} {found} changed: {what}; {seam} relies on it"


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def sources(module: str) -> dict[str, ast.Module]:
    """Every module of a package, parsed, by its path in the package. Nothing is imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.py")
    }


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return names


def used(tree: ast.AST, module: str) -> dict[str, ast.Call | None]:
    """The names of `module` that are used as ``module.name``, with the last call of each."""
    found: dict[str, ast.Call | None] = {}
    for node in ast.walk(tree):
        call = node if isinstance(node, ast.Call) else None
        name = call.func if call else node
        if isinstance(name, ast.Attribute) and ast.unparse(name.value) == module:
            found[name.attr] = call or found.get(name.attr)
    return found


# hibari-tts


def test_hibari_uses_of_scipy_its_fourier_transforms_alone() -> None:
    found = {
        (place, name)
        for place, tree in sources("hibari").items()
        for name in imported(tree)
        if name.split(".")[0] == "scipy"
    }
    what = f"it imports {sorted(found)} of scipy, not scipy.fft in dsp.py alone"
    holds(found == {("dsp.py", "scipy.fft")}, "hibari-tts", what, "_without_scipy")


def test_hibari_takes_numpy_even_where_scipy_is_installed() -> None:
    code = (
        "import sys\n"
        "from voiceflow.voices.drivers import hibari_model\n"
        "from hibari import dsp\n"
        "print(getattr(dsp, 'FFT_BACKEND', 'unknown'), 'scipy' in sys.modules)\n"
        "try:\n    import scipy.fft\nexcept ModuleNotFoundError:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    what = f"its FFT_BACKEND is {done.stdout.split()[0]}"
    holds(done.stdout.split() == ["numpy", "False"], "hibari-tts", what, "_without_scipy")


def test_hibari_has_the_methods_that_the_model_replaces_and_calls() -> None:
    seam = "hibari_model.Model"
    for function, names in (
        (hibari.Hibari.__init__, ["voice", "g2p"]),
        (hibari.Hibari.from_ids, ["self", "ids", "speed", "rng"]),
        (hibari.Hibari.stream, ["self", "text", "speed", "seed"]),
        (dsp.synth, ["lh", "th", "ln", "lr", "phi", "f0", "rng"]),
    ):
        found = parameters(function)
        what = f"{function.__qualname__} takes {found}"
        same = set(names) <= set(found) if names[0] == "voice" else found == names
        holds(same, "hibari-tts", what, seam)


def test_hibari_streams_a_sentence_at_a_time_through_from_ids() -> None:
    calls: list[tuple[Any, ...]] = []

    class Spy(hibari.Hibari):  # type: ignore[misc]
        def __init__(self) -> None:
            self.vocab = {"a": 1, "b": 2}

        def phonemize(self, text: str) -> list[str]:
            return text.split()

        def from_ids(self, *given: Any) -> list[int]:
            calls.append(given)
            return given[0]  # type: ignore[no-any-return]

    sentences = list(Spy().stream("a ab", speed=0.7, seed=1))
    what = f"stream called from_ids with {calls}"
    same = sentences == [[0, 1, 0], [0, 1, 2, 0]] and [one[1] for one in calls] == [0.7, 0.7]
    holds(same, "hibari-tts", what, "hibari_model.Model.from_ids")


def test_hibari_s_network_takes_and_gives_what_the_model_expects() -> None:
    model = hibari_model.load("heart")
    inputs = {one.name for one in model.sess.get_inputs()}
    holds(inputs == {"ids", "speed"}, "hibari-tts", f"its network takes {inputs}", "Model.from_ids")
    given = {"ids": np.array([[0, 5, 6, 0]], np.int64), "speed": np.array([1.0], np.float32)}
    shapes = [one.shape for one in model.sess.run(None, given)]
    frames = shapes[-1][-1]
    expected = [(1, 601, frames)] * 5 + [(1, frames)]
    what = f"its network gives arrays of the shapes {shapes}"
    holds(shapes == expected, "hibari-tts", what, "hibari_model._audible")


def test_hibari_draws_its_noise_once_for_a_sentence() -> None:
    asked: list[tuple[Any, Any]] = []

    class Generator:
        def standard_normal(self, shape: tuple[int, int], dtype: Any) -> Any:
            asked.append((shape, dtype))
            return np.zeros(shape, dtype)

    parts = [np.full((601, 8), -9, np.float32)] * 5
    sound = dsp.synth(*parts, np.zeros(8, np.float32), Generator())
    what = f"dsp.synth asked for noise {asked}, and gave {sound.shape}"
    same = asked == [((601, 16), np.float32)] and sound.shape == (8 * 300,)
    holds(same, "hibari-tts", what, "hibari_model._Noise")


def test_hibari_knows_its_voices_and_where_they_are() -> None:
    lacking = [
        (name, key)
        for name, facts in hibari_model.known().items()
        for key in ("language", "gender", "british")
        if key not in facts
    ]
    holds(
        not lacking, "hibari-tts", f"facts are missing of voices: {lacking}", "hibari_model.known"
    )
    found = parameters(hibari_voices.voice_path)
    what = f"voice_path takes {found}"
    holds("download_missing" in found, "hibari-tts", what, "hibari_model.is_here")
    assert hibari_model.is_here("heart")


# pyttsx3 and its espeak driver


def test_pyttsx3_finds_drivers_on_the_path_of_its_package() -> None:
    voices.install_drivers()
    engine = pyttsx3.init("faulty")
    holds(hasattr(engine, "proxy"), "pyttsx3", "an engine has no proxy", "engine.Engine._write")
    what = "setBusy is gone from the proxy"
    holds(hasattr(engine.proxy, "setBusy"), "pyttsx3", what, "engine.Engine._write")
    what = "init gives another engine while one of that driver is held"
    holds(pyttsx3.init("faulty") is engine, "pyttsx3", what, "worker._begin")


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any]]:
    """An engine of a driver that is not in pyttsx3's package, and what it was told, in order."""
    told: list[Any] = []

    class Driver(WaveDriver):
        def known_voices(self) -> list[Any]:
            return []

        def setProperty(self, name: str, value: Any) -> None:  # noqa: N802
            told.append((name, value))
            super().setProperty(name, value)

        def samples_of(self, text: str) -> bytes:
            told.append(text)
            if text == "wrong":
                raise RuntimeError("on purpose")
            return bytes(480)

    driver = types.ModuleType("a_driver")
    driver.buildDriver = Driver  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyttsx3.drivers.a_driver", driver)
    return pyttsx3.init("a_driver"), told


def test_pyttsx3_carries_out_in_order_what_it_was_told(
    spoken: tuple[Any, list[Any]], tmp_path: Path
) -> None:
    engine, told = spoken
    finished: list[Any] = []
    engine.connect("finished-utterance", lambda **given: finished.append(given))
    engine.proxy.setBusy(True)
    engine.setProperty("rate", 90)
    engine.save_to_file("one", str(tmp_path / "one.wav"))
    engine.setProperty("rate", 120)
    engine.save_to_file("two", str(tmp_path / "two.wav"))
    holds(not told, "pyttsx3", "it does not wait for a busy driver", "engine.Engine._write")
    engine.runAndWait()
    what = f"it carried out {told}"
    same = told == [("rate", 90), "one", ("rate", 120), "two"]
    holds(same, "pyttsx3", what, "engine.Engine")
    what = f"listeners to finished-utterance were told {finished}"
    holds([one["completed"] for one in finished] == [True, True], "pyttsx3", what, "engine.Engine")
    assert all((tmp_path / name).stat().st_size > 480 for name in ("one.wav", "two.wav"))


def test_pyttsx3_tells_of_a_driver_s_error_and_goes_on(
    spoken: tuple[Any, list[Any]], tmp_path: Path
) -> None:
    engine, told = spoken
    errors: list[Any] = []
    engine.connect("error", lambda **given: errors.append(given.get("exception")))
    for text in ("wrong", "right"):
        engine.proxy.setBusy(True)
        engine.save_to_file(text, str(tmp_path / f"{text}.wav"))
        engine.runAndWait()
    what = f"listeners to error were told {errors}"
    holds(list(map(str, errors)) == ["on purpose"], "pyttsx3", what, "engine.Engine._remember")
    assert told == ["wrong", "right"]


@pytest.mark.parametrize("name", ["sapi5", "nsss"])
def test_pyttsx3_has_the_drivers_of_other_systems(name: str) -> None:
    """Read, not run: neither loads here, but a driver that goes is noticed before a release."""
    tree = sources("pyttsx3").get(f"drivers/{name}.py", ast.Module([], []))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    needed = {"buildDriver", "getProperty", "setProperty", "save_to_file", "startLoop", "endLoop"}
    missing = sorted(needed - names)
    holds(not missing, "pyttsx3", f"{name} has no {', '.join(missing)}", "engine.Engine")


def test_pyttsx3_s_espeak_driver_calls_what_is_replaced() -> None:
    seam = "espeak._speak_synchronously"
    trees = sources("pyttsx3")
    for place in ("drivers/espeak.py", "drivers/_espeak.py"):
        holds(place in trees, "pyttsx3", f"{place} is gone", seam)
    calls = used(trees["drivers/espeak.py"], "_espeak")
    synth, opened = calls.get("Synth"), calls.get("Initialize")
    holds(synth is not None, "pyttsx3", "the driver does not call _espeak.Synth", seam)
    assert synth is not None
    how = (len(synth.args), [one.arg for one in synth.keywords])
    holds(how == (1, ["flags"]), "pyttsx3", f"_espeak.Synth is called with {how}", seam)
    holds(opened is not None, "pyttsx3", "the driver does not call _espeak.Initialize", seam)
    assert opened is not None
    mode = ast.unparse(opened.args[0])
    what = f"espeak is opened with {mode}"
    holds(mode == "_espeak.AUDIO_OUTPUT_RETRIEVAL", "pyttsx3", what, seam)
    what = "EVENT_MSG_TERMINATED does not end a text"
    holds("EVENT_MSG_TERMINATED" in calls, "pyttsx3", what, seam)


def test_pyttsx3_s_espeak_interface_has_what_is_used() -> None:
    tree = sources("pyttsx3")["drivers/_espeak.py"]
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    } | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    needed = {
        "AUDIO_OUTPUT_RETRIEVAL", "AUDIO_OUTPUT_SYNCHRONOUS", "EE_OK", "EVENT",
        "EVENT_MSG_TERMINATED", "POS_CHARACTER", "Synth", "SynthCallback", "cSynth",
    }  # fmt: skip
    missing = sorted(needed - names)
    what = f"_espeak has no {', '.join(missing)}"
    holds(not missing, "pyttsx3", what, "espeak._speak_synchronously")


@pytest.mark.skipif(not LINUX, reason="espeak is bundled for Linux")
def test_espeakng_loader_has_library_and_data() -> None:
    spec = find_spec("espeakng_loader")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    for name in ("libespeak-ng.so.1", "espeak-ng-data/lang", "espeak-ng-data/voices/!v"):
        there = (folder / name).exists()
        holds(there, "espeakng-loader", f"{name} is gone", "espeak._load_library")


# piper-tts


def test_a_piper_voice_is_made_of_its_parts_in_one_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With stand-ins for the packages: which options the session gets, and what the voice gets."""
    made: dict[str, Any] = {}
    runtime, package = types.ModuleType("onnxruntime"), types.ModuleType("piper")

    def session(path: str, sess_options: Any, providers: list[str]) -> str:
        made.update(path=path, options=vars(sess_options), providers=providers)
        return "session"

    runtime.SessionOptions = types.SimpleNamespace  # type: ignore[attr-defined]
    runtime.InferenceSession = session  # type: ignore[attr-defined]
    package.PiperConfig = types.SimpleNamespace(from_dict=lambda told: told)  # type: ignore[attr-defined]
    package.PiperVoice = lambda **given: given  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    monkeypatch.setitem(sys.modules, "piper", package)
    path = tmp_path / "amy.onnx"
    path.with_name("amy.onnx.json").write_text(json.dumps({"audio": {}}), encoding="utf-8")
    assert piper._load(str(path)) == {"session": "session", "config": {"audio": {}}}
    assert made == {
        "path": str(path),
        "options": {"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        "providers": ["CPUExecutionProvider"],
    }
    assert runtime.InferenceSession is session, "nothing of onnxruntime is replaced"


def test_piper_has_the_parts_that_a_voice_is_made_of() -> None:
    package = pytest.importorskip("piper")
    for name, needed in (
        ("PiperVoice", {"session", "config"}),
        ("SynthesisConfig", {"length_scale", "noise_scale", "noise_w_scale"}),
    ):
        missing = sorted(needed - set(parameters(getattr(package, name))))
        holds(not missing, "piper-tts", f"{name} takes no {missing}", "piper._load")
    found = parameters(package.PiperVoice.synthesize)
    what = f"synthesize takes {found}"
    holds({"text", "syn_config"} <= set(found), "piper-tts", what, "PiperDriver._scaled")
    holds(hasattr(package.PiperConfig, "from_dict"), "piper-tts", "no from_dict", "piper._load")
    chunk = hasattr(package.AudioChunk, "audio_int16_bytes")
    holds(chunk, "piper-tts", "chunks have no audio_int16_bytes", "PiperDriver._scaled")
