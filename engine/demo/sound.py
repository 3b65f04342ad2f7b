"""Synthesis of a demo recording: tones and noise, arranged by a genre's `Band`, mastered to a loudness.

All signals are mono float32 at `SAMPLE_RATE`; the same recipe and state of chance give the same samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.band import BANDS, Band

SAMPLE_RATE = 22_050
QUIETEST_DB, LOUDEST_DB = -32.0, -10.0  # RMS against full scale at loudness 0 and 1
PEAK = 0.9
SHAKER, SHAKER_LEVEL = "xoxoxoxoxoxoxoxo", 0.6

Signal = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """Recipe of a recording.

    ``tempo`` in beats a minute; ``brightness`` in [0, 1] opens the overtones; ``percussion`` in [0, 1] is the
    drums' share of the energy; ``loudness`` in [0, 1] sets RMS (-32 to -10 dB) and compression;
    ``looseness`` is the standard deviation of the players' timing in seconds; ``key`` the MIDI note of the key.
    """

    genre: str
    tempo: float
    brightness: float
    percussion: float
    loudness: float
    looseness: float = 0.0
    key: int = 48


def render(sound: Sound, seconds: float, rng: np.random.Generator) -> Signal:
    """Play a recipe, (round(seconds * 22050),), peak at most 0.9, first beat at time 0."""
    band = BANDS[sound.genre]
    samples = round(seconds * SAMPLE_RATE)
    pitched = _unit(_harmony(band, sound, samples, rng)) + 0.8 * _unit(_bass(band, sound, samples, rng))
    pitched += 0.6 * _unit(_lead(band, sound, samples, rng))
    share = float(np.clip(sound.percussion, 0.0, 1.0))
    mix = np.sqrt(1 - share) * _unit(pitched) + np.sqrt(share) * _unit(_drums(band, sound, samples, rng))
    return master(mix.astype(np.float32), sound.loudness)


def tone(
    frequency: float,
    seconds: float,
    *,
    brightness: float = 0.5,
    decay: float = 0.0,
    vibrato: float = 0.0,
    partials: int = 14,
) -> Signal:
    """Harmonic tone, (round(seconds * 22050),), with 4 ms attack and 15 ms release.

    Parameters
    ----------
    frequency
        Of the fundamental, in Hz.
    seconds
        Length.
    brightness
        In [0, 1]; partial k has the amplitude ``k ** (2 * brightness - 2.6)``.
    decay
        Fading of the fundamental per second; partial k fades ``(k + 3) / 4`` times as fast. 0: sustained.
    vibrato
        Depth of a 5.5 Hz vibrato as a share of the frequency.
    partials
        Number at most; those above 0.45 of the sample rate are left out. 1 gives a pure sine.
    """
    t = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32) / np.float32(SAMPLE_RATE)
    phase = (2 * np.pi * frequency) * t
    if vibrato:
        phase = phase - np.float32(frequency * vibrato / 5.5) * np.cos(np.float32(2 * np.pi * 5.5) * t)
    count = max(1, min(partials, int(0.45 * SAMPLE_RATE / frequency)))
    # sin(kx) = 2 cos(x) sin((k - 1) x) - sin((k - 2) x): one sine and one cosine for all partials
    before, partial, twice_cos = np.zeros_like(t), np.sin(phase), 2 * np.cos(phase)
    fade, fade_step = np.exp(-decay * t), np.exp(-decay / 4 * t)
    out = np.zeros_like(t)
    for k in range(1, count + 1):
        out += np.float32(k ** (2 * brightness - 2.6)) * fade * partial
        before, partial = partial, twice_cos * partial - before
        if decay:
            fade = fade * fade_step
    return _edges(out, attack=0.004, release=0.015)


def master(signal: Signal, loudness: float) -> Signal:
    """Compress and scale to an RMS of ``-32 + 22 * loudness`` dB, with ends faded over 1 and 10 ms.

    A signal so sparse that its peak would pass 0.9 is scaled to that peak instead; silence stays silence.
    """
    pressed = np.tanh(np.float32(0.4 + 2.0 * loudness) * _unit(signal))
    faded = _unit(_edges(pressed, attack=0.001, release=0.01))
    peak = float(np.max(np.abs(faded), initial=0.0))
    target = 10 ** ((QUIETEST_DB + (LOUDEST_DB - QUIETEST_DB) * loudness) / 20)
    return np.float32(min(target, PEAK / peak) if peak else target) * faded


# --- players ---


def _harmony(band: Band, sound: Sound, samples: int, rng: np.random.Generator) -> Signal:
    """Chords on the comping pattern, one chord a bar, distorted by the band's drive."""
    clips = []
    for root, intervals in band.chords:
        lowest = sound.key + 12 + (root if root <= 6 else root - 12)  # chords stay in one register
        notes = [_note(lowest + i, band.gate * 60 / sound.tempo, sound, decay=band.decay) for i in intervals]
        clips.append(np.stack(notes).sum(axis=0))
    out = np.zeros(samples, dtype=np.float32)
    for start, bar, strength in _hits(band.comp, band, sound, samples, rng):
        _add(out, strength * clips[bar % len(clips)], start)
    return np.tanh(np.float32(band.drive) * _unit(out)) if band.drive else out


