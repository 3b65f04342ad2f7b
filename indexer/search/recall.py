"""Recall of an index against exact search, measured on its own songs, with and without a filter."""

import numpy as np
from numpy.typing import NDArray

from indexer.search.faiss_index import FaissIndex
from indexer.search.filters import Filter, Range
from indexer.search.port import Hit

_BLOCK = 16384  # rows scored at a time
_CLOSE = 1e-5  # scores this near are one: the two ways of adding differ in the last bits


def verify_recall(
    index: FaissIndex, sample: int = 64, rng: np.random.Generator | None = None, k: int = 10
) -> float:
    """Share of the true ``k`` nearest neighbours that the index answers, 0-1, over ``sample`` of its songs.

    Every second query carries a range on one label, drawn so that about the upper 1-99 % pass. A hit is true
    when its exact cosine reaches the k-th best one, so that equal songs may stand for each other; too few
    hits count as missed ones. ``rng`` defaults to a fixed seed: the same index measures the same.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    rows = rng.choice(index.info.songs, size=min(sample, index.info.songs), replace=False)
    queries = index.vectors_at(rows)
    filters = [_some_range(index, rng) if turn % 2 else Filter() for turn in range(len(rows))]
    masks = np.ones((len(rows), index.info.songs), dtype=np.bool_)
    for turn, where in enumerate(filters):
        for term in where.terms:
            masks[turn] &= index.attributes.mask(term)
    best = _true_best(index, queries, masks, k)
    true = 0
    for query, where, mask, scores in zip(queries, filters, masks, best, strict=True):
        found = _exact_cosines(index, query, mask, index.search(query, where, limit=k).hits)
        wanted = scores[np.isfinite(scores)]
        true += int(np.count_nonzero(found >= wanted[-1] - _CLOSE)) if len(wanted) else 0
    return true / max(1, int(np.count_nonzero(np.isfinite(best))))


def _true_best(
    index: FaissIndex, queries: NDArray[np.float32], masks: NDArray[np.bool_], k: int
) -> NDArray[np.float64]:
    """Highest ``k`` cosines, (queries, k) descending, within each query's mask; -inf where fewer pass."""
    best = np.full((len(queries), k), -np.inf)
    for start in range(0, index.info.songs, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, index.info.songs))
        scores = queries.astype(np.float64) @ index.vectors_at(rows).astype(np.float64).T
        scores[~masks[:, rows]] = -np.inf
        best = -np.partition(-np.hstack([best, scores]), k - 1, axis=1)[:, :k]
    return -np.sort(-best, axis=1)


def _exact_cosines(
    index: FaissIndex, query: NDArray[np.float32], mask: NDArray[np.bool_], hits: list[Hit]
) -> NDArray[np.float64]:
    """Exact cosines of the distinct songs among ``hits`` that pass."""
    found = {index.attributes.song_ids.find(hit.song_id) for hit in hits}
    rows = np.array([row for row in found if row is not None and mask[row]], dtype=np.intp)
    cosines: NDArray[np.float64] = index.vectors_at(rows).astype(np.float64) @ query.astype(np.float64)
    return cosines


def _some_range(index: FaissIndex, rng: np.random.Generator) -> Filter:
    slugs = index.info.labels.slugs
    return Filter((Range(slugs[rng.integers(len(slugs))], low=float(rng.uniform(1, 99)), percentile=True),))
