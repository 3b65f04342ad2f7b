"""Vectors and predicted labels in SQL, per model: written in batches, read back as matrices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, delete, func, insert, select

from engine.errors import InputError, ModelMismatchError
from engine.vocabulary import LabelSchema
from indexer.catalog.database import AnyRow, AnySelect, chunks, reading, upsert, writing
from indexer.catalog.schema import EmbeddingRow, ModelRow, SongRow

_MODEL = (ModelRow.key, ModelRow.model_id, ModelRow.dimension, ModelRow.labels, ModelRow.created_at)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model whose vectors the catalogue holds."""

    key: int
    model_id: str
    dimension: int
    labels: LabelSchema
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Embedding:
    """One song under one model: ``vector`` (dimension,) and ``labels`` (number of labels,), both float32.

    ``input_hash`` tells what the encoder read, ``coverage`` names the modalities that it read.
    """

    song_key: int
    input_hash: str
    vector: NDArray[np.float32]
    labels: NDArray[np.float32]
    coverage: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """A piece of a model's matrix, in order of ``song_id``.

    ``keys`` (b,) int64, ``vectors`` (b, dimension) float32, ``labels`` (b, number of labels) float32; the
    other columns are lists of length b.
    """

    keys: NDArray[np.int64]
    vectors: NDArray[np.float32]
    labels: NDArray[np.float32]
    song_ids: list[str]
    artists: list[str | None]
    genres: list[str | None]
    years: list[int | None]
    coverage: list[tuple[str, ...]]


class Embeddings:
    """Models, and the vectors of songs under them."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def register_model(self, model_id: str, dimension: int, labels: LabelSchema) -> int:
        """Key of the model; a model that is not known yet is added.

        Raises
        ------
        ModelMismatchError
            When the model is known with another dimension or other labels.
        """
        with writing(self._database) as connection:
            known = _model(connection, model_id)
            if known is None:
                row = {
                    "model_id": model_id,
                    "dimension": dimension,
                    "labels": labels.to_json(),
                    "created_at": datetime.now(UTC),
                }
                connection.execute(insert(ModelRow), row)
                known = _model(connection, model_id)
        if known is None or (known.dimension, known.labels) != (dimension, labels):
            raise ModelMismatchError(
                f"model {model_id} is known in this catalogue with another dimension or other labels than "
                f"{dimension} and {', '.join(labels.slugs)}; a model never changes under its id"
            )
        return known.key

    def model(self, model_id: str) -> StoredModel | None:
        """The model with this id, or None when the catalogue holds nothing of it."""
        with reading(self._database) as connection:
            return _model(connection, model_id)

    def hashes(self, model_key: int, song_keys: Sequence[int] | None = None) -> dict[int, str]:
        """Input hash by song key: of the given songs, or of all that have a vector under the model."""
        statement = select(EmbeddingRow.song_key, EmbeddingRow.input_hash)
        statement = statement.where(EmbeddingRow.model_key == model_key)
        with reading(self._database) as connection:
            if song_keys is None:
                return {row.song_key: row.input_hash for row in connection.execute(statement)}
            return {
                row.song_key: row.input_hash
                for part in chunks([int(key) for key in song_keys])
                for row in connection.execute(statement.where(EmbeddingRow.song_key.in_(part)))
            }

    def put(self, model_key: int, embeddings: Sequence[Embedding]) -> None:
        """Store vectors in one transaction; a song's former vector under the model is replaced.

        Raises
        ------
        ModelMismatchError
            When the model is not known, or a vector or its labels have another length than the model's.
        InputError
            When a vector or its labels are not finite. Nothing is stored in either case.
        """
        with writing(self._database) as connection:
            row = connection.execute(select(*_MODEL).where(ModelRow.key == model_key)).first()
            if row is None:
                raise ModelMismatchError(
                    f"the catalogue knows no model with the key {model_key}; register it"
                )
            model = _stored(row)
            upsert(connection, EmbeddingRow, [_row(model, embedding) for embedding in embeddings])

    def discard(self, model_key: int, song_keys: Sequence[int]) -> None:
        """Remove the vectors of songs that nothing is left to encode of."""
        with writing(self._database) as connection:
            for part in chunks([int(key) for key in song_keys]):
                connection.execute(
                    delete(EmbeddingRow).where(
                        EmbeddingRow.model_key == model_key, EmbeddingRow.song_key.in_(part)
                    )
                )

    def get(self, model_key: int, song_key: int) -> Embedding | None:
        """One song's vector and predicted labels, or None."""
        statement = select(EmbeddingRow).where(
            EmbeddingRow.model_key == model_key, EmbeddingRow.song_key == song_key
        )
        with reading(self._database) as connection:
            row = connection.execute(statement).first()
        if row is None:
            return None
        return Embedding(
            song_key, row.input_hash, _floats(row.vector), _floats(row.labels), tuple(row.coverage)
        )

    def count(self, model_key: int) -> int:
        """Number of songs that have a vector under the model."""
        statement = select(func.count()).select_from(EmbeddingRow).where(EmbeddingRow.model_key == model_key)
        with reading(self._database) as connection:
            return connection.execute(statement).scalar_one()

    def matrix(self, model_key: int, batch_size: int = 4096) -> Iterator[EmbeddingBatch]:
        """Every vector of the model in order of ``song_id`` (by code point), in batches; none is empty."""
        last: str | None = None
        while True:
            statement = _joined(model_key).limit(batch_size)
            if last is not None:
                statement = statement.where(SongRow.song_id > last)
            with reading(self._database) as connection:
                rows = connection.execute(statement).all()
            if not rows:
                return
            yield _batch(rows)
            last = rows[-1].song_id


