"""The trained encoder at work: songs -> vectors, predicted labels, and what each was based on."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from engine.model_bundle import Model
from engine.preprocessing import SongNumbers, length_batches
from engine.song import Song
from engine.vocabulary import MODALITIES, LabelSchema


class Encoded(NamedTuple):
    """What the encoder says of n songs, in their order."""

    vectors: NDArray[np.float32]  # (n, vector_width), unit length
    labels: NDArray[np.float32]  # (n, labels), raw values inside their ranges
    coverage: list[tuple[str, ...]]  # modalities each vector is based on


class SongEncoder:
    """Encodes songs with one model; never trains."""

    def __init__(self, model_id: str, model: Model) -> None:
        self.model_id = model_id
        self.model = model

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Encoder of the model bundle in a folder.

        Raises
        ------
        BundleError
            When the bundle is damaged or foreign.
        """
        return cls(bundle.name, Model.load(bundle))

    @property
    def schema(self) -> LabelSchema:
        """Labels that the model predicts."""
        return self.model.preprocessor.schema

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return self.model.network_settings.vector_width

    def prepare(self, song: Song) -> SongNumbers:
        """Numbers of one song, for `encode_numbers`.

        Raises
        ------
        InputError
            When the song has none of the modalities that the model was trained on.
        """
        return self.model.preprocessor.numbers(song)

    def encode(self, songs: Sequence[Song]) -> Encoded:
        """Encode songs.

        Raises
        ------
        InputError
            When a song has none of the modalities that the model was trained on.
        """
        return self.encode_numbers([self.prepare(song) for song in songs])

    def encode_numbers(self, numbers: Sequence[SongNumbers]) -> Encoded:
        """Encode prepared songs in batches of similar length."""
        vectors = np.empty((len(numbers), self.dimension), dtype=np.float32)
        labels = np.empty((len(numbers), len(self.schema)), dtype=np.float32)
        network = self.model.network.eval()
        with torch.inference_mode():
            for rows in length_batches(numbers):
                output = network(self.model.preprocessor.batch([numbers[row] for row in rows]))
                vectors[rows] = output.vectors.numpy()
                labels[rows] = self.model.preprocessor.raw_labels(output.labels.numpy())
        coverage = [
            tuple(m for m, here in zip(MODALITIES, one.present, strict=True) if here) for one in numbers
        ]
        return Encoded(vectors, labels, coverage)
