"""The error ledger: songs that a stage could not process, with the reason; not retried until they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, func, select

from indexer.catalog.database import reading, upsert, writing
from indexer.catalog.schema import ErrorRow, SongRow


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One song that one stage could not process."""

    song_key: int
    song_id: str
    stage: str
    reason: str
    input_hash: str
    code_version: str
    attempts: int
    last_at: datetime


class Ledger:
    """Errors of songs by stage."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def record(self, song_key: int, stage: str, reason: str, input_hash: str, code_version: str) -> None:
        """Note that the stage failed on this song; every note counts as one more attempt."""
        here = (ErrorRow.song_key == song_key, ErrorRow.stage == stage)
        with writing(self._database) as connection:
            attempts = connection.execute(select(ErrorRow.attempts).where(*here)).scalar() or 0
            row = {
                "song_key": song_key,
                "stage": stage,
                "reason": reason.replace("\0", ""),
                "input_hash": input_hash,
                "code_version": code_version,
                "attempts": attempts + 1,
                "last_at": datetime.now(UTC),
            }
            upsert(connection, ErrorRow, [row])

    def clear(self, song_key: int, stage: str) -> None:
        """Forget the error of this song in this stage, if there is one."""
        with writing(self._database) as connection:
            connection.execute(delete(ErrorRow).where(ErrorRow.song_key == song_key, ErrorRow.stage == stage))

    def known(self, stage: str) -> dict[int, tuple[str, str]]:
        """Input hash and code version of every error of the stage, by song key."""
        statement = select(ErrorRow.song_key, ErrorRow.input_hash, ErrorRow.code_version)
        with reading(self._database) as connection:
            rows = connection.execute(statement.where(ErrorRow.stage == stage)).all()
        return {row.song_key: (row.input_hash, row.code_version) for row in rows}

    def counts(self) -> dict[str, int]:
        """Number of songs in error, by stage."""
        statement = select(ErrorRow.stage, func.count()).group_by(ErrorRow.stage).order_by(ErrorRow.stage)
        with reading(self._database) as connection:
            return {str(stage): int(number) for stage, number in connection.execute(statement)}

    def list(self, limit: int | None = 100) -> Sequence[LedgerEntry]:
        """Errors, newest first; ``limit`` None gives all."""
        columns = (
            ErrorRow.song_key, SongRow.song_id, ErrorRow.stage, ErrorRow.reason, ErrorRow.input_hash,
            ErrorRow.code_version, ErrorRow.attempts, ErrorRow.last_at,
        )  # fmt: skip
        statement = (
            select(*columns)
            .join(SongRow, SongRow.key == ErrorRow.song_key)
            .order_by(ErrorRow.last_at.desc(), ErrorRow.song_key, ErrorRow.stage)
            .limit(limit)
        )
        with reading(self._database) as connection:
            return [LedgerEntry(*row) for row in connection.execute(statement)]
