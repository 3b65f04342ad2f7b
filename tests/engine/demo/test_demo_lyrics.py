import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.demo.lyrics import theme_counts, theme_labels, write_lyrics, write_title
from engine.demo.words import THEME_WORDS
from engine.vocabulary import THEMES


def only(theme: str) -> np.ndarray:
    return np.array([float(name == theme) for name in THEMES])


def counted_by_hand(text: str) -> list[int]:
    """The slow way: look for every word of every theme in turn."""
    return [
        sum(len(re.findall(rf"(?<![a-z']){word}(?![a-z'])", text.lower())) for word in THEME_WORDS[theme].all)
        for theme in THEMES
    ]


def test_labels_of_a_text_counted_by_head() -> None:
    text = "The moon and the STAR,\nmy moon! Don't cry, says nobody\n"  # three of light, one of sadness
    expected = np.full(16, 1 / 16 / 5)
    expected[THEMES.index("light/visual perceptions")] = (3 + 1 / 16) / 5
    expected[THEMES.index("sadness")] = (1 + 1 / 16) / 5
    np.testing.assert_allclose(theme_labels(text), expected, rtol=1e-12)


def test_a_text_without_theme_words_has_equal_shares() -> None:
    np.testing.assert_allclose(theme_labels("Oh oh oh, na na"), np.full(16, 1 / 16))


@given(seed=st.integers(0, 2**32), words=st.integers(1, 300), spread=st.floats(0.05, 5))
@settings(max_examples=40, deadline=None)
def test_length_counts_and_labels_of_any_lyrics(seed: int, words: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    text = write_lyrics(rng.dirichlet(np.full(16, spread)), words, rng)
    sung = re.sub(r"\[.*?\]", "", text)
    assert words <= len(sung.split()) < words + 36
    assert theme_counts(text).tolist() == counted_by_hand(text)
    assert theme_labels(text).sum() == pytest.approx(1, abs=1e-12)
    assert theme_labels(text).min() >= 1 / 16 / (theme_counts(text).sum() + 1) - 1e-15
    assert all(line[0].isupper() or line[0] == "[" for line in text.splitlines() if line)


def test_shares_follow_the_mixture() -> None:
    mixture = 0.6 * only("violence") + 0.3 * only("music") + 0.1 * only("feelings")
    shares = np.mean(
        [theme_labels(write_lyrics(mixture, 150, np.random.default_rng(s))) for s in range(60)], axis=0
    )
    np.testing.assert_allclose(shares, mixture, atol=0.03)


def test_a_chorus_comes_back_and_sections_are_apart() -> None:
    sections = write_lyrics(np.full(16, 1 / 16), 100, np.random.default_rng(3)).strip().split("\n\n")
    assert len(sections) >= 4
    assert sections[1] == sections[3] != sections[0]


def test_the_same_chance_gives_the_same_text_and_other_chance_another() -> None:
    first, again, other = (write_lyrics(only("music"), 80, np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("seed", range(12))
def test_a_title_names_the_main_theme_in_capitals(seed: int) -> None:
    mixture = 0.6 * only("sadness") + 0.4 * only("music")
    title = write_title(mixture, np.random.default_rng(seed))
    assert theme_counts(title).argmax() == THEMES.index("sadness")
    assert theme_counts(title).sum() == theme_counts(title).max()
    assert title[0].isupper()
