"""Series over frames: librosa 0.11's own functions at their defaults, on one shared Fourier transform.

librosa's functions each make their own transform of the whole track. Here the track goes through in blocks of
frames, every function reads the same magnitudes, and no temporary array is larger than a block; the values
are those of ``function(y=samples)``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import librosa
import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import SAMPLE_RATE

N_FFT = 2048
HOP = 512
_BLOCK_FRAMES = 256

Series = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class FrameSeries:
    """What is known of every frame; frame t is centred at sample 512 t.

    ``zcr rms centroid bandwidth flatness`` (n,); ``mfcc`` (2, n), rows 0 and 1 of librosa's 20; ``chroma``
    (12, n); ``mel_db`` (128, n), the log-power mel spectrogram that mfcc and onset strength are made of.
    """

    zcr: Series
    rms: Series
    centroid: Series
    bandwidth: Series
    flatness: Series
    mfcc: Series
    chroma: Series
    mel_db: Series


def frame_count(samples: int) -> int:
    """Frames that librosa makes of so many samples, centred frames at the default hop."""
    return 1 + samples // HOP


def frame_series(samples: NDArray[np.float32]) -> FrameSeries:
    """Frame-wise features of mono samples at 22,050 Hz, (n,) float32, n >= 1."""
    frames = frame_count(len(samples))
    power = np.empty((1 + N_FFT // 2, frames), np.float32, order="F")
    lines = np.empty((5, frames))
    peaks = []
    for first, last in _blocks(frames):
        magnitude, lines[:, first:last] = _block_lines(samples, first, last)
        block = power[:, first:last]
        np.square(magnitude, out=block)
        peaks.append(_spectral_peaks(block))
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE))
    mfcc = librosa.feature.mfcc(S=mel_db)[:2]
    chroma = librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=_tuning(peaks))
    zcr, rms, centroid, bandwidth, flatness = lines
    return FrameSeries(zcr, rms, centroid, bandwidth, flatness, mfcc, chroma, mel_db)


def _blocks(frames: int) -> Iterator[tuple[int, int]]:
    for first in range(0, frames, _BLOCK_FRAMES):
        yield first, min(first + _BLOCK_FRAMES, frames)


def _block_lines(samples: NDArray[np.float32], first: int, last: int) -> tuple[Series, Series]:
    """Magnitudes (1025, n) of frames first..last-1; their zcr, rms, centroid, bandwidth, flatness (5, n)."""
    # librosa pads with zeros for spectra and rms, with the edge samples for zero crossings.
    padded = _excerpt(samples, first, last, "constant")
    edged = _excerpt(samples, first, last, "edge")
    magnitude = np.abs(librosa.stft(padded, n_fft=N_FFT, hop_length=HOP, center=False))
    centroid = librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE)
    rows = (
        librosa.feature.zero_crossing_rate(edged, frame_length=N_FFT, hop_length=HOP, center=False),
        librosa.feature.rms(y=padded, frame_length=N_FFT, hop_length=HOP, center=False),
        centroid,
        librosa.feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE, centroid=centroid),
        librosa.feature.spectral_flatness(S=magnitude),
    )
    return magnitude, np.concatenate(rows)


def _excerpt(
    samples: NDArray[np.float32], first: int, last: int, mode: Literal["constant", "edge"]
) -> NDArray[np.float32]:
    """Samples under frames first..last-1, padded where a frame reaches over an end of the track."""
    start = first * HOP - N_FFT // 2
    stop = (last - 1) * HOP + N_FFT // 2
    inside = samples[max(start, 0) : stop]
    return np.pad(inside, (max(-start, 0), max(stop - len(samples), 0)), mode=mode)


def _spectral_peaks(power: Series) -> tuple[Series, Series]:
    """Frequencies and strengths of a block's spectral peaks, each (m,)."""
    pitches, strengths = librosa.piptrack(S=power, sr=SAMPLE_RATE)
    found = pitches > 0
    return pitches[found], strengths[found]


def _tuning(peaks: list[tuple[Series, Series]]) -> float:
    """Deviation from A440 in semitones, as ``librosa.estimate_tuning``; 0 when there is no peak."""
    pitches = np.concatenate([pitch for pitch, _ in peaks])
    strengths = np.concatenate([strength for _, strength in peaks])
    if len(pitches) == 0:
        return 0.0
    return float(librosa.pitch_tuning(pitches[strengths >= np.median(strengths)]))
