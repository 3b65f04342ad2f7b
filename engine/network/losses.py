"""Losses: arithmetic on predicted and true labels, nothing of the network."""

from typing import Literal

from torch import Tensor
from torch.nn import functional


def label_loss(predicted: Tensor, target: Tensor, kind: Literal["mse", "huber"] = "mse") -> Tensor:
    """Mean loss over the known labels: squared error, or Huber's with delta 1.

    ``predicted`` and ``target`` are (n, labels), standardised; NaN in ``target`` is an unknown label, which
    adds nothing. Zero when no label is known.
    """
    known = ~target.isnan()  # (n, labels)
    filled = target.where(known, predicted.detach())  # an unknown label's error, and so its gradient, is 0
    measure = functional.mse_loss if kind == "mse" else functional.huber_loss
    return measure(predicted, filled, reduction="sum") / known.sum().clamp(min=1)
