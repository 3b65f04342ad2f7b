"""What one cell of a table, or one tag of a file, means; everything that cannot be taken is a `CellError`."""

import math
import re
from datetime import date
from decimal import Decimal

from engine.lyrics import MAX_LYRICS_CHARACTERS
from engine.vocabulary import Label, normalise_genre
from indexer.catalog.database import storable

MAX_ID = 200  # characters
MAX_NAME = 500  # characters of a title, artist or album
MAX_GENRE = 100  # characters
YEARS = (1000, 2100)
MAX_SHOWN = 200  # characters of a value in the reject report

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_YEAR = re.compile(r"([+-]?[0-9]{1,9})(\.0*)?")
_DATE = re.compile(r"([0-9]{4})-[0-9]{1,2}(-[0-9]{1,2}([T ].*)?)?", re.DOTALL)


class CellError(ValueError):
    """A cell that cannot be taken; its text is the reason in the reject report."""


def text_of(value: object) -> str:
    """Text of a cell, without white space around it; empty when the cell is empty.

    Raises
    ------
    CellError
        When the value is no text or number, is not valid UTF-8, or contains a NUL.
    """
    text = _spelled(value)
    if "\0" in text:
        raise CellError("contains a NUL byte; remove it")
    if not storable(text):
        raise CellError("is not valid UTF-8; save the file as UTF-8")
    return text.strip()


def parse_id(value: object) -> str:
    """Id of a song, as the user spells it.

    Raises
    ------
    CellError
        When it is empty, longer than `MAX_ID`, or contains a control character.
    """
    text = text_of(value)
    if not text:
        raise CellError("is empty; give every song an id")
    _check_length(text, MAX_ID)
    _check_printable(text)
    return text


def parse_name(value: object, longest: int = MAX_NAME) -> str | None:
    """Title, artist or album with single spaces, or None when empty; control characters count as spaces.

    Raises
    ------
    CellError
        When it is longer than ``longest``.
    """
    text = " ".join(_CONTROL.sub(" ", text_of(value)).split())
    _check_length(text, longest)
    return text or None


def parse_genre(value: object) -> str | None:
    """Genre in the spelling of `engine.vocabulary.normalise_genre`, or None when empty.

    Raises
    ------
    CellError
        When it is longer than `MAX_GENRE`.
    """
    return normalise_genre(parse_name(value, MAX_GENRE))


def parse_year(value: object) -> int | None:
    """Year of a year or date (1994, 1994.0, 1994-05-01), or None when empty.

    Raises
    ------
    CellError
        When it is neither, or outside `YEARS`.
    """
    text = text_of(value)
    if not text:
        return None
    match = _YEAR.fullmatch(text) or _DATE.fullmatch(text)
    if match is None:
        raise CellError("is not a year; write 1994 or a date such as 1994-05-01")
    year = int(match[1])
    if not YEARS[0] <= year <= YEARS[1]:
        raise CellError(f"is outside {YEARS[0]}..{YEARS[1]}; correct the year or leave it empty")
    return year


def parse_label(value: object, label: Label) -> float | None:
    """Value of a label inside its range, or None when empty (unknown).

    Raises
    ------
    CellError
        When it is no number, not finite, or outside the label's range.
    """
    text = text_of(value)
    if not text:
        return None
    finite = _NOT_FINITE.fullmatch(text) is None
    if finite and _NUMBER.fullmatch(text) is None:
        raise CellError("is not a number; write one such as 0.25, or leave it empty when unknown")
    number = float(text)
    if not math.isfinite(number):
        raise CellError("is not a finite number; leave it empty when unknown")
    if not label.minimum <= number <= label.maximum:
        raise CellError(f"is outside the label's range [{label.minimum:g}, {label.maximum:g}]")
    return number


def parse_lyrics(value: object) -> str | None:
    """Lyrics as the user wrote them, or None when there is nothing but white space.

    Raises
    ------
    CellError
        When they are longer than 100,000 characters.
    """
    text = text_of(value)
    _check_length(text, MAX_LYRICS_CHARACTERS)
    return text or None


def shown(value: object) -> str:
    """A value as the reject report shows it: printable, storable, at most `MAX_SHOWN` characters."""
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
    head = "".join(map(_printable, text[:MAX_SHOWN]))
    if len(text) <= MAX_SHOWN and len(head) <= MAX_SHOWN:
        return head
    note = f"... ({len(text):,} characters)"
    return head[: MAX_SHOWN - len(note)] + note


def _spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case bool():
            raise CellError("is true or false; expected text or a number")
        case float() if value.is_integer():
            return str(int(value))  # tables keep whole numbers as floats once a cell is empty
        case int() | float() | Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            raise CellError(f"is a {type(value).__name__}; expected text or a number")


def _check_length(text: str, longest: int) -> None:
    if len(text) > longest:
        raise CellError(f"has {len(text):,} characters, more than {longest:,}; shorten it")


def _check_printable(text: str) -> None:
    if control := _CONTROL.search(text):
        raise CellError(f"contains the control character U+{ord(control[0]):04X}; remove it")


def _printable(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"  # the byte that was not UTF-8
    if _CONTROL.match(character) or not storable(character):
        return f"\\x{ord(character):02x}"
    return character
