"""A small home folder with a catalogue and published indexes: real SQLite and FAISS, random unit vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.settings import Settings
from engine.vocabulary import DEFAULT_LABELS, LabelSchema
from indexer.catalog import open_catalog
from indexer.catalog.embeddings import Embedding
from indexer.catalog.records import SongRecord
from indexer.search.bundle import IndexRows, index_store, write_index_bundle

DIMENSION = 8
ODD_IDS = ("a/b/c.flac", "Ünï & co?", "..x", "100%", "-dash")
GENRES = ("pop", "rock", "jazz", None)


@dataclass(frozen=True)
class SmallHome:
    """What was put in, in song_id order, for a brute-force answer."""

    settings: Settings
    schema: LabelSchema
    records: list[SongRecord]
    vectors: NDArray[np.float32]
    labels: NDArray[np.float32]
    coverage: list[tuple[str, ...]]
    version: str
    model_id: str

    def cosines(self, song_id: str) -> NDArray[np.float64]:
        """Cosine of every song with one song, in double precision."""
        wide = self.vectors.astype(np.float64)
        cosines: NDArray[np.float64] = wide @ wide[[record.song_id for record in self.records].index(song_id)]
        return cosines


def make_home(
    folder: Path,
    *,
    songs: int = 40,
    schema: LabelSchema = DEFAULT_LABELS,
    seed: int = 0,
    model_id: str = "model-a",
) -> SmallHome:
    """Import songs, store vectors, write and publish an index; call it again with another seed for a new one."""
    rng = np.random.default_rng(seed)
    records = [song_at(number) for number in range(songs)]
    vectors = rng.normal(size=(songs, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = rng.random((songs, len(schema))).astype(np.float32)
    coverage: list[tuple[str, ...]] = [
        ("lyrics", "audio") if number % 3 else ("lyrics",) for number in range(songs)
    ]
    settings = Settings.load(home=folder)
    with open_catalog(settings.database) as catalog:
        catalog.songs.upsert(records)
        key_of = {
            song_id: song.key for song_id, song in catalog.songs.by_ids([r.song_id for r in records]).items()
        }
        keys = [key_of[record.song_id] for record in records]
        model_key = catalog.embeddings.register_model(model_id, DIMENSION, schema)
        catalog.embeddings.put(
            model_key,
            [
                Embedding(key, "hash", vector, values, parts)
                for key, vector, values, parts in zip(keys, vectors, labels, coverage, strict=True)
            ],
        )
    store = index_store(settings.indexes)
    rows = IndexRows(
        keys=np.array(keys, dtype=np.int64),
        song_ids=[record.song_id for record in records],
        vectors=vectors,
        labels=labels,
        genres=[record.genre for record in records],
        years=[record.year for record in records],
        artists=[record.artist for record in records],
        coverage=coverage,
    )
    path = write_index_bundle(store, rows, model_id=model_id, labels=schema)
    store.publish(path.name)
    order = sorted(range(songs), key=lambda row: records[row].song_id)
    return SmallHome(
        settings,
        schema,
        [records[row] for row in order],
        vectors[order],
        labels[order],
        [coverage[row] for row in order],
        path.name,
        model_id,
    )


def song_at(number: int) -> SongRecord:
    """The song with a number: some genres and years unknown, some ids awkward."""
    song_id = ODD_IDS[number] if number < len(ODD_IDS) else f"s{number:03}"
    return SongRecord(
        song_id=song_id,
        title=f"Title {number}" if number != 6 else "[bold]Tön[/bold]\x1b[2J",
        artist=f"Artist {number % 7}",
        album=None,
        genre=GENRES[number % len(GENRES)],
        year=None if number % 5 == 0 else 1960 + number,
        lyrics="la la" if number % 2 else None,
        labels={"danceability": 0.5} if number == 7 else {},
        audio_path="/music/song.flac" if number == 7 else None,
    )


def song_ids(home: SmallHome, rows: Sequence[int]) -> list[str]:
    """Ids of the songs in these rows."""
    return [home.records[row].song_id for row in rows]
