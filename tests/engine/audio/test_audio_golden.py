"""The 22 values against librosa itself: called feature by feature, and as it answered at this version."""

import json
from typing import Any

import numpy as np
import pytest

from engine.audio import FEATURE_VERSION, features_of
from engine.audio.spectrum import _BLOCK_FRAMES, HOP
from engine.vocabulary import AUDIO_FEATURES
from tests.engine.audio.make_golden import GOLDEN
from tests.engine.audio.recipe import TOLERANCE, recipe
from tests.engine.audio.signals import GALLERY, Samples, chords, mixture


def differences(found: np.ndarray[Any, Any], expected: dict[str, float]) -> dict[str, float]:
    """Relative differences that are over their tolerance; of the mean slopes, absolute ones."""
    wrong = {}
    for name, value in zip(AUDIO_FEATURES, found, strict=True):
        scale = 1.0 if name.endswith("dmean") else abs(expected[name])
        if abs(value - expected[name]) > TOLERANCE[name] * scale:
            wrong[name] = abs(value - expected[name]) / (scale or 1.0)
    return wrong


@pytest.mark.parametrize("name", GALLERY)
def test_equals_one_librosa_call_per_feature(name: str) -> None:
    samples = GALLERY[name]()
    assert differences(features_of(samples), recipe(samples)) == {}


@pytest.mark.parametrize("extra", [-HOP, -1, 0, 1, HOP])
def test_block_boundaries_leave_no_trace(extra: int) -> None:
    length = _BLOCK_FRAMES * HOP + extra
    samples: Samples = mixture(length / 22_050 + 1)[:length]
    assert differences(features_of(samples), recipe(samples)) == {}


def test_a_rhythm_of_more_than_one_block_of_frames() -> None:
    samples = mixture(40.0)
    assert differences(features_of(samples), recipe(samples)) == {}


@pytest.mark.parametrize("name", GALLERY)
def test_equals_the_golden_file(name: str) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["feature_version"] == FEATURE_VERSION
    found = dict(zip(AUDIO_FEATURES, features_of(GALLERY[name]()), strict=True))
    # Wider than against librosa in this process: other processors round other sums.
    assert found == pytest.approx(golden["values"][name], rel=1e-4, abs=1e-4)


def test_the_tolerances_would_notice_a_wrong_tuning(monkeypatch: pytest.MonkeyPatch) -> None:
    # The chords are 20 cents sharp: without the tuning estimate the chroma differs by more than rounding.
    monkeypatch.setattr("engine.audio.spectrum._tuning", lambda _: 0.0)
    samples = chords(4.0)
    assert set(differences(features_of(samples), recipe(samples))) == {"chroma_mean", "chroma_std"}
