"""FaissIndex: the search port over one FAISS index in this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from indexer.search.attributes import Attributes
from indexer.search.filters import Filter
from indexer.search.hits import hits_at, songs_at
from indexer.search.port import EVERY_SONG, IndexedSong, IndexInfo, SearchResult
from indexer.search.ranking import best_first, cosines, score_ceiling
from indexer.search.selection import Selection

EXACT_FACTORIES = ("Flat",)  # factory strings whose vectors are kept whole and all compared
METRIC = "inner_product"
UNIT_TOLERANCE = 1e-4  # how far a vector's length may be from 1
_SLACK = 16  # candidates beyond the page, so that a close race at its end rarely needs a second look
_DEEPER = 4  # factor when it does
_FEW = (
    4  # at most size / _FEW rows passing: listing them beats a bitmap over all (measured at 1k to 200k x 128)
)


class FaissIndex:
    """Exact filtered neighbours: FAISS proposes candidates, `indexer.search.ranking` orders them.

    ``vectors`` holds one unit vector a row of ``attributes``; both are shared by threads and never change.
    """

    def __init__(self, info: IndexInfo, vectors: faiss.Index, attributes: Attributes) -> None:
        self._info = info
        self._vectors = vectors
        self._attributes = attributes

    @property
    def info(self) -> IndexInfo:
        """What this index is."""
        return self._info

    @property
    def attributes(self) -> Attributes:
        """The columns that are filtered by, a row a song."""
        return self._attributes

    def vectors_at(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Vectors of rows, (m, dimension)."""
        found: NDArray[np.float32] = self._vectors.reconstruct_batch(rows)
        return found

    def vector_of(self, song_id: str) -> NDArray[np.float32] | None:
        """Vector of an indexed song, (dimension,), or None when the index does not have it."""
        row = self._attributes.song_ids.find(song_id)
        return None if row is None else self.vectors_at(np.array([row]))[0]

    def attributes_of(self, song_id: str) -> IndexedSong | None:
        """What the index keeps of a song, or None when the index does not have it."""
        row = self._attributes.song_ids.find(song_id)
        return None if row is None else songs_at(self._attributes, np.array([row]))[0]

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
        if limit < 0 or offset < 0:
            raise InputError(f"limit {limit} and offset {offset} must not be negative")
        query = self._checked(vector)
        selection = self._select(where, without)
        rows, scores = self._nearest(query, selection, min(offset + limit, selection.passing))
        hits = hits_at(self._attributes, rows[offset:], scores[offset:])
        return SearchResult(hits, selection.passing, selection.dropped)

    def count(self, where: Filter = EVERY_SONG, without: Sequence[str] = ()) -> int:
        """How many songs pass ``where``, those in ``without`` not counted.

        Raises
        ------
        FilterError
            When the filter asks for a label that this index does not have.
        """
        return self._select(where, without).passing

    def _checked(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if vector.shape != (self._info.dimension,):
            raise InputError(
                f"the query vector has shape {vector.shape}, this index has dimension {self._info.dimension}"
            )
        if not is_unit(vector[np.newaxis])[0]:
            raise InputError("the query vector is not finite and of unit length; normalise it")
        return np.ascontiguousarray(vector, dtype=np.float32)

    def _select(self, where: Filter, without: Sequence[str]) -> Selection:
        where.check(self._info.labels)
        rows = {row for row in map(self._attributes.song_ids.find, without) if row is not None}
        return Selection.of(self._attributes, where, np.array(sorted(rows), dtype=np.intp))

    def _nearest(
        self, query: NDArray[np.float32], selection: Selection, depth: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Rows and scores of the ``depth`` best passing rows.

        FAISS does not say which of several equal rows it leaves out, so candidates are fetched until no row
        left out can reach the last score of the page.
        """
        if not depth:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        fetch = depth + _SLACK
        while True:
            rows, ceiling = self._candidates(query, selection, fetch)
            scores = cosines(self.vectors_at(rows), query)
            order = best_first(rows, scores)[:depth]
            if ceiling is None or ceiling < scores[order[-1]]:
                return rows[order], scores[order]
            fetch *= _DEEPER

    def _candidates(
        self, query: NDArray[np.float32], selection: Selection, fetch: int
    ) -> tuple[NDArray[np.intp], np.float32 | None]:
        """``fetch`` or more passing rows, and the highest score of a row left out; None when none is."""
        if fetch >= selection.passing:
            return selection.rows(), None
        selector = _selector(selection)
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # added by FAISS at import
        surplus = len(selection.excluded) if selector is None else 0
        with _one_thread():
            scores, found = self._vectors.search(query[np.newaxis], fetch + surplus, params=parameters)
        worst = float(scores[0, -1])
        rows = found[0][found[0] >= 0]  # FAISS pads with -1
        if surplus:
            rows = rows[~np.isin(rows, selection.excluded)]
        if len(rows) < fetch:  # FAISS lost rows that do pass: all of them are the sure answer
            return selection.rows(), None
        return rows, score_ceiling(worst, self._info.dimension)


def make_vectors(vectors: NDArray[np.float32], factory: str) -> faiss.Index:
    """FAISS index of unit vectors, (n, d), under inner product.

    Raises
    ------
    InputError
        When the factory string names an index that does not compare every vector exactly.
    """
    if factory not in EXACT_FACTORIES:
        raise InputError(
            f"index factory {factory!r} does not rank exactly; use one of {list(EXACT_FACTORIES)}"
        )
    index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return index


def is_unit(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows, of (n, d), are finite and of unit length within `UNIT_TOLERANCE`."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not of unit length
        lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
        close: NDArray[np.bool_] = np.abs(lengths - 1) <= UNIT_TOLERANCE
    return close


def _selector(selection: Selection) -> faiss.IDSelector | None:
    """What tells FAISS which rows pass: their list when few do, a bitmap when many, nothing when all do."""
    if selection.mask is None:
        return None
    if selection.passing * _FEW <= selection.size:
        return faiss.IDSelectorArray(selection.rows())
    bits = np.packbits(selection.mask, bitorder="little")
    return faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type] # takes arrays since its import


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS search on the calling thread alone, and give the thread its setting back.

    A server answers queries in parallel; splitting one query over cores that are busy with others costs
    milliseconds of waiting (0.2 ms became 16 ms at 20,000 songs). OpenMP keeps the setting per thread.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
