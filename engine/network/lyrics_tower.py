"""Lyrics tower: every window of a song's lyrics through a BERT-like encoder, pooled to one vector a song."""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.config import TextSettings


class LyricsTower(nn.Module):
    """A text encoder and the pooling over tokens and windows; no word is thrown away.

    Unusual: with ``lexical`` the mean of the input word embeddings stands beside the pooled output, so that
    the bag of words reaches the fusion unmixed.
    """

    def __init__(self, encoder: PreTrainedModel, settings: TextSettings) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = settings.pooling
        self.lexical = settings.lexical
        self.width = encoder.config.hidden_size * (2 if settings.lexical else 1)
        self.norm = nn.LayerNorm(self.width)

    def forward(self, pooled: Tensor) -> Tensor:
        """Normalise what `pool` returns, (songs, width): the part that learns even when the encoder is frozen."""
        normalised: Tensor = self.norm(pooled)
        return normalised

    def pool(self, input_ids: Tensor, attention_mask: Tensor, window_song: Tensor, songs: int) -> Tensor:
        """Encode windows and pool them to songs.

        ``input_ids`` and ``attention_mask`` are (W, T), ``window_song`` (W,) says which song a window belongs
        to; songs without a window get a vector of no meaning that the caller replaces. Returns (songs, width).
        """
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state  # (W, T, H)
        mask = attention_mask.to(hidden.dtype).unsqueeze(-1)  # (W, T, 1)
        tokens = mask.sum(dim=1)  # (W, 1)
        summed = hidden[:, 0] * tokens if self.pooling == "cls" else (hidden * mask).sum(dim=1)  # (W, H)
        if self.lexical:
            words = self.encoder.get_input_embeddings()(input_ids)  # (W, T, H)
            summed = torch.cat([summed, (words * mask).sum(dim=1)], dim=-1)  # (W, 2H)
        # Windows weigh by their number of tokens, so a short last window does not count like a full one.
        zeros = summed.new_zeros(songs, self.width)
        total = zeros.index_add(0, window_song, summed)  # (songs, width)
        count = tokens.new_zeros(songs, 1).index_add(0, window_song, tokens)  # (songs, 1)
        mean: Tensor = total / count.clamp(min=1)  # (songs, width)
        return mean
