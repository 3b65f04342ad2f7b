"""Songs and lyrics in SQL: batches in, batches out, single songs found."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, text, update

from engine.errors import InputError
from engine.vocabulary import LabelSchema
from indexer.catalog import labels, stats
from indexer.catalog.database import AnyRow, AnySelect, chunks, reading, storable, writing
from indexer.catalog.records import SongRecord, SongSummary, UpsertCounts, fold_text, search_text, text_hash
from indexer.catalog.schema import AudioFileRow, LyricsRow, SongRow

__all__ = ["SongRecord", "SongSummary", "Songs", "UpsertCounts", "upsert_songs"]

_SUMMARY = (
    SongRow.key, SongRow.song_id, SongRow.title, SongRow.artist, SongRow.album, SongRow.genre, SongRow.year
)  # fmt: skip
_LONGEST_SEARCH = 4_000  # characters; longer than any title or artist, and than what LIKE is fit for


class Songs:
    """The songs of a catalogue."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def upsert(self, records: Sequence[SongRecord]) -> UpsertCounts:
        """Store songs in one transaction, new ones in the order given; a song with new content is replaced.

        A record is all that is known of its song: what it does not hold (lyrics, a year, a label) is removed.

        Raises
        ------
        InputError
            When two records have the same ``song_id``, or one holds what no database can (a NUL, half a
            surrogate pair, a label that is not finite); nothing is stored.
        """
        with writing(self._database) as connection:
            return upsert_songs(connection, records)

    def get(self, song_id: str) -> SongRecord | None:
        """The song with the user's own id, or None."""
        if not storable(song_id):
            return None
        with reading(self._database) as connection:
            row = connection.execute(_full().where(SongRow.song_id == song_id)).first()
        return _record(row) if row else None

    def by_ids(self, song_ids: Sequence[str]) -> dict[str, SongSummary]:
        """Summaries of the songs with these ids of the user's; unknown ids are left out."""
        asked = [song_id for song_id in song_ids if storable(song_id)]
        found: dict[str, SongSummary] = {}
        with reading(self._database) as connection:
            for part in chunks(asked):
                rows = connection.execute(select(*_SUMMARY).where(SongRow.song_id.in_(part)))
                found.update((row.song_id, SongSummary(*row)) for row in rows)
        return found

    def by_keys(self, keys: Sequence[int]) -> dict[int, SongSummary]:
        """Summaries of the songs with these internal keys; unknown keys are left out."""
        found: dict[int, SongSummary] = {}
        with reading(self._database) as connection:
            for part in chunks([int(key) for key in keys]):
                rows = connection.execute(select(*_SUMMARY).where(SongRow.key.in_(part)))
                found.update((row.key, SongSummary(*row)) for row in rows)
        return found

    def find(self, text: str, limit: int = 20, offset: int = 0) -> list[SongSummary]:
        """Songs whose title or artist contains ``text``, by title, then artist, then order of import.

        Case, accents and repeated spaces do not count; an empty text finds every song.
        """
        wanted = fold_text(text)
        if not storable(wanted) or len(wanted) > _LONGEST_SEARCH:
            return []
        statement = (
            select(*_SUMMARY)
            .where(SongRow.search_text.contains(wanted, autoescape=True))
            .order_by(SongRow.search_text, SongRow.key)
            .limit(limit)
            .offset(offset)
        )
        with reading(self._database) as connection:
            return [SongSummary(*row) for row in connection.execute(statement)]

    def count(self) -> int:
        """Number of songs."""
        with reading(self._database) as connection:
            return connection.execute(select(func.count()).select_from(SongRow)).scalar_one()

    def stream(self, batch_size: int = 1000) -> Iterator[list[SongRecord]]:
        """All songs in order of import, in batches; each batch is one short query, so writers may go on."""
        last = 0
        while True:
            with reading(self._database) as connection:
                statement = _full().where(SongRow.key > last).order_by(SongRow.key).limit(batch_size)
                batch = [_record(row) for row in connection.execute(statement)]
            if not batch:
                return
            yield batch
            last = batch[-1].key or 0

    def label_schema(self) -> LabelSchema | None:
        """Labels that this catalogue has columns of, in order of first import; None when there are none."""
        with reading(self._database) as connection:
            return labels.read_labels(connection)

    def register_labels(self, schema: LabelSchema) -> None:
        """Add the labels that are new, in their order; what is known keeps its place.

        Raises
        ------
        InputError
            When a label is known with another range; nothing is stored.
        """
        with writing(self._database) as connection:
            labels.add_labels(connection, schema)

    def stats(self) -> dict[str, Any]:
        """Counts of what the catalogue holds.

        Keys: ``songs``, ``with_title``, ``with_artist``, ``with_lyrics``, ``with_audio``, ``with_features``,
        ``with_genre``, ``with_year``, ``with_labels`` (numbers of songs), ``year_min``, ``year_max`` (None
        when no year is known), ``genres`` (songs per genre, most first) and ``labels`` (songs with a known
        value per slug, in label order).
        """
        with reading(self._database) as connection:
            return stats.count_all(connection)


