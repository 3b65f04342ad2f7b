"""Runs of ``catalog import``, with their counts and the rows that could not be taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from indexer.catalog.database import reading, writing
from indexer.catalog.records import SongRecord, UpsertCounts
from indexer.catalog.schema import ImportRow, RejectRow
from indexer.catalog.songs import upsert_songs

_RUN = (
    ImportRow.key, ImportRow.source, ImportRow.started_at, ImportRow.finished_at, ImportRow.added,
    ImportRow.updated, ImportRow.unchanged, ImportRow.rejected,
)  # fmt: skip
_REJECT = (RejectRow.location, RejectRow.field, RejectRow.value, RejectRow.reason, RejectRow.line)


@dataclass(frozen=True, slots=True)
class Reject:
    """One reason why a row was not taken.

    ``line`` counts from 1: the line of a text table (its header is line 1), the row of a Parquet file; None
    in a folder. ``location`` names the table or, in a folder, the file.
    """

    location: str
    field: str
    value: str
    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One run and its counts; ``finished_at`` is None while it runs or when it was interrupted."""

    key: int
    source: str
    started_at: datetime
    finished_at: datetime | None
    added: int
    updated: int
    unchanged: int
    rejected: int


class Imports:
    """The runs of ``catalog import``."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def start(self, source: str) -> int:
        """Note that an import of this file or folder began, and return its key."""
        zeros = {"added": 0, "updated": 0, "unchanged": 0, "rejected": 0}
        row: dict[str, Any] = {"source": source, "started_at": datetime.now(UTC), **zeros}
        with writing(self._database) as connection:
            key = connection.execute(insert(ImportRow).returning(ImportRow.key), row).scalar_one()
        return int(key)

    def add_batch(
        self, import_key: int, records: Sequence[SongRecord], rejects: Sequence[Reject], rejected: int
    ) -> UpsertCounts:
        """Store songs, rejects and counts in one transaction: all of the batch, or nothing of it.

        ``rejected`` is the number of rows not taken; one row may have several rejects.

        Raises
        ------
        InputError
            When two records have the same ``song_id``.
        """
        with writing(self._database) as connection:
            counts = upsert_songs(connection, records)
            _add_rejects(connection, import_key, rejects)
            _count(connection, import_key, counts, rejected)
        return counts

    def add_rejects(self, import_key: int, rejects: Sequence[Reject], rejected: int) -> None:
        """Store rejects alone; ``rejected`` is the number of rows that they belong to."""
        with writing(self._database) as connection:
            _add_rejects(connection, import_key, rejects)
            _count(connection, import_key, UpsertCounts(), rejected)

    def finish(self, import_key: int) -> ImportRun:
        """Note that the import came to its end, and return it with its counts."""
        with writing(self._database) as connection:
            here = ImportRow.key == import_key
            connection.execute(update(ImportRow).where(here).values(finished_at=datetime.now(UTC)))
            return ImportRun(*connection.execute(select(*_RUN).where(here)).one())

    def latest(self) -> ImportRun | None:
        """The import that began last, or None."""
        with reading(self._database) as connection:
            row = connection.execute(select(*_RUN).order_by(ImportRow.key.desc()).limit(1)).first()
        return ImportRun(*row) if row else None

    def rejects(self, import_key: int | None = None, limit: int | None = 100) -> list[Reject]:
        """Rejects in the order of the file; of the latest import when no key is given.

        ``limit`` None gives all.
        """
        latest = select(func.max(ImportRow.key)).scalar_subquery()
        here = RejectRow.import_key == (latest if import_key is None else import_key)
        statement = select(*_REJECT).where(here).order_by(RejectRow.key).limit(limit)
        with reading(self._database) as connection:
            return [Reject(*row) for row in connection.execute(statement)]


def _add_rejects(connection: Connection, import_key: int, rejects: Sequence[Reject]) -> None:
    rows = [
        {
            "import_key": import_key,
            "line": reject.line,
            "location": reject.location,
            "field": reject.field,
            "value": reject.value,
            "reason": reject.reason,
        }
        for reject in rejects
    ]
    if rows:
        connection.execute(insert(RejectRow), rows)


def _count(connection: Connection, import_key: int, counts: UpsertCounts, rejected: int) -> None:
    connection.execute(
        update(ImportRow)
        .where(ImportRow.key == import_key)
        .values(
            added=ImportRow.added + counts.added,
            updated=ImportRow.updated + counts.updated,
            unchanged=ImportRow.unchanged + counts.unchanged,
            rejected=ImportRow.rejected + rejected,
        )
    )
