"""The straightforward recipe: one call of librosa per feature, each from the samples. The tests' oracle."""

import warnings
from typing import Any

import librosa
import numpy as np

from tests.engine.audio.signals import RATE, Samples

# Largest difference allowed, relative to the recipe's value; absolute for the two mean slopes, sums that cancel
# to about (last - first) / frames. Tempo and beats come from the same integers: equal to the last bit of a
# mean. The rest is the rounding of float32 sums.
TOLERANCE = {
    "zcr_mean": 1e-12, "zcr_std": 1e-12, "rms_mean": 2e-6, "rms_std": 5e-6,
    "centroid_mean": 1e-9, "centroid_std": 1e-9, "bw_mean": 1e-9, "bw_std": 1e-9,
    "flat_mean": 2e-6, "flat_std": 5e-6,
    "mfcc1_mean": 2e-6, "mfcc1_std": 5e-6, "mfcc2_mean": 5e-6, "mfcc2_std": 5e-6,
    "chroma_mean": 2e-6, "chroma_std": 2e-6, "mfcc1_dmean": 1e-5, "mfcc2_dmean": 1e-5,
    "tempo": 0.0, "tempo_conf": 2e-6, "beat_int_mean": 1e-12, "beat_int_std": 1e-12,
}  # fmt: skip


def recipe(samples: Samples) -> dict[str, float]:
    feature = librosa.feature
    mfcc = feature.mfcc(y=samples, sr=RATE)
    series = {
        "zcr": feature.zero_crossing_rate(samples),
        "rms": feature.rms(y=samples),
        "centroid": feature.spectral_centroid(y=samples, sr=RATE),
        "bw": feature.spectral_bandwidth(y=samples, sr=RATE),
        "flat": feature.spectral_flatness(y=samples),
        "mfcc1": mfcc[0],
        "mfcc2": mfcc[1],
        "chroma": _chroma(samples),
    }
    values = {f"{name}_mean": float(np.mean(rows)) for name, rows in series.items()}
    values |= {f"{name}_std": float(np.std(rows)) for name, rows in series.items()}
    values |= {f"mfcc{row + 1}_dmean": float(np.mean(feature.delta(mfcc[row]))) for row in (0, 1)}
    tempo, beats = librosa.beat.beat_track(y=samples, sr=RATE)
    onset = librosa.onset.onset_strength(y=samples, sr=RATE)
    intervals = np.diff(librosa.frames_to_time(beats, sr=RATE))
    values["tempo"] = float(np.max(tempo))
    values["tempo_conf"] = float(np.max(onset) / np.mean(onset)) if onset.any() else 0.0
    values["beat_int_mean"] = float(np.mean(intervals)) if len(intervals) else 0.0
    values["beat_int_std"] = float(np.std(intervals)) if len(intervals) else 0.0
    return values


def _chroma(samples: Samples) -> np.ndarray[Any, Any]:
    with warnings.catch_warnings():
        # librosa takes 0 for the tuning then, and says so by a warning; the product asks before calling.
        warnings.filterwarnings("ignore", "Trying to estimate tuning from empty frequency set", UserWarning)
        chroma: np.ndarray[Any, Any] = librosa.feature.chroma_stft(y=samples, sr=RATE)
    return chroma
