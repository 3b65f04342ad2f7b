"""GET /similar: which songs are like this one, and also fit these terms."""

from fastapi import APIRouter

from api.http.parameters import FilterDep, Limit, Offset, SongIdQuery
from api.http.problems import documented
from api.http.resources import CatalogDep, IndexDep
from api.http.schemas import SimilarOut
from indexer.search.similar import find_similar

PATH = "/similar"  # its filter parameters are added to OpenAPI by api.http.reference
router = APIRouter(tags=["similar"])


@router.get(PATH, summary="Songs like one song", responses=documented(404, 422, 503))
def similar(
    song_id: SongIdQuery,
    catalog: CatalogDep,
    index: IndexDep,
    where: FilterDep,
    limit: Limit = 10,
    offset: Offset = 0,
) -> SimilarOut:
    """Answer the songs nearest to a song among those that pass every filter; the song itself is not one.

    Filters apply before ranking: `limit` songs come whenever so many pass. Bounds are included; a song whose
    value is unknown does not pass a range. Parameters joined with each other narrow, values of one widen.
    """
    return SimilarOut.of(find_similar(catalog, index, song_id, where, limit=limit, offset=offset))
