"""Decoding against librosa.load, sample for sample, over formats, rates and channel counts."""

import os
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from engine.audio import EXCERPT_S, SAMPLE_RATE, decode
from tests.engine.audio.signals import Samples


def stereo(
    rate: int, length_s: float, channels: int = 2
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Another tone and another noise in every channel, (n, channels)."""
    time = np.arange(round(rate * length_s)) / rate
    rng = np.random.default_rng(rate)
    rows = [
        np.sin(2 * np.pi * 220 * (k + 1) * time) + rng.standard_normal(len(time)) for k in range(channels)
    ]
    return (0.1 * np.stack(rows, axis=1)).astype(np.float32)


def loaded(path: Path, duration: float | None = None) -> Samples:
    with warnings.catch_warnings():
        # librosa.load imports audioread, which imports modules that Python 3.13 drops.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="audioread")
        samples: Samples = librosa.load(path, sr=SAMPLE_RATE, duration=duration)[0]
    return samples


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("song.wav", 44_100, 1, "PCM_16"),
        ("song.wav", 44_100, 2, "PCM_24"),
        ("song.wav", 22_050, 2, "FLOAT"),
        ("song.wav", 8_000, 1, "PCM_U8"),
        ("song.wav", 96_000, 2, "PCM_24"),
        ("song.wav", 48_000, 6, "PCM_16"),
        ("song.flac", 96_000, 2, "PCM_24"),
        ("song.flac", 11_025, 1, "PCM_16"),
        ("song.ogg", 44_100, 2, "VORBIS"),
        ("song.ogg", 44_100, 6, "VORBIS"),
        ("song.opus", 48_000, 2, "OPUS"),
        ("song.mp3", 44_100, 2, "MPEG_LAYER_III"),
        ("song.mp3", 32_000, 1, "MPEG_LAYER_III"),
        ("song.aiff", 44_100, 2, "PCM_16"),
        ("song.caf", 44_100, 2, "PCM_16"),
        ("song.au", 44_100, 2, "PCM_16"),
    ],
)
def test_equals_librosa_load(tmp_path: Path, name: str, rate: int, channels: int, subtype: str) -> None:
    path = tmp_path / name
    kind = {"opus": "OGG", "aiff": "AIFF"}.get(path.suffix[1:])
    # Over several blocks of reading, and no whole number of them.
    soundfile.write(path, stereo(rate, 7.3, channels), rate, subtype=subtype, format=kind)
    sound = decode(path)
    # MP3 in blocks differs from MP3 in one piece by the rounding of its decoder; everything else is bit-equal.
    expected = loaded(path)
    assert len(sound.samples) == len(expected)
    assert np.abs(sound.samples - expected).max() <= (5e-7 if path.suffix == ".mp3" else 0)
    assert sound.samples.dtype == np.float32
    assert sound.duration_s == pytest.approx(7.3, abs=0.06)  # an MP3 ends on a frame
    assert sound.flags == ()


def test_a_long_track_is_cut_at_the_limit_and_flagged(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    soundfile.write(path, stereo(44_100, 5.0), 44_100)
    sound = decode(path, limit_s=2.5)
    assert np.array_equal(sound.samples, loaded(path, duration=2.5))
    assert (sound.duration_s, sound.flags) == (5.0, ("truncated_to_limit",))
    assert decode(path, limit_s=5.0).flags == ()


def test_the_excerpt_is_ten_minutes(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, np.full(601 * 100, 0.5, np.float32), 100, subtype="PCM_16")
    sound = decode(path)
    assert EXCERPT_S == 600
    assert (len(sound.samples), sound.duration_s) == (600 * SAMPLE_RATE, 601.0)
    assert sound.flags == ("truncated_to_limit",)


def test_reading_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, stereo(44_100, 20.0), 44_100)
    read = []
    inner = soundfile.SoundFile.read

    def counted(self: soundfile.SoundFile, frames: int, dtype: str, always_2d: bool) -> Samples:
        block: Samples = inner(self, frames, dtype=dtype, always_2d=always_2d)
        read.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    decode(path, limit_s=4.0)
    assert sum(read) == 4 * 44_100
    assert max(read) <= 65_536


def test_opposite_phase_becomes_silence(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    left = stereo(44_100, 1.0)[:, :1]
    soundfile.write(path, np.concatenate([left, -left], axis=1), 44_100, subtype="FLOAT")
    assert not decode(path).samples.any()


@pytest.mark.parametrize("stem", ["Ελένη 春の海", "two words", "-rf", "100%"])
def test_any_file_name_is_taken(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.flac"
    soundfile.write(path, stereo(22_050, 0.5), 22_050)
    assert len(decode(path).samples) == 11_025


@pytest.mark.skipif(os.name != "posix", reason="elsewhere every file name is Unicode")
def test_a_file_name_that_is_no_utf8_is_taken(tmp_path: Path) -> None:
    made = tmp_path / "song.flac"
    soundfile.write(made, stereo(22_050, 0.5), 22_050)
    try:
        path = made.rename(tmp_path / os.fsdecode(b"caf\xe9.flac"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert len(decode(path).samples) == 11_025


def test_the_extension_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    soundfile.write(path, stereo(22_050, 0.5), 22_050, format="FLAC")
    assert len(decode(path).samples) == 11_025


@pytest.mark.parametrize("name", ["song.wav", "song.aiff", "song.ogg", "song.mp3"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_that_was_cut_off_gives_what_is_there(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    soundfile.write(path, stereo(44_100, 10.0), 44_100)
    whole = decode(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    sound = decode(path)
    assert whole.flags == ()
    assert sound.flags == ("shortened",)
    assert sound.duration_s == pytest.approx(10 * kept, abs=1)  # an Ogg page holds half a second
    # What is left is the beginning of the whole, up to the last window of the codec and of the resampler.
    safe = len(sound.samples) - 4096
    assert np.abs(sound.samples[:safe] - whole.samples[:safe]).max() <= 5e-7


def test_a_header_written_into_a_pipe_is_not_a_shortened_file(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, stereo(44_100, 1.0), 44_100, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff" * 4
    path.write_bytes(bytes(data))
    sound = decode(path)
    assert (sound.duration_s, sound.flags) == (1.0, ())


def test_an_ogg_file_cut_within_its_last_page_is_shortened(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    soundfile.write(path, stereo(44_100, 3.0), 44_100)
    assert decode(path).flags == ()
    path.write_bytes(path.read_bytes()[:-1])
    assert decode(path).flags == ("shortened",)


def test_bytes_behind_the_last_ogg_page_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    soundfile.write(path, stereo(44_100, 3.0), 44_100)
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    assert decode(path).flags == ()
