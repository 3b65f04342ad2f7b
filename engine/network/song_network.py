"""The whole network: lyrics, audio and metadata -> one unit vector a song -> predicted labels."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from engine.config import NetworkSettings
from engine.network.audio_tower import AudioTower
from engine.network.fusion import ConcatFusion, GatedFusion
from engine.network.lyrics_tower import LyricsTower
from engine.network.metadata_tower import MetadataTower
from engine.vocabulary import AUDIO_FEATURES


class SongBatch(NamedTuple):
    """Tensors of n songs; W is the number of lyrics windows of all of them, T the tokens of the longest."""

    input_ids: Tensor  # (W, T) int64
    attention_mask: Tensor  # (W, T) int64
    window_song: Tensor  # (W,) int64: the song a window belongs to
    audio: Tensor  # (n, 22) float32, standardised; NaN where unknown
    genre: Tensor  # (n,) int64: 0 is the absent genre
    year: Tensor  # (n,) float32, scaled to [0, 1] over the training years
    present: Tensor  # (n, 4) bool, order of engine.vocabulary.MODALITIES
    pooled: Tensor | None = None  # (n, lyrics width) float32: known already where the text encoder is frozen


class SongOutput(NamedTuple):
    """What the network says of n songs."""

    vectors: Tensor  # (n, vector_width), unit length
    labels: Tensor  # (n, labels), standardised: 0 is the training mean, 1 a standard deviation


class SongNetwork(nn.Module):
    """Towers -> fusion -> projection -> encoder -> unit vector -> head.

    Unusual: an absent modality is a learned vector, not zeros; in training each modality is hidden with
    chance ``modality_dropout``; the head reads the very unit vector that the index keeps.
    """

    def __init__(
        self,
        text_encoder: PreTrainedModel,
        settings: NetworkSettings,
        *,
        genres: int,
        labels: int,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.modality_dropout = modality_dropout
        self.lyrics = LyricsTower(text_encoder, settings.text)
        self.audio = AudioTower(len(AUDIO_FEATURES), settings.audio_width, settings.dropout)
        self.metadata = MetadataTower(genres, settings.metadata_width)
        self.absent_lyrics = nn.Parameter(torch.zeros(self.lyrics.width))
        self.absent_audio = nn.Parameter(torch.zeros(self.audio.width))
        widths = (self.lyrics.width, self.audio.width, self.metadata.width)
        self.fusion = GatedFusion(widths) if settings.fusion == "gated" else ConcatFusion(widths)
        self.projection = nn.Sequential(
            nn.Linear(self.fusion.width, settings.projection_width),
            nn.GELU(),
            nn.LayerNorm(settings.projection_width),
        )
        self.encoder = _fully_connected(settings)
        self.head = nn.Sequential(
            nn.Linear(settings.vector_width, settings.head_width),
            nn.GELU(),
            nn.Linear(settings.head_width, labels),
        )

    def forward(self, batch: SongBatch) -> SongOutput:
        """Encode a batch of songs; every song needs at least one modality present."""
        present = batch.present
        if self.training and self.modality_dropout:
            present = drop_modalities(present, self.modality_dropout)
        has_lyrics, has_audio, has_genre, has_year = present.unbind(dim=1)  # (n,) each
        lyrics = self._lyrics(batch, has_lyrics)  # (n, lyrics width)
        audio = torch.where(
            has_audio.unsqueeze(-1), self.audio(batch.audio), self.absent_audio
        )  # (n, audio width)
        metadata = self.metadata(batch.genre, batch.year, has_genre, has_year)  # (n, metadata width)
        fused = self.fusion([lyrics, audio, metadata])  # (n, fusion width)
        projected = self.projection(fused)  # (n, projection_width)
        vectors = functional.normalize(self.encoder(projected), dim=-1)  # (n, vector_width)
        # A unit vector's entries are about 1/sqrt(width); the head reads entries of about 1.
        labels = self.head(vectors * vectors.shape[-1] ** 0.5)  # (n, labels)
        return SongOutput(vectors, labels)

    def _lyrics(self, batch: SongBatch, has_lyrics: Tensor) -> Tensor:
        """Lyrics tower over the songs that have lyrics, the absent vector for the others: (n, width)."""
        if not has_lyrics.any():
            return self.absent_lyrics.expand(len(has_lyrics), -1)
        pooled = self.pool_lyrics(batch, has_lyrics) if batch.pooled is None else batch.pooled
        return torch.where(has_lyrics.unsqueeze(-1), self.lyrics(pooled), self.absent_lyrics)

    def pool_lyrics(self, batch: SongBatch, has_lyrics: Tensor) -> Tensor:
        """Pooled output of the text encoder, (n, lyrics width); without meaning where ``has_lyrics`` is False."""
        seen = has_lyrics[batch.window_song]  # (W,)
        windows = batch.input_ids[seen], batch.attention_mask[seen], batch.window_song[seen]
        return self.lyrics.pool(*windows, songs=len(has_lyrics))


class _ResidualLayer(nn.Module):
    """x + MLP(x), (n, width) -> (n, width)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.layers(x)
        return out


def _fully_connected(settings: NetworkSettings) -> nn.Sequential:
    layers: list[nn.Module] = [
        _ResidualLayer(settings.projection_width, settings.dropout) for _ in range(settings.encoder_layers)
    ]
    return nn.Sequential(*layers, nn.Linear(settings.projection_width, settings.vector_width))


def drop_modalities(present: Tensor, chance: float) -> Tensor:
    """Hide each modality with the given chance; a song that would lose all keeps all. (n, 4) bool -> (n, 4) bool."""
    kept = present & (torch.rand(present.shape) >= chance)
    return torch.where(kept.any(dim=1, keepdim=True), kept, present)
