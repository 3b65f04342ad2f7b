"""The terms a search can be filtered by, and their three-valued logic.

A term asks one column of a song. The column may be unknown there (NaN, no genre, no year), and a term then
answers neither yes nor no; what counts as passing is decided once, here:

========== ========================== ==================
term       the value is known         the value is unknown
========== ========================== ==================
`Range`    low <= value <= high       does not pass
`AnyOf`    value is one of these      does not pass
`NoneOf`   value is none of these     passes
`Has`      always known               -
========== ========================== ==================

Bounds are included on both sides and are read in single precision, the precision of the columns: a song whose
label is stored as 0.6 passes both ``min 0.6`` and ``max 0.6``.
Terms write themselves in one canonical spelling, so equal terms compare equal and print the same.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from engine.errors import FilterError
from engine.vocabulary import normalise_genre

YEAR = "year"
Pairs = list[tuple[str, str]]


def normalise_artist(text: str) -> str:
    """Spelling under which artists are compared: case, spacing and composed accents do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# Text columns, and how each spells a value; an empty spelling is no value.
TEXT_COLUMNS: dict[str, Callable[[str], str]] = {
    "genre": lambda text: normalise_genre(text) or "",
    "artist": normalise_artist,
    "song_id": str,
}
ANY_PARAMETERS = {"genre": "genre", "artist": "artist", "song_id": "only"}
NONE_PARAMETERS = {"genre": "not_genre", "artist": "not_artist", "song_id": "exclude"}
HAS_PARAMETERS = {"lyrics": "has_lyrics", "audio": "has_audio"}


def range_parameters(column: str, percentile: bool = False) -> tuple[str, str]:
    """Names of the two parameters that bound a column: ``min_danceability`` and ``max_danceability``."""
    if column == YEAR:
        return "year_min", "year_max"
    suffix = "_percentile" if percentile else ""
    return f"min_{column}{suffix}", f"max_{column}{suffix}"


@dataclass(frozen=True, slots=True)
class Range:
    """Songs whose label or year lies in [low, high]; a bound of None is open.

    With ``percentile`` the bounds are percentiles, 0-100, of the known values of this label among the indexed
    songs, linearly interpolated.

    Raises
    ------
    FilterError
        When no bound is given, a bound is no finite number, the range is empty, a year is no whole number
        or a percentile is outside 0-100.
    """

    column: str
    low: float | None = None
    high: float | None = None
    percentile: bool = False

    def __post_init__(self) -> None:
        low_name, high_name = range_parameters(self.column, self.percentile)
        if self.percentile and self.column == YEAR:
            raise FilterError(low_name, "years have no percentiles; give the years themselves")
        for attribute, name in (("low", low_name), ("high", high_name)):
            object.__setattr__(self, attribute, self._checked(name, getattr(self, attribute)))
        if self.low is None and self.high is None:
            raise FilterError(low_name, f"give {low_name}, {high_name} or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            low, high = format_number(self.low), format_number(self.high)
            raise FilterError(low_name, f"{low} is above {high_name} {high}; no song can pass")

    def _checked(self, name: str, bound: float | None) -> float | None:
        if bound is None:
            return None
        if not math.isfinite(bound):
            raise FilterError(name, f"{bound} is not a finite number")
        if self.column == YEAR and bound != int(bound):
            raise FilterError(name, f"{format_number(bound)} is not a whole year")
        if self.percentile and not 0 <= bound <= 100:
            raise FilterError(name, f"{format_number(bound)} is not a percentile; give 0 to 100")
        return float(bound) + 0.0  # -0.0 prints as 0 and must compare and parse as such

    @property
    def pairs(self) -> Pairs:
        """The term as query parameters."""
        names = range_parameters(self.column, self.percentile)
        bounds = zip(names, (self.low, self.high), strict=True)
        return [(name, format_number(bound)) for name, bound in bounds if bound is not None]

    @property
    def text(self) -> str:
        """Canonical text: ``min_danceability=0.6&max_danceability=0.9``."""
        return urlencode(self.pairs)


@dataclass(frozen=True, slots=True)
class _TextTerm:
    """A text column and a set of values, kept spelled, sorted and each once."""

    column: str
    values: tuple[str, ...]

    PARAMETERS: ClassVar[Mapping[str, str]]  # by column: the query parameter that makes this term

    def __post_init__(self) -> None:
        if self.column not in TEXT_COLUMNS:
            raise FilterError(self.column, f"is no text column; these are: {', '.join(TEXT_COLUMNS)}")
        if not self.values:
            raise FilterError(self.parameter, "give at least one value")
        object.__setattr__(self, "values", tuple(sorted({self._spelled(value) for value in self.values})))

    def _spelled(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise FilterError(self.parameter, f"{value!r} is not valid Unicode text") from None
        if not (spelled := TEXT_COLUMNS[self.column](value)):
            raise FilterError(self.parameter, f"{value!r} names no {self.column}; leave the parameter out")
        return spelled

    @property
    def parameter(self) -> str:
        """Name of the query parameter that makes this term."""
        return self.PARAMETERS[self.column]

    @property
    def pairs(self) -> Pairs:
        """The term as query parameters."""
        return [(self.parameter, value) for value in self.values]

    @property
    def text(self) -> str:
        """Canonical text: ``genre=jazz&genre=pop``."""
        return urlencode(self.pairs)


@dataclass(frozen=True, slots=True)
class AnyOf(_TextTerm):
    """Songs whose genre, artist or song_id is one of ``values``.

    Raises
    ------
    FilterError
        When the column is no text column, there is no value, or a value is empty or not Unicode.
    """

    PARAMETERS = ANY_PARAMETERS


@dataclass(frozen=True, slots=True)
class NoneOf(_TextTerm):
    """Songs whose genre, artist or song_id is none of ``values``, or unknown.

    Raises
    ------
    FilterError
        When the column is no text column, there is no value, or a value is empty or not Unicode.
    """

    PARAMETERS = NONE_PARAMETERS


@dataclass(frozen=True, slots=True)
class Has:
    """Songs whose vector is based on their lyrics or audio (``present``), or is not.

    Raises
    ------
    FilterError
        When ``column`` is neither lyrics nor audio.
    """

    column: str
    present: bool = True

    def __post_init__(self) -> None:
        if self.column not in HAS_PARAMETERS:
            raise FilterError(f"has_{self.column}", f"unknown; use {' or '.join(HAS_PARAMETERS.values())}")

    @property
    def pairs(self) -> Pairs:
        """The term as query parameters."""
        return [(HAS_PARAMETERS[self.column], "true" if self.present else "false")]

    @property
    def text(self) -> str:
        """Canonical text: ``has_audio=true``."""
        return urlencode(self.pairs)


Term = Range | AnyOf | NoneOf | Has


def format_number(value: float) -> str:
    """Shortest text that reads back as the same number: ``0.6``, ``1990``."""
    return str(int(value)) if value == int(value) and abs(value) < 1e16 else repr(float(value))
