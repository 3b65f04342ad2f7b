"""Songs as the Trainer reads them: tokenised once, padded batch by batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from engine.errors import InputError
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor, SongNumbers, length_batches
from engine.song import Song
from engine.vocabulary import MODALITIES


class SongDataset(Dataset[dict[str, Any]]):
    """Numbers and standardised targets of songs; a song with nothing to read or no label is left out.

    ``rows`` are the places of the kept songs in the given sequence.
    """

    def __init__(self, songs: Sequence[Song], preprocessor: Preprocessor) -> None:
        targets = torch.from_numpy(preprocessor.standardised_labels(songs))  # (n, labels)
        self.items: list[dict[str, Any]] = []
        self.rows: list[int] = []
        for row, (song, target) in enumerate(zip(songs, targets, strict=True)):
            numbers = _readable(song, preprocessor)
            if numbers is not None and not target.isnan().all():
                # "input_ids" gives the sampler the length by which it groups songs.
                tokens = [token for window in numbers.windows for token in window]
                self.items.append({"numbers": numbers, "target": target, "input_ids": tokens})
                self.rows.append(row)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.items[index]


def pool_frozen_lyrics(songs: SongDataset, network: SongNetwork, preprocessor: Preprocessor) -> None:
    """Run a frozen text encoder over the songs once, instead of once an epoch; adds ``pooled`` to each item."""
    with torch.no_grad():
        for rows in length_batches([item["numbers"] for item in songs.items]):
            batch = preprocessor.batch([songs.items[row]["numbers"] for row in rows])
            pooled = network.pool_lyrics(batch, batch.present[:, MODALITIES.index("lyrics")])
            for row, vector in zip(rows, pooled, strict=True):
                songs.items[row]["pooled"] = vector


class Collator:
    """Stacks items of `SongDataset` to the keyword arguments of the trainer's loss."""

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor

    def __call__(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The fields of a `SongBatch` and targets (n, labels) under ``labels``: a flat dict, as Trainer moves it."""
        batch = self.preprocessor.batch([item["numbers"] for item in items])
        if "pooled" in items[0]:
            batch = batch._replace(pooled=torch.stack([item["pooled"] for item in items]))
        return {**batch._asdict(), "labels": torch.stack([item["target"] for item in items])}


def _readable(song: Song, preprocessor: Preprocessor) -> SongNumbers | None:
    try:
        return preprocessor.numbers(song)
    except InputError:  # nothing that the model reads: no use in training, and no error of the catalogue
        return None
