"""Toy songs whose labels follow from their words, and settings of a network that trains in a second."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.config import LoraSettings, NetworkSettings, TextSettings, TrainingSettings
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor, Scalers
from engine.song import Song
from engine.text_encoder import load_text_encoder, load_tokenizer
from engine.vocabulary import AUDIO_FEATURES, GENRES, MODALITIES, Label, LabelSchema
from tests.tiny_encoder import TINY_WORDS

# Not the 18 of `DEFAULT_LABELS`: the label set is data.
SCHEMA = LabelSchema((Label.named("rain"), Label.named("Dance/Level", -1.0, 2.0)))


def toy_songs(count: int = 30, *, artists: int = 10, seed: int = 3, whole: bool = False) -> list[Song]:
    """Songs of random words: "rain" is the share of that word, "dance_level" is the tempo on another scale.

    Unless ``whole``, every fifth song lacks lyrics, every third audio, every fourth genre or year.
    """
    rng = np.random.default_rng(seed)
    return [_song(i, f"artist {i % artists}", rng, whole=whole) for i in range(count)]


def _song(i: int, artist: str, rng: np.random.Generator, *, whole: bool) -> Song:
    share = rng.uniform(0, 0.8)
    words = [w if rng.uniform() > share else "rain" for w in rng.choice(TINY_WORDS, rng.integers(12, 40))]
    audio = np.abs(rng.normal(size=len(AUDIO_FEATURES)))
    tempo = rng.uniform(60, 180)
    audio[AUDIO_FEATURES.index("tempo")] = tempo
    return Song(
        song_id=f"song-{i:03}",
        artist=artist,
        lyrics=" ".join(words) if whole or i % 5 else None,
        audio=audio if whole or i % 3 else None,
        genre=str(rng.choice(GENRES)) if whole or i % 4 else None,
        year=int(rng.integers(1960, 2010)) if whole or i % 4 != 1 else None,
        labels={"rain": words.count("rain") / len(words), "dance_level": tempo / 60 - 1},
    )


def tiny_text(folder: Path, **changes: Any) -> TextSettings:
    """Settings of the tiny text encoder: windows of 16 tokens, LoRA of rank 2."""
    return TextSettings.model_validate(
        {
            "source": str(folder),
            "pooling": "mean",
            "window_tokens": 16,
            "lora": LoraSettings(rank=2, alpha=4),
            **changes,
        }
    )


def tiny_network(folder: Path, *, fusion: str = "concat", **text: Any) -> NetworkSettings:
    """Settings of a network of a few units, without dropout."""
    return NetworkSettings.model_validate(
        {
            "text": tiny_text(folder, **text),
            "audio_width": 6,
            "metadata_width": 4,
            "fusion": fusion,
            "projection_width": 24,
            "encoder_layers": 1,
            "vector_width": 12,
            "head_width": 8,
            "dropout": 0.0,
        }
    )


def tiny_training(**changes: Any) -> TrainingSettings:
    """Two epochs in batches of four songs."""
    return TrainingSettings.model_validate({"epochs": 2, "batch_songs": 4, **changes})


def build_network(
    settings: NetworkSettings, *, labels: int = 2, dropout: float = 0.0, seed: int = 1
) -> SongNetwork:
    """An untrained network; equal seeds give equal weights."""
    torch.manual_seed(seed)
    text = load_text_encoder(settings.text)
    return SongNetwork(text, settings, genres=len(GENRES), labels=labels, modality_dropout=dropout)


def build_preprocessor(
    folder: Path,
    songs: Sequence[Song],
    *,
    schema: LabelSchema = SCHEMA,
    window_tokens: int = 16,
    modalities: Sequence[str] = MODALITIES,
) -> Preprocessor:
    """Preprocessor with the scalers of some songs."""
    return Preprocessor(
        load_tokenizer(str(folder)),
        Scalers.fit(songs, schema),
        genres=GENRES,
        schema=schema,
        window_tokens=window_tokens,
        modalities=modalities,
    )
