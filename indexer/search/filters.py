"""Filter: the terms every answer must pass; one parser for HTTP, the command line and saved text.

A filter prints as a URL query, ``min_danceability=0.6&genre=pop``, and reads that text back.
"""

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, Self
from urllib.parse import parse_qsl

from engine.errors import FilterError
from engine.vocabulary import LabelSchema
from indexer.search.terms import (
    ANY_PARAMETERS,
    HAS_PARAMETERS,
    NONE_PARAMETERS,
    YEAR,
    AnyOf,
    Has,
    NoneOf,
    Range,
    Term,
    range_parameters,
)

__all__ = [
    "AnyOf",
    "Filter",
    "Has",
    "NoneOf",
    "Parameter",
    "ParameterValue",
    "Range",
    "Term",
    "filter_parameters",
]

ParameterValue = str | float | bool | Sequence[str] | None
Role = Literal["low", "high", "low_percentile", "high_percentile", "any", "none", "has"]
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WORDS = {"genre": "genre", "artist": "artist (exact name, any case)", "song_id": "song_id"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter that filters: what HTTP documents and the command line accepts."""

    name: str
    column: str
    role: Role
    description: str

    @property
    def repeatable(self) -> bool:
        """Whether the parameter may be given several times."""
        return self.role in {"any", "none"}

    @property
    def kind(self) -> Literal["number", "year", "flag", "text"]:
        """What its value is."""
        if self.role == "has":
            return "flag"
        if self.repeatable:
            return "text"
        return "year" if self.column == YEAR else "number"


@lru_cache(maxsize=16)
def filter_parameters(labels: LabelSchema) -> Mapping[str, Parameter]:
    """Every parameter that filters a catalogue with these labels, by name."""
    rows: list[Parameter] = []
    for label in labels:
        scale = f"{label.name}, {label.minimum:g} to {label.maximum:g}, bound included"
        low, high = range_parameters(label.slug)
        rows.append(Parameter(low, label.slug, "low", f"least {scale}"))
        rows.append(Parameter(high, label.slug, "high", f"most {scale}"))
    low, high = range_parameters(YEAR)
    rows.append(Parameter(low, YEAR, "low", "first release year, included; songs without a year do not pass"))
    rows.append(
        Parameter(high, YEAR, "high", "last release year, included; songs without a year do not pass")
    )
    for column, word in _WORDS.items():
        rows.append(Parameter(ANY_PARAMETERS[column], column, "any", f"{word} is one of these; repeatable"))
        rows.append(
            Parameter(NONE_PARAMETERS[column], column, "none", f"{word} is none of these; repeatable")
        )
    for column, name in HAS_PARAMETERS.items():
        rows.append(Parameter(name, column, "has", f"whether the song's vector is based on its {column}"))
    names = {row.name: row for row in rows}
    for label in labels:
        low, high = range_parameters(label.slug, percentile=True)
        words = f"percentile, 0 to 100, of {label.name} in this catalogue, bound included"
        # A label whose slug ends in _percentile keeps its own parameters.
        names.setdefault(low, Parameter(low, label.slug, "low_percentile", f"least {words}"))
        names.setdefault(high, Parameter(high, label.slug, "high_percentile", f"highest {words}"))
    return MappingProxyType(names)


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that a song must all pass; no term passes every song.

    Terms are kept in a fixed order, so filters of equal terms are equal and print the same text.

    Raises
    ------
    FilterError
        When two terms of one kind ask the same column.
    """

    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.terms, key=_place))
        for before, after in pairwise(ordered):
            if _place(before) == _place(after):
                raise FilterError(after.pairs[0][0], "given in two terms; put it in one")
        object.__setattr__(self, "terms", ordered)

    @classmethod
    def from_parameters(cls, labels: LabelSchema, parameters: Mapping[str, ParameterValue]) -> Self:
        """Read query parameters, of HTTP or of the command line alike.

        Values may be text or already numbers and flags; a sequence is a parameter given several times; None
        or an empty sequence is a parameter not given. `filter_parameters` lists the names.

        Raises
        ------
        FilterError
            Naming the parameter that is unknown, repeated, no number, empty, or above its other bound.
        """
        known = filter_parameters(labels)
        bounds: dict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
        terms: list[Term] = []
        for name, given in parameters.items():
            values = _values(given)
            if not values:
                continue
            if (parameter := known.get(name)) is None:
                raise FilterError(name, _unknown(name, known, labels))
            if parameter.role == "any":
                terms.append(AnyOf(parameter.column, values))
            elif parameter.role == "none":
                terms.append(NoneOf(parameter.column, values))
            elif parameter.role == "has":
                terms.append(Has(parameter.column, _flag(name, _once(name, values))))
            else:
                side, _, percentile = parameter.role.partition("_")
                bounds[parameter.column, bool(percentile)][side] = _number(name, _once(name, values))
        terms.extend(
            Range(column, sides.get("low"), sides.get("high"), percentile)
            for (column, percentile), sides in bounds.items()
        )
        return cls(tuple(terms))

    @classmethod
    def from_text(cls, labels: LabelSchema, text: str) -> Self:
        """Read a URL query such as `text` prints.

        Raises
        ------
        FilterError
            As `from_parameters`, or naming ``filter`` when the text is no URL query.
        """
        parameters: dict[str, list[str]] = defaultdict(list)
        try:
            pairs = (
                parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict") if text else []
            )
        except ValueError as error:  # bad fields and bad UTF-8 alike
            raise FilterError(
                "filter", f"{text!r} is not a URL query such as genre=pop&year_min=1990: {error}"
            ) from None
        for name, value in pairs:
            parameters[name].append(value)
        return cls.from_parameters(labels, parameters)

    @property
    def text(self) -> str:
        """Canonical text, a URL query; `from_text` reads it back as an equal filter."""
        return "&".join(term.text for term in self.terms)

    def check(self, labels: LabelSchema) -> None:
        """Check that every column asked for exists in a catalogue with these labels.

        Raises
        ------
        FilterError
            Naming the parameter of the first term that a catalogue with these labels cannot answer.
        """
        slugs = set(labels.slugs)
        for term in self.terms:
            if not isinstance(term, Range):
                continue
            name = term.pairs[0][0]
            if term.column not in slugs and term.column != YEAR:
                raise FilterError(name, _unknown(name, filter_parameters(labels), labels))
            if term.percentile and f"{term.column}_percentile" in slugs:
                raise FilterError(name, "means the label of that name here; give raw values")


def _place(term: Term) -> tuple[str, str, bool]:
    """Where a term stands in its filter, and what it may share with no other."""
    return term.column, type(term).__name__, isinstance(term, Range) and term.percentile


def _values(given: ParameterValue) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(given)
    return (str(given),)


def _once(name: str, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        raise FilterError(name, f"is given {len(values)} times; give it once")
    return values[0]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FilterError(name, f"{text!r} is not a number") from None


def _flag(name: str, text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise FilterError(name, f"{text!r} is neither true nor false") from None


def _unknown(name: str, known: Mapping[str, Parameter], labels: LabelSchema) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "see the list of filters."
    return f"is not a filter here; {hint} Labels of this catalogue: {', '.join(labels.slugs)}"
