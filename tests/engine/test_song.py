from itertools import product
from typing import Any

import numpy as np
import pytest

from engine.song import Song

VALUES: dict[str, Any] = {"lyrics": "la la", "audio": np.zeros(22), "genre": "pop", "year": 1999}


@pytest.mark.parametrize("chosen", list(product([True, False], repeat=4)))
def test_modalities_are_those_that_are_there(chosen: tuple[bool, ...]) -> None:
    given = {name: VALUES[name] for name, here in zip(VALUES, chosen, strict=True) if here}
    assert Song("a", **given).modalities == tuple(given)


@pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
def test_blank_text_is_nothing(empty: str) -> None:
    assert Song("a", lyrics=empty, genre=empty).modalities == ()


def test_year_zero_is_a_year() -> None:
    assert Song("a", year=0).modalities == ("year",)
