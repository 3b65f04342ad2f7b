"""The connection to SQLite or PostgreSQL: how it is opened, brought to the newest schema, read and written.

Reading and writing are two functions, because SQLite wants to know at the start of a transaction which of the
two it is: a transaction that begins by reading and writes later fails when another process wrote in between.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, Row, Select, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, TimeoutError
from sqlalchemy.sql import Executable

from engine.errors import StoreError
from indexer.catalog.schema import Base

MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_TIMEOUT_MS = 30_000  # how long a SQLite writer waits for another one
IN_LIST = 500  # values of one IN (...): SQLite builds of before 2020 take 999 parameters a statement

_DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite", "postgresql": "pg", "postgresql+psycopg": "pg"}
_HOW = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_MIGRATION_LOCK = 0x736F6E67  # "song": one process migrates a PostgreSQL database at a time

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def open_database(url: str) -> Engine:
    """Engine on the database at ``url``, brought to the newest schema; a missing SQLite file is created.

    Raises
    ------
    StoreError
        When the URL cannot be used, the database cannot be reached, was made by a newer songlike, or holds
        tables that songlike did not make. Nothing is changed then.
    """
    database = _engine(_parsed(url))
    with ExitStack() as on_failure:
        on_failure.callback(database.dispose)
        _migrate(database)
        on_failure.pop_all()  # open and sound: it stays open
    return database


@contextmanager
def reading(database: Engine) -> Iterator[Connection]:
    """Connection for reading; whatever goes wrong in the database is a `StoreError`."""
    with _explained(database.url), database.connect() as connection:
        yield connection


@contextmanager
def writing(database: Engine) -> Iterator[Connection]:
    """Connection in one transaction: all that is written in the block is stored, or nothing of it."""
    with _explained(database.url), database.connect() as connection:
        connection.execution_options(songlike_begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection


def chunks(items: Sequence[T], size: int = IN_LIST) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces that fit one IN (...)."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def upsert(connection: Connection, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; where the primary key exists already, replace every other column."""
    if not rows:
        return
    keys = [column.name for column in inspect(table).primary_key]
    names = [name for name in rows[0] if name not in keys]
    statement: Executable
    if connection.dialect.name == "postgresql":
        pg = postgresql.insert(table)
        statement = pg.on_conflict_do_update(
            index_elements=keys, set_={name: pg.excluded[name] for name in names}
        )
    else:
        lite = sqlite.insert(table)
        statement = lite.on_conflict_do_update(
            index_elements=keys, set_={name: lite.excluded[name] for name in names}
        )
    connection.execute(statement, list(rows))


def storable(value: str) -> bool:
    """Whether both databases can hold this text: no NUL, no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def place(url: URL) -> str:
    """Where the database is, in words that may be shown: never user name, password or options."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    host = url.host or url.query.get("host", "localhost")
    return f"PostgreSQL database {url.database or '(default)'} at {host}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the database URL cannot be read; {_HOW}") from None  # the cause would show the URL
    kind = _DRIVERS.get(parsed.drivername)
    if kind is None:
        raise StoreError(f"a catalogue is kept in SQLite or PostgreSQL, not in {parsed.drivername}; {_HOW}")
    file = parsed.database or ""
    if kind == "sqlite" and (file in {"", ":memory:"} or file.startswith("file:")):
        raise StoreError("the SQLite URL names no file; write sqlite:///FILE")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "").parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the catalogue's folder {folder} cannot be made: {error.strerror}") from error
    try:
        database = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError('PostgreSQL needs a driver; run pip install "songlike[postgres]"') from error
    if database.dialect.name == "sqlite":
        event.listen(database, "connect", _set_up_sqlite)
        event.listen(database, "begin", _begin_sqlite)
    return database


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, also around CREATE TABLE
    for pragma in ("foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_MS}", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("songlike_begin", "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise StoreError(f"{place(url)} has no free connection; ask again later") from error
    except DBAPIError as error:
        # The first line only: PostgreSQL shows row values in the lines after it.
        reason = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
        if url.password:
            reason = reason.replace(str(url.password), "***")
        raise StoreError(
            f"{place(url)} cannot do what is asked: {reason}; see that the database is there, whole and has room"
        ) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _migrate(database: Engine) -> None:
    with reading(database) as connection:
        newest = _is_newest(connection)
    if database.dialect.name == "sqlite":
        _turn_on_wal(database)
    if newest:
        return
    with writing(database) as connection:
        if database.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        if not _is_newest(connection):  # another process may have been faster
            command.upgrade(_config(connection), "head")


def _turn_on_wal(database: Engine) -> None:
    """Let readers and one writer work side by side; the file remembers it."""
    with _explained(database.url), database.connect() as connection:
        connection.execution_options(songlike_begin="")  # SQLite changes its mode outside transactions only
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _is_newest(connection: Connection) -> bool:
    """Whether nothing is to be migrated; refuses what an upgrade would damage."""
    scripts = ScriptDirectory.from_config(_config(connection))
    found = MigrationContext.configure(connection).get_current_heads()
    unknown = sorted(set(found) - {script.revision for script in scripts.walk_revisions()})
    where = place(connection.engine.url)
    if unknown:
        revision = ", ".join(unknown)
        raise StoreError(f"{where} was made by a newer songlike (revision {revision}); upgrade songlike")
    foreign = set(inspect(connection).get_table_names()) & set(Base.metadata.tables)
    if foreign and not found:
        name = min(foreign)
        raise StoreError(f"{where} has a table {name!r} that songlike did not make; name another database")
    return set(found) == set(scripts.get_heads())