def _bass(band: Band, sound: Sound, samples: int, rng: np.random.Generator) -> Signal:
    """Bass on its pattern: the chord's own notes by turns, root first in every bar."""
    clips: dict[int, Signal] = {}
    out = np.zeros(samples, dtype=np.float32)
    turn, last_bar = 0, -1
    for start, bar, strength in _hits(band.bass, band, sound, samples, rng):
        turn, last_bar = (turn + 1 if bar == last_bar else 0), bar
        root, intervals = band.chords[bar % len(band.chords)]
        note = sound.key - 12 + root + (intervals[turn // 2 % len(intervals)] if turn % 2 == 0 else 0)
        if note not in clips:
            clips[note] = _note(note, 60 / sound.tempo, sound, decay=2.0)
        _add(out, strength * clips[note], start)
    return out


def _lead(band: Band, sound: Sound, samples: int, rng: np.random.Generator) -> Signal:
    """A melody that walks up and down the band's scale, with vibrato, resting now and then."""
    rhythm = "".join("x" if rng.random() < (0.8 if i % 8 == 0 else 0.45) else "." for i in range(0, 16, 2))
    pattern = "".join(sign + "." for sign in rhythm)
    clips: dict[int, Signal] = {}
    out = np.zeros(samples, dtype=np.float32)
    step = int(rng.integers(len(band.scale)))
    for start, _, strength in _hits(pattern, band, sound, samples, rng):
        step = int(np.clip(step + rng.integers(-2, 3), 0, 2 * len(band.scale) - 1))
        octave, degree = divmod(step, len(band.scale))
        note = sound.key + 12 + 12 * octave + band.scale[degree]
        if note not in clips:
            clips[note] = _note(note, 45 / sound.tempo, sound, vibrato=0.008)
        _add(out, strength * clips[note], start)
    return out


def _drums(band: Band, sound: Sound, samples: int, rng: np.random.Generator) -> Signal:
    """Kick, snare and hi-hat on the band's patterns, and a shaker that plays through in every band."""
    t = np.arange(SAMPLE_RATE // 4, dtype=np.float32) / np.float32(SAMPLE_RATE)
    noise = rng.standard_normal(len(t), dtype=np.float32)
    hiss = np.diff(noise, prepend=np.float32(0))  # a difference is a high-pass
    sweep = 2 * np.pi * (48 * t - 3.5 * np.exp(-t * 28))
    kick = np.sin(sweep) * np.exp(-t * 14)
    snare = (0.35 * (noise + sound.brightness * hiss) + 0.5 * np.sin(2 * np.pi * 185 * t)) * np.exp(-t * 24)
    hat = (0.12 + 0.2 * sound.brightness) * hiss * np.exp(-t * (70 - 40 * sound.brightness))
    kit, shaker = np.zeros(samples, dtype=np.float32), np.zeros(samples, dtype=np.float32)
    parts = ((kit, band.kick, kick), (kit, band.snare, snare), (kit, band.hat, hat))
    for out, pattern, clip in (*parts, (shaker, SHAKER, hiss * np.exp(-t * 40))):
        edged = _edges(clip, attack=0.001, release=0.01)
        for start, _, strength in _hits(pattern, band, sound, samples, rng):
            _add(out, strength * edged, start)
    return _unit(kit) + np.float32(SHAKER_LEVEL) * _unit(shaker)


# --- tools ---


def _note(midi: int, seconds: float, sound: Sound, *, decay: float = 0.0, vibrato: float = 0.0) -> Signal:
    """Tone of a MIDI note in equal temperament, A4 = 440 Hz."""
    frequency = 440.0 * 2 ** ((midi - 69) / 12)
    return tone(frequency, seconds, brightness=sound.brightness, decay=decay, vibrato=vibrato)


def _hits(
    pattern: str, band: Band, sound: Sound, samples: int, rng: np.random.Generator
) -> list[tuple[int, int, np.float32]]:
    """Start sample, bar and strength of every sign that is not a rest, over the whole recording."""
    step = 60 / sound.tempo / 4
    bars = int(samples / SAMPLE_RATE / (16 * step)) + 1
    signs = [i for i, sign in enumerate(pattern) if sign != "."]
    jitter = rng.normal(0.0, 1.0, (bars, len(pattern))) * sound.looseness
    hits = []
    for bar in range(bars):
        for i in signs:
            late = band.swing * 2 * step if i % 4 == 2 else 0.0
            start = max(0, round(((16 * bar + i) * step + late + jitter[bar, i]) * SAMPLE_RATE))
            if start < samples:
                hits.append((start, bar, np.float32(1.0 if pattern[i] == "x" else 0.5)))
    return hits


def _add(out: Signal, clip: Signal, start: int) -> None:
    """Mix a clip into a signal from a sample on; what would stand past the end is cut."""
    part = clip[: len(out) - start]
    out[start : start + len(part)] += part


def _edges(signal: Signal, *, attack: float, release: float) -> Signal:
    """Straight fades at both ends, in seconds, so that nothing clicks."""
    up, down = (min(round(s * SAMPLE_RATE), len(signal)) for s in (attack, release))
    out = signal.astype(np.float32)
    out[:up] *= np.linspace(0, 1, up, dtype=np.float32)
    out[len(out) - down :] *= np.linspace(1, 0, down, dtype=np.float32)
    return out


def _unit(signal: Signal) -> Signal:
    """The signal at an RMS of 1; silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))
    return (signal / np.float32(rms)).astype(np.float32) if rms else signal
