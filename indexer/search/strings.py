"""Strings: sorted distinct texts packed into two arrays, searched where they lie.

A memory-mapped pair opens at once whatever its length, and finding a text touches a few pages only. UTF-8
sorts by bytes as Unicode sorts by code points, so the comparison needs no decoding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError


@dataclass(frozen=True, slots=True)
class Strings:
    """n texts, strictly ascending by code point.

    ``blob`` is their UTF-8 one after another, uint8; ``offsets``, (n + 1,) int64, says where each begins.
    """

    blob: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def pack(cls, texts: Sequence[str]) -> "Strings":
        """Pack texts that are strictly ascending.

        Raises
        ------
        InputError
            Naming the first text that is out of order, double or not Unicode.
        """
        for before, after in pairwise(texts):
            if before >= after:
                raise InputError(f"{after!r} follows {before!r}; give each text once, in ascending order")
        try:
            encoded = [text.encode() for text in texts]
        except UnicodeEncodeError as error:
            raise InputError(f"{error.object!r} is not valid Unicode text") from None
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, position: int) -> str:
        return self._bytes(position).decode()

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))

    def find(self, text: str) -> int | None:
        """Position of ``text``, or None when it is not here."""
        wanted = text.encode(
            errors="replace"
        )  # a lone surrogate becomes "?" and the check below tells them apart
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self[low] == text else None

    def _bytes(self, position: int) -> bytes:
        return self.blob[self.offsets[position] : self.offsets[position + 1]].tobytes()
