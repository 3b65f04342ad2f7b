import os
import struct
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.id3 import TALB, TCON, TDRC, TIT2, TPE1
from mutagen.wave import WAVE

from engine.errors import TableError
from indexer.catalog.database import storable
from indexer.catalog.records import SongRecord
from indexer.ingest.folder import LEFT_OUT, count_audio, read_folder
from indexer.ingest.row import Outcome, path_id
from tests.indexer.ingest.tables import write_wav

TAGS = {"title": "Army of Me", "artist": "Björk", "album": "Post", "genre": "Trip-Hop", "date": "1995-04-21"}
CODECS = {
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def read(folder: Path) -> dict[str, Outcome]:
    found = list(read_folder(folder, "source"))
    return {
        o.record.audio_path.rsplit("/", 1)[1]
        if o.record and o.record.audio_path
        else o.rejects[0].location: o
        for o in found
    }


def song(folder: Path) -> SongRecord:
    (outcome,) = read_folder(folder, "source")
    assert outcome.record is not None
    return outcome.record


def notes(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(reject.field, reject.value, reject.reason) for reject in outcome.rejects]


def write_mp4(path: Path) -> None:
    """The two boxes that hold an MP4 file's tags, without any sound."""
    kind = struct.pack(">4s4sI4s", b"ftyp", b"M4A ", 0, b"M4A ")
    path.write_bytes(struct.pack(">I", len(kind) + 4) + kind + struct.pack(">I4s", 8, b"moov"))


def write_tagged(path: Path, tags: dict[str, str]) -> None:
    """A short audio file of the kind its suffix says, with tags."""
    kind = path.suffix[1:]
    if kind in CODECS:
        container, codec = CODECS[kind]
        soundfile.write(path, np.zeros(4800, np.float32), 48000, format=container, subtype=codec)
    elif kind == "m4a":
        write_mp4(path)
    else:
        write_wav(path)
        wav: Any = WAVE(path)  # type: ignore[no-untyped-call]  # mutagen gives it no types
        wav.add_tags()
        frames: list[Any] = [TIT2, TPE1, TALB, TCON, TDRC]
        for name, frame in zip(TAGS, frames, strict=True):
            if name in tags:
                wav.tags.add(frame(encoding=3, text=tags[name]))
        wav.save()
        return
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file.update({name: [text] for name, text in tags.items()})
    file.save()


@pytest.mark.parametrize("kind", [*CODECS, "m4a", "wav"])
def test_tags_of_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    write_tagged(tmp_path / f"x.{kind}", TAGS)
    assert song(tmp_path) == SongRecord(
        song_id=path_id(f"x.{kind}"), title="Army of Me", artist="Björk", album="Post", genre="trip hop", year=1995,
        audio_path=str(tmp_path / f"x.{kind}"), source="source",
    )  # fmt: skip


@pytest.mark.parametrize("kind", [*CODECS, "m4a", "wav"])
def test_a_file_without_tags_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    write_tagged(tmp_path / f"01 army.of me.{kind}", {})
    record = song(tmp_path)
    assert (record.title, record.artist, record.genre, record.year) == ("01 army.of me", None, None, None)


def test_songs_come_in_order_of_path_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("b/2.wav", "b/10.wav", "a/z.WAV", "c.wav", ".hidden/x.wav", "a/.y.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "a" / "cover.jpg").write_bytes(b"jpg")
    found = [outcome.record.audio_path for outcome in read_folder(tmp_path, "s") if outcome.record]
    assert found == [str(tmp_path / name) for name in ("c.wav", "a/z.WAV", "b/10.wav", "b/2.wav")]
    assert count_audio(tmp_path) == 4


def test_the_id_is_that_of_the_path_in_the_folder(tmp_path: Path) -> None:
    for parent in ("here", "there/deeper"):
        write_wav(tmp_path / parent / "a" / "x.wav")
    ids = {song(tmp_path / parent).song_id for parent in ("here", "there/deeper")}
    assert ids == {path_id("a/x.wav")}
    assert song(tmp_path / "here" / "a").song_id == path_id("x.wav")


@pytest.mark.parametrize(
    ("files", "lyrics"),
    [
        ({"x.lrc": "[00:12.00]one\n[00:15.30]two"}, "[00:12.00]one\n[00:15.30]two"),
        ({"x.txt": "\ufeffwords\n"}, "words"),
        ({"x.lrc": "from lrc", "x.txt": "from txt"}, "from lrc"),
        ({"y.txt": "of another song"}, None),
        ({"x.txt": ""}, None),
    ],
)  # fmt: skip
def test_lyrics_beside_the_audio(tmp_path: Path, files: dict[str, str], lyrics: str | None) -> None:
    write_wav(tmp_path / "x.wav")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (outcome,) = read_folder(tmp_path, "s")
    assert outcome.record is not None
    assert (outcome.record.lyrics, outcome.rejects) == (lyrics, ())


def test_lyrics_that_cannot_be_used_are_left_out_and_reported(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_wav(tmp_path / "music" / f"{name}.wav")
    (tmp_path / "private.txt").write_text("secret")
    (tmp_path / "music" / "a.txt").symlink_to(tmp_path / "private.txt")
    (tmp_path / "music" / "b.txt").write_bytes(b"caf\xe9")
    (tmp_path / "music" / "c.txt").write_text("x" * 100_001)
    found = read(tmp_path / "music")
    assert all(outcome.record is not None and outcome.record.lyrics is None for outcome in found.values())
    assert [notes(outcome) for outcome in found.values()] == [
        [
            (
                "lyrics",
                "a.txt",
                LEFT_OUT + "is a link that leads out of the imported folder; copy the file into it",
            )
        ],
        [("lyrics", "b.txt", LEFT_OUT + "is not a UTF-8 text file")],
        [("lyrics", "c.txt", LEFT_OUT + "has 100,001 characters, more than 100,000; shorten it")],
    ]


def test_a_tag_that_cannot_be_used_is_left_out_and_reported(tmp_path: Path) -> None:
    write_tagged(
        tmp_path / "x.flac", {"title": "t" * 501, "artist": "Fine", "date": "0000", "genre": "g" * 101}
    )
    (outcome,) = read_folder(tmp_path, "s")
    assert outcome.record is not None
    assert (outcome.record.title, outcome.record.artist, outcome.record.year) == ("x", "Fine", None)
    assert [(field, reason.startswith(LEFT_OUT)) for field, _, reason in notes(outcome)] == [
        ("title", True), ("genre", True), ("date", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "year"), [("1995", 1995), ("19950421", 1995), ("1995/04", 1995), (" 1995 ", 1995)]
)
def test_years_of_dates_as_tags_spell_them(tmp_path: Path, date: str, year: int) -> None:
    write_tagged(tmp_path / "x.ogg", {"date": date})
    assert song(tmp_path).year == year


def test_files_that_are_no_audio_are_refused_with_a_reason(tmp_path: Path) -> None:
    write_wav(tmp_path / "good.wav")
    whole = (tmp_path / "good.wav").read_bytes()
    (tmp_path / "empty.wav").touch()
    (tmp_path / "cut.flac").write_bytes(b"fLaC\0\0")
    for name in ("text.mp3", "text.ogg", "text.m4a", "text.flac", "text.wav", "text.opus"):
        (tmp_path / name).write_text("this is no music at all\n" * 20)
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "pipe.wav").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    found = read(tmp_path)
    assert found.pop("good.wav").record is not None
    assert (tmp_path / "good.wav").read_bytes() == whole
    assert sorted(found) == [
        "cut.flac", "empty.wav", "gone.wav", "pipe.wav",
        "text.flac", "text.m4a", "text.mp3", "text.ogg", "text.opus", "text.wav",
    ]  # fmt: skip
    for name, outcome in found.items():
        assert outcome.record is None
        ((field, value, reason),) = notes(outcome)
        assert (field, value) == ("file", name)
        expected = {"empty.wav": "empty", "pipe.wav": "not a regular file", "gone.wav": "does not exist"}
        assert expected.get(name, "cannot be read as audio") in reason


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([*CODECS, "m4a", "wav"]), data=st.data())
def test_a_damaged_file_is_a_song_or_refused(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    whole = tmp_path / f"whole-{kind}" / f"x.{kind}"
    if not whole.exists():
        whole.parent.mkdir()
        write_tagged(whole, TAGS)
    damaged = bytearray(whole.read_bytes())
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255)))):
        damaged[place] = byte
    folder = tmp_path / "damaged"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / f"x.{kind}").write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    (outcome,) = read_folder(folder, "s")
    assert outcome.record is not None or outcome.rejects[0].field == "file"
    assert all(storable(reject.reason) for reject in outcome.rejects)


