"""An audio file as mono samples at 22,050 Hz: what librosa.load gives, read block by block.

Excerpt policy: the whole track, at most its first `EXCERPT_S` seconds; a longer one is flagged. Reading stops
at the limit, so that the memory needed has a bound whatever the file says about itself.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from engine.audio.container import ends_early, first_bytes, shown, unrecognised
from engine.errors import AudioError

SAMPLE_RATE = 22_050
EXCERPT_S = 600.0
SHORTENED = "shortened"
CUT_AT_LIMIT = "truncated_to_limit"

# Samples per read over all channels: 512 KB of float32, and blocks of 65,536 stereo frames.
_BLOCK_SAMPLES = 131_072
# Full scale is 1. Beyond this the power spectrum would leave float32; no recording comes near it.
LARGEST_SAMPLE = 1e12
# libsndfile's word for "the header does not say".
_UNKNOWN_FRAMES = 2**62


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded track: ``samples`` (n,) float32, mono, 22,050 Hz, at most the excerpt.

    ``duration_s`` is the length of the track in seconds: of what was decoded, or, for a track that was cut at
    the limit, what its header says. ``flags`` may hold ``shortened`` (the file ends before its header says)
    and ``truncated_to_limit`` (longer than the excerpt).
    """

    samples: NDArray[np.float32]
    duration_s: float
    flags: tuple[str, ...] = ()


def decode(path: Path, limit_s: float = EXCERPT_S) -> Sound:
    """Decode, mix to mono and resample to 22,050 Hz.

    Channels are averaged and the result is resampled by soxr's HQ, sample for sample what
    ``librosa.load(path, duration=limit_s)`` gives. A WAV, AIFF, Ogg or MP3 file that was cut off gives what
    is there, with the flag ``shortened``.

    Parameters
    ----------
    path
        Any file that libsndfile decodes, of any channel count and sample rate.
    limit_s
        Seconds to read at most.

    Raises
    ------
    AudioError
        When the file is missing, a directory, empty, not audio that can be decoded, without any audio,
        damaged on the way, or holds samples that are not finite or beyond all measure.
    """
    head = first_bytes(path)
    with _open(path, head) as file:
        if file.frames >= _UNKNOWN_FRAMES:
            raise AudioError(
                f"{shown(path)}: its header gives no length, as in a stream saved to disk; encode it again"
            )
        limit = int(limit_s * file.samplerate)
        samples, decoded = _read(file, min(file.frames, limit), shown(path))
        if decoded == 0:
            raise AudioError(f"{shown(path)}: no audio in it, a header only; copy it again")
        cut = file.frames > limit
        frames = file.frames if cut else decoded
        shortened = decoded < min(file.frames, limit) or ends_early(path, head)
        flags = ((SHORTENED,) if shortened else ()) + ((CUT_AT_LIMIT,) if cut else ())
        return Sound(samples, frames / file.samplerate, flags)


def _open(path: Path, head: bytes) -> soundfile.SoundFile:
    """The opened file; a headerless one is refused, since libsndfile would guess at it by its extension."""
    if path.suffix.lower() == ".raw":
        raise unrecognised(path, head)
    try:
        # Bytes, because soundfile cannot take a POSIX file name that is no UTF-8 as text.
        file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)
    except soundfile.LibsndfileError as error:
        raise unrecognised(path, head) from error
    if file.format == "RAW":
        file.close()
        raise unrecognised(path, head)
    return file


def _read(file: soundfile.SoundFile, frames: int, name: str) -> tuple[NDArray[np.float32], int]:
    """Mono samples at `SAMPLE_RATE` of the first ``frames`` frames, and how many frames were there."""
    samples = np.zeros(_resampled_length(frames, file.samplerate), np.float32)
    stream = None
    if file.samplerate != SAMPLE_RATE:
        stream = soxr.ResampleStream(file.samplerate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    decoded = filled = 0
    for block in _mono_blocks(file, frames, name):
        decoded += len(block)
        filled += _append(samples, filled, stream.resample_chunk(block) if stream else block)
    if stream:
        _append(samples, filled, stream.resample_chunk(np.zeros(0, np.float32), last=True))
    return samples[: _resampled_length(decoded, file.samplerate)], decoded


def _resampled_length(frames: int, rate: int) -> int:
    """Samples that librosa makes of so many frames; the resampler may stop one short or go one over."""
    return int(np.ceil(frames * (SAMPLE_RATE / rate)))


def _append(samples: NDArray[np.float32], filled: int, part: NDArray[np.float32]) -> int:
    """Write ``part`` behind the first ``filled`` samples, as far as there is room; how many were written."""
    room = min(len(part), len(samples) - filled)
    samples[filled : filled + room] = part[:room]
    return room


def _mono_blocks(file: soundfile.SoundFile, frames: int, name: str) -> Iterator[NDArray[np.float32]]:
    """Blocks of (n,) float32, the channels averaged, until ``frames`` frames or the end of the file."""
    size = max(1, _BLOCK_SAMPLES // file.channels)
    done = 0
    while done < frames:
        try:
            block = file.read(min(size, frames - done), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(_damaged(name, done / file.samplerate)) from error
        if len(block) == 0:
            return
        # A NaN makes the comparison false too.
        if not max(block.max(), -block.min()) <= LARGEST_SAMPLE:
            raise AudioError(_unmeasurable(name, block, done, file.samplerate))
        yield _mono(block)
        done += len(block)


def _mono(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average of the channels, (n, channels) -> (n,); of two by a sum, ten times quicker than a mean."""
    if block.shape[1] == 1:
        return block[:, 0]
    if block.shape[1] == 2:
        return (block[:, 0] + block[:, 1]) * np.float32(0.5)
    mixed: NDArray[np.float32] = block.mean(axis=1)
    return mixed


def _damaged(name: str, seconds: float) -> str:
    if seconds == 0:
        return f"{name}: no audio in it that can be decoded, damaged from its start; copy it again"
    return f"{name}: damaged after {seconds:.1f} s; copy it again or encode it anew"


def _unmeasurable(name: str, block: NDArray[np.float32], done: int, rate: int) -> str:
    finite = np.isfinite(block).all(axis=1)
    if finite.all():
        return f"{name}: contains samples beyond {LARGEST_SAMPLE:g} times full scale; normalise it"
    seconds = (done + int(np.argmin(finite))) / rate
    return f"{name}: contains non-finite samples (NaN or infinity) from {seconds:.1f} s on; export it again"
