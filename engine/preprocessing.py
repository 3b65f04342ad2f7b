"""From songs to numbers: token windows, standardised features, genre codes, scaled years, standardised labels.

One `Preprocessor` serves training and encoding; its learned values are kept in the bundle as JSON.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from engine.errors import InputError
from engine.lyrics import clean_lyrics
from engine.network.song_network import SongBatch
from engine.song import Song
from engine.vocabulary import AUDIO_FEATURES, MODALITIES, LabelSchema, normalise_genre

# Features with a long tail; a pure tone's tempo_conf reaches 900, and tempo is heard on a log scale.
_LOG1P = [AUDIO_FEATURES.index(name) for name in ("tempo", "tempo_conf", "flat_mean", "flat_std")]
# Padded tokens in one pass: large enough to use the cores, small enough for their caches.
_BATCH_TOKENS = 4096
_FEATURE_LIMIT = 6.0  # standard deviations; beyond this a feature says no more than "extreme"


@dataclass(frozen=True, slots=True)
class Scalers:
    """Means and deviations over the training songs; every sequence is in its vocabulary's order."""

    audio_mean: tuple[float, ...]  # (22,), after log1p of the long-tailed ones
    audio_std: tuple[float, ...]  # (22,)
    year_min: float
    year_max: float
    label_mean: tuple[float, ...]  # (labels,)
    label_std: tuple[float, ...]  # (labels,)

    @classmethod
    def fit(cls, songs: Sequence[Song], schema: LabelSchema) -> Self:
        """Learn from training songs; what no song carries is left unscaled (mean 0, deviation 1)."""
        audio = np.array([_compressed(song.audio) for song in songs if song.audio is not None])
        years = [song.year for song in songs if song.year is not None] or [0, 1]
        audio_mean, audio_std = _moments(audio.reshape(-1, len(AUDIO_FEATURES)))
        label_mean, label_std = _moments(label_matrix(songs, schema))
        return cls(audio_mean, audio_std, float(min(years)), float(max(years)), label_mean, label_std)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(
            audio_mean=tuple(data["audio_mean"]),
            audio_std=tuple(data["audio_std"]),
            year_min=data["year_min"],
            year_max=data["year_max"],
            label_mean=tuple(data["label_mean"]),
            label_std=tuple(data["label_std"]),
        )


class SongNumbers(NamedTuple):
    """One song ready for batching."""

    windows: list[list[int]]  # token ids with special tokens, at most window_tokens each; none without lyrics
    audio: NDArray[np.float32]  # (22,), standardised, NaN where unknown
    genre: int
    year: float
    present: tuple[bool, ...]  # order of MODALITIES


