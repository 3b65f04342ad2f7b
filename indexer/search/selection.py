"""Selection: which rows pass a filter, and how many more would pass without each of its terms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.search.attributes import Attributes, Mask
from indexer.search.filters import Filter


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that pass a filter, the ``excluded`` ones never among them.

    ``mask`` is None when every row passes that is not excluded. ``dropped`` counts, by a term's text, the
    rows that fail this term alone.
    """

    size: int
    excluded: NDArray[np.intp]
    mask: Mask | None
    passing: int
    dropped: dict[str, int]

    @classmethod
    def of(cls, attributes: Attributes, where: Filter, excluded: NDArray[np.intp]) -> "Selection":
        """Evaluate every term once over all rows; ``excluded`` holds distinct rows that count nowhere."""
        size = len(attributes)
        masks = [attributes.mask(term) for term in where.terms]
        mask = _all_of(masks)
        passing = _count(mask, size, excluded)
        dropped = {
            term.text: _count(_all_of(masks[:place] + masks[place + 1 :]), size, excluded) - passing
            for place, term in enumerate(where.terms)
        }
        if mask is None or passing == size - len(excluded):
            return cls(size, excluded, None, passing, dropped)
        if len(masks) == 1:
            mask = mask.copy()  # a mask that is not ours alone must not be written to
        mask[excluded] = False
        return cls(size, excluded, mask, passing, dropped)

    def rows(self) -> NDArray[np.intp]:
        """Every row that passes, ascending."""
        if self.mask is not None:
            return np.flatnonzero(self.mask)
        return np.setdiff1d(np.arange(self.size), self.excluded, assume_unique=True)


def _all_of(masks: list[Mask]) -> Mask | None:
    """Rows that pass all masks; None, every row, when there is no mask."""
    if len(masks) < 2:
        return masks[0] if masks else None
    both = masks[0] & masks[1]
    for mask in masks[2:]:
        both &= mask
    return both


def _count(mask: Mask | None, size: int, excluded: NDArray[np.intp]) -> int:
    if mask is None:
        return size - len(excluded)
    return int(np.count_nonzero(mask)) - int(np.count_nonzero(mask[excluded]))
