"""What the routes work with: the catalogue and the published index, opened once for the server's life."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.settings import Settings
from engine.errors import NothingPublishedError
from indexer.catalog import Catalog, open_catalog
from indexer.search.current import CurrentIndex
from indexer.search.port import SearchIndex


@dataclass(frozen=True, slots=True)
class Resources:
    """What a server holds open; safe to share between threads."""

    catalog: Catalog
    current: CurrentIndex


@contextmanager
def open_resources(settings: Settings) -> Iterator[Resources]:
    """Open the catalogue, and look after the index that belongs to it.

    Raises
    ------
    StoreError
        When the catalogue cannot be opened.
    """
    with open_catalog(settings.database) as catalog:

        def knows_model(model_id: str) -> bool:
            return catalog.embeddings.model(model_id) is not None

        yield Resources(catalog, CurrentIndex(settings.indexes, knows_model))


# The first two wait for nothing, so they run on the event loop; the others may open an index and run in a thread.
async def resources_of(request: Request) -> Resources:
    """What the server that got this request holds open."""
    resources: Resources = request.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(resources_of)]


async def catalog_of(resources: ResourcesDep) -> Catalog:
    """The catalogue."""
    return resources.catalog


def index_of(resources: ResourcesDep) -> SearchIndex:
    """The published index, one and the same for the whole request.

    Raises
    ------
    NothingPublishedError
        When no index has been published yet.
    BundleError
        When the published one cannot be used.
    """
    return resources.current.get()


def index_or_none(resources: ResourcesDep) -> SearchIndex | None:
    """The published index, or None while there is none.

    Raises
    ------
    BundleError
        When the published one cannot be used.
    """
    try:
        return resources.current.get()
    except NothingPublishedError:
        return None


CatalogDep = Annotated[Catalog, Depends(catalog_of)]
IndexDep = Annotated[SearchIndex, Depends(index_of)]
MaybeIndexDep = Annotated[SearchIndex | None, Depends(index_or_none)]
