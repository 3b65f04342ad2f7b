from collections.abc import Mapping
from random import Random
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FilterError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.search.filters import AnyOf, Filter, Has, NoneOf, ParameterValue, Range, filter_parameters
from tests.indexer.search.samples import LABELS, filters, texts


def test_every_parameter_makes_its_term() -> None:
    where = Filter.from_parameters(
        LABELS,
        {
            "min_danceability": "0.6",
            "max_danceability": 0.9,
            "max_world_life_percentile": 50,
            "genre": ["Pop", "rock"],
            "not_genre": "jazz",
            "year_min": "1990",
            "year_max": 1999,
            "artist": ("Ann",),
            "not_artist": ["Bob"],
            "only": ["1", "2"],
            "exclude": ["3"],
            "has_audio": "true",
            "has_lyrics": False,
            "min_loudness": None,
            "max_loudness": [],
        },
    )
    assert set(where.terms) == {
        Range("danceability", 0.6, 0.9),
        Range("world_life", None, 50, percentile=True),
        AnyOf("genre", ("pop", "rock")),
        NoneOf("genre", ("jazz",)),
        Range("year", 1990, 1999),
        AnyOf("artist", ("ann",)),
        NoneOf("artist", ("bob",)),
        AnyOf("song_id", ("1", "2")),
        NoneOf("song_id", ("3",)),
        Has("audio"),
        Has("lyrics", present=False),
    }


def test_no_parameter_is_no_term() -> None:
    assert Filter.from_parameters(LABELS, {}) == Filter()
    assert Filter().text == ""
    assert Filter.from_text(LABELS, "") == Filter()


@given(filters())
def test_canonical_text_reads_back(where: Filter) -> None:
    assert Filter.from_text(LABELS, where.text) == where
    assert Filter.from_text(LABELS, where.text).text == where.text


@given(filters(), st.randoms())
def test_the_order_in_which_parameters_come_does_not_matter(where: Filter, random: Random) -> None:
    pairs = parse_qsl(where.text)
    random.shuffle(pairs)
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    assert Filter.from_parameters(LABELS, parameters) == where


@pytest.mark.parametrize(
    ("parameters", "name", "words"),
    [
        ({"min_dancability": "0.5"}, "min_dancability", "did you mean min_danceability?"),
        ({"colour": "red"}, "colour", "Labels of this catalogue: danceability, world_life, loudness"),
        ({"min_danceability": "high"}, "min_danceability", "'high' is not a number"),
        ({"min_danceability": ""}, "min_danceability", "'' is not a number"),
        ({"min_danceability": True}, "min_danceability", "'True' is not a number"),
        ({"min_danceability": "nan"}, "min_danceability", "not a finite number"),
        ({"max_danceability": "1e999"}, "max_danceability", "not a finite number"),
        ({"min_danceability": ["1", "2"]}, "min_danceability", "is given 2 times"),
        (
            {"min_danceability": "0.9", "max_danceability": "0.1"},
            "min_danceability",
            "above max_danceability",
        ),
        ({"min_world_life_percentile": "101"}, "min_world_life_percentile", "not a percentile"),
        ({"year_min": "1990.5"}, "year_min", "not a whole year"),
        ({"year_min": "2000", "year_max": "1990"}, "year_min", "above year_max 1990"),
        ({"genre": ""}, "genre", "names no genre"),
        ({"exclude": ["a", ""]}, "exclude", "names no song_id"),
        ({"has_audio": "perhaps"}, "has_audio", "neither true nor false"),
        ({"has_audio": ["true", "false"]}, "has_audio", "is given 2 times"),
        ({"artist": "\udcff"}, "artist", "not valid Unicode"),
    ],
)
def test_a_bad_parameter_is_named(parameters: Mapping[str, ParameterValue], name: str, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter.from_parameters(LABELS, parameters)
    assert caught.value.parameter == name
    assert words in str(caught.value)


VALUES = st.text("015.-+enaif _", max_size=5) | texts(4)


@given(
    st.dictionaries(
        st.sampled_from([*filter_parameters(LABELS), "colour"]),
        VALUES | st.lists(VALUES, max_size=3),
        max_size=4,
    )
)
def test_any_text_makes_a_filter_or_names_one_given_parameter(parameters: dict[str, str | list[str]]) -> None:
    try:
        where = Filter.from_parameters(LABELS, parameters)
    except FilterError as error:
        assert error.parameter in parameters
    else:
        assert Filter.from_text(LABELS, where.text) == where


@pytest.mark.parametrize("text", ["genre", "genre=%ff", "min_danceability=0.5&&", "=1"])
def test_text_that_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        Filter.from_text(LABELS, text)


def test_two_terms_of_one_kind_on_one_column_are_refused() -> None:
    with pytest.raises(FilterError, match=r"^not_genre: given in two terms"):
        Filter((NoneOf("genre", ("pop",)), AnyOf("genre", ("pop",)), NoneOf("genre", ("rock",))))


def test_check_names_a_label_that_is_not_here() -> None:
    Filter((Range("danceability", 0.1), Range("year", 1990))).check(LABELS)
    with pytest.raises(FilterError, match=r"^max_violence: is not a filter here"):
        Filter((Range("violence", None, 0.1),)).check(LABELS)


def test_a_label_named_like_a_percentile_keeps_its_own_parameters() -> None:
    labels = LabelSchema((Label.named("energy"), Label.named("energy percentile")))
    where = Filter.from_parameters(labels, {"min_energy_percentile": "0.5"})
    assert where.terms == (Range("energy_percentile", 0.5),)
    where.check(labels)
    with pytest.raises(FilterError, match="give raw values"):
        Filter((Range("energy", 50, None, percentile=True),)).check(labels)


def test_the_list_of_parameters_covers_every_label_and_says_what_each_takes() -> None:
    known = filter_parameters(DEFAULT_LABELS)
    assert len(known) == 18 * 4 + 2 + 3 * 2 + 2
    assert known["min_world_life"].kind == "number"
    assert known["year_max"].kind == "year"
    assert known["has_audio"].kind == "flag"
    assert known["exclude"].kind == "text"
    assert [name for name, parameter in known.items() if parameter.repeatable] == [
        "genre", "not_genre", "artist", "not_artist", "only", "exclude"
    ]  # fmt: skip
