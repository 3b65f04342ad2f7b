from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError, TableError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.catalog import Catalog
from indexer.catalog.imports import Imports
from indexer.catalog.records import SongRecord
from indexer.ingest import importer
from indexer.ingest.importer import ImportResult, import_path
from tests.indexer.ingest.tables import write_csv, write_parquet, write_wav

OWN = LabelSchema((Label.named("Energy"), Label.named("bpm", 0, 300)))
FIELDS = ["song_id", "title", "artist", "album", "genre", "year", "lyrics", "world/life", "energy", "bpm"]


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.added, result.updated, result.unchanged, result.rejected


def songs(catalog: Catalog) -> list[SongRecord]:
    return [song for batch in catalog.songs.stream() for song in batch]


def rejects(catalog: Catalog) -> list[tuple[int | None, str, str, str]]:
    return [(r.line, r.field, r.value, r.reason) for r in catalog.imports.rejects(limit=None)]


def test_a_table_is_imported_with_every_count_and_reject(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "songs.csv",
        ["song_id", "title", "year", "dating", "lyrics"],
        ["a", "One", "1994", "0.5", "la la"],
        ["b", "Two", "soon", "1.5", ""],
        ["a", "Again", "1995", "", ""],
        ["", "Three", "", "", ""],
        ["c", "Four", "", "", "x" * 10_000_000],
        ["d", "Five", "", "", ""],
    )
    result = import_path(catalog, path)
    assert counts(result) == (2, 0, 0, 4)
    assert [(song.song_id, song.title) for song in songs(catalog)] == [("a", "One"), ("d", "Five")]
    assert rejects(catalog) == [
        (3, "year", "soon", "is not a year; write 1994 or a date such as 1994-05-01"),
        (3, "dating", "1.5", "is outside the label's range [0, 1]"),
        (4, "song_id", "a", "is the id of line 2 already; that row stays"),
        (5, "song_id", "", "is empty; give every song an id"),
        (6, "lyrics", "x" * 173 + "... (10,000,000 characters)",
         "has 10,000,000 characters, more than 100,000; shorten it"),
    ]  # fmt: skip
    run = catalog.imports.latest()
    assert run is not None
    assert (run.key, run.source, run.added, run.rejected) == (result.import_key, str(path), 2, 4)
    assert run.finished_at is not None
    assert {reject.location for reject in catalog.imports.rejects()} == {"songs.csv"}


def test_importing_twice_changes_nothing_and_a_changed_row_is_updated(
    catalog: Catalog, tmp_path: Path
) -> None:
    rows = [[str(i), f"Song {i}", f"words {i}"] for i in range(5)]
    path = write_csv(tmp_path / "songs.csv", ["song_id", "title", "lyrics"], *rows)
    assert counts(import_path(catalog, path)) == (5, 0, 0, 0)
    before = songs(catalog)
    assert counts(import_path(catalog, path)) == (0, 0, 5, 0)
    assert songs(catalog) == before
    rows[3][2] = ""
    write_csv(path, ["song_id", "title", "lyrics"], *rows[2:], ["9", "New", ""])
    assert counts(import_path(catalog, path)) == (1, 1, 2, 0)
    after = songs(catalog)
    assert [song.song_id for song in after] == ["0", "1", "2", "3", "4", "9"]  # nothing is deleted
    assert [song.lyrics for song in after] == ["words 0", "words 1", "words 2", None, "words 4", None]


def test_a_rejected_row_leaves_the_song_of_an_earlier_import(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "songs.csv", ["song_id", "year"], ["a", "1994"])
    import_path(catalog, path)
    write_csv(path, ["song_id", "year"], ["a", "soon"])
    assert counts(import_path(catalog, path)) == (0, 0, 0, 1)
    assert songs(catalog)[0].year == 1994


def test_songs_without_ids_keep_theirs_and_repeats_are_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "songs.csv",
        ["artist_name", "track_name", "release_date"],
        ["Frankie Laine", "I Believe", "1950"],
        ["frankie  laine", "i believe", "1951"],
    )
    assert counts(import_path(catalog, path)) == (1, 0, 0, 1)
    assert songs(catalog)[0].song_id == "song-8e203b9ef83e34b877662bf641f65615"
    reason = "are those of line 2 already, which stays; add a song_id to tell them apart"
    assert rejects(catalog) == [(3, "artist, title", "frankie laine, i believe", reason)]
    assert counts(import_path(catalog, path)) == (0, 0, 1, 1)


def test_a_row_with_the_id_of_a_rejected_row_is_taken(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "songs.csv", ["song_id", "year"], ["a", "soon"], ["a", "1994"])
    assert counts(import_path(catalog, path)) == (1, 0, 0, 1)


