"""Tempo by blocks of frames against librosa's whole tempogram, and beats of pulses known in advance."""

import librosa
import numpy as np
import pytest

from engine.audio.rhythm import mean_tempogram, rhythm_of
from tests.engine.audio.signals import RATE

FRAMES_PER_SECOND = RATE / 512


def pulse(frames: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Onset strength that is often zero and never the same, high at its ends."""
    rng = np.random.default_rng(seed)
    strength = rng.exponential(1.0, frames) * (rng.random(frames) < 0.4)
    strength[[0, -1]] = 5.0
    return strength.astype(np.float32)


@pytest.mark.parametrize("frames", [9, 343, 344, 512, 513, 1024, 1500])
def test_the_mean_tempogram_is_the_mean_of_the_tempogram(frames: int) -> None:
    # Eight seconds, librosa.feature.tempo's default, are 344 frames.
    whole = librosa.feature.tempogram(onset_envelope=pulse(frames), sr=RATE, win_length=344)
    assert whole.shape == (344, frames)
    np.testing.assert_allclose(mean_tempogram(pulse(frames))[:, 0], whole.mean(axis=1), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("frames", [100, 700, 1500])
def test_the_tempo_is_the_one_librosa_reads(frames: int) -> None:
    for seed in range(20):
        strength = pulse(frames, seed)
        tempo = librosa.feature.tempo(tg=mean_tempogram(strength), sr=RATE, aggregate=None)
        assert tempo == librosa.feature.tempo(onset_envelope=strength, sr=RATE)


def test_a_pulse_every_twenty_frames_has_beats_every_twenty_frames() -> None:
    mel_db = np.full((128, 1000), -60.0, np.float32)
    mel_db[:, 10::20] = 0.0
    rhythm = rhythm_of(mel_db)
    assert rhythm.tempo == pytest.approx(60 * FRAMES_PER_SECOND / 20)
    assert rhythm.intervals == pytest.approx(20 / FRAMES_PER_SECOND)
    # Every twentieth frame rises by 60 dB and nothing else does: peak over mean is about 20.
    assert rhythm.confidence == pytest.approx(20, rel=0.02)


def test_a_level_that_never_rises_has_no_rhythm() -> None:
    rhythm = rhythm_of(np.tile(np.linspace(0, -60, 200, dtype=np.float32), (128, 1)))
    assert (rhythm.tempo, rhythm.confidence) == (0.0, 0.0)
    assert len(rhythm.beats) == len(rhythm.intervals) == 0


def test_onsets_in_a_few_bands_only_count_for_the_mean_and_not_for_the_median() -> None:
    mel_db = np.full((128, 300), -60.0, np.float32)
    mel_db[:10, 20::20] = 0.0
    rhythm = rhythm_of(mel_db)
    assert rhythm.tempo == 0.0
    assert rhythm.confidence > 10
