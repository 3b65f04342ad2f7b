"""Where a command works: the settings given before it, and the stores that they name."""

from typing import TYPE_CHECKING

import typer

from api.settings import Settings
from engine.bundle_store import BundleStore
from engine.errors import NotFoundError

if TYPE_CHECKING:
    from indexer.catalog import Catalog

# The kinds that engine.model_bundle and indexer.search.bundle write; those rooms load torch and FAISS.
MODEL_KIND = "model"
INDEX_KIND = "index"


def settings_of(context: typer.Context) -> Settings:
    """Settings that the root command left for its subcommands."""
    settings: Settings = context.obj
    return settings


def catalog_of(context: typer.Context, *, create: bool = False) -> "Catalog":
    """The catalogue; close it, or use it as a context manager.

    Only with ``create`` is a missing one made: a misspelt ``--home`` must not become an empty catalogue.

    Raises
    ------
    NotFoundError
        When there is none in the home folder.
    StoreError
        When it cannot be opened.
    """
    settings = settings_of(context)
    if not create and settings.database_url is None and not settings.database_file.is_file():
        raise NotFoundError(f"there is no catalogue in {settings.home} yet; run `songlike catalog import`")
    from indexer.catalog import open_catalog  # noqa: PLC0415 - SQLAlchemy and alembic take half a second

    return open_catalog(settings.database)


def models_of(context: typer.Context) -> BundleStore:
    """Store of the model bundles."""
    return BundleStore(settings_of(context).models, MODEL_KIND)


def indexes_of(context: typer.Context) -> BundleStore:
    """Store of the index bundles."""
    return BundleStore(settings_of(context).indexes, INDEX_KIND)
