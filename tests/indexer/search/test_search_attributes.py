import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.vocabulary import MODALITIES
from indexer.search.attributes import coverage_bits
from indexer.search.filters import AnyOf, Filter, Has, NoneOf, Range
from indexer.search.percentiles import LABEL_PERCENTILES, label_percentiles
from indexer.search.rows import in_song_id_order
from indexer.search.selection import Selection
from tests.indexer.search.samples import (
    LABELS,
    Sample,
    catalogues,
    filters,
    naive_dropped,
    naive_passes,
    random_samples,
    rows_of,
)

UNKNOWN = (float("nan"),) * 3


@settings(deadline=None)
@given(catalogues(), filters(), st.data())
def test_masks_counts_and_drops_are_those_of_a_row_by_row_evaluation(
    songs: list[Sample], where: Filter, data: st.DataObject
) -> None:
    attributes, _ = in_song_id_order(rows_of(songs), LABELS)
    ordered = sorted(songs, key=lambda song: song.song_id)
    excluded = data.draw(st.sets(st.integers(0, len(songs) - 1), max_size=3))
    without = [ordered[row].song_id for row in excluded]
    for term in where.terms:
        assert attributes.mask(term).tolist() == [naive_passes(songs, song, term) for song in ordered]
    selection = Selection.of(attributes, where, np.array(sorted(excluded), dtype=np.intp))
    passing = [
        row
        for row, song in enumerate(ordered)
        if row not in excluded and all(naive_passes(songs, song, term) for term in where.terms)
    ]
    assert selection.rows().tolist() == passing
    assert selection.passing == len(passing)
    assert (selection.mask is None) == (len(passing) == len(songs) - len(excluded))
    assert selection.dropped == naive_dropped(songs, where, without)


def test_unknown_passes_no_term_but_none_of() -> None:
    nobody = Sample("a", (1.0,), UNKNOWN, coverage=())
    attributes, _ = in_song_id_order(rows_of([nobody]), LABELS)
    for term in (
        Range("danceability", -9, 9),
        Range("danceability", 0, 100, percentile=True),
        Range("year", 0, 9999),
        AnyOf("genre", ("pop",)),
        AnyOf("artist", ("ann",)),
        Has("lyrics"),
    ):
        assert attributes.mask(term).tolist() == [False]
    for passed in (NoneOf("genre", ("pop",)), NoneOf("artist", ("ann",)), Has("lyrics", present=False)):
        assert attributes.mask(passed).tolist() == [True]


@pytest.mark.parametrize("count", [1, 4, 5, 30])
def test_few_and_many_values_are_looked_up_alike(count: int) -> None:
    songs = [Sample(f"{n:02}", (1.0,), UNKNOWN, genre=f"genre {n:02}" if n % 3 else None) for n in range(40)]
    attributes, _ = in_song_id_order(rows_of(songs), LABELS)
    term = AnyOf("genre", tuple(f"genre {n:02}" for n in range(count)))
    assert attributes.mask(term).tolist() == [n < count and n % 3 > 0 for n in range(40)]


def test_a_stored_value_meets_its_own_bound_in_single_precision() -> None:
    attributes, _ = in_song_id_order(rows_of([Sample("a", (1.0,), (0.6, 0.6, 0.6))]), LABELS)
    assert attributes.mask(Range("danceability", 0.6, 0.6)).tolist() == [True]  # float32(0.6) > 0.6


def test_a_bound_beyond_single_precision_is_infinite() -> None:
    attributes, _ = in_song_id_order(rows_of([Sample("a", (1.0,), (0.6, 0.6, 0.6))]), LABELS)
    assert attributes.mask(Range("danceability", -1e300, 1e300)).tolist() == [True]
    assert attributes.mask(Range("danceability", 1e300)).tolist() == [False]


def test_a_column_that_is_not_here_is_a_key_error() -> None:
    attributes, _ = in_song_id_order(rows_of([Sample("a", (1.0,), UNKNOWN)]), LABELS)
    with pytest.raises(KeyError, match="violence"):
        attributes.mask(Range("violence", 0.5))


@pytest.mark.parametrize("percent", [0, 12.5, 50, 97.3, 100])
def test_percentile_is_numpys_quantile_of_the_known_values(percent: float) -> None:
    songs = random_samples(200)
    attributes, _ = in_song_id_order(rows_of(songs), LABELS)
    known = np.array([song.labels[1] for song in songs], dtype=np.float32)
    expected = np.nanquantile(known.astype(np.float64), percent / 100)
    assert attributes.percentile("world_life", percent) == pytest.approx(expected, rel=1e-12)


def test_label_percentiles_leave_out_unknown_values() -> None:
    ramp = np.arange(101, dtype=np.float32)
    labels = np.stack(
        [np.append(ramp, np.float32(np.nan)), np.full(102, np.nan, np.float32), np.zeros(102, np.float32)]
    )
    table = label_percentiles(labels, LABELS)
    assert table["danceability"] == {percent: float(percent) for percent in LABEL_PERCENTILES}
    assert table["world_life"] == {}
    assert set(table["loudness"].values()) == {0.0}


def test_coverage_is_kept_in_the_order_of_the_modalities() -> None:
    songs = [Sample(name, (1.0,), UNKNOWN, coverage=(name,)) for name in MODALITIES]
    attributes, _ = in_song_id_order(rows_of(songs), LABELS)
    for row in range(len(songs)):
        assert attributes.coverage_of(row) == (attributes.song_ids[row],)
    assert coverage_bits(MODALITIES) == 2 ** len(MODALITIES) - 1
