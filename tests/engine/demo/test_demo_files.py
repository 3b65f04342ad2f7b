import csv
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.demo.files import COLUMNS, write_demo_catalog
from engine.demo.songs import DemoSong, invent_songs
from engine.demo.words import THEME_WORDS
from engine.errors import InputError, StoreError
from engine.vocabulary import DEFAULT_LABELS, GENRES, THEMES

SONGS, SECONDS = 12, (0.6, 0.9)


def make(folder: Path, seed: int = 0) -> Path:
    return write_demo_catalog(folder, songs=SONGS, seed=seed, seconds=SECONDS)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("demo") / "catalogue")


@pytest.fixture(scope="module")
def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def truth() -> list[DemoSong]:
    return list(invent_songs(SONGS, 0, SECONDS))


def fingerprint(folder: Path) -> dict[str, str]:
    """sha256 of every file; of the decoded samples for audio (an Ogg stream has a serial number by chance)."""
    result = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        is_audio = path.parent.name == "audio"
        content = soundfile.read(path, dtype="int16")[0].tobytes() if is_audio else path.read_bytes()
        result[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return result


def test_the_table_has_the_stated_columns_and_every_song(table: Path, rows: list[dict[str, str]]) -> None:
    assert table.name == "songs.csv"
    assert tuple(rows[0]) == COLUMNS
    assert COLUMNS[8:] == tuple(label.name for label in DEFAULT_LABELS)
    assert [row["song_id"] for row in rows] == [f"demo-{i:04d}" for i in range(1, SONGS + 1)]
    assert {row["album"] for row in rows} == {"songlike demo (synthetic)"}
    assert all(row["title"] and row["artist"] for row in rows)
    assert b"\r" not in table.read_bytes()


def test_the_table_tells_what_is_true_or_nothing(rows: list[dict[str, str]], truth: list[DemoSong]) -> None:
    for row, song in zip(rows, truth, strict=True):
        assert row["genre"] == ("" if "genre" in song.lacking else song.genre)
        assert row["year"] == ("" if "year" in song.lacking else str(song.year))
        assert (row["lyrics_path"] == "") == ("lyrics" in song.lacking)
        assert (row["audio_path"] == "") == ("audio" in song.lacking)
    assert {row["genre"] for row in rows} - {""} <= set(GENRES)
    lacked = {name for song in truth for name in song.lacking}
    assert lacked == {"lyrics", "audio", "genre", "year"}


def test_labels_are_the_word_shares_of_the_lyric_files(table: Path, rows: list[dict[str, str]]) -> None:
    checked = 0
    for row in (row for row in rows if row["lyrics_path"]):
        words = re.findall(
            r"[a-z']+", (table.parent / row["lyrics_path"]).read_text(encoding="utf-8").lower()
        )
        counts = np.array([sum(words.count(w) for w in THEME_WORDS[theme].all) for theme in THEMES])
        labels = np.array([float(row[theme]) for theme in THEMES])
        np.testing.assert_allclose(labels, (counts + 1 / 16) / (counts.sum() + 1), atol=5.1e-7)
        assert labels.sum() == pytest.approx(1, abs=1e-5)
        checked += 1
    assert checked == SONGS - 1
    values = np.array([[float(row[label.name]) for label in DEFAULT_LABELS] for row in rows])
    assert 0 <= values.min() <= values.max() <= 1


def test_lyric_files_are_the_songs_own(
    table: Path, rows: list[dict[str, str]], truth: list[DemoSong]
) -> None:
    files = {p.name: p.read_text(encoding="utf-8") for p in (table.parent / "lyrics").iterdir()}
    assert files == {f"{s.song_id}.txt": s.lyrics for s in truth if "lyrics" not in s.lacking}
    assert [row["lyrics_path"] for row in rows if row["lyrics_path"]] == [
        f"lyrics/{name}" for name in sorted(files)
    ]


def test_audio_files_decode_to_the_recording(
    table: Path, rows: list[dict[str, str]], truth: list[DemoSong]
) -> None:
    kinds = set()
    for row, song in zip(rows, truth, strict=True):
        if not row["audio_path"]:
            continue
        samples, rate = soundfile.read(table.parent / row["audio_path"], always_2d=True)
        recording = song.recording()
        assert rate == 22_050
        assert len(samples) == len(recording) == round(song.seconds * 22_050)
        assert SECONDS[0] - 1e-4 <= len(samples) / rate <= SECONDS[1] + 1e-4
        is_ogg = row["audio_path"].endswith(".ogg")
        assert samples.shape[1] == (2 if is_ogg else 1)
        mono = samples.mean(axis=1)
        if is_ogg:  # lossy: alike, not equal
            assert np.corrcoef(mono, recording)[0, 1] > 0.95
        else:
            np.testing.assert_allclose(mono, recording, atol=2 / 2**15)
        kinds.add(row["audio_path"].rpartition(".")[2])
    assert kinds == {"wav", "flac", "ogg"}
    assert len(list((table.parent / "audio").iterdir())) == sum(bool(row["audio_path"]) for row in rows)


def test_the_rms_of_the_files_is_the_loudness_label(table: Path, rows: list[dict[str, str]]) -> None:
    measured, labels = [], []
    for row in (row for row in rows if row["audio_path"]):
        samples = soundfile.read(table.parent / row["audio_path"], always_2d=True)[0].mean(axis=1)
        measured.append(10 * np.log10(np.mean(samples**2)))
        labels.append(-32 + 22 * float(row["loudness"]))
    np.testing.assert_allclose(measured, labels, atol=0.5)
    assert np.ptp(labels) > 4


def test_the_folder_says_that_it_is_synthetic_and_what_is_left_out(
    table: Path, truth: list[DemoSong]
) -> None:
    readme = (table.parent / "README.md").read_text(encoding="utf-8")
    assert "# songlike demo (synthetic)" in readme
    assert "12 synthetic songs" in readme
    assert "lyrics 1 times, audio 1 times" in readme
    facts = json.loads((table.parent / "demo.json").read_text(encoding="utf-8"))
    assert facts["synthetic"] is True
    assert facts["lacking"] == {
        name: [s.song_id for s in truth if name in s.lacking] for name in ("lyrics", "audio", "genre", "year")
    }


def test_the_same_seed_gives_the_same_files_and_another_seed_others(table: Path, tmp_path: Path) -> None:
    again, other = (
        fingerprint(make(tmp_path / "again").parent),
        fingerprint(make(tmp_path / "other", 1).parent),
    )
    first = fingerprint(table.parent)
    assert again == first
    assert other["songs.csv"] != first["songs.csv"]
    assert set(other.values()) & {first[name] for name in first if "/" in name} == set()


def test_progress_counts_every_song(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write_demo_catalog(
        tmp_path / "demo", 3, progress=lambda done, total: calls.append((done, total)), seconds=SECONDS
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_a_finished_catalogue_is_found_and_left_alone(tmp_path: Path) -> None:
    path = make(tmp_path / "demo")
    path.with_name("note.txt").write_text("mine", encoding="utf-8")
    before = {p: p.stat().st_mtime_ns for p in path.parent.rglob("*")}
    assert make(tmp_path / "demo") == path
    assert {p: p.stat().st_mtime_ns for p in path.parent.rglob("*")} == before


def test_an_interrupted_run_leaves_nothing_half_and_is_redone(table: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    folder = tmp_path / "demo"
    with pytest.raises(KeyboardInterrupt):
        write_demo_catalog(folder, songs=SONGS, seconds=SECONDS, progress=interrupt)
    assert not folder.exists()
    assert len(list(tmp_path.glob(".demo.songlike-partial/lyrics/*"))) >= 3
    path = make(folder)
    assert fingerprint(path.parent) == fingerprint(table.parent)
    assert [p.name for p in tmp_path.iterdir()] == ["demo"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    assert make(tmp_path / "demo").is_file()


@pytest.mark.parametrize("content", [{"mine.txt": "x"}, {"demo.json": "no json"}, {"demo.json": "[]"}])
def test_a_folder_of_other_things_is_refused_untouched(tmp_path: Path, content: dict[str, str]) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not a demo catalogue; choose a new or empty folder"):
        make(folder)
    assert {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()} == content
    assert [p.name for p in tmp_path.iterdir()] == ["demo"]


def test_a_demo_of_another_seed_or_without_its_table_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "demo")
    with pytest.raises(InputError, match="remove it"):
        make(tmp_path / "demo", seed=1)
    path.unlink()
    with pytest.raises(InputError, match="damaged"):
        make(tmp_path / "demo")


def test_a_file_in_the_way_is_refused_and_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="not a demo catalogue"):
        make(tmp_path / "file")
    with pytest.raises(StoreError, match=r"cannot write the demo into .*below"):
        make(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_bad_arguments_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="songs >= 1"):
        write_demo_catalog(tmp_path / "demo", songs=0)
    assert list(tmp_path.iterdir()) == []
