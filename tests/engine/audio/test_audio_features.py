"""Features of signals whose answer is known in closed form, and what must not change them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio import FEATURE_VERSION, AudioFeatures, extract_features, features_of
from engine.audio.spectrum import HOP, N_FFT, frame_series
from engine.errors import AudioError
from engine.vocabulary import AUDIO_FEATURES
from tests.engine.audio.signals import RATE, Samples, clicks, mixture, noise, tone

BIN = RATE / N_FFT
# Frames whose window lies wholly inside the signal: two on either side reach over an end.
INSIDE = slice(2, -2)
RHYTHM = ("tempo", "tempo_conf", "beat_int_mean", "beat_int_std")


def named(samples: Samples) -> dict[str, float]:
    return dict(zip(AUDIO_FEATURES, features_of(samples), strict=True))


def test_a_tone_on_a_bin_has_the_moments_of_the_hann_window() -> None:
    # It spreads such a tone as 1/4, 1/2, 1/4 over three bins: standard deviation bin / sqrt 2.
    series = frame_series(tone(100 * BIN, 3.0))
    assert series.centroid[INSIDE] == pytest.approx(100 * BIN, abs=0.05)
    assert series.bandwidth[INSIDE] == pytest.approx(BIN / np.sqrt(2), abs=0.5)


def test_rms_of_a_sine_is_its_amplitude_over_the_root_of_two() -> None:
    # A tone of whole periods per window.
    series = frame_series(tone(100 * BIN, 3.0, amplitude=0.8))
    assert series.rms[INSIDE] == pytest.approx(0.8 / np.sqrt(2), rel=1e-5)
    # The first frame is centred on the first sample: half of it is padding.
    assert series.rms[0] == pytest.approx(0.8 / 2, rel=1e-3)


def test_zcr_of_a_square_wave_is_its_sign_changes_per_sample() -> None:
    # Half a period is 64 samples; shifted by 10, so that no change falls on a frame's first sample.
    square = np.where((np.arange(RATE * 2) + 10) // 64 % 2, -0.5, 0.5).astype(np.float32)
    series = frame_series(square)
    assert series.zcr[INSIDE] == pytest.approx(1 / 64, abs=1e-12)


def test_white_noise_crosses_zero_every_other_sample_and_is_flat() -> None:
    values = named(noise(20.0))
    assert values["zcr_mean"] == pytest.approx(0.5, abs=0.005)
    assert values["rms_mean"] == pytest.approx(0.1, rel=0.01)
    # Powers are exponentially distributed: geometric over arithmetic mean is exp(-Euler's constant).
    assert values["flat_mean"] == pytest.approx(np.exp(-np.euler_gamma), abs=0.01)
    assert values["centroid_mean"] == pytest.approx(RATE / 4, rel=0.01)


def test_an_impulse_has_a_flat_spectrum() -> None:
    impulse = np.zeros(RATE, np.float32)
    impulse[10 * HOP] = 1.0
    series = frame_series(impulse)
    assert series.flatness[10] == pytest.approx(1.0, abs=1e-5)
    assert series.centroid[10] == pytest.approx(RATE / 4, rel=1e-5)


def test_the_chroma_of_a_is_highest_on_a() -> None:
    series = frame_series(tone(440.0, 2.0))
    assert series.chroma[9, INSIDE] == pytest.approx(1.0)  # librosa counts from C
    assert set(np.argmax(series.chroma[:, INSIDE], axis=0)) == {9}


@pytest.mark.parametrize("beats_per_minute", [100, 120, 150])
def test_a_click_track_has_its_tempo_and_its_intervals(beats_per_minute: int) -> None:
    values = named(clicks(beats_per_minute, 20.0))
    # librosa knows tempi of whole frames per beat only.
    grid = 60 * RATE / HOP / np.arange(1, 344)
    neighbours = {max(grid[grid <= beats_per_minute]), min(grid[grid >= beats_per_minute])}
    assert values["tempo"] in neighbours
    # Beats sit on frames, 23 ms apart, so an interval is within one frame and the mean much closer.
    assert values["beat_int_mean"] == pytest.approx(60 / beats_per_minute, abs=0.003)
    assert values["beat_int_std"] < HOP / RATE


def test_one_attack_has_a_high_tempo_confidence_and_steady_noise_a_low_one() -> None:
    # One click: a few of 862 frames carry all of the onset strength.
    assert named(clicks(3, 20.0))["tempo_conf"] > 100
    assert 1 < named(noise(20.0))["tempo_conf"] < 5


def test_a_rising_level_has_the_slope_of_its_decibels() -> None:
    # 20 dB in 10 s; all mel bands rise alike, and row 0 of the cosine transform is their sum over root 128.
    ramp = 10 ** (np.linspace(-1, 0, RATE * 10))
    values = named((noise(10.0) * ramp).astype(np.float32))
    per_frame = 20 / (10 * RATE / HOP) * np.sqrt(128)
    assert values["mfcc1_dmean"] == pytest.approx(per_frame, rel=0.1)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_defined_values(level: float) -> None:
    values = named((np.sign(noise(3.0)) * level).astype(np.float32))
    assert [values[name] for name in RHYTHM] == [0.0] * 4
    if level == 0:
        # power_to_db floors at -100 dB in each of 128 bands.
        assert values["mfcc1_mean"] == pytest.approx(-100 * np.sqrt(128), rel=1e-6)
        zeros = {"zcr", "rms", "centroid", "bw", "chroma"}
        assert {values[f"{name}_{moment}"] for name in zeros for moment in ("mean", "std")} == {0.0}
        assert values["flat_mean"] == pytest.approx(1.0, rel=1e-6)
        assert values["flat_std"] == 0.0


@pytest.mark.parametrize("length_s", [0.2, 0.3, 1.0, 1.02])
def test_short_clips_have_features(length_s: float) -> None:
    assert np.isfinite(features_of(mixture(length_s))).all()


def test_a_constant_signal_has_features() -> None:
    values = named(np.full(RATE * 2, 0.25, np.float32))
    assert np.isfinite(list(values.values())).all()
    assert values["zcr_mean"] == 0.0


def test_too_few_frames_are_an_error() -> None:
    assert len(features_of(noise(1.0)[:4096])) == len(AUDIO_FEATURES)
    with pytest.raises(AudioError, match=r"too short: 0\.19 s where 0\.19 s \(9 frames\) are needed"):
        features_of(noise(1.0)[:4095])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e13])
def test_samples_beyond_measure_are_an_error(value: float) -> None:
    samples = noise(1.0)
    samples[5000] = value
    with pytest.raises(AudioError, match="not finite or beyond"):
        features_of(samples)


def test_stereo_samples_are_an_error() -> None:
    with pytest.raises(AudioError, match=r"\(2, 22050\) are not mono"):
        features_of(np.zeros((2, RATE), np.float32))


def test_features_of_does_not_change_its_argument() -> None:
    samples = mixture(2.0)
    before = samples.copy()
    features_of(samples)
    assert np.array_equal(samples, before)


@settings(max_examples=15, deadline=None)
@given(exponent=st.integers(-6, 6))
def test_a_gain_of_a_power_of_two_changes_levels_only(exponent: int) -> None:
    # Powers of two are exact in floating point, so what does not depend on level is equal bit for bit.
    gain = 2.0**exponent
    plain, loud = named(noise(1.0)), named(noise(1.0) * np.float32(gain))
    for name in ("zcr", "centroid", "bw", "chroma"):
        assert loud[f"{name}_mean"] == plain[f"{name}_mean"]
        assert loud[f"{name}_std"] == plain[f"{name}_std"]
    assert loud["rms_mean"] == pytest.approx(plain["rms_mean"] * gain, rel=1e-6)
    assert loud["mfcc1_mean"] == pytest.approx(
        plain["mfcc1_mean"] + 20 * np.log10(gain) * np.sqrt(128), abs=1e-2
    )
    assert [loud[name] for name in RHYTHM] == pytest.approx([plain[name] for name in RHYTHM], rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    length=st.integers(4096, 30_000),
    level=st.sampled_from([1e-30, 1e-6, 1e-3, 1.0, 1e4, 1e12]),
    filled=st.sampled_from([0.0, 1e-4, 0.01, 1.0]),
    offset=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 99),
)
def test_every_feature_is_finite(length: int, level: float, filled: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-1, 1, length) * (rng.random(length) < filled) + offset
    values = named((samples * level / (1 + offset)).astype(np.float32))
    assert np.isfinite(list(values.values())).all()
    assert 0 <= values["zcr_mean"] <= 1
    # Logarithms of powers up to 1e24 are near 60; in single precision each is off by up to 4e-6.
    assert 0 <= values["flat_mean"] <= 1 + 5e-6
    assert 0 <= values["centroid_mean"] <= RATE / 2
    assert 0 <= values["chroma_mean"] <= 1
    assert (values["beat_int_mean"] > 0) or values["beat_int_std"] == 0


def write(folder: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Path:
    path = folder / "song.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def test_a_file_has_the_features_of_its_samples(tmp_path: Path) -> None:
    samples = clicks(120, 8.0)
    features = extract_features(write(tmp_path, samples))
    assert np.array_equal(features.values, features_of(samples))
    assert (features.duration_s, features.flags) == (8.0, ())
    assert features["tempo"] == features.values[AUDIO_FEATURES.index("tempo")]
    assert features.values.dtype == np.float64


def test_opposite_phase_stereo_is_flagged_silent(tmp_path: Path) -> None:
    samples = noise(2.0)
    features = extract_features(write(tmp_path, np.stack([samples, -samples], axis=1)))
    assert features.flags == ("silent", "few_beats")
    assert [features[name] for name in RHYTHM] == [0.0] * 4


def test_a_track_without_two_beats_is_flagged(tmp_path: Path) -> None:
    samples = noise(0.5)
    features = extract_features(write(tmp_path, samples))
    assert features.flags == ("few_beats",)
    assert (features["beat_int_mean"], features["beat_int_std"]) == (0.0, 0.0)


def test_the_file_is_named_when_its_samples_are_too_few(tmp_path: Path) -> None:
    path = write(tmp_path, noise(0.1))
    with pytest.raises(AudioError, match=r"song\.wav: too short: 0\.10 s"):
        extract_features(path)


def test_the_version_names_the_feature_set() -> None:
    assert FEATURE_VERSION == "librosa22-1"
    assert AudioFeatures(np.arange(22.0), 1.0)["zcr_mean"] == 0.0


def test_importing_the_room_is_cheap() -> None:
    # numba and scipy take seconds; librosa brings them in on the first call.
    code = "import engine.audio, sys; sys.exit(len({'numba', 'scipy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
