import hashlib
import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from engine.errors import StoreError
from indexer.catalog import Catalog, open_catalog
from indexer.catalog.database import chunks, place, reading, storable, upsert, writing
from indexer.catalog.records import SongRecord
from indexer.catalog.schema import LabelColumnRow

LABEL = {"slug": "energy", "position": 0, "name": "Energy", "minimum": 0.0, "maximum": 1.0}


def test_sqlite_is_set_up_for_readers_beside_a_writer(tmp_path: Path) -> None:
    with (
        open_catalog(f"sqlite:///{tmp_path}/new/folder/catalog.db") as catalog,
        reading(catalog.database) as db,
    ):
        pragmas = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 30_000}


def test_a_folder_name_with_percent_and_spaces_works(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/50%25 of %(here)s/c.db") as catalog:
        assert catalog.songs.count() == 0


def test_reader_sees_the_old_state_while_a_writer_writes(catalog: Catalog) -> None:
    catalog.songs.upsert([SongRecord(song_id="before")])
    with writing(catalog.database) as connection:
        connection.execute(text("DELETE FROM songs"))
        assert catalog.songs.count() == 1  # on another connection
    assert catalog.songs.count() == 0


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), writing(catalog.database) as connection:
        upsert(connection, LabelColumnRow, [LABEL])
        _ = 1 / 0
    assert catalog.songs.label_schema() is None


def test_upsert_replaces_by_primary_key(catalog: Catalog) -> None:
    with writing(catalog.database) as connection:
        upsert(connection, LabelColumnRow, [LABEL])
        upsert(
            connection, LabelColumnRow, [LABEL | {"maximum": 9.0}, LABEL | {"slug": "valence", "position": 1}]
        )
        upsert(connection, LabelColumnRow, [])
    schema = catalog.songs.label_schema()
    assert schema is not None
    assert [(label.slug, label.maximum) for label in schema] == [("energy", 9.0), ("valence", 1.0)]


def test_writers_in_threads_wait_for_each_other(catalog: Catalog) -> None:
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for batch in range(5):
                catalog.songs.upsert([SongRecord(song_id=f"{name}-{batch}-{i}") for i in range(20)])
                catalog.songs.upsert([SongRecord(song_id="shared", title=f"{name} {batch}")])
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert catalog.songs.count() == 4 * 5 * 20 + 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "cannot be read"),
        ("postgresql://me:hunter2@host:port/x", "cannot be read"),
        ("mysql://me:hunter2@host/x", "not in mysql"),
        ("sqlite+aiosqlite:///x.db", "not in sqlite\\+aiosqlite"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x.db?uri=true", "names no file"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "x at 127.0.0.1 cannot do what is asked: .*refused"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_clear_error_without_the_password(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        open_catalog(url)
    chain = [caught.value, caught.value.__cause__]
    assert "hunter2" not in " ".join(map(repr, chain)) + " ".join(map(str, chain))


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"songlike\[postgres\]"):
        open_catalog("postgresql://host/x")


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("just some notes of the user's, long enough to be taken for a header " * 20)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"notes\.txt cannot do what is asked: file is not a database"):
        open_catalog(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"folder .* cannot be made"):
        open_catalog(f"sqlite:///{tmp_path}/file/catalog.db")


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "player.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE songs (id INTEGER, name TEXT)")
    connection.close()
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(StoreError, match="'songs' that songlike did not make"):
        open_catalog(f"sqlite:///{file}")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_a_full_disk_is_a_store_error_and_keeps_what_was_there(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.db") as catalog:
        catalog.songs.upsert([SongRecord(song_id="kept")])
        with writing(catalog.database) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="full"):
            catalog.songs.upsert([SongRecord(song_id="big", lyrics="word " * 20_000)])
        assert [song.song_id for batch in catalog.songs.stream() for song in batch] == ["kept"]


def test_a_place_is_shown_without_user_password_or_options() -> None:
    url = make_url("postgresql://me:hunter2@db.example:5433/music?options=hunter3")
    assert place(url) == "PostgreSQL database music at db.example"
    assert place(make_url("sqlite:///data/catalog.db")) == "SQLite file data/catalog.db"


def test_values_are_not_part_of_an_error(catalog: Catalog) -> None:
    with pytest.raises(StoreError) as caught, writing(catalog.database) as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:lyrics)"), {"lyrics": "private words"})
    assert "nowhere" in str(caught.value)
    assert "private words" not in str(caught.value) + str(caught.value.__cause__)


def test_chunks_cut_without_loss() -> None:
    assert [list(part) for part in chunks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


@pytest.mark.parametrize(
    ("value", "expected"), [("ä\n", True), ("a\0", False), ("\ud800", False), ("", True)]
)
def test_storable_refuses_what_a_database_cannot_hold(value: str, expected: bool) -> None:
    assert storable(value) is expected
