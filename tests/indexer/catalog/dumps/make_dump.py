"""Writes the SQL dump of a small catalogue of the newest revision; run once when a revision is published.

``python -m tests.indexer.catalog.dumps.make_dump FOLDER``; what is written never changes afterwards.
"""

import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.catalog import Catalog, open_catalog
from indexer.catalog.embeddings import Embedding
from indexer.catalog.imports import Reject
from indexer.catalog.records import SongRecord


def fill(catalog: Catalog) -> None:
    """One row or two in every table."""
    labels = LabelSchema((*DEFAULT_LABELS, Label.named("energy")))
    song = SongRecord(
        song_id="a1", title="Café", artist="Zoë", album="Album", genre="hip hop", year=1994,
        lyrics="line one\nline two", labels={"dating": 0.25, "energy": 0.5}, audio_path="/music/a1.wav",
        source="/music/songs.csv",
    )  # fmt: skip
    catalog.songs.register_labels(labels)
    key = catalog.imports.start("/music/songs.csv")
    reject = Reject("songs.csv", "year", "soon", "is not a year", 4)
    catalog.imports.add_batch(key, [song, SongRecord(song_id="b2", year=2001)], [reject], 1)
    catalog.imports.finish(key)
    catalog.features.remember_file(1, "content", 1234, 1_700_000_000_000_000_000)
    catalog.features.put("content", "v1", np.arange(22.0), 30.5, ["shortened"])
    model = catalog.embeddings.register_model("model-1", 3, labels)
    vectors = np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32)
    first = Embedding(1, "in1", vectors[0], np.full(19, 0.5, np.float32), ("lyrics", "genre"))
    second = Embedding(2, "in2", vectors[1], np.zeros(19, np.float32), ("year",))
    catalog.embeddings.put(model, [first, second])
    catalog.ledger.record(2, "features", "no audio", "in2", "v1")
    build = catalog.builds.start(model)
    catalog.builds.finish(build, "published", version="index-1")


def main(folder: Path) -> None:
    """Write ``revision_NUMBER.sql`` into the folder."""
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "catalog.db"
        with open_catalog(f"sqlite:///{file}") as catalog:
            fill(catalog)
        connection = sqlite3.connect(file)
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        dump = "\n".join(connection.iterdump()) + "\n"
        connection.close()
    (folder / f"revision_{revision}.sql").write_text(dump, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
