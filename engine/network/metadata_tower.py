"""Metadata tower: genre and year -> about eight numbers. Either may be absent."""

import torch
from torch import Tensor, nn


class MetadataTower(nn.Module):
    """Genre codes (n,) and scaled years (n,) -> (n, width); absent ones have learned values of their own."""

    def __init__(self, genres: int, width: int) -> None:
        super().__init__()
        self.width = width
        half = width // 2
        self.genre = nn.Embedding(genres + 1, half)  # code 0 is the absent genre
        self.year = nn.Linear(1, width - half)
        self.absent_year = nn.Parameter(torch.zeros(width - half))
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width))

    def forward(self, genre: Tensor, year: Tensor, has_genre: Tensor, has_year: Tensor) -> Tensor:
        """Encode; where ``has_genre`` or ``has_year`` (n,) is False, the given value is not looked at."""
        genre_part = self.genre(genre * has_genre)  # (n, width // 2)
        year_part = torch.where(has_year.unsqueeze(-1), self.year(year.unsqueeze(-1)), self.absent_year)
        out: Tensor = self.mix(torch.cat([genre_part, year_part], dim=-1))  # (n, width)
        return out
