import re
from collections import Counter

import pytest

from engine.demo.words import CHORUS_LINES, THEME_OF_WORD, THEME_WORDS, TITLES, VERSE_LINES, tokens
from engine.vocabulary import THEMES

LINES = VERSE_LINES + CHORUS_LINES + TITLES


def test_every_theme_has_forty_words_and_no_word_two_themes() -> None:
    assert tuple(THEME_WORDS) == THEMES
    assert min(len(theme.all) for theme in THEME_WORDS.values()) >= 40
    assert [
        word for word, n in Counter(w for t in THEME_WORDS.values() for w in t.all).items() if n > 1
    ] == []


def test_words_are_single_tokens_that_lead_back_to_their_theme() -> None:
    for i, theme in enumerate(THEMES):
        for word in THEME_WORDS[theme].all:
            assert tokens(word) == [word]
            assert THEME_OF_WORD[word] == i


def test_lines_hold_no_theme_word_of_their_own() -> None:
    outside_slots = {word for line in LINES for word in tokens(re.sub(r"\{.\}", " ", line))}
    assert outside_slots & set(THEME_OF_WORD) == set()
    assert {"the", "and", "i", "you"} <= outside_slots


@pytest.mark.parametrize("line", LINES)
def test_lines_are_short_and_name_a_slot(line: str) -> None:
    assert len(line.split()) <= 9
    assert set(re.findall(r"\{(.*?)\}", line)) <= {"n", "v", "a"}
    assert "{" in line


def test_tokens_keep_apostrophes_and_drop_the_rest() -> None:
    assert tokens("Don't GO, (x2) [Chorus]\nrock'n") == ["don't", "go", "x", "chorus", "rock'n"]
