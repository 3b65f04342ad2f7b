"""Audio tower: standardised features and a mark for each unknown one -> a small MLP."""

import torch
from torch import Tensor, nn


class AudioTower(nn.Module):
    """(n, features) with NaN where a value is unknown -> (n, width)."""

    def __init__(self, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(
            nn.Linear(2 * features, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.LayerNorm(width),
        )

    def forward(self, audio: Tensor) -> Tensor:
        """Encode standardised features; an unknown one stands at the mean and is marked."""
        unknown = audio.isnan()  # (n, features)
        joined = torch.cat(
            [audio.masked_fill(unknown, 0.0), unknown.to(audio.dtype)], dim=-1
        )  # (n, 2 * features)
        out: Tensor = self.layers(joined)  # (n, width)
        return out
