"""GET /health/live and /health/ready, for whatever watches over the server."""

import logging

from fastapi import APIRouter

from api.http.problems import documented
from api.http.resources import IndexDep, ResourcesDep
from api.http.schemas import Alive, Ready

_LOG = logging.getLogger(__name__)
_NO_SONG = 0  # keys count from 1

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Is the process alive?", responses=documented())
async def live() -> Alive:
    """Answer without touching catalogue or index; a server that fails here is to be restarted."""
    return Alive()


@router.get("/ready", summary="Can it answer queries?", responses=documented(503))
def ready(resources: ResourcesDep, index: IndexDep) -> Ready:
    """Answer which index is served, after a look at the database; 503 means: send queries elsewhere."""
    resources.catalog.songs.by_keys([_NO_SONG])  # the cheapest question that reaches the table of songs
    problem = resources.current.problem
    if problem is not None:
        _LOG.warning("answers come from index %s: %s", index.info.version, problem)
    return Ready(
        model_id=index.info.model_id,
        index_version=index.info.version,
        songs=index.info.songs,
        created_at=index.info.created_at,
        newest=problem is None,
    )
