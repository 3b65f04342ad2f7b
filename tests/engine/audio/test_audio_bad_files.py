"""What each bad file says: one clear error with the file's name, the reason and the remedy."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio import decode, extract_features
from engine.errors import AudioError
from tests.engine.audio.signals import RATE, noise

RANDOM = np.random.default_rng(7).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
TEXT = b"this is not the song you are looking for\n" * 500


def message(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        extract_features(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert len(text.removeprefix(str(path))) < 250
    return text.removeprefix(f"{path}: ")


def holding(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def recorded(path: Path, length_s: float = 4.0) -> Path:
    soundfile.write(path, noise(length_s), RATE)
    return path


def test_missing(tmp_path: Path) -> None:
    assert message(tmp_path / "song.mp3") == "no such file; check the path"


def test_a_directory(tmp_path: Path) -> None:
    assert message(tmp_path) == "is a directory; name an audio file in it"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert message(tmp_path / ("x" * 5000)).startswith("cannot be read (File name too long)")
    assert message(tmp_path / "a\0b.mp3") == "no such file; check the path"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    os.mkfifo(path)
    assert message(path) == "is not a regular file; copy the audio into one"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="everything is readable to the superuser"
)
def test_unreadable(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.wav")
    path.chmod(0)
    assert message(path) == "cannot be read (Permission denied); check its permissions"


@pytest.mark.parametrize("name", ["song.mp3", "song.wav", "song.flac", "song"])
def test_empty(tmp_path: Path, name: str) -> None:
    assert message(holding(tmp_path / name, b"")) == "empty file; copy it again"


@pytest.mark.parametrize(
    "extension", ["mp3", "wav", "flac", "ogg", "m4a", "raw", "au", "snd", "vox", "gsm", "txt"]
)
@pytest.mark.parametrize("data", [TEXT, RANDOM, bytes(50_000)], ids=["text", "random", "zeros"])
def test_not_audio(tmp_path: Path, extension: str, data: bytes) -> None:
    text = message(holding(tmp_path / f"song.{extension}", data))
    assert text.startswith("not a recognised audio file; decoded are WAV, FLAC, Ogg Vorbis")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(4000), "MPEG-4 audio (m4a, AAC, ALAC)"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(4000), "Windows Media audio (wma)"),
        (bytes.fromhex("1a45dfa3") + bytes(4000), "a Matroska or WebM file"),
        (bytes.fromhex("fff15080") + bytes(4000), "raw AAC"),
    ],
)
@pytest.mark.parametrize("extension", [".m4a", ".mp3", ""])
def test_audio_of_another_kind_says_how_to_convert_it(
    tmp_path: Path, data: bytes, kind: str, extension: str
) -> None:
    text = message(holding(tmp_path / f"song{extension}", data))
    assert text.startswith(f"{kind} is not decoded, only WAV, FLAC, Ogg Vorbis")
    assert text.endswith(f"ffmpeg -i song{extension or '.m4a'} song.flac")


def no_samples(path: Path) -> Path:
    soundfile.write(path, np.zeros(0, np.float32), RATE)
    return path


@pytest.mark.parametrize("name", ["song.wav", "song.ogg", "song.aiff"])
def test_a_header_only(tmp_path: Path, name: str) -> None:
    assert message(no_samples(tmp_path / name)) == "no audio in it, a header only; copy it again"


def test_a_flac_header_only(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.flac")
    path.write_bytes(path.read_bytes()[:100])
    assert message(path) == "no audio in it that can be decoded, damaged from its start; copy it again"


def test_a_truncated_flac_says_where(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.flac", 20.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    text = message(path)
    seconds = float(text.removeprefix("damaged after ").split(" s; ")[0])
    # It is told by blocks of reading, 6 s at this rate.
    assert 6 - 0.1 <= seconds <= 12
    assert text.endswith(" s; copy it again or encode it anew")


def test_a_flac_damaged_in_the_middle(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.flac", 20.0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    assert message(holding(path, bytes(data))).startswith("damaged after 5.9 s")


def test_a_flac_of_unknown_length(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.flac")
    data = bytearray(path.read_bytes())
    # STREAMINFO's last 36 bits before the checksum: total samples.
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    expected = "its header gives no length, as in a stream saved to disk; encode it again"
    assert message(holding(path, bytes(data))) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2])
def test_non_finite_samples(tmp_path: Path, value: float, channels: int) -> None:
    samples = np.stack([noise(9.0)] * channels, axis=1)
    samples[RATE * 7, -1] = value
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    expected = "contains non-finite samples (NaN or infinity) from 7.0 s on; export it again"
    assert message(tmp_path / "song.wav") == expected


def test_samples_beyond_all_measure(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.full((RATE, 2), 3e38, np.float32), RATE, subtype="FLOAT")
    expected = "contains samples beyond 1e+12 times full scale; normalise it"
    assert message(tmp_path / "song.wav") == expected


def test_samples_above_full_scale_pass(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", noise(1.0) * 1e9, RATE, subtype="FLOAT")
    assert np.isfinite(extract_features(tmp_path / "song.wav").values).all()


def test_too_short(tmp_path: Path) -> None:
    path = recorded(tmp_path / "song.wav", 0.05)
    assert message(path) == "too short: 0.05 s where 0.19 s (9 frames) are needed"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere every file name is Unicode")
def test_messages_about_any_name_can_be_stored(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as caught:
        decode(tmp_path / os.fsdecode(b"caf\xe9.flac"))
    assert str(caught.value).encode("utf-8").endswith(rb"caf\udce9.flac: no such file; check the path")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("whole")

    def data(extension: str) -> bytes:
        path = folder / f"song.{extension}"
        if not path.exists():
            recorded(path, 1.0)
        return path.read_bytes()

    return data


@settings(max_examples=60, deadline=None)
@given(
    extension=st.sampled_from(["wav", "flac", "ogg", "aiff", "mp3"]),
    kept=st.floats(0, 1),
    at=st.floats(0, 1),
    junk=st.binary(max_size=64),
)
def test_any_damage_gives_features_or_an_audio_error(
    whole: Callable[[str], bytes],
    tmp_path_factory: pytest.TempPathFactory,
    *,
    extension: str,
    kept: float,
    at: float,
    junk: bytes,
) -> None:
    data = bytearray(whole(extension))
    start = int(at * len(data))
    data[start : start + len(junk)] = junk
    path = tmp_path_factory.getbasetemp() / f"damaged.{extension}"
    path.write_bytes(bytes(data[: int(kept * len(data))]))
    try:
        samples = decode(path).samples
    except AudioError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert np.isfinite(samples).all()
        assert len(samples) > 0
