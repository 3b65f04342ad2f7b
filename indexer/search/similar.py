"""Songs like one song: the seed's own vector, the filtered index, and titles from the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError, UnknownSongError
from indexer.catalog.catalog import Catalog
from indexer.catalog.records import SongSummary
from indexer.search.filters import Filter
from indexer.search.port import EVERY_SONG, Hit, SearchIndex

SIMILARITY_DEFINITION = (
    "(1 + cosine) / 2 of the two songs' vectors under this model: "
    "1 is the same direction, 0.5 is unrelated, 0 is opposite"
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A song like the seed.

    ``similarity`` is in [0, 1], see `SIMILARITY_DEFINITION`. Genre, year, predicted ``labels`` and
    ``based_on``, the modalities of the vector, are the indexed ones that the filter saw; title, artist and
    album are the catalogue's of today.
    """

    song_id: str
    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None
    similarity: float
    labels: dict[str, float | None]
    based_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """One page of songs like ``seed``, nearest first.

    ``passing`` counts the songs that pass the filter, the seed not among them; ``dropped`` says, by the text
    of each term, how many more would pass without it. ``based_on`` is the seed's coverage.
    """

    seed: SongSummary
    based_on: tuple[str, ...]
    model_id: str
    index_version: str
    where: Filter
    passing: int
    dropped: dict[str, int]
    neighbours: list[Neighbour]


def find_similar(
    catalog: Catalog,
    index: SearchIndex,
    song_id: str,
    where: Filter = EVERY_SONG,
    *,
    limit: int = 10,
    offset: int = 0,
) -> SimilarAnswer:
    """Songs nearest to a song among those that pass ``where``; the song itself is not one of them.

    A song that has left the catalogue since the index was built is not answered; the search goes deeper
    instead, so that ``limit`` songs come whenever so many pass. ``passing`` leaves out the departed songs met
    on the way to this page.

    Raises
    ------
    UnknownSongError
        When the song is not in the catalogue, or not in this index.
    FilterError
        When the filter asks for a label that this index does not have.
    InputError
        When limit or offset is negative.
    """
    if limit < 0 or offset < 0:
        raise InputError(f"limit {limit} and offset {offset} must not be negative")
    indexed, vector = index.attributes_of(song_id), index.vector_of(song_id)
    if indexed is None or vector is None:
        raise _not_indexed(catalog, index, song_id)
    known: dict[int, SongSummary] = {}
    asked = depth = offset + limit
    while True:
        # Earlier pages are looked up too: who has left there moves this page, and pages must fit together.
        result = index.search(vector, where, limit=depth, without=(song_id,))
        fresh = [indexed.key] if not known else []
        known |= catalog.songs.by_keys([*fresh, *(hit.key for hit in result.hits if hit.key not in known)])
        seed = known.get(indexed.key)
        if seed is None or seed.song_id != song_id:
            raise UnknownSongError(f"song {song_id!r} is not in the catalogue any more")
        living = [hit for hit in result.hits if _is_here(hit, known)]
        departed = len(result.hits) - len(living)
        if len(living) >= asked or depth >= result.passing:
            break
        depth = 2 * depth + departed
    return SimilarAnswer(
        seed=seed,
        based_on=indexed.coverage,
        model_id=index.info.model_id,
        index_version=index.info.version,
        where=where,
        passing=result.passing - departed,
        dropped=result.dropped,
        neighbours=_neighbours(living[offset:asked], known),
    )


def _is_here(hit: Hit, known: dict[int, SongSummary]) -> bool:
    """Whether the song is still in the catalogue; a departed song's key may be another song's by now."""
    return hit.key in known and known[hit.key].song_id == hit.song_id


def _neighbours(hits: Sequence[Hit], known: dict[int, SongSummary]) -> list[Neighbour]:
    return [
        Neighbour(
            song_id=hit.song_id,
            title=known[hit.key].title,
            artist=known[hit.key].artist,
            album=known[hit.key].album,
            genre=hit.genre,
            year=hit.year,
            similarity=(1 + hit.cosine) / 2,
            labels=hit.labels,
            based_on=hit.coverage,
        )
        for hit in hits
    ]


def _not_indexed(catalog: Catalog, index: SearchIndex, song_id: str) -> UnknownSongError:
    if not catalog.songs.by_ids([song_id]):
        return UnknownSongError(f"song {song_id!r} is not in the catalogue; find its id by title or artist")
    return UnknownSongError(
        f"song {song_id!r} is in the catalogue, but not in index {index.info.version} yet; "
        "run `songlike index build`"
    )
