from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.search.faiss_index import FaissIndex
from indexer.search.filters import Filter
from indexer.search.port import EVERY_SONG, SearchResult
from indexer.search.recall import verify_recall
from tests.indexer.search.samples import Sample, index_of, random_samples


class Cropped(FaissIndex):
    """Answers only the first ``keep`` of what it should, and the last song of all instead of the rest."""

    keep = 7

    def search(
        self, vector: NDArray[np.float32], where: Filter = EVERY_SONG, *page: Any, **more: Any
    ) -> SearchResult:
        result = super().search(vector, where, *page, **more)
        return SearchResult(result.hits[: self.keep], result.passing, result.dropped)


def cropped(index: FaissIndex, keep: int) -> FaissIndex:
    vectors = faiss.IndexFlatIP(index.info.dimension)
    vectors.add(index.vectors_at(np.arange(index.info.songs)))
    worse = Cropped(index.info, vectors, index.attributes)
    worse.keep = keep
    return worse


def test_an_exact_index_has_recall_one() -> None:
    assert verify_recall(index_of(random_samples(300))) == 1


@pytest.mark.parametrize("keep", [0, 3, 7])
def test_recall_is_the_share_that_was_answered(keep: int) -> None:
    songs = [Sample(f"{n}", song.vector, (0.5, 0.5, 0.5)) for n, song in enumerate(random_samples(200))]
    assert verify_recall(cropped(index_of(songs), keep), sample=30) == pytest.approx(keep / 10)


def test_a_song_that_does_not_pass_is_no_hit() -> None:
    class Unfiltered(Cropped):
        def search(
            self, vector: NDArray[np.float32], where: Filter = EVERY_SONG, *page: Any, **more: Any
        ) -> SearchResult:
            del where  # forgotten
            return super().search(vector, EVERY_SONG, *page, **more)

    index = index_of(random_samples(300))
    worse = Unfiltered(index.info, faiss.IndexFlatIP(index.info.dimension), index.attributes)
    worse._vectors.add(index.vectors_at(np.arange(300)))
    worse.keep = 10
    assert 0.5 < verify_recall(worse) < 0.9  # the unfiltered half is right, the filtered one by chance


def test_the_same_index_measures_the_same_and_small_ones_can_be_measured() -> None:
    index = cropped(index_of(random_samples(120)), 6)
    assert verify_recall(index) == verify_recall(index)
    assert verify_recall(index_of(random_samples(3))) == 1
