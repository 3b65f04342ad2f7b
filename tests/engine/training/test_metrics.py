"""Metrics against scikit-learn, scipy and figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from engine.training.metrics import label_metrics

NAN = float("nan")


def test_worked_out_by_hand() -> None:
    true = np.array([[0.0], [1.0], [2.0], [3.0]])
    predicted = np.array([[0.0], [2.0], [1.0], [3.0]])
    found = label_metrics(predicted, true, [1.0], ["x"])["labels"]["x"]
    assert found == {
        "songs": 4,
        "r2": pytest.approx(1 - 2 / 5),
        "mae": pytest.approx(0.5),
        "spearman": pytest.approx(1 - 6 * 2 / (4 * 15)),
        "mean_predictor_r2": pytest.approx(1 - (1 + 0 + 1 + 4) / 5),
        "mean_predictor_mae": pytest.approx(1.0),
    }


@given(st.integers(0, 10_000))
def test_the_same_as_the_libraries_where_labels_are_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(20, 3))
    predicted = (true + rng.normal(size=(20, 3))).astype(np.float32)
    true[rng.uniform(size=true.shape) < 0.3] = NAN
    true[:3] = np.arange(9).reshape(3, 3)
    metrics = label_metrics(predicted, true, [0.1, 0.2, 0.3], ["a", "b", "c"])
    for column, (slug, mean) in enumerate(zip("abc", (0.1, 0.2, 0.3), strict=True)):
        known = ~np.isnan(true[:, column])
        t, p = true[known, column], predicted[known, column].astype(np.float64)
        constant = np.full_like(t, mean)
        assert metrics["labels"][slug] == {
            "songs": int(known.sum()),
            "r2": pytest.approx(r2_score(t, p)),
            "mae": pytest.approx(mean_absolute_error(t, p)),
            "spearman": pytest.approx(spearmanr(t, p).statistic),
            "mean_predictor_r2": pytest.approx(r2_score(t, constant)),
            "mean_predictor_mae": pytest.approx(mean_absolute_error(t, constant)),
        }
    for key in ("r2", "mae", "spearman", "mean_predictor_r2", "mean_predictor_mae"):
        assert metrics[f"mean_{key}"] == pytest.approx(
            np.mean([row[key] for row in metrics["labels"].values()])
        )


def test_a_label_that_does_not_vary_is_left_out_of_the_means() -> None:
    true = np.array([[0.0, 5.0, NAN], [1.0, 5.0, NAN], [2.0, 5.0, 1.0]])
    metrics = label_metrics(true.copy(), true, [1.0, 5.0, 1.0], ["a", "constant", "known_once"])
    assert metrics["labels"]["constant"]["r2"] is None
    assert metrics["labels"]["known_once"]["songs"] == 1
    assert (metrics["mean_r2"], metrics["mean_mae"], metrics["mean_spearman"]) == (1.0, 0.0, 1.0)


def test_nothing_to_judge_has_no_means() -> None:
    metrics = label_metrics(np.zeros((2, 1)), np.full((2, 1), NAN), [0.0], ["a"])
    assert metrics["mean_r2"] is None
    assert metrics["labels"]["a"]["songs"] == 0


def test_a_constant_prediction_ranks_nothing() -> None:
    true = np.array([[0.0], [1.0], [2.0]])
    metrics = label_metrics(np.ones((3, 1)), true, [1.0], ["a"])
    assert (metrics["mean_spearman"], metrics["mean_r2"], metrics["mean_mean_predictor_r2"]) == (
        0.0,
        0.0,
        0.0,
    )
