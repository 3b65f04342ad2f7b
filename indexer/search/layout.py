"""IndexLayout: the files of an index bundle, and how each is written and read. No pickle anywhere."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.errors import BundleError
from engine.vocabulary import LabelSchema
from indexer.search.attributes import Attributes, TextColumn
from indexer.search.strings import Strings

FACTS = "index.json"
VECTORS = "vectors.faiss"


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """An index bundle's folder.

    ::

        index.json              the manifest's facts once more, so that their hash is in the manifest too
        vectors.faiss           unit vectors, float32, row i is song i in song_id order
        song_ids, song_id_offsets, keys, labels, years, coverage,
        genres, genre_values, genre_value_offsets, artists, artist_values, artist_value_offsets    .npy each

    Arrays are memory-mapped when read: server processes share one copy.
    """

    folder: Path

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write ``index.json``."""
        (self.folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def read_facts(self) -> dict[str, Any]:
        """Read ``index.json``.

        Raises
        ------
        BundleError
            When it is no JSON object.
        """
        try:
            facts = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._damaged(FACTS, error) from None
        if not isinstance(facts, dict):
            raise self._damaged(FACTS, "not a JSON object")
        return facts

    def write_vectors(self, vectors: faiss.Index) -> None:
        """Write ``vectors.faiss``."""
        try:
            faiss.write_index(vectors, str(self.folder / VECTORS))
        except RuntimeError as error:  # FAISS knows no other; a full disk is the ordinary cause
            raise OSError(f"{VECTORS}: {error}") from None

    def read_vectors(self) -> faiss.Index:
        """Map ``vectors.faiss`` into memory.

        Raises
        ------
        BundleError
            When FAISS cannot read it.
        """
        try:
            return faiss.read_index(str(self.folder / VECTORS), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise self._damaged(VECTORS, error) from None

    def write_attributes(self, columns: Attributes) -> None:
        """Write every column."""
        self._write("keys", columns.keys)
        self._write("labels", columns.labels)
        self._write("years", columns.years)
        self._write("coverage", columns.coverage)
        self._write_strings("song_id", columns.song_ids)
        for name, column in (("genre", columns.genres), ("artist", columns.artists)):
            self._write(f"{name}s", column.codes)
            self._write_strings(f"{name}_value", column.values)

    def read_attributes(self, schema: LabelSchema, songs: int) -> Attributes:
        """Map every column of a bundle of so many songs.

        Raises
        ------
        BundleError
            Naming the file whose type, shape or content is not of this bundle.
        """
        return Attributes(
            schema=schema,
            song_ids=self._read_strings("song_id", songs),
            keys=self._read("keys", np.int64, (songs,)),
            labels=self._read("labels", np.float32, (len(schema), songs)),
            years=self._read("years", np.float32, (songs,)),
            genres=self._read_text("genre", songs),
            artists=self._read_text("artist", songs),
            coverage=self._read("coverage", np.uint8, (songs,)),
        )

    def _write(self, name: str, array: NDArray[Any]) -> None:
        np.save(self.folder / f"{name}.npy", array, allow_pickle=False)

    def _write_strings(self, name: str, strings: Strings) -> None:
        self._write(f"{name}s", strings.blob)
        self._write(f"{name}_offsets", strings.offsets)

    def _read(self, name: str, kind: type[np.generic], shape: tuple[int | None, ...]) -> NDArray[Any]:
        """Map one array; None in ``shape`` is any length."""
        file = f"{name}.npy"
        try:
            array = np.load(self.folder / file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(file, error) from None
        fits = len(array.shape) == len(shape) and all(
            there == asked or asked is None for there, asked in zip(array.shape, shape, strict=True)
        )
        if array.dtype != np.dtype(kind) or not fits:
            found = f"{array.dtype} {array.shape}"
            raise self._damaged(
                file, f"it holds {found} where the manifest asks for {np.dtype(kind)} {shape}"
            )
        plain: NDArray[Any] = array.view(np.ndarray)  # keeps the map alive as its base
        return plain

    def _read_strings(self, name: str, count: int | None) -> Strings:
        offsets = self._read(f"{name}_offsets", np.int64, (None if count is None else count + 1,))
        blob = self._read(f"{name}s", np.uint8, (None,))
        ordered = (
            len(offsets) > 0
            and offsets[0] == 0
            and offsets[-1] == len(blob)
            and bool(np.all(np.diff(offsets) >= 0))
        )
        if not ordered:
            raise self._damaged(f"{name}_offsets.npy", f"its offsets do not divide {name}s.npy")
        return Strings(blob, offsets)

    def _read_text(self, name: str, songs: int) -> TextColumn:
        codes = self._read(f"{name}s", np.int32, (songs,))
        values = self._read_strings(f"{name}_value", None)
        if songs and not (codes.min() >= -1 and codes.max() < len(values)):
            raise self._damaged(f"{name}s.npy", f"a code is outside the {len(values)} values")
        return TextColumn(codes, values)

    def _damaged(self, file: str, why: object) -> BundleError:
        return BundleError(f"{self.folder / file} is damaged: {why}; run `songlike index build` again")
