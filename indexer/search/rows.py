"""IndexRows: the songs to index, checked and brought into song_id order before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.vocabulary import MODALITIES, LabelSchema
from indexer.search.attributes import Attributes, coverage_bits, encode_text
from indexer.search.faiss_index import is_unit
from indexer.search.strings import Strings

_YEARS = 9999  # no song is from a later year, or that long before the first one


@dataclass(frozen=True, slots=True)
class IndexRows:
    """The n songs to index, in any order.

    ``vectors`` (n, d) float32 of unit length; ``labels`` (n, number of labels) float32, NaN where unknown;
    ``coverage`` names, for each song, the modalities that its vector is based on.
    """

    keys: NDArray[np.int64]
    song_ids: Sequence[str]
    vectors: NDArray[np.float32]
    labels: NDArray[np.float32]
    genres: Sequence[str | None]
    years: Sequence[int | None]
    artists: Sequence[str | None]
    coverage: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        counts = {name: len(getattr(self, name)) for name in self.__slots__}
        if len(set(counts.values())) != 1:
            raise InputError(f"columns of one index must have one length, these have {counts}")
        if not len(self.keys):
            raise InputError("there is no song to index; import songs and embed them first")


def in_song_id_order(rows: IndexRows, labels: LabelSchema) -> tuple[Attributes, NDArray[np.float32]]:
    """Columns and vectors (n, d) in song_id order.

    Raises
    ------
    InputError
        When the shapes do not fit, or naming the song_id that is there twice or whose vector, label, year or
        coverage is wrong.
    """
    _check_shapes(rows, labels)
    order = np.array(sorted(range(len(rows.keys)), key=rows.song_ids.__getitem__), dtype=np.intp)
    _check_values(rows, order)
    in_order = bool(np.all(order == np.arange(len(order))))
    attributes = Attributes(
        schema=labels,
        song_ids=Strings.pack([rows.song_ids[row] for row in order]),
        keys=rows.keys[order].astype(np.int64),
        labels=np.ascontiguousarray(rows.labels[order].T, dtype=np.float32),
        years=np.array([rows.years[row] for row in order], dtype=np.float32),  # None becomes NaN
        genres=encode_text("genre", [rows.genres[row] for row in order]),
        artists=encode_text("artist", [rows.artists[row] for row in order]),
        coverage=np.array([coverage_bits(rows.coverage[row]) for row in order], dtype=np.uint8),
    )
    return attributes, np.asarray(rows.vectors if in_order else rows.vectors[order], dtype=np.float32)


def _check_shapes(rows: IndexRows, labels: LabelSchema) -> None:
    if rows.vectors.ndim != 2 or not rows.vectors.shape[1]:
        raise InputError(f"vectors have shape {rows.vectors.shape}; give (songs, dimension)")
    if rows.labels.shape != (len(rows.keys), len(labels)):
        raise InputError(f"labels have shape {rows.labels.shape}; give {(len(rows.keys), len(labels))}")


def _check_values(rows: IndexRows, order: NDArray[np.intp]) -> None:
    """Check each song, and name the first that is wrong."""
    for before, after in pairwise(order):
        if rows.song_ids[before] == rows.song_ids[after]:
            raise InputError(f"song {rows.song_ids[after]!r} is there twice; index each song once")
    if len(np.unique(rows.keys)) != len(rows.keys):
        raise InputError("two songs share a key; give each song its own")
    for name, good, remedy in (
        ("vector", is_unit(rows.vectors), "is not finite and of unit length; embed the song again"),
        ("label", ~np.isinf(rows.labels).any(axis=1), "is infinite; embed the song again"),
        ("year", np.array([_is_year(year) for year in rows.years]), f"is no whole year within {_YEARS}"),
        (
            "coverage",
            np.array([set(parts) <= set(MODALITIES) for parts in rows.coverage]),
            f"goes beyond {MODALITIES}",
        ),
    ):
        if not good.all():
            raise InputError(f"song {rows.song_ids[int(np.argmin(good))]!r}: its {name} {remedy}")


def _is_year(year: int | None) -> bool:
    return year is None or (year == int(year) and abs(year) <= _YEARS)
