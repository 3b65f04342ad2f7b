import threading
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.errors import FilterError, InputError
from indexer.search import faiss_index
from indexer.search.faiss_index import FaissIndex, make_vectors
from indexer.search.filters import Filter, Has, NoneOf, Range
from indexer.search.port import Hit, IndexedSong, SearchIndex, SearchResult
from tests.indexer.search.samples import (
    Sample,
    catalogues,
    directions,
    filters,
    index_of,
    naive_dropped,
    naive_search,
    random_samples,
    unit,
)


def found(result: SearchResult) -> list[tuple[str, float]]:
    return [(hit.song_id, hit.cosine) for hit in result.hits]


@settings(deadline=None)
@given(catalogues(), st.data(), st.integers(0, 12), st.integers(0, 12), st.sampled_from([0, 1, 16]))
def test_answers_are_those_of_the_naive_search(
    songs: list[Sample], data: st.DataObject, limit: int, offset: int, slack: int
) -> None:
    ids = [song.song_id for song in songs]
    where = data.draw(filters(ids))
    without = data.draw(st.lists(st.sampled_from([*ids, "unknown"]), max_size=3))
    dimension = len(songs[0].vector)
    query = data.draw(st.sampled_from(songs).map(lambda song: song.vector) | directions(dimension))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "_SLACK", slack)  # little slack sends small catalogues through FAISS too
        result = index_of(songs).search(np.array(query, dtype=np.float32), where, limit, offset, without)
    expected = naive_search(songs, query, where, without)
    assert found(result) == expected[offset : offset + limit]
    assert result.passing == len(expected)
    assert result.dropped == naive_dropped(songs, where, without)
    assert index_of(songs).count(where, without) == len(expected)


@pytest.mark.parametrize(
    "where",
    [
        Filter(),
        Filter((Range("danceability", 0.99),)),  # few pass: listed
        Filter((Range("danceability", 0.2), NoneOf("genre", ("pop",)))),  # many pass: bitmap
        Filter((Range("danceability", 99.9, None, percentile=True),)),
        Filter((Has("audio"), Range("year", 1960, 1999), Range("loudness", None, 0.5))),
    ],
    ids=lambda where: where.text or "every song",
)
def test_larger_catalogues_agree_with_the_naive_search_on_every_path(where: Filter) -> None:
    songs = random_samples(500)
    index = index_of(songs)
    for song in songs[:3]:
        result = index.search(np.array(song.vector, np.float32), where, 25, without=(song.song_id,))
        expected = naive_search(songs, song.vector, where, (song.song_id,))
        assert found(result) == expected[:25]
        assert result.passing == len(expected)


@pytest.mark.parametrize("where", [Filter(), Filter((Has("lyrics"),)), Filter((Range("danceability", 0.9),))])
def test_pages_joined_are_one_list_though_hundreds_of_songs_are_equal(where: Filter) -> None:
    songs = random_samples(600, seed=1)
    twin = songs[0].vector
    songs = [
        Sample(
            song.song_id, twin if number % 3 else song.vector, song.labels, song.genre, coverage=song.coverage
        )
        for number, song in enumerate(songs)
    ]
    index = index_of(songs)
    query = np.array(unit(np.array(twin) + 0.1), dtype=np.float32)
    pages = [index.search(query, where, limit=7, offset=offset) for offset in range(0, 200, 7)]
    joined = [pair for page in pages for pair in found(page)]
    assert joined == naive_search(songs, query.tolist(), where)[: len(joined)]
    assert len(joined) == min(pages[0].passing, 203)
    assert {page.passing for page in pages} == {pages[0].passing}


def test_more_than_there_are_is_all_there_are() -> None:
    songs = random_samples(30)
    result = index_of(songs).search(np.array(songs[3].vector, np.float32), limit=1000)
    assert found(result) == naive_search(songs, songs[3].vector, Filter())
    beyond = index_of(songs).search(np.array(songs[3].vector, np.float32), limit=5, offset=30)
    assert (beyond.hits, beyond.passing) == ([], 30)


def test_the_only_song_of_a_catalogue_has_no_neighbour() -> None:
    alone = Sample("a", (1.0, 0.0), (0.5, 0.5, 0.5))
    result = index_of([alone]).search(np.array([1, 0], np.float32), without=("a",))
    assert result == SearchResult([], 0, {})


def test_a_hit_carries_what_the_index_keeps() -> None:
    song = Sample("ä", (0.0, 1.0), (0.25, float("nan"), -3.5), "pop", 1999, "Ann", ("year", "lyrics"))
    other = Sample("b", (1.0, 0.0), (float("nan"),) * 3, coverage=())
    index: SearchIndex = index_of([song, other])
    labels = {"danceability": 0.25, "world_life": None, "loudness": -3.5}
    kept = IndexedSong("ä", 1000, "pop", 1999, labels, ("lyrics", "year"))
    assert index.attributes_of("ä") == kept
    assert index.attributes_of("a") is None
    assert index.search(np.array([0, 1], np.float32), limit=2).hits == [
        Hit("ä", 1000, "pop", 1999, labels, ("lyrics", "year"), 1.0),
        Hit("b", 1001, None, None, dict.fromkeys(labels), (), 0.0),
    ]


