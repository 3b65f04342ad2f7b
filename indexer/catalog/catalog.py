"""The catalogue as one object: the database, and one attribute a table."""

from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from indexer.catalog.builds import Builds
from indexer.catalog.database import open_database
from indexer.catalog.embeddings import Embeddings
from indexer.catalog.features import Features
from indexer.catalog.imports import Imports
from indexer.catalog.ledger import Ledger
from indexer.catalog.songs import Songs


class Catalog:
    """Everything songlike knows about songs, in one database; safe to share between threads.

    Close it when done, or use it as a context manager.
    """

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.songs = Songs(database)
        self.imports = Imports(database)
        self.features = Features(database)
        self.embeddings = Embeddings(database)
        self.ledger = Ledger(database)
        self.builds = Builds(database)

    def close(self) -> None:
        """Give every connection back; the catalogue cannot be used afterwards."""
        self.database.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_catalog(url: str) -> Catalog:
    """Open the catalogue at ``url``, create it, or bring an older one to the newest schema.

    Parameters
    ----------
    url
        ``sqlite:///relative/or/absolute/file.db`` (the folder is made when missing) or
        ``postgresql://user:password@host/database``; the password is never shown or logged.

    Raises
    ------
    StoreError
        When the URL cannot be used, the database cannot be reached, was made by a newer songlike, or holds
        tables that songlike did not make. Nothing is changed then.
    """
    return Catalog(open_database(url))