def upsert_songs(connection: Connection, records: Sequence[SongRecord]) -> UpsertCounts:
    """Store songs inside a transaction that is already open; see `Songs.upsert`.

    Raises
    ------
    InputError
        When two records have the same ``song_id``, or one holds what no database can.
    """
    for record in records:
        _check(record)
    by_id = {record.song_id: record for record in records}
    if len(by_id) != len(records):
        raise InputError("two songs of one batch have the same song_id; give each song its own")
    if connection.dialect.name == "postgresql":
        # One import at a time decides what is new; readers and the stages of a build go on.
        connection.execute(text("LOCK TABLE songs IN SHARE ROW EXCLUSIVE MODE"))
    known = _known(connection, list(by_id))
    hashes = {song_id: record.row_hash for song_id, record in by_id.items()}
    new = [song_id for song_id in by_id if song_id not in known]
    changed = [
        song_id for song_id in by_id if song_id in known and known[song_id].row_hash != hashes[song_id]
    ]
    _insert(connection, [_columns(by_id[song_id], hashes[song_id]) for song_id in new])
    _update(
        connection,
        [
            _columns(by_id[song_id], hashes[song_id]) | {"existing_key": known[song_id].key}
            for song_id in changed
        ],
    )
    moved = [
        known[song_id].key for song_id in changed if known[song_id].audio_path != by_id[song_id].audio_path
    ]
    _delete_of(connection, AudioFileRow, moved)
    _delete_of(connection, LyricsRow, [known[song_id].key for song_id in changed])
    keys = {song_id: known[song_id].key for song_id in changed}
    keys |= {song_id: row.key for song_id, row in _known(connection, new).items()}
    _insert_lyrics(connection, [(key, by_id[song_id].lyrics) for song_id, key in keys.items()])
    return UpsertCounts(len(new), len(changed), len(by_id) - len(new) - len(changed))


def _check(record: SongRecord) -> None:
    texts = (record.song_id, record.title, record.artist, record.album, record.genre, record.lyrics)
    if not all(
        storable(value) for value in (*texts, record.audio_path, record.source, *record.labels) if value
    ):
        raise InputError(f"song {record.song_id!r} holds a NUL or half a surrogate pair; remove it")
    if not all(map(math.isfinite, record.labels.values())):
        raise InputError(f"song {record.song_id!r} has a label that is not finite; leave unknown labels out")


def _known(connection: Connection, song_ids: Sequence[str]) -> dict[str, AnyRow]:
    columns = (SongRow.song_id, SongRow.key, SongRow.row_hash, SongRow.audio_path)
    return {
        row.song_id: row
        for part in chunks(song_ids)
        for row in connection.execute(select(*columns).where(SongRow.song_id.in_(part)))
    }


def _columns(record: SongRecord, row_hash: str) -> dict[str, Any]:
    return {
        "song_id": record.song_id,
        "title": record.title,
        "artist": record.artist,
        "album": record.album,
        "genre": record.genre,
        "year": record.year,
        "labels": dict(record.labels) or None,
        "audio_path": record.audio_path,
        "search_text": search_text(record.title, record.artist),
        "row_hash": row_hash,
        "source": record.source,
        "updated_at": datetime.now(UTC),
    }


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(SongRow), rows)


def _update(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(update(SongRow).where(SongRow.key == bindparam("existing_key")), rows)


def _insert_lyrics(connection: Connection, lyrics: list[tuple[int, str | None]]) -> None:
    rows = [{"song_key": key, "text": words, "text_hash": text_hash(words)} for key, words in lyrics if words]
    if rows:
        connection.execute(insert(LyricsRow), rows)


def _delete_of(connection: Connection, table: type[AudioFileRow | LyricsRow], keys: Sequence[int]) -> None:
    for part in chunks(keys):
        connection.execute(delete(table).where(table.song_key.in_(part)))


def _full() -> AnySelect:
    columns = (*_SUMMARY, SongRow.labels, SongRow.audio_path, SongRow.source, LyricsRow.text)
    return select(*columns).outerjoin(LyricsRow, LyricsRow.song_key == SongRow.key)


def _record(row: AnyRow) -> SongRecord:
    return SongRecord(
        song_id=row.song_id,
        title=row.title,
        artist=row.artist,
        album=row.album,
        genre=row.genre,
        year=row.year,
        lyrics=row.text,
        labels={slug: float(value) for slug, value in (row.labels or {}).items()},
        audio_path=row.audio_path,
        source=row.source,
        key=row.key,
    )
