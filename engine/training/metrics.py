"""How well labels are predicted: R2, MAE and Spearman per label, beside the mean predictor."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Matrix = NDArray[np.float64]


def label_metrics(
    predicted: NDArray[np.floating[Any]], true: Matrix, train_mean: Sequence[float], slugs: Sequence[str]
) -> dict[str, Any]:
    """Metrics per label and their means.

    ``predicted`` and ``true`` are (n, labels) raw values, NaN in ``true`` where unknown; ``train_mean`` is what
    the mean predictor answers. R2 is 1 - SSE / SST about the mean of the judged songs, so the mean predictor
    stands at or a little below 0. A label whose true values do not vary has no R2 and no rank correlation: None.
    """
    rows = {
        slug: _one_label(predicted[:, column].astype(np.float64), true[:, column], train_mean[column])
        for column, slug in enumerate(slugs)
    }
    judged = [row for row in rows.values() if row["r2"] is not None]
    means = {
        f"mean_{key}": float(np.mean([row[key] for row in judged])) if judged else None
        for key in ("r2", "mae", "spearman", "mean_predictor_r2", "mean_predictor_mae")
    }
    return {"songs": len(true), **means, "labels": rows}


def _one_label(predicted: Matrix, true: Matrix, train_mean: float) -> dict[str, Any]:
    known = ~np.isnan(true)
    p, t = predicted[known], true[known]
    if len(t) < 2 or np.ptp(t) == 0:
        return {"songs": len(t)} | dict.fromkeys(
            ("r2", "mae", "spearman", "mean_predictor_r2", "mean_predictor_mae")
        )
    constant = np.full_like(t, train_mean)
    return {
        "songs": len(t),
        "r2": _r2(p, t),
        "mae": float(np.abs(p - t).mean()),
        # A constant prediction ranks nothing: its correlation is taken as 0.
        "spearman": float(spearmanr(p, t).statistic) if np.ptp(p) > 0 else 0.0,
        "mean_predictor_r2": _r2(constant, t),
        "mean_predictor_mae": float(np.abs(constant - t).mean()),
    }


def _r2(predicted: Matrix, true: Matrix) -> float:
    return float(1 - ((predicted - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())
