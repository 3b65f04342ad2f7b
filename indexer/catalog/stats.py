"""Counts of what the catalogue holds, for ``songlike catalog stats``."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

from indexer.catalog.labels import read_labels
from indexer.catalog.schema import AudioFeaturesRow, AudioFileRow, LyricsRow, SongRow

_BATCH = 10_000  # songs whose labels are counted at a time


def count_all(connection: Connection) -> dict[str, Any]:
    """Everything that `Songs.stats` returns."""
    counts = connection.execute(
        select(
            func.count().label("songs"),
            func.count(SongRow.title).label("with_title"),
            func.count(SongRow.artist).label("with_artist"),
            func.count(SongRow.audio_path).label("with_audio"),
            func.count(SongRow.genre).label("with_genre"),
            func.count(SongRow.year).label("with_year"),
            func.count(SongRow.labels).label("with_labels"),
            func.min(SongRow.year).label("year_min"),
            func.max(SongRow.year).label("year_max"),
        )
    ).one()
    return {
        **counts._mapping,
        "with_lyrics": _count(connection, LyricsRow.song_key),
        "with_features": _songs_with_features(connection),
        "genres": _genres(connection),
        "labels": _labels(connection),
    }


def _count(connection: Connection, column: InstrumentedAttribute[int]) -> int:
    return connection.execute(select(func.count(column))).scalar_one()


def _songs_with_features(connection: Connection) -> int:
    known = select(AudioFeaturesRow.content_hash)
    statement = select(func.count()).select_from(AudioFileRow).where(AudioFileRow.content_hash.in_(known))
    return connection.execute(statement).scalar_one()


def _genres(connection: Connection) -> dict[str, int]:
    statement = select(SongRow.genre, func.count()).where(SongRow.genre.is_not(None)).group_by(SongRow.genre)
    counts = {str(genre): int(number) for genre, number in connection.execute(statement)}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _labels(connection: Connection) -> dict[str, int]:
    counts: Counter[str] = Counter()
    last = 0
    while True:
        statement = select(SongRow.key, SongRow.labels).where(SongRow.key > last, SongRow.labels.is_not(None))
        rows = connection.execute(statement.order_by(SongRow.key).limit(_BATCH)).all()
        if not rows:
            break
        for row in rows:
            counts.update(row.labels.keys())
        last = rows[-1].key
    return {label.slug: counts[label.slug] for label in read_labels(connection) or ()}
