"""Query parameters: bounded in size, each name known, a single one given once."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.http.resources import IndexDep
from engine.errors import FilterError
from indexer.search.filters import Filter

MAX_ID = 1_000  # characters of a song_id; imports take up to 200
MAX_TEXT = 1_000  # characters of any value
MAX_VALUES = 1_000  # values of one repeatable parameter
MAX_OFFSET = 10_000
_MAX_NAME = 200  # characters of a parameter's name that are shown back

SongIdQuery = Annotated[str, Query(min_length=1, max_length=MAX_ID, description="Id of the seed song.")]
SongIdPath = Annotated[
    str,
    Path(min_length=1, max_length=MAX_ID, description="Id of the song; slashes in it may stand as they are."),
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many songs to answer at most.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many songs to pass over.")]


class OnlyParameters:
    """Dependency of a route that takes these query parameters and no other, each at most once.

    A misspelt parameter would otherwise be passed over, and its answer taken for what was asked.
    """

    def __init__(self, *names: str) -> None:
        self.names = names

    async def __call__(self, request: Request) -> None:
        """Check the query of one request.

        Raises
        ------
        FilterError
            Naming the parameter that is unknown or repeated.
        """
        for name, values in query_values(request).items():
            if name not in self.names:
                known = f"known are {', '.join(self.names)}" if self.names else "this path takes none"
                raise FilterError(name, f"is not a parameter here; {known}")
            check_once(name, values)


def query_values(request: Request) -> dict[str, list[str]]:
    """Every value of every query parameter, in the order given.

    Raises
    ------
    FilterError
        Naming the parameter that has too many values, or one that is too long.
    """
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if len(name) > _MAX_NAME:
            raise FilterError(f"{name[:_MAX_NAME]}...", "is not a parameter here")
        if len(value) > MAX_TEXT:
            raise FilterError(name, f"has {len(value):,} characters; {MAX_TEXT:,} are taken at most")
        values = given.setdefault(name, [])
        values.append(value)
        if len(values) > MAX_VALUES:
            raise FilterError(name, f"is given more than {MAX_VALUES:,} times")
    return given


def check_once(name: str, values: list[str]) -> None:
    """Refuse a single parameter that is repeated: which one counts would be a guess.

    Raises
    ------
    FilterError
        When there is more than one value.
    """
    if len(values) > 1:
        raise FilterError(name, f"is given {len(values)} times; give it once")


class FilterQuery:
    """Dependency that reads a filter from every query parameter but ``own``, the route's own ones."""

    def __init__(self, *own: str) -> None:
        self.own = own

    def __call__(self, request: Request, index: IndexDep) -> Filter:
        """Filter of one request, under the labels of the index that answers it.

        Raises
        ------
        FilterError
            Naming the parameter that cannot be used.
        """
        given = query_values(request)
        for name in self.own:
            check_once(name, given.pop(name, []))
        terms: Mapping[str, list[str]] = given
        return Filter.from_parameters(index.info.labels, terms)


FilterDep = Annotated[Filter, Depends(FilterQuery("song_id", "limit", "offset"))]
