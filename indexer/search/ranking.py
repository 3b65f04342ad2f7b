"""The one order of neighbours, and how far FAISS's own scores may be from it.

FAISS adds products in single precision, in an order that depends on the processor and on the path it takes,
so that two equal vectors can differ in the last bit and change places between pages. Its scores choose
candidates only; the answer is ordered by the score computed here, which depends on the two vectors alone.
"""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8192  # rows scored at a time; bounds the double-precision copy


def cosines(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inner products of unit vectors (m, d) with a unit query (d,), in single precision, within [-1, 1].

    Products of two float32 are exact in float64 and rows are summed each by itself, so equal rows have equal
    scores wherever they stand. A matrix product would promise neither.
    """
    wide = query.astype(np.float64)
    scores = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        scores[start : start + len(block)] = (block * wide).sum(axis=1)
    return np.clip(scores, -1, 1, out=scores)


def best_first(rows: NDArray[np.intp], scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Positions that order by score, highest first, then by row."""
    return np.lexsort((rows, -scores))


def score_ceiling(faiss_score: float, dimension: int) -> np.float32:
    """Highest score that `cosines` can give a row to which FAISS gave at most ``faiss_score``.

    A single-precision inner product of d terms is off by at most d * 2^-24 * sum |x_i q_i|, to first order,
    which is at most d * 2^-24 for unit vectors (Higham, "Accuracy and Stability of Numerical Algorithms",
    2002, section 3.1). Doubled here: for the higher orders, and for vectors that are of unit length but for
    a tolerance.
    """
    return np.float32(min(faiss_score + 2 * dimension * 2.0**-24, 1.0))
