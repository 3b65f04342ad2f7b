"""Synthetic signals for the tests: mono float32 at 22,050 Hz, each a function of its arguments alone."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
Samples = NDArray[np.float32]


def seconds(length_s: float) -> NDArray[np.float64]:
    return np.arange(round(length_s * RATE)) / RATE


def tone(frequency: float, length_s: float, amplitude: float = 0.5) -> Samples:
    return (amplitude * np.sin(2 * np.pi * frequency * seconds(length_s))).astype(np.float32)


def noise(length_s: float, seed: int = 0, amplitude: float = 0.1) -> Samples:
    return (amplitude * np.random.default_rng(seed).standard_normal(round(length_s * RATE))).astype(
        np.float32
    )


def clicks(beats_per_minute: float, length_s: float) -> Samples:
    """A short decaying burst on every beat; the first one half a second in, where onset strength sees it."""
    burst = noise(0.03, seed=1, amplitude=0.5) * np.exp(-seconds(0.03) / 0.006)
    track = np.zeros(round(length_s * RATE))
    for start in np.arange(0.5, length_s - 0.1, 60 / beats_per_minute):
        at = round(start * RATE)
        track[at : at + len(burst)] += burst
    return track.astype(np.float32)


def chords(length_s: float) -> Samples:
    """A major triad with overtones, on another root every second, 20 cents above A440."""
    time = seconds(length_s)
    roots = 220 * 2 ** ((np.array([0, 5, 7, 3])[time.astype(int) % 4] + 0.2) / 12)
    phase = 2 * np.pi * np.cumsum(roots) / RATE
    voices = [np.sin(phase * step * k) / k for step in (1, 5 / 4, 3 / 2) for k in (1, 2, 3)]
    struck: NDArray[np.float64] = 0.1 * np.sum(voices, axis=0) * np.exp(-2 * (time % 1))
    return struck.astype(np.float32)


def vibrato(length_s: float) -> Samples:
    """A voice of 440 Hz that swings by half a semitone five times a second."""
    pitch = 440 * 2 ** (0.5 * np.sin(2 * np.pi * 5 * seconds(length_s)) / 12)
    return (0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def mixture(length_s: float) -> Samples:
    """Chords, a drum at 132 beats a minute and a hiss that comes and goes: like music, loosely."""
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.2 * seconds(length_s))
    parts = chords(length_s) + clicks(132, length_s) + noise(length_s, seed=2, amplitude=0.02) * swell
    return parts.astype(np.float32)


def stop_and_go(length_s: float) -> Samples:
    """Noise with digital silence in between: frames that are empty, half empty and full."""
    gate = (seconds(length_s) % 1.3) < 0.6
    return (noise(length_s, seed=3) * gate).astype(np.float32)


# What the golden file and the comparison with librosa run over.
GALLERY: dict[str, Callable[[], Samples]] = {
    "noise": lambda: noise(6.0),
    "chords": lambda: chords(9.0),
    "clicks with vibrato": lambda: (clicks(100, 12.0) + vibrato(12.0)).astype(np.float32),
    "mixture": lambda: mixture(14.0),
    "stop and go": lambda: stop_and_go(8.0),
    "low tone": lambda: tone(61.0, 5.0, amplitude=0.9),
    "one second": lambda: mixture(1.0),
    "nine frames": lambda: noise(4096 / RATE, seed=4),
}
