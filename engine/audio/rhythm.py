"""Tempo and beats: librosa's beat tracker on the mel spectrogram that is there already."""

from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import SAMPLE_RATE

_BLOCK_FRAMES = 512


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``tempo`` in beats per minute, ``confidence`` >= 1 (0 without any onset), ``beats`` (m,) in seconds."""

    tempo: float
    confidence: float
    beats: NDArray[np.float64]

    @property
    def intervals(self) -> NDArray[np.float64]:
        """Seconds between neighbouring beats, (m - 1,); empty with fewer than two beats."""
        return np.diff(self.beats)


STILLNESS = Rhythm(0.0, 0.0, np.zeros(0))


def rhythm_of(mel_db: NDArray[np.floating]) -> Rhythm:
    """Rhythm of a log-power mel spectrogram (128, n) at librosa's default frame rate.

    Tempo and beats are ``librosa.beat.beat_track(y=y)``, which follows the median over bands of the onset
    strength [1]_. The confidence is the peak of ``librosa.onset.onset_strength(y=y)`` (the mean over bands)
    divided by its mean: how far the strongest attack stands out. It grows with the length of a track that has
    one attack only, a pure tone for instance, up to the number of frames; take its logarithm before scaling.

    References
    ----------
    .. [1] Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36 (2007).
    """
    onset = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE)
    mean = float(onset.mean(dtype=np.float64))
    confidence = float(onset.max()) / mean if mean > 0 else 0.0
    pulse = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, aggregate=np.median)
    if not pulse.any():
        return Rhythm(0.0, confidence, np.zeros(0))
    tempo = librosa.feature.tempo(tg=mean_tempogram(pulse), sr=SAMPLE_RATE, aggregate=None)
    _, beats = librosa.beat.beat_track(onset_envelope=pulse, sr=SAMPLE_RATE, bpm=tempo, units="time")
    return Rhythm(float(tempo[0]), confidence, beats)


def mean_tempogram(pulse: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean over frames of ``librosa.feature.tempogram``, (344, 1): all that the tempo is read from.

    The whole tempogram of ten minutes takes 300 MB on the way; by blocks of frames it takes a few.

    Parameters
    ----------
    pulse
        Onset strength, (n,), n >= 1.
    """
    # The window of eight seconds that librosa.feature.tempo takes by default, and the padding of tempogram.
    window = int(librosa.time_to_frames(8.0, sr=SAMPLE_RATE))
    padded = np.pad(pulse, window // 2, mode="linear_ramp", end_values=0)
    total = np.zeros(window)
    for first in range(0, len(pulse), _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, len(pulse))
        block = padded[first : last - 1 + window]
        tempogram = librosa.feature.tempogram(
            onset_envelope=block, sr=SAMPLE_RATE, win_length=window, center=False
        )
        total += tempogram.sum(axis=1, dtype=np.float64)
    return (total / len(pulse))[:, np.newaxis]
