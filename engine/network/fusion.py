"""Fusion of the towers' vectors: concatenation, or concatenation under learned gates.

Each tower's vector is divided by the square root of its width, so that towers weigh the same at the start: by
width alone, lyrics would outweigh sound twelve to one.
"""

import torch
from torch import Tensor, nn


def balanced(parts: list[Tensor]) -> Tensor:
    """Vectors side by side, each of mean square 1 / (its width / the mean width): (n, w1 + w2 + ...)."""
    mean_width = sum(part.shape[-1] for part in parts) / len(parts)
    return torch.cat([part * (mean_width / part.shape[-1]) ** 0.5 for part in parts], dim=-1)


class ConcatFusion(nn.Module):
    """Towers' vectors side by side."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.width = sum(widths)

    def forward(self, parts: list[Tensor]) -> Tensor:
        """(n, w1), (n, w2), ... -> (n, w1 + w2 + ...)."""
        return balanced(parts)


class GatedFusion(nn.Module):
    """Each tower's vector times a gate in (0, 2) that all towers decide together (Arevalo et al., 2017).

    At the start every gate is 1, so the network begins as plain concatenation.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.width = sum(widths)
        self.gates = nn.Linear(self.width, len(widths))
        nn.init.zeros_(self.gates.weight)
        nn.init.zeros_(self.gates.bias)

    def forward(self, parts: list[Tensor]) -> Tensor:
        """(n, w1), (n, w2), ... -> (n, w1 + w2 + ...)."""
        gates = 2 * torch.sigmoid(self.gates(torch.cat(parts, dim=-1)))  # (n, towers)
        return balanced([part * gates[:, i : i + 1] for i, part in enumerate(parts)])
