"""Rows of an index as the songs that the port answers with."""

from collections.abc import Iterator
from math import isnan

import numpy as np
from numpy.typing import NDArray

from indexer.search.attributes import Attributes
from indexer.search.port import Hit, IndexedSong

_Fields = tuple[str, int, str | None, int | None, dict[str, float | None], tuple[str, ...]]


def songs_at(attributes: Attributes, rows: NDArray[np.intp]) -> list[IndexedSong]:
    """What the index keeps of the songs in these rows."""
    return [IndexedSong(*fields) for fields in _fields(attributes, rows)]


def hits_at(attributes: Attributes, rows: NDArray[np.intp], cosines: NDArray[np.float32]) -> list[Hit]:
    """The songs in these rows, each with its cosine."""
    return [
        Hit(*fields, cosine)
        for fields, cosine in zip(_fields(attributes, rows), cosines.tolist(), strict=True)
    ]


def _fields(attributes: Attributes, rows: NDArray[np.intp]) -> Iterator[_Fields]:
    """Fields of `IndexedSong`, in its order."""
    slugs = attributes.schema.slugs
    labels = attributes.labels[:, rows].T.tolist()
    columns = (rows.tolist(), attributes.keys[rows].tolist(), attributes.years[rows].tolist(), labels)
    for row, key, year, values in zip(*columns, strict=True):
        yield (
            attributes.song_ids[row],
            key,
            attributes.genres[row],
            None if isnan(year) else int(year),
            {slug: None if isnan(value) else value for slug, value in zip(slugs, values, strict=True)},
            attributes.coverage_of(row),
        )
