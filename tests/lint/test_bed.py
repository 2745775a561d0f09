"""`check` tells what is done to music, and what cannot be used, before anything is rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import BUNDLED, SOUNDS
from proving import found, move, proof_of, script

from voiceflow.lint.report import summary
from voiceflow.script.lookup import Library


def music(folder: Path, right: float) -> str:
    """Five seconds of noise on the left; the same on the right, times `right`."""
    noise = np.random.default_rng(1).standard_normal(24_000 * 5) * 0.1
    path = folder / "music.wav"
    soundfile.write(path, np.stack([noise, noise * right], axis=1), 24_000)
    return str(path)


@pytest.mark.parametrize(("right", "told"), [(-1, True), (-0.9, True), (0, False), (1, False)])
def test_music_out_of_phase_is_told(library: Library, put, tmp_path: Path, right, told) -> None:
    proof = proof_of(library, put, script(move()), bed=music(tmp_path, right))
    warnings = found(proof, "bed-turned")
    assert bool(warnings) == told
    if told:
        assert warnings[0].severity == "warning"
        text = " ".join(summary(proof).split())
        assert "the two channels of music.wav cancel each other" in text
        assert "Music that is not heard from one loudspeaker (warning)" in text


def test_music_without_a_sound_is_an_error(library: Library, put, tmp_path: Path) -> None:
    path = tmp_path / "music.wav"
    soundfile.write(path, np.zeros((24_000, 2)), 24_000)
    (one,) = found(proof_of(library, put, script(move()), bed=str(path)), "bed-unusable")
    assert one.severity == "error"
    assert one.message == "the bed music.wav is silent"


def test_the_beds_of_our_own_are_right(put) -> None:
    mine = Library(Path("/nowhere/at/all"), BUNDLED, SOUNDS)
    for bed in ("ocean", "rain"):
        proof = proof_of(mine, put, script(move()), bed=bed)
        assert not [one for one in proof.findings if one.rule.startswith("bed")]