class Preprocessor:
    """Turns songs into the network's inputs, and its outputs into raw label values."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        scalers: Scalers,
        *,
        genres: Sequence[str],
        schema: LabelSchema,
        window_tokens: int,
        modalities: Sequence[str] = MODALITIES,
    ) -> None:
        self.tokenizer = tokenizer
        self.scalers = scalers
        self.genres = tuple(genres)
        self.schema = schema
        self.window_tokens = window_tokens
        # A modality that no training song carried says nothing: its tower is untrained.
        self.modalities = tuple(modalities)

    def windows(self, lyrics: str | None) -> list[list[int]]:
        """Token windows of the lyrics, cut evenly so that no window is a stub: every word is in exactly one."""
        words = clean_lyrics(lyrics or "")
        ids: list[int] = (
            self.tokenizer(words, add_special_tokens=False, verbose=False)["input_ids"] if words else []
        )
        if not ids:
            return []
        count = -(-len(ids) // (self.window_tokens - self.tokenizer.num_special_tokens_to_add()))
        edges = [len(ids) * i // count for i in range(count + 1)]
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[first, *ids[start:end], last] for start, end in pairwise(edges)]

    def numbers(self, song: Song) -> SongNumbers:
        """Numbers of one song.

        Raises
        ------
        InputError
            When it has none of the modalities that the model was trained on.
        """
        windows = self.windows(song.lyrics) if "lyrics" in self.modalities else []
        genre = normalise_genre(song.genre)
        code = self.genres.index(genre) + 1 if genre in self.genres else 0
        here = (bool(windows), song.audio is not None, code > 0, song.year is not None)
        present = tuple(x and name in self.modalities for x, name in zip(here, MODALITIES, strict=True))
        if not any(present):
            raise InputError(
                f"song {song.song_id!r} has nothing that this model reads ({', '.join(self.modalities)}); "
                "give it lyrics, audio, a known genre or a year"
            )
        return SongNumbers(windows, self._audio(song.audio), code, self._year(song.year), present)

    def batch(self, numbers: Sequence[SongNumbers]) -> SongBatch:
        """Pad the windows of n songs to the longest and stack the rest."""
        windows = [window for one in numbers for window in one.windows]
        window_song = [i for i, one in enumerate(numbers) for _ in one.windows]
        longest = max(map(len, windows), default=0)
        ids = torch.full((len(windows), longest), self.tokenizer.pad_token_id or 0, dtype=torch.long)
        mask = torch.zeros((len(windows), longest), dtype=torch.long)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = torch.tensor(window)
            mask[row, : len(window)] = 1
        return SongBatch(
            input_ids=ids,
            attention_mask=mask,
            window_song=torch.tensor(window_song, dtype=torch.long),
            audio=torch.from_numpy(np.stack([one.audio for one in numbers])),
            genre=torch.tensor([one.genre for one in numbers]),
            year=torch.tensor([one.year for one in numbers], dtype=torch.float32),
            present=torch.tensor([one.present for one in numbers]),
        )

    def standardised_labels(self, songs: Sequence[Song]) -> NDArray[np.float32]:
        """Training targets, (n, labels) float32: NaN where unknown."""
        mean, std = np.array(self.scalers.label_mean), np.array(self.scalers.label_std)
        return np.asarray((label_matrix(songs, self.schema) - mean) / std, dtype=np.float32)

    def raw_labels(self, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predictions back on the labels' own scales, kept inside their ranges: (n, labels) float32."""
        raw = standardised * np.array(self.scalers.label_std) + np.array(self.scalers.label_mean)
        low = [label.minimum for label in self.schema]
        high = [label.maximum for label in self.schema]
        return np.asarray(np.clip(raw, low, high), dtype=np.float32)

    def _audio(self, audio: NDArray[np.float64] | None) -> NDArray[np.float32]:
        if audio is None:
            return np.full(len(AUDIO_FEATURES), np.nan, dtype=np.float32)
        mean, std = np.array(self.scalers.audio_mean), np.array(self.scalers.audio_std)
        scaled = (_compressed(audio) - mean) / std
        return np.asarray(np.clip(scaled, -_FEATURE_LIMIT, _FEATURE_LIMIT), dtype=np.float32)

    def _year(self, year: int | None) -> float:
        low, high = self.scalers.year_min, self.scalers.year_max
        # A year outside the training years counts as the nearest one: the network has seen no other.
        return 0.0 if year is None else min(max((year - low) / max(high - low, 1.0), 0.0), 1.0)


def length_batches(numbers: Sequence[SongNumbers]) -> list[list[int]]:
    """Rows in batches of about `_BATCH_TOKENS` padded tokens, songs of similar length together."""
    longest = [max(map(len, one.windows), default=1) for one in numbers]
    windows = [max(len(one.windows), 1) for one in numbers]
    batches: list[list[int]] = [[]]
    in_batch = 0
    for row in sorted(range(len(numbers)), key=lambda r: (longest[r], r)):
        in_batch += windows[row]
        if batches[-1] and in_batch * longest[row] > _BATCH_TOKENS:
            batches.append([])
            in_batch = windows[row]
        batches[-1].append(row)
    return batches if numbers else []


def label_matrix(songs: Sequence[Song], schema: LabelSchema) -> NDArray[np.float64]:
    """Known raw label values, (n, labels); NaN where unknown."""
    rows = [[song.labels.get(slug, np.nan) for slug in schema.slugs] for song in songs]
    return np.array(rows, dtype=np.float64).reshape(len(songs), len(schema))


def _compressed(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.array(audio, dtype=np.float64)
    values[_LOG1P] = np.log1p(values[_LOG1P])
    return values


def _moments(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and population deviation per column over the known values; 0 and 1 where nothing varies."""
    known = ~np.isnan(matrix)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, matrix, 0).sum(axis=0) / count
    std = np.sqrt((np.where(known, matrix - mean, 0) ** 2).sum(axis=0) / count)
    return tuple(map(float, mean)), tuple(float(s) if s > 1e-9 else 1.0 for s in std)
