"""Runs of ``index build``: what a run is doing now, and how it ended."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from indexer.catalog.database import AnyRow, reading, writing
from indexer.catalog.schema import IndexBuildRow, ModelRow

RUNNING = "running"


@dataclass(frozen=True, slots=True)
class IndexBuild:
    """One run; ``state`` is running, published, unchanged or failed."""

    key: int
    model_id: str
    state: str
    stage: str
    done: int
    total: int
    started_at: datetime
    updated_at: datetime
    version: str | None
    message: str | None


class Builds:
    """The runs of ``index build``."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def start(self, model_key: int) -> int:
        """Note that a run began, and return its key."""
        now = datetime.now(UTC)
        row = {
            "model_key": model_key,
            "state": RUNNING,
            "stage": "",
            "done": 0,
            "total": 0,
            "started_at": now,
            "updated_at": now,
        }
        with writing(self._database) as connection:
            key = connection.execute(insert(IndexBuildRow).returning(IndexBuildRow.key), row).scalar_one()
        return int(key)

    def progress(self, key: int, stage: str, done: int, total: int) -> None:
        """Note how far the run is in its stage."""
        self._change(key, stage=stage, done=done, total=total)

    def finish(self, key: int, state: str, version: str | None = None, message: str | None = None) -> None:
        """Note how the run ended: ``published`` with its version, ``unchanged``, or ``failed``."""
        self._change(key, state=state, version=version, message=message)

    def latest(self) -> IndexBuild | None:
        """The run that began last, or None."""
        columns = (
            IndexBuildRow.key, ModelRow.model_id, IndexBuildRow.state, IndexBuildRow.stage,
            IndexBuildRow.done, IndexBuildRow.total, IndexBuildRow.started_at, IndexBuildRow.updated_at,
            IndexBuildRow.version, IndexBuildRow.message,
        )  # fmt: skip
        statement = select(*columns).join(ModelRow, ModelRow.key == IndexBuildRow.model_key)
        with reading(self._database) as connection:
            row: AnyRow | None = connection.execute(
                statement.order_by(IndexBuildRow.key.desc()).limit(1)
            ).first()
        return IndexBuild(*row) if row else None

    def _change(self, key: int, **values: Any) -> None:
        with writing(self._database) as connection:
            connection.execute(
                update(IndexBuildRow)
                .where(IndexBuildRow.key == key)
                .values(**values, updated_at=datetime.now(UTC))
            )
