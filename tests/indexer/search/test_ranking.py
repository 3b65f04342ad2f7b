import math
from fractions import Fraction

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.search.ranking import best_first, cosines, score_ceiling


def some_unit_vectors(count: int, dimension: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(3).normal(size=(count, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


@pytest.mark.parametrize("dimension", [1, 2, 7, 128, 513])
def test_scores_are_the_exact_ones_rounded_once(dimension: int) -> None:
    vectors = some_unit_vectors(50, dimension)
    query = vectors[0]
    exact = [
        float(sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(v, query, strict=True)))
        for v in vectors
    ]
    assert cosines(vectors, query).tolist() == np.clip(np.array(exact, dtype=np.float32), -1, 1).tolist()


def test_equal_rows_have_equal_scores_wherever_they_stand() -> None:
    vectors = some_unit_vectors(20_000, 97)
    places = [0, 1, 5, 8191, 8192, 16_383, 19_999]
    vectors[places] = vectors[0]
    assert len(set(cosines(vectors, vectors[3])[places].tolist())) == 1


def test_scores_stay_within_the_cosines() -> None:
    long = np.array([[1.0001, 0], [-1.0001, 0], [0, 1]], dtype=np.float32)
    assert cosines(long, long[0]).tolist() == [1, -1, 0]


def test_order_is_by_score_and_then_by_row() -> None:
    rows = np.array([9, 4, 7, 2])
    scores = np.array([0.5, 0.5, 0.9, -0.1], dtype=np.float32)
    assert rows[best_first(rows, scores)].tolist() == [7, 4, 9, 2]


@pytest.mark.parametrize("dimension", [8, 128, 512])
def test_no_score_is_above_the_ceiling_of_what_faiss_said(dimension: int) -> None:
    vectors = some_unit_vectors(2000, dimension)
    index = faiss.IndexFlatIP(dimension)
    index.add(vectors)
    said, rows = index.search(vectors[:1], 2000)
    true = cosines(vectors[rows[0]], vectors[0])
    ceilings = [score_ceiling(float(score), dimension) for score in said[0]]
    assert all(score <= ceiling for score, ceiling in zip(true, ceilings, strict=True))
    assert math.isclose(ceilings[1000], said[0, 1000], abs_tol=1e-4)  # and it is tight enough to be of use
