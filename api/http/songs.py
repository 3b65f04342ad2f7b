"""GET /songs and GET /songs/{song_id}: find a song, and see what is known of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.http.parameters import Limit, Offset, OnlyParameters, SongIdPath
from api.http.problems import documented
from api.http.resources import CatalogDep, MaybeIndexDep
from api.http.schemas import SongDetail, SongOut, SongPage
from engine.errors import UnknownSongError

MAX_QUERY = 200  # characters; no title is looked for with more

router = APIRouter(tags=["songs"])


@router.get(
    "/songs",
    summary="Find songs by title or artist",
    responses=documented(422, 503),
    dependencies=[Depends(OnlyParameters("q", "limit", "offset"))],
)
def songs(
    catalog: CatalogDep,
    q: Annotated[
        str,
        Query(max_length=MAX_QUERY, description="Part of a title or artist; case and accents do not count."),
    ] = "",
    limit: Limit = 20,
    offset: Offset = 0,
) -> SongPage:
    """Answer the songs whose title or artist contains `q`, every song when it is empty."""
    # One more than asked for tells whether there is a next page.
    found = catalog.songs.find(q, limit=limit + 1, offset=offset)
    return SongPage(
        songs=[SongOut.model_validate(song) for song in found[:limit]],
        next_offset=offset + limit if len(found) > limit else None,
    )


@router.get(
    "/songs/{song_id:path}",
    summary="One song",
    responses=documented(404, 422, 503),
    dependencies=[Depends(OnlyParameters())],
)
def song(song_id: SongIdPath, catalog: CatalogDep, index: MaybeIndexDep) -> SongDetail:
    """Answer what the catalogue knows of a song, and what the published index predicts of it."""
    record = catalog.songs.get(song_id)
    if record is None:
        raise UnknownSongError(f"song {song_id!r} is not in the catalogue; find its id with GET /songs?q=")
    return SongDetail.of(record, index)