def _model(connection: Connection, model_id: str) -> StoredModel | None:
    row = connection.execute(select(*_MODEL).where(ModelRow.model_id == model_id)).first()
    return _stored(row) if row else None


def _stored(row: AnyRow) -> StoredModel:
    return StoredModel(
        row.key, row.model_id, row.dimension, LabelSchema.from_json(row.labels), row.created_at
    )


def _row(model: StoredModel, embedding: Embedding) -> dict[str, Any]:
    vector = np.asarray(embedding.vector, dtype="<f4")
    labels = np.asarray(embedding.labels, dtype="<f4")
    if vector.shape != (model.dimension,) or labels.shape != (len(model.labels),):
        raise ModelMismatchError(
            f"model {model.model_id} makes vectors of {model.dimension} and {len(model.labels)} labels; song "
            f"{embedding.song_key} came with shapes {vector.shape} and {labels.shape}"
        )
    if not (np.isfinite(vector).all() and np.isfinite(labels).all()):
        raise InputError(
            f"the vector or labels of song {embedding.song_key} are not finite; nothing was stored"
        )
    return {
        "model_key": model.key,
        "song_key": embedding.song_key,
        "input_hash": embedding.input_hash,
        "vector": vector.tobytes(),
        "labels": labels.tobytes(),
        "coverage": list(embedding.coverage),
    }


def _joined(model_key: int) -> AnySelect:
    song = (SongRow.key, SongRow.song_id, SongRow.artist, SongRow.genre, SongRow.year)
    return (
        select(*song, EmbeddingRow.vector, EmbeddingRow.labels, EmbeddingRow.coverage)
        .join(EmbeddingRow, EmbeddingRow.song_key == SongRow.key)
        .where(EmbeddingRow.model_key == model_key)
        .order_by(SongRow.song_id)
    )


def _batch(rows: Sequence[AnyRow]) -> EmbeddingBatch:
    return EmbeddingBatch(
        keys=np.array([row.key for row in rows], dtype=np.int64),
        vectors=_floats(b"".join(row.vector for row in rows)).reshape(len(rows), -1),
        labels=_floats(b"".join(row.labels for row in rows)).reshape(len(rows), -1),
        song_ids=[row.song_id for row in rows],
        artists=[row.artist for row in rows],
        genres=[row.genre for row in rows],
        years=[row.year for row in rows],
        coverage=[tuple(row.coverage) for row in rows],
    )


def _floats(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)