def test_labels_of_the_file_are_registered_in_schema_order(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "songs.csv",
        ["bpm", "song_id", "loudness", "energy", "dating"],
        ["120", "a", "0.5", "", "0"],
    )
    import_path(catalog, path)
    assert catalog.songs.label_schema() == LabelSchema((DEFAULT_LABELS.labels[0], DEFAULT_LABELS.labels[17]))
    assert songs(catalog)[0].labels == {"dating": 0.0, "loudness": 0.5}
    assert counts(import_path(catalog, path, OWN)) == (0, 1, 0, 0)
    schema = catalog.songs.label_schema()
    assert schema is not None
    assert schema.slugs == ("dating", "loudness", "energy", "bpm")
    assert songs(catalog)[0].labels == {"dating": 0.0, "loudness": 0.5, "bpm": 120.0}


def test_a_label_of_another_range_stops_the_import_before_it_begins(catalog: Catalog, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "songs.csv", ["song_id", "dating"], ["a", "50"])
    catalog.songs.register_labels(DEFAULT_LABELS)
    with pytest.raises(InputError, match="'dating' is known"):
        import_path(catalog, path, LabelSchema((Label.named("dating", 0, 100),)))
    assert catalog.imports.latest() is None
    assert catalog.songs.count() == 0


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("songs.csv", b"name\nx\n", "no column 'song_id'"), ("songs.csv", b"", "is empty"),
        ("songs.csv", b'song_id,title\na,b\nc,"d\n', "line 3"), ("songs.xlsx", b"PK", "xlsx is no kind of table"),
        ("songs.parquet", b"song_id\na\n", "cannot be read as Parquet"), ("songs", b"song_id\na\n", "is no kind"),
        ("songs.csv.gz", b"song_id\na\n", "songs.csv.gz cannot be read"), ("songs.gz", b"song_id\na\n", "is no kind"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_imported_stores_nothing(
    catalog: Catalog, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TableError, match=words):
        import_path(catalog, tmp_path / name)
    assert catalog.imports.latest() is None
    assert catalog.songs.label_schema() is None


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet", "gone", "gone.xlsx"])
def test_a_file_that_is_not_there_is_one_clear_error(catalog: Catalog, tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError, match=r"(gone.*(No such file|Failed to open))|no file .*gone"):
        import_path(catalog, tmp_path / name)


@pytest.mark.parametrize("limit", ["BATCH_ROWS", "BATCH_CHARACTERS"])
def test_batches_progress_and_order(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(importer, limit, 10)
    rows = [[f"{i * 7 % 25}", "x" if i % 5 else "x" * 501, "w"] for i in range(25)]
    path = write_csv(tmp_path / "songs.csv", ["song_id", "title", "lyrics"], *rows)
    ticks: list[tuple[int, int | None]] = []
    result = import_path(catalog, path, progress=lambda done, total: ticks.append((done, total)))
    assert counts(result) == (20, 0, 0, 5)
    # 10 rows a batch, or 10 songs of one character each, with the rejects between them
    assert ticks == [(10 if limit == "BATCH_ROWS" else 13, 25), (20 if limit == "BATCH_ROWS" else 25, 25)] + (
        [(25, 25)] if limit == "BATCH_ROWS" else []
    )
    assert [song.song_id for song in songs(catalog)] == [f"{i * 7 % 25}" for i in range(25) if i % 5]


def test_an_interrupted_import_keeps_whole_batches_and_can_be_repeated(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_ROWS", 4)
    rows = [[f"{i}", "1994" if i % 4 else "soon"] for i in range(12)]
    path = write_csv(tmp_path / "songs.csv", ["song_id", "year"], *rows)

    def stop(done: int, total: int | None) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_path(catalog, path, progress=stop)
    run = catalog.imports.latest()
    assert run is not None
    assert (run.finished_at, run.added, run.rejected) == (None, 6, 2)
    assert (catalog.songs.count(), len(rejects(catalog))) == (6, 2)
    assert counts(import_path(catalog, path)) == (3, 0, 6, 3)


def test_a_batch_that_fails_leaves_no_part_of_itself(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "songs.csv", ["song_id", "year"], ["a", "1994"], ["b", "soon"])

    def fails(*arguments: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("indexer.catalog.imports._add_rejects", fails)
    with pytest.raises(RuntimeError, match="power cut"):
        import_path(catalog, path)
    assert catalog.songs.count() == 0
    assert isinstance(catalog.imports, Imports)
    monkeypatch.undo()
    assert counts(import_path(catalog, path)) == (1, 0, 0, 1)


def test_a_folder_is_imported_and_a_changed_tag_updates(catalog: Catalog, tmp_path: Path) -> None:
    for name in ("a.wav", "b/c.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "text.mp3").write_text("no music\n" * 50)
    (tmp_path / "a.txt").write_bytes(b"\xff")
    assert counts(import_path(catalog, tmp_path)) == (2, 0, 0, 1)
    assert [(line, field) for line, field, _, _ in rejects(catalog)] == [(None, "lyrics"), (None, "file")]
    (tmp_path / "a.txt").write_text("words")
    assert counts(import_path(catalog, tmp_path)) == (0, 1, 1, 1)
    assert [song.lyrics for song in songs(catalog)] == ["words", None]


def test_files_that_a_table_names_are_found_beside_it(catalog: Catalog, tmp_path: Path) -> None:
    write_wav(tmp_path / "music" / "audio" / "a.wav")
    (tmp_path / "music" / "a.lrc").write_text("[00:01.00]la")
    write_wav(tmp_path / "outside.wav")
    path = write_csv(
        tmp_path / "music" / "songs.csv",
        ["song_id", "audio_path", "lyrics_path"],
        ["a", "audio/a.wav", "a.lrc"],
        ["b", "../outside.wav", ""],
        ["c", str(tmp_path / "outside.wav"), "missing.txt"],
    )
    assert counts(import_path(catalog, path)) == (1, 0, 0, 2)
    (song,) = songs(catalog)
    assert (song.audio_path, song.lyrics) == (str(tmp_path / "music" / "audio" / "a.wav"), "[00:01.00]la")
    assert [(line, field) for line, field, _, _ in rejects(catalog)] == [
        (3, "audio_path"), (4, "lyrics_path"), (4, "audio_path"),
    ]  # fmt: skip


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30).map(
    lambda value: " ".join(value.split()) or None
)
SONGS = st.lists(
    st.builds(
        SongRecord,
        song_id=st.text(
            st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=20
        ),
        title=WORDS,
        artist=WORDS,
        album=WORDS,
        genre=st.sampled_from([None, "pop", "hip hop", "death metal"]),
        year=st.none() | st.integers(1000, 2100),
        lyrics=WORDS | st.just("one\ntwo\r\nthree, \"four\";\t'five'"),
        labels=st.fixed_dictionaries(
            {}, optional={"world_life": st.floats(0, 1), "energy": st.floats(0, 1), "bpm": st.floats(0, 300)}
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda song: song.song_id,
)


def row_of(song: SongRecord) -> list[object]:
    labels = [song.labels.get(slug) for slug in ("world_life", "energy", "bpm")]
    return [song.song_id, song.title, song.artist, song.album, song.genre, song.year, song.lyrics, *labels]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SONGS)
def test_a_valid_song_comes_back_from_csv_and_parquet(
    catalog: Catalog, tmp_path: Path, wanted: list[SongRecord]
) -> None:
    rows = [row_of(song) for song in wanted]
    as_csv = write_csv(tmp_path / "songs.csv", FIELDS, *rows)
    kinds = [pa.string()] * 5 + [pa.int64(), pa.string()] + [pa.float64()] * 3
    columns = {
        name: pa.array([row[i] for row in rows], kind)
        for i, (name, kind) in enumerate(zip(FIELDS, kinds, strict=True))
    }
    as_parquet = write_parquet(tmp_path / "songs.parquet", columns)
    for path in (as_csv, as_parquet):
        import_path(catalog, path, OWN)
        assert rejects(catalog) == []
        for song in wanted:
            found = catalog.songs.get(song.song_id)
            assert found is not None
            assert row_of(found) == row_of(song)
    assert counts(import_path(catalog, as_csv, OWN)) == (0, 0, len(wanted), 0)


def test_a_label_once_imported_is_read_again_without_being_named(catalog: Catalog, tmp_path: Path) -> None:
    table = tmp_path / "bpm.csv"
    table.write_text("song_id,bpm\na,100\n")
    import_path(catalog, table, LabelSchema((Label.named("bpm", 40, 220),)))
    assert import_path(catalog, table).unchanged == 1
    record = catalog.songs.get("a")
    assert record is not None
    assert record.labels == {"bpm": 100.0}


def test_a_named_label_without_a_column_is_refused_before_anything_is_stored(
    catalog: Catalog, tmp_path: Path
) -> None:
    table = tmp_path / "bpm.csv"
    table.write_text("song_id,bpm\na,100\n")
    with pytest.raises(TableError, match=r"bpm\.csv has no column 'bmp'; its columns are song_id, bpm"):
        import_path(catalog, table, LabelSchema((Label.named("bmp", 40, 220),)))
    assert catalog.songs.count() == 0
