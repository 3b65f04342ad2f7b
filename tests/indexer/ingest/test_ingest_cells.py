import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.vocabulary import Label
from indexer.catalog.database import storable
from indexer.ingest.cells import (
    CellError,
    parse_genre,
    parse_id,
    parse_label,
    parse_lyrics,
    parse_name,
    parse_year,
    shown,
    text_of,
)

BPM = Label.named("bpm", 0, 300)
ANY_TEXT = st.text(st.characters(codec=None)) | st.text("0123456789.-+eE naif\0\udc80\t,;")
VALUES = (
    ANY_TEXT | st.binary() | st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.dates()
    | st.datetimes() | st.times() | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(), st.none(), max_size=1)
)  # fmt: skip
PARSERS: list[Callable[[object], object]] = [
    text_of, parse_id, parse_name, parse_genre, parse_year, parse_lyrics, lambda value: parse_label(value, BPM)
]  # fmt: skip


@given(VALUES)
def test_a_cell_of_any_kind_gives_a_value_or_a_reason(value: object) -> None:
    for parse in PARSERS:
        try:
            parsed = parse(value)
        except CellError as error:
            assert str(error)
        else:
            assert parsed is None or storable(str(parsed))


@given(VALUES)
def test_a_shown_value_is_short_printable_and_storable(value: object) -> None:
    text = shown(value)
    assert len(text) <= 200
    assert storable(text)
    assert not any(ord(character) < 32 for character in text)


def test_a_shown_value_tells_what_was_cut() -> None:
    assert shown("x" * 200) == "x" * 200
    assert shown("x" * 10_000_000) == "x" * 173 + "... (10,000,000 characters)"
    assert shown("a\0b\x1bc\udcff\n") == "a\\x00b\\x1bc\\xff\\x0a"
    assert shown(b"caf\xe9") == "caf\\xe9"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("  a b\t", "a b"), (b"caf\xc3\xa9", "café"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (-0.0, "0"),
        (Decimal("1.50"), "1.50"), (date(1994, 5, 1), "1994-05-01"), (datetime(1994, 5, 1, 3), "1994-05-01T03:00:00"),
    ],
)  # fmt: skip
def test_text_of_what_tables_hold(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a\0", "NUL"), ("\udce9", "UTF-8"), (b"caf\xe9", "UTF-8"), (True, "true or false"), ([1], "is a list"),
        ({}, "is a dict"), (time(3), "is a time"), (1j, "is a complex"),
    ],
)  # fmt: skip
def test_text_of_refuses_with_a_reason(value: object, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        text_of(value)


@given(st.integers(1000, 2100))
def test_every_year_in_range_is_read_however_it_is_spelled(year: int) -> None:
    spellings = (
        year,
        float(year),
        str(year),
        f" {year}.0 ",
        f"{year}-05",
        f"{year}-5-1",
        f"{year}-05-01T10:00:00Z",
    )
    assert {parse_year(value) for value in spellings} == {year}
    assert parse_year(date(year, 12, 31)) == year


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("soon", "is not a year"), ("1994.5", "is not a year"), ("19x4", "is not a year"), ("1e3", "is not a year"),
        ("\u0661\u0669\u0669\u0664", "is not a year"), ("9" * 5000, "not a year"),
        ("1994-", "is not a year"), (math.nan, "not a year"),
        (math.inf, "not a year"), (True, "true or false"), ("999", "outside 1000..2100"), (2101, "outside"),
        (-1994, "outside"), ("0", "outside"), ("0000-00-00", "outside"),
    ],
)  # fmt: skip
def test_a_year_that_is_none_has_a_reason(value: object, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        parse_year(value)


@given(st.floats(0, 300))
def test_every_number_in_range_is_read_exactly(number: float) -> None:
    assert parse_label(number, BPM) == number
    assert parse_label(repr(number), BPM) == number
    assert parse_label(f" +{number!r}", BPM) == number


@given(st.floats().filter(lambda number: not 0 <= number <= 300))
def test_every_number_out_of_range_is_refused(number: float) -> None:
    for value in (number, repr(number)):
        with pytest.raises(CellError, match=r"outside the label's range \[0, 300\]|not a finite number"):
            parse_label(value, BPM)


@pytest.mark.parametrize(
    "value", ["fast", "0,5", "1_0", "0x1", "\u0661", "1 2", ".", "e5", "--1", "1e", "in", "nano"]
)
def test_a_label_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(CellError, match="is not a number"):
        parse_label(value, BPM)


@pytest.mark.parametrize(
    "value", ["nan", "NaN", "-inf", "Infinity", "1e999", math.nan, -math.inf, Decimal("NaN")]
)
def test_a_label_that_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(CellError, match="not a finite number"):
        parse_label(value, BPM)


@pytest.mark.parametrize("parse", PARSERS[2:])
@pytest.mark.parametrize("empty", [None, "", "  \t\r\n", b""])
def test_an_empty_cell_is_unknown(parse: Callable[[object], object], empty: object) -> None:
    assert parse(empty) is None


def test_ids_are_kept_as_they_are() -> None:
    assert [parse_id(value) for value in ("007", " Ab/ü ", 7, "x" * 200)] == ["007", "Ab/ü", "7", "x" * 200]


@pytest.mark.parametrize(
    ("value", "reason"),
    [("", "is empty"), (None, "is empty"), ("x" * 201, "201 characters, more than 200"), ("a\nb", r"U\+000A"),
     ("a\x7f", r"U\+007F"), ("\x9bm", r"U\+009B")],
)  # fmt: skip
def test_an_id_that_cannot_be_used_has_a_reason(value: object, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        parse_id(value)


def test_names_have_single_spaces_and_no_control_characters() -> None:
    assert parse_name(" Come \t As\nYou\x93 Are\x1b[2J ") == "Come As You Are [2J"
    with pytest.raises(CellError, match="501 characters, more than 500"):
        parse_name("x" * 501)


def test_genres_have_one_spelling() -> None:
    assert {parse_genre(value) for value in ("Hip-Hop", " hip  hop", "HIPHOP")} == {"hip hop"}
    with pytest.raises(CellError, match="101 characters, more than 100"):
        parse_genre("x" * 101)


def test_lyrics_end_at_the_limit_that_the_engine_states() -> None:
    assert parse_lyrics(" one\r\ntwo\x0b \n") == "one\r\ntwo"
    assert parse_lyrics("x" * 100_000) == "x" * 100_000
    with pytest.raises(CellError, match="100,001 characters, more than 100,000"):
        parse_lyrics("x" * 100_001)