@pytest.mark.parametrize(
    "error", [struct.error("x"), IndexError(), ValueError("x"), EOFError(), OSError("x")]
)
def test_an_error_that_mutagen_lets_through_refuses_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(path: Path, easy: bool) -> None:
        raise error

    write_wav(tmp_path / "x.wav")
    monkeypatch.setattr(mutagen, "File", fails)
    (outcome,) = read_folder(tmp_path, "s")
    assert notes(outcome) == [
        ("file", "x.wav", f"cannot be read as audio: {str(error) or type(error).__name__}")
    ]


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "private" / "secret.wav")
    write_wav(tmp_path / "music" / "a.wav")
    (tmp_path / "music" / "b.wav").symlink_to(tmp_path / "private" / "secret.wav")
    (tmp_path / "music" / "c").symlink_to(tmp_path / "private")
    found = read(tmp_path / "music")
    assert sorted(found) == ["a.wav", "b.wav"]
    assert "leads out" in notes(found["b.wav"])[0][2]


def test_a_file_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "good.wav")
    (tmp_path / "good.wav").rename(tmp_path / "caf\udce9.wav")  # the byte E9 alone
    (outcome,) = read_folder(tmp_path, "s")
    assert outcome.record is None
    assert notes(outcome) == [
        ("file", "caf\\xe9.wav", "has a path that is not valid UTF-8; rename file or folder")
    ]
    assert outcome.rejects[0].location == "caf\\xe9.wav"


def test_a_folder_without_audio_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(TableError, match=r"holds no audio files \(\.wav, \.flac"):
        count_audio(tmp_path)
