"""The tables of the catalogue. ``indexer/migrations`` creates them; a test compares the two.

Vectors are little-endian bytes: float32 for embeddings and predicted labels, float64 for audio features.
The order of predicted labels is that of ``models.labels``; the label set is data, so no label has a column.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# 64 bits on every database; SQLite counts up only columns that are called INTEGER.
Key = Annotated[int, mapped_column(BigInteger().with_variant(Integer(), "sqlite"))]
Big = Annotated[int, mapped_column(BigInteger())]
# Text that sorts by code point on every database, as Python and SQLite do by themselves.
SortedText = Annotated[str, mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))]

_COUNTED_UP = {"sqlite_autoincrement": True}  # the key of a deleted row is never given away again


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, kept and returned in UTC on every database (SQLite drops the zone by itself)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn any zone into UTC before the database drops it."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return UTC, whether the database returned a naive time or one in its session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, never mutated
        dict[str, Any]: JSON(none_as_null=True),
        list[dict[str, Any]]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        str: Text,
        datetime: UtcDateTime,
    }


class SongRow(Base):
    """A song. ``key`` is the internal id, ``song_id`` the user's own."""

    __tablename__ = "songs"
    __table_args__ = (_COUNTED_UP,)

    key: Mapped[Key] = mapped_column(primary_key=True)
    song_id: Mapped[SortedText] = mapped_column(unique=True)
    title: Mapped[str | None]
    artist: Mapped[str | None]
    album: Mapped[str | None]
    genre: Mapped[str | None]  # as `engine.vocabulary.normalise_genre` spells it
    year: Mapped[int | None]
    labels: Mapped[dict[str, Any] | None]  # known label values by slug: training targets
    audio_path: Mapped[str | None]  # absolute, inside the folder that was imported
    search_text: Mapped[SortedText]  # title and artist as `fold_text` spells them: what `find` looks through
    row_hash: Mapped[str]  # sha256 over everything imported for this song: tells a changed row
    source: Mapped[str]  # file or folder the song came from
    updated_at: Mapped[datetime]


class LyricsRow(Base):
    """Lyrics as the user gave them; cleaning happens in the engine, the same for training and serving."""

    __tablename__ = "lyrics"

    song_key: Mapped[Key] = mapped_column(ForeignKey("songs.key", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str]
    text_hash: Mapped[str]


class LabelColumnRow(Base):
    """A label that this catalogue holds values of, in order of first import."""

    __tablename__ = "label_columns"

    slug: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name: Mapped[str]
    minimum: Mapped[float]
    maximum: Mapped[float]


class AudioFileRow(Base):
    """What is known of a song's audio file: content hash, and size and time to notice a change cheaply."""

    __tablename__ = "audio_files"

    song_key: Mapped[Key] = mapped_column(ForeignKey("songs.key", ondelete="CASCADE"), primary_key=True)
    content_hash: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[Big]
    modified_ns: Mapped[Big]


class AudioFeaturesRow(Base):
    """Audio features of one file content under one feature version; shared by every song and model."""

    __tablename__ = "audio_features"

    content_hash: Mapped[str] = mapped_column(primary_key=True)
    feature_version: Mapped[str] = mapped_column(primary_key=True)
    features: Mapped[bytes] = mapped_column(LargeBinary)  # float64, order of AUDIO_FEATURES
    duration_s: Mapped[float]
    flags: Mapped[list[str]]


class ModelRow(Base):
    """A model bundle whose vectors the catalogue holds."""

    __tablename__ = "models"
    __table_args__ = (_COUNTED_UP,)

    key: Mapped[Key] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(unique=True)
    dimension: Mapped[int]
    labels: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]


class EmbeddingRow(Base):
    """One song's vector and predicted labels under one model."""

    __tablename__ = "embeddings"

    model_key: Mapped[Key] = mapped_column(ForeignKey("models.key", ondelete="CASCADE"), primary_key=True)
    song_key: Mapped[Key] = mapped_column(
        ForeignKey("songs.key", ondelete="CASCADE"), primary_key=True, index=True
    )
    input_hash: Mapped[str]  # sha256 over what the encoder read: lyrics, features, genre, year
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # float32, (dimension,), unit length
    labels: Mapped[bytes] = mapped_column(LargeBinary)  # float32, (number of labels,)
    coverage: Mapped[list[str]]  # modalities the vector is based on


class ErrorRow(Base):
    """Ledger of songs that a stage could not process; not retried until input or code version changes."""

    __tablename__ = "errors"

    song_key: Mapped[Key] = mapped_column(ForeignKey("songs.key", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    input_hash: Mapped[str]
    code_version: Mapped[str]
    attempts: Mapped[int]
    last_at: Mapped[datetime]


class ImportRow(Base):
    """One run of ``catalog import`` and its counts."""

    __tablename__ = "imports"
    __table_args__ = (_COUNTED_UP,)

    key: Mapped[Key] = mapped_column(primary_key=True)
    source: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]  # none: still running, or interrupted
    added: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    rejected: Mapped[int]  # rows not taken; one row may have several reasons


class RejectRow(Base):
    """One reason why a row of an import was not taken."""

    __tablename__ = "rejects"
    __table_args__ = (_COUNTED_UP,)

    key: Mapped[Key] = mapped_column(primary_key=True)
    import_key: Mapped[Key] = mapped_column(ForeignKey("imports.key", ondelete="CASCADE"), index=True)
    line: Mapped[Big | None]  # line in a CSV (header is 1), row number in a Parquet file (first is 1)
    location: Mapped[str]  # file name, or the audio file's path inside the folder
    field: Mapped[str]
    value: Mapped[str]  # shortened to 200 characters
    reason: Mapped[str]


class IndexBuildRow(Base):
    """One run of ``index build``: what it is doing, or how it ended."""

    __tablename__ = "index_builds"
    __table_args__ = (_COUNTED_UP,)

    key: Mapped[Key] = mapped_column(primary_key=True)
    model_key: Mapped[Key] = mapped_column(ForeignKey("models.key"))
    state: Mapped[str]  # running, published, unchanged, failed
    stage: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[str | None]  # name of the published index bundle
    message: Mapped[str | None]
