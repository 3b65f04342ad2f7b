"""Attributes: the columns a search filters by, one value a song, and the mask of each term over them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.vocabulary import MODALITIES, LabelSchema
from indexer.search.strings import Strings
from indexer.search.terms import TEXT_COLUMNS, YEAR, AnyOf, Has, NoneOf, Range, Term

Mask = NDArray[np.bool_]
_FEW_CODES = 4  # up to here one comparison a value is faster than a look-up table


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A dictionary-coded column: ``codes``, (n,) int32, are positions in ``values``; -1 is unknown."""

    codes: NDArray[np.int32]
    values: Strings

    @classmethod
    def encode(cls, texts: Sequence[str | None]) -> "TextColumn":
        """Encode n texts; None and empty are unknown."""
        values = sorted({text for text in texts if text})
        code_of = {text: code for code, text in enumerate(values)}
        codes = np.array([code_of[text] if text else -1 for text in texts], dtype=np.int32)
        return cls(codes, Strings.pack(values))

    def __getitem__(self, row: int) -> str | None:
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]

    def is_any(self, texts: Sequence[str]) -> Mask:
        """Mask of the rows whose value is one of ``texts``; unknown is none of them."""
        codes = [code for code in map(self.values.find, texts) if code is not None]
        if len(codes) > _FEW_CODES:
            wanted = np.zeros(len(self.values) + 1, dtype=np.bool_)  # the last entry is read by code -1
            wanted[codes] = True
            return wanted[self.codes]
        mask = np.zeros(len(self.codes), dtype=np.bool_)
        for code in codes:
            mask |= self.codes == code
        return mask


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of n songs, in song_id order.

    Shapes: ``keys`` (n,) int64; ``labels`` (number of labels, n) float32, one contiguous row a label, NaN
    where unknown; ``years`` (n,) float32, NaN where unknown; ``coverage`` (n,) uint8, bit i set when the
    vector is based on ``MODALITIES[i]``.
    """

    schema: LabelSchema
    song_ids: Strings
    keys: NDArray[np.int64]
    labels: NDArray[np.float32]
    years: NDArray[np.float32]
    genres: TextColumn
    artists: TextColumn
    coverage: NDArray[np.uint8]
    # Known values of a label in ascending order, sorted when its percentiles are first asked for. Two threads
    # may both sort; they store the same array.
    _ascending: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.keys)

    def mask(self, term: Term) -> Mask:
        """Mask, (n,), of the songs that pass ``term``; a column that is not here raises KeyError."""
        match term:
            case Range():
                return self._in_range(term)
            case AnyOf(column, texts):
                return self._is_any(column, texts)
            case NoneOf(column, texts):
                return ~self._is_any(column, texts)
            case Has(column, present):
                is_set: Mask = (self.coverage & np.uint8(1 << MODALITIES.index(column))) != 0
                return is_set if present else ~is_set

    def percentile(self, slug: str, percent: float) -> float | None:
        """Percentile of a label's known values, linearly interpolated; None when none is known."""
        ascending = self._ascending.get(slug)
        if ascending is None:
            column = self._numbers(slug)
            ascending = self._ascending[slug] = np.sort(column[~np.isnan(column)])
        if not len(ascending):
            return None
        place = percent / 100 * (len(ascending) - 1)
        below = int(place)
        low, high = float(ascending[below]), float(ascending[min(below + 1, len(ascending) - 1)])
        return low + (high - low) * (place - below)

    def coverage_of(self, row: int) -> tuple[str, ...]:
        """Names of the modalities that a song's vector is based on."""
        bits = int(self.coverage[row])
        return tuple(name for bit, name in enumerate(MODALITIES) if bits >> bit & 1)

    def _numbers(self, column: str) -> NDArray[np.float32]:
        if column == YEAR:
            return self.years
        try:
            row: NDArray[np.float32] = self.labels[self.schema.slugs.index(column)]
        except ValueError:
            raise KeyError(column) from None
        return row

    def _in_range(self, term: Range) -> Mask:
        column = self._numbers(term.column)
        low, high = term.low, term.high
        if term.percentile:
            low = None if low is None else self.percentile(term.column, low)
            high = None if high is None else self.percentile(term.column, high)
        if low is None and high is None:  # percentiles of a label that no song has
            return np.zeros(len(column), dtype=np.bool_)
        with np.errstate(over="ignore"):  # a bound beyond single precision is an infinite one
            if high is None:
                return column >= np.float32(low)
            mask: Mask = column <= np.float32(high)
            if low is not None:
                mask &= column >= np.float32(low)
        return mask

    def _is_any(self, column: str, texts: Sequence[str]) -> Mask:
        if column == "song_id":
            mask = np.zeros(len(self), dtype=np.bool_)
            mask[[row for row in map(self.song_ids.find, texts) if row is not None]] = True
            return mask
        return {"genre": self.genres, "artist": self.artists}[column].is_any(texts)


def coverage_bits(modalities: Sequence[str]) -> int:
    """Modalities as the bits that `Attributes.coverage` keeps; an unknown name raises ValueError."""
    return sum(1 << MODALITIES.index(name) for name in set(modalities))


def encode_text(column: str, texts: Sequence[str | None]) -> TextColumn:
    """Encode a text column in the spelling that terms compare by."""
    return TextColumn.encode([TEXT_COLUMNS[column](text) if text else None for text in texts])
