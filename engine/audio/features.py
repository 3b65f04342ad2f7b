"""The 22 audio features of a song, by one function for training and serving.

Frame-wise features are librosa 0.11's at their defaults (window 2048, hop 512, centred) on mono samples at
22,050 Hz. In the order of `engine.vocabulary.AUDIO_FEATURES`:

================  ==============================================================================
feature           definition
================  ==============================================================================
zcr, rms          ``zero_crossing_rate``, ``rms``: mean and standard deviation over frames
centroid, bw      ``spectral_centroid``, ``spectral_bandwidth`` in Hz, likewise
flat              ``spectral_flatness``, likewise
mfcc1, mfcc2      rows 0 and 1 of ``mfcc`` (20 rows), likewise
chroma            ``chroma_stft``: mean and standard deviation over its 12 rows and all frames
mfcc1/2_dmean     mean over frames of ``delta`` of the mfcc row
tempo             ``beat_track``, beats per minute; 0 when no onset is found
tempo_conf        peak of ``onset_strength`` divided by its mean; 0 when it has no onset
beat_int          mean and standard deviation of the seconds between beats; 0 below two beats
================  ==============================================================================

Standard deviations are the population's (``numpy.std``). A silent track, one whose peak is below -90 dBFS
(about one step of 16-bit audio), has tempo, tempo_conf and beat intervals 0; the rest is what librosa says of
it, for digital silence flatness 1, centroid, bandwidth and chroma 0.
"""

from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from engine.audio.container import shown
from engine.audio.decode import LARGEST_SAMPLE, SAMPLE_RATE, decode
from engine.audio.rhythm import STILLNESS, Rhythm, rhythm_of
from engine.audio.spectrum import HOP, FrameSeries, frame_series
from engine.errors import AudioError
from engine.vocabulary import AUDIO_FEATURES

# Changes whenever a value may change: stored features of another version are computed anew.
FEATURE_VERSION = "librosa22-1"
SILENT = "silent"
FEW_BEATS = "few_beats"

_SILENCE_PEAK = 10 ** (-90 / 20)
# librosa's delta looks at nine frames.
_DELTA_FRAMES = 9
_MIN_SAMPLES = (_DELTA_FRAMES - 1) * HOP


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """Features of one track: ``values`` (22,) float64, all finite, in `AUDIO_FEATURES` order.

    ``duration_s`` is the length of the track. ``flags`` tell what to know about the values: ``shortened``,
    ``truncated_to_limit`` (see `engine.audio.decode.Sound`), ``silent``, and ``few_beats`` (fewer than two
    beats, so the intervals are 0).
    """

    values: NDArray[np.float64]
    duration_s: float
    flags: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        """Value of the feature of that name."""
        return float(self.values[AUDIO_FEATURES.index(name)])


def extract_features(path: Path) -> AudioFeatures:
    """Features of an audio file: the whole track, at most its first ten minutes.

    Parameters
    ----------
    path
        WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF or another file that libsndfile decodes.

    Raises
    ------
    AudioError
        When the file cannot be decoded (see `engine.audio.decode.decode`) or is shorter than nine frames,
        0.19 s.
    """
    sound = decode(path)
    try:
        values = features_of(sound.samples)
    except AudioError as error:
        raise AudioError(f"{shown(path)}: {error}") from error
    silent = (SILENT,) if _is_silent(sound.samples) else ()
    few_beats = (FEW_BEATS,) if values[AUDIO_FEATURES.index("beat_int_mean")] == 0 else ()
    return AudioFeatures(values, sound.duration_s, sound.flags + silent + few_beats)


def features_of(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The 22 features of mono samples at 22,050 Hz, in `AUDIO_FEATURES` order.

    Parameters
    ----------
    samples
        (n,) float32, full scale 1, n >= 4096.

    Returns
    -------
    NDArray
        (22,) float64, finite.

    Raises
    ------
    AudioError
        When there are fewer than nine frames, or samples that are not finite.
    """
    if samples.ndim != 1:
        raise AudioError(f"samples of shape {samples.shape} are not mono; average the channels first")
    if len(samples) < _MIN_SAMPLES:
        seconds, needed = len(samples) / SAMPLE_RATE, _MIN_SAMPLES / SAMPLE_RATE
        raise AudioError(
            f"too short: {seconds:.2f} s where {needed:.2f} s ({_DELTA_FRAMES} frames) are needed"
        )
    # A NaN makes the comparison false too.
    if not _peak(samples) <= LARGEST_SAMPLE:
        raise AudioError(
            f"contains samples that are not finite or beyond {LARGEST_SAMPLE:g} times full scale"
        )
    series = frame_series(samples.astype(np.float32, copy=False))
    rhythm = STILLNESS if _is_silent(samples) else rhythm_of(series.mel_db)
    named = _spectral_values(series) | _rhythm_values(rhythm)
    return np.array([named[name] for name in AUDIO_FEATURES])


def _peak(samples: NDArray[np.float32]) -> float:
    return max(float(samples.max()), -float(samples.min()))


def _is_silent(samples: NDArray[np.float32]) -> bool:
    return _peak(samples) < _SILENCE_PEAK


def _spectral_values(series: FrameSeries) -> dict[str, float]:
    lines = {
        "zcr": series.zcr,
        "rms": series.rms,
        "centroid": series.centroid,
        "bw": series.bandwidth,
        "flat": series.flatness,
        "mfcc1": series.mfcc[0],
        "mfcc2": series.mfcc[1],
        "chroma": series.chroma,
    }
    values: dict[str, float] = {}
    for name, line in lines.items():
        values[f"{name}_mean"] = float(line.mean(dtype=np.float64))
        values[f"{name}_std"] = float(line.std(dtype=np.float64))
    for name, slope in zip(("mfcc1", "mfcc2"), librosa.feature.delta(series.mfcc), strict=True):
        values[f"{name}_dmean"] = float(slope.mean(dtype=np.float64))
    return values


def _rhythm_values(rhythm: Rhythm) -> dict[str, float]:
    intervals = rhythm.intervals
    known = len(intervals) > 0
    return {
        "tempo": rhythm.tempo,
        "tempo_conf": rhythm.confidence,
        "beat_int_mean": float(intervals.mean()) if known else 0.0,
        "beat_int_std": float(intervals.std()) if known else 0.0,
    }