def test_vector_of_a_song_is_its_own() -> None:
    songs = random_samples(40)
    index = index_of(songs)
    for song in songs:
        vector = index.vector_of(song.song_id)
        assert vector is not None
        assert tuple(vector.tolist()) == song.vector
    assert index.vector_of("song") is None


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([1.0, 0.0, 0.0], r"shape \(3,\), this index has dimension 2"),
        ([2.0, 0.0], "not finite and of unit length"),
        ([np.nan, 0.0], "not finite and of unit length"),
        ([3e38, 3e38], "not finite and of unit length"),
    ],
)
def test_a_query_that_is_no_unit_vector_is_refused(vector: list[float], words: str) -> None:
    index = index_of([Sample("a", (1.0, 0.0), (0.5, 0.5, 0.5))])
    with pytest.raises(InputError, match=words):
        index.search(np.array(vector, np.float32))


@pytest.mark.parametrize(("limit", "offset"), [(-1, 0), (1, -1)])
def test_a_negative_page_is_refused(limit: int, offset: int) -> None:
    index = index_of([Sample("a", (1.0, 0.0), (0.5, 0.5, 0.5))])
    with pytest.raises(InputError, match="must not be negative"):
        index.search(np.array([1, 0], np.float32), limit=limit, offset=offset)


def test_a_label_that_the_index_does_not_have_is_named() -> None:
    index = index_of([Sample("a", (1.0, 0.0), (0.5, 0.5, 0.5))])
    with pytest.raises(FilterError, match=r"^min_violence: "):
        index.search(np.array([1, 0], np.float32), Filter((Range("violence", 0.5),)))


@pytest.mark.parametrize("factory", ["HNSW32", "IVF4,Flat", "SQ8", "nonsense"])
def test_a_factory_that_ranks_by_approximation_is_refused(factory: str) -> None:
    with pytest.raises(InputError, match=f"{factory!r} does not rank exactly"):
        make_vectors(np.eye(4, dtype=np.float32), factory)


@pytest.mark.parametrize("where", [Filter(), Filter((Has("lyrics"),)), Filter((Range("danceability", 0.9),))])
def test_an_ordinary_query_reads_a_page_of_vectors_and_not_all(
    where: Filter, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = random_samples(1000)
    index = index_of(songs)
    read: list[int] = []

    def vectors_at(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        read.append(len(rows))
        return FaissIndex.vectors_at(index, rows)

    monkeypatch.setattr(index, "vectors_at", vectors_at)
    index.search(np.array(songs[0].vector, np.float32), where, 10, without=(songs[0].song_id,))
    assert sum(read) < 50


class Forgetful(faiss.IndexFlatIP):
    """A FAISS index that loses some of the rows it should answer."""

    def search(  # type: ignore[override] # FAISS's own has one overload for torch too
        self, *arguments: Any, **options: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        scores, rows = super().search(*arguments, **options)
        rows[:, 1::2] = -1
        return scores, rows


def test_rows_that_faiss_loses_are_found_all_the_same() -> None:
    songs = random_samples(300)
    index = index_of(songs)
    forgetful = Forgetful(index.info.dimension)
    forgetful.add(index.vectors_at(np.arange(300)))
    result = FaissIndex(index.info, forgetful, index.attributes).search(
        np.array(songs[0].vector, np.float32), limit=20
    )
    assert found(result) == naive_search(songs, songs[0].vector, Filter())[:20]


class Contrary(faiss.IndexFlatIP):
    """A FAISS index as far from the true order as it may be: noisy scores, and of equal songs the last rows."""

    def search(  # type: ignore[override] # FAISS's own has one overload for torch too
        self, query: NDArray[np.float32], k: int, *, params: Any = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        scores, rows = (found[0] for found in super().search(query, self.ntotal, params=params))
        scores, rows = scores[rows >= 0], rows[rows >= 0]
        noise = np.random.default_rng(0).uniform(-1, 1, size=self.ntotal) * self.d * 2.0**-24
        order = np.lexsort((-rows, -(scores + noise[rows].astype(np.float32))))[:k]
        return scores[order][np.newaxis], rows[order][np.newaxis]


@pytest.mark.parametrize("where", [Filter(), Filter((Has("lyrics"),)), Filter((Range("danceability", 0.8),))])
@pytest.mark.parametrize("near", [0.0, 1e-7, 1e-6])
def test_the_order_does_not_rest_on_that_of_faiss(where: Filter, near: float) -> None:
    rng = np.random.default_rng(5)
    twin = np.array(random_samples(1)[0].vector)
    songs = [
        Sample(song.song_id, unit(twin + near * rng.normal(size=16)), song.labels, coverage=song.coverage)
        for song in random_samples(300)
    ]
    index = index_of(songs)
    contrary = Contrary(index.info.dimension)
    contrary.add(index.vectors_at(np.arange(300)))
    query = np.array(songs[0].vector, np.float32)
    for limit, offset in ((1, 0), (5, 10)):
        result = FaissIndex(index.info, contrary, index.attributes).search(query, where, limit, offset)
        assert found(result) == naive_search(songs, query.tolist(), where)[offset : offset + limit]


def test_searching_gives_the_thread_its_faiss_setting_back() -> None:
    songs = random_samples(100)
    index = index_of(songs)
    before = faiss.omp_get_max_threads()
    index.search(np.array(songs[0].vector, np.float32))
    assert faiss.omp_get_max_threads() == before


def test_threads_share_an_index() -> None:
    songs = random_samples(200)
    index = index_of(songs)
    where = Filter((Range("danceability", 30, None, percentile=True),))
    expected = {song.song_id: naive_search(songs, song.vector, where)[:10] for song in songs[:4]}
    wrong: list[str] = []

    def ask(song: Sample) -> None:
        for _ in range(50):
            same = found(index.search(np.array(song.vector, np.float32), where)) == expected[song.song_id]
            wrong.extend([] if same else [song.song_id])

    threads = [threading.Thread(target=ask, args=(song,)) for song in songs[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
