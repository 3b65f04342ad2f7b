"""The migrated database is the schema, and a database of every published revision still opens with its data."""

import hashlib
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from engine.errors import StoreError
from engine.vocabulary import DEFAULT_LABELS
from indexer.catalog import Catalog, open_catalog
from indexer.catalog.database import MIGRATIONS, reading, writing
from indexer.catalog.records import SongRecord
from indexer.catalog.schema import Base

DUMPS = Path(__file__).parent / "catalog" / "dumps"
REVISIONS = sorted(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def test_migrations_make_the_tables_of_the_schema(catalog: Catalog) -> None:
    with reading(catalog.database) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_sqlite_counts_keys_up_where_the_schema_says_so(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path}/c.db") as catalog, reading(catalog.database) as connection:
        made = {
            name
            for name, sql in connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
            )
            if "AUTOINCREMENT" in (sql or "")
        }
    wanted = {t.name for t in Base.metadata.sorted_tables if t.dialect_options["sqlite"]["autoincrement"]}
    assert made == wanted
    assert "songs" in made


def test_opening_again_keeps_everything(catalog: Catalog, catalog_url: str) -> None:
    catalog.songs.upsert([SongRecord(song_id="1", title="One", lyrics="la la")])
    with open_catalog(catalog_url) as again:
        song = again.songs.get("1")
    assert song is not None
    assert (song.title, song.lyrics) == ("One", "la la")


def test_a_newer_database_is_refused_and_untouched(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    with open_catalog(f"sqlite:///{file}") as catalog:
        catalog.songs.upsert([SongRecord(song_id="1")])
        with writing(catalog.database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(StoreError, match=r"made by a newer songlike \(revision 9999\); upgrade songlike"):
        open_catalog(f"sqlite:///{file}")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.db"]


def test_a_newer_database_is_refused_on_every_database(catalog: Catalog, catalog_url: str) -> None:
    with writing(catalog.database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer songlike"):
        open_catalog(catalog_url)
    assert catalog.songs.count() == 0  # the tables are still there


def test_downgrading_leaves_no_table(catalog: Catalog) -> None:
    with writing(catalog.database) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with reading(catalog.database) as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}


def test_a_migration_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(config: Config, revision: str) -> None:
        config.attributes["connection"].exec_driver_sql("CREATE TABLE half (x INTEGER)")
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", fails)
    with pytest.raises(KeyboardInterrupt):
        open_catalog(f"sqlite:///{tmp_path}/c.db")
    monkeypatch.undo()
    with open_catalog(f"sqlite:///{tmp_path}/c.db") as catalog, reading(catalog.database) as connection:
        assert "half" not in inspect(connection).get_table_names()


def test_there_is_a_dump_of_every_revision() -> None:
    assert [path.stem for path in sorted(DUMPS.glob("*.sql"))] == [f"revision_{name}" for name in REVISIONS]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_each_revision_opens_with_its_data(revision: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript((DUMPS / f"revision_{revision}.sql").read_text(encoding="utf-8"))
    connection.close()
    with open_catalog(f"sqlite:///{tmp_path}/old.db") as catalog:
        song = catalog.songs.get("a1")
        assert song is not None
        assert (song.title, song.artist, song.genre, song.year) == ("Café", "Zoë", "hip hop", 1994)
        assert (song.lyrics, song.labels) == ("line one\nline two", {"dating": 0.25, "energy": 0.5})
        assert catalog.songs.upsert([song]).unchanged == 1
        schema = catalog.songs.label_schema()
        assert schema is not None
        assert schema.slugs == (*DEFAULT_LABELS.slugs, "energy")
        features = catalog.features.get("content", "v1")
        assert features is not None
        np.testing.assert_array_equal(features.values, np.arange(22.0))
        model = catalog.embeddings.model("model-1")
        assert model is not None
        (batch,) = catalog.embeddings.matrix(model.key)
        np.testing.assert_array_equal(batch.vectors, np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32))
        assert batch.coverage == [("lyrics", "genre"), ("year",)]
        assert catalog.ledger.counts() == {"features": 1}
        assert [reject.reason for reject in catalog.imports.rejects()] == ["is not a year"]
        build = catalog.builds.latest()
        assert build is not None
        assert (build.state, build.version) == ("published", "index-1")
