"""Losses against their closed forms."""

import math

import pytest
import torch

from engine.network.losses import label_loss

NAN = math.nan


def test_squared_error_in_closed_form() -> None:
    predicted, target = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    assert float(label_loss(predicted, target)) == pytest.approx((1 + 0 + 4 + 4) / 4)


def test_huber_in_closed_form() -> None:
    predicted, target = torch.tensor([[0.5, 3.0, -4.0]]), torch.zeros(1, 3)
    assert float(label_loss(predicted, target, "huber")) == pytest.approx((0.125 + 2.5 + 3.5) / 3)


@pytest.mark.parametrize("kind", ["mse", "huber"])
def test_unknown_labels_add_nothing_and_teach_nothing(kind: str) -> None:
    predicted = torch.tensor([[1.0, 50.0], [0.5, -7.0]], requires_grad=True)
    target = torch.tensor([[0.5, NAN], [0.0, NAN]])
    loss = label_loss(predicted, target, "mse" if kind == "mse" else "huber")
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    assert float(loss.detach()) == pytest.approx(0.25 if kind == "mse" else 0.125)
    assert predicted.grad is not None
    expected = [0.5, 0.5] if kind == "mse" else [0.25, 0.25]  # error 0.5 in each: 2e/2 or e/2
    assert predicted.grad[:, 0].tolist() == pytest.approx(expected)
    assert predicted.grad[:, 1].tolist() == [0.0, 0.0]


def test_the_mean_is_over_known_values_alone() -> None:
    predicted = torch.full((3, 4), 2.0)
    target = torch.zeros(3, 4)
    whole = label_loss(predicted, target)
    target[1:] = NAN
    assert float(label_loss(predicted, target)) == pytest.approx(float(whole)) == pytest.approx(4.0)


def test_nothing_known_is_zero_and_differentiable() -> None:
    predicted = torch.ones(2, 2, requires_grad=True)
    loss = label_loss(predicted, torch.full((2, 2), NAN))
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    assert float(loss.detach()) == 0.0
    assert predicted.grad is not None
    assert predicted.grad.abs().sum() == 0
