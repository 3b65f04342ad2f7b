"""The application: routes, errors, and the resources that live as long as the server."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.http import health, labels, similar, songs
from api.http.problems import on_http_error, on_invalid_request, on_songlike_error, on_unexpected_error
from api.http.reference import add_reference
from api.http.resources import Resources, open_resources
from api.settings import Settings
from engine.errors import SonglikeError

_LOG = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Application over the catalogue and indexes of ``settings``, by default those of the environment.

    Nothing is opened before the server starts; the catalogue then is, and created when it is not there.
    """
    settings = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Resources]]:
        with open_resources(settings) as resources:
            _warm_up(resources)
            yield {"resources": resources}

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,  # api.http.reference serves a description that follows the published index
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would be built from the Host header that the client sent
        exception_handlers={
            SonglikeError: on_songlike_error,
            RequestValidationError: on_invalid_request,
            HTTPException: on_http_error,
            Exception: on_unexpected_error,
        },
    )
    for noun in (similar, songs, labels, health):
        app.include_router(noun.router)
    add_reference(app)
    return app


def _warm_up(resources: Resources) -> None:
    """Open the index before the first request asks for it; a server without one starts all the same."""
    try:
        resources.current.get()
    except SonglikeError as error:
        _LOG.warning("no query can be answered yet: %s", error)
