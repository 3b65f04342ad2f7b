"""The search port: what the API, the jobs and `find_similar` know of an index, whatever stands behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.vocabulary import LabelSchema
from indexer.search.filters import Filter

EVERY_SONG = Filter()


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index is. ``recall`` is recall@10 against exact search, measured when it was built.

    ``label_percentiles`` gives, by slug, the values at `indexer.search.percentiles.LABEL_PERCENTILES` among
    the indexed songs; a label that no song has is empty.
    """

    version: str
    model_id: str
    labels: LabelSchema
    songs: int
    dimension: int
    factory: str
    metric: str
    recall: float
    label_percentiles: Mapping[str, Mapping[int, float]]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IndexedSong:
    """What the index keeps of a song: predicted labels by slug, None where unknown, and what they rest on."""

    song_id: str
    key: int
    genre: str | None
    year: int | None
    labels: dict[str, float | None]
    coverage: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit(IndexedSong):
    """A song found, with the cosine of its vector and the query, in [-1, 1]."""

    cosine: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of hits, nearest first, and counts over the whole index.

    ``passing`` is how many songs pass the filter; ``dropped`` is, by the text of each term, how many more
    would pass without that term.
    """

    hits: list[Hit]
    passing: int
    dropped: dict[str, int] = field(default_factory=dict)


class SearchIndex(Protocol):
    """An index of unit vectors, filtered before it is ranked.

    Whenever k songs pass, k are answered. Songs of equal cosine stand in song_id order, by code point, so
    that pages joined are one long list.
    """

    @property
    def info(self) -> IndexInfo:
        """What this index is."""

    def vector_of(self, song_id: str) -> NDArray[np.float32] | None:
        """Vector of an indexed song, (dimension,), or None when the index does not have it."""

    def attributes_of(self, song_id: str) -> IndexedSong | None:
        """What the index keeps of a song, or None when the index does not have it."""

    def search(
        self,
        vector: NDArray[np.float32],
        where: Filter = EVERY_SONG,
        limit: int = 10,
        offset: int = 0,
        without: Sequence[str] = (),
    ) -> SearchResult:
        """Nearest songs that pass ``where``; songs in ``without`` are answered and counted nowhere.

        Raises
        ------
        FilterError
            When the filter asks for a label that this index does not have.
        InputError
            When ``vector`` is no finite unit vector of this dimension, or limit or offset is negative.
        """

    def count(self, where: Filter = EVERY_SONG, without: Sequence[str] = ()) -> int:
        """How many songs pass ``where``, those in ``without`` not counted.

        Raises
        ------
        FilterError
            When the filter asks for a label that this index does not have.
        """
