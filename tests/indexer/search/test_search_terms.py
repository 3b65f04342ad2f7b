import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FilterError
from indexer.search.terms import AnyOf, Has, NoneOf, Range, format_number, normalise_artist
from tests.indexer.search.samples import texts


@pytest.mark.parametrize(
    ("make", "parameter", "words"),
    [
        (
            lambda: Range("danceability"),
            "min_danceability",
            "give min_danceability, max_danceability or both",
        ),
        (lambda: Range("danceability", 0.8, 0.2), "min_danceability", "0.8 is above max_danceability 0.2"),
        (lambda: Range("danceability", math.nan), "min_danceability", "nan is not a finite number"),
        (lambda: Range("danceability", None, math.inf), "max_danceability", "inf is not a finite number"),
        (
            lambda: Range("danceability", -1, None, True),
            "min_danceability_percentile",
            "-1 is not a percentile",
        ),
        (
            lambda: Range("danceability", 1, 101, True),
            "max_danceability_percentile",
            "101 is not a percentile",
        ),
        (lambda: Range("year", 1990.5), "year_min", "1990.5 is not a whole year"),
        (lambda: Range("year", 1990, 1980), "year_min", "1990 is above year_max 1980"),
        (lambda: Range("year", 50, None, True), "year_min", "years have no percentiles"),
        (lambda: AnyOf("danceability", ("x",)), "danceability", "is no text column"),
        (lambda: AnyOf("genre", ()), "genre", "give at least one value"),
        (lambda: AnyOf("genre", ("pop", " - ")), "genre", "' - ' names no genre"),
        (lambda: NoneOf("artist", ("",)), "not_artist", "'' names no artist"),
        (lambda: NoneOf("song_id", ("\ud800",)), "exclude", "is not valid Unicode"),
        (lambda: Has("smell"), "has_smell", "use has_lyrics or has_audio"),
    ],
)
def test_a_term_that_cannot_be_used_names_its_parameter(make, parameter, words):  # type: ignore[no-untyped-def] # parameters of every kind
    with pytest.raises(FilterError) as caught:
        make()
    assert caught.value.parameter == parameter
    assert words in str(caught.value)


def test_terms_spell_themselves_in_one_way() -> None:
    assert AnyOf("genre", ("Hip-Hop", "pop", "hiphop")) == AnyOf("genre", ("pop", "hip hop"))
    assert AnyOf("artist", ("  Dée   B ", "DÉE B")).values == ("dée b",)
    assert NoneOf("song_id", ("B", "a", "B")).values == ("B", "a")  # ids are taken as they are
    assert Range("loudness", -0.0) == Range("loudness", 0)
    assert Range("loudness", -0.0).text == "min_loudness=0"


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Range("danceability", 0.6, 0.9), "min_danceability=0.6&max_danceability=0.9"),
        (Range("danceability", 90, None, True), "min_danceability_percentile=90"),
        (Range("year", None, 1999), "year_max=1999"),
        (AnyOf("genre", ("rock", "hip hop")), "genre=hip+hop&genre=rock"),
        (NoneOf("genre", ("r&b",)), "not_genre=r%26b"),
        (AnyOf("song_id", ("1",)), "only=1"),
        (NoneOf("song_id", ("1",)), "exclude=1"),
        (Has("audio"), "has_audio=true"),
        (Has("lyrics", False), "has_lyrics=false"),
    ],
)
def test_canonical_text(term: Range | AnyOf | NoneOf | Has, text: str) -> None:
    assert term.text == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(value: float) -> None:
    assert float(format_number(value)) == value


@given(texts())
def test_spelling_an_artist_twice_changes_nothing(text: str) -> None:
    once = normalise_artist(text)
    assert normalise_artist(once) == once


def test_artists_are_compared_without_case_spacing_or_composition() -> None:
    assert normalise_artist(" BEYONCE\u0301  Knowles") == normalise_artist("Beyoncé Knowles")
    assert normalise_artist("Straße") == normalise_artist("STRASSE")
    assert normalise_artist("Beyonce") != normalise_artist("Beyoncé")
