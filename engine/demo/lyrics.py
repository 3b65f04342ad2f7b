"""Lyrics of a demo song, and its theme labels: shares of theme words, like topic shares in the real data."""

import numpy as np
from numpy.typing import NDArray

from engine.demo.words import CHORUS_LINES, THEME_OF_WORD, THEME_WORDS, TITLES, VERSE_LINES, tokens
from engine.vocabulary import THEMES

_SLOTS = {"n": "nouns", "v": "verbs", "a": "adjectives"}
_WORDS = {(t, s): getattr(THEME_WORDS[name], _SLOTS[s]) for t, name in enumerate(THEMES) for s in _SLOTS}


def write_lyrics(mixture: NDArray[np.float64], words: int, rng: np.random.Generator) -> str:
    """Lyrics whose theme words are drawn from a mixture: capitalised lines, a repeated chorus, blank lines.

    Parameters
    ----------
    mixture
        Share of each theme, (16,), in `THEMES` order, sums to 1.
    words
        Least number of words; the text ends with the first whole section that reaches it, so it has fewer
        than ``words + 36`` of them (headers such as ``[Chorus]`` not counted).
    rng
        Source of chance; the same state gives the same text.
    """
    chorus = _section(CHORUS_LINES, int(rng.integers(3, 5)), mixture, rng)
    verse_lines, with_headers = int(rng.integers(3, 5)), bool(rng.random() < 1 / 3)
    sections: list[str] = []
    count = 0
    while count < words:
        is_chorus = len(sections) % 2 == 1
        section = chorus if is_chorus else _section(VERSE_LINES, verse_lines, mixture, rng)
        count += len(section.split())
        header = "[Chorus]\n" if is_chorus else f"[Verse {len(sections) // 2 + 1}]\n"
        sections.append(header + section if with_headers else section)
    return "\n\n".join(sections) + "\n"


def write_title(mixture: NDArray[np.float64], rng: np.random.Generator) -> str:
    """Title on the theme that the mixture names first, every word but the small ones with a capital."""
    main_theme = np.eye(len(THEMES))[int(np.argmax(mixture))]
    words = _line(TITLES[int(rng.integers(len(TITLES)))], main_theme, rng).split()
    small = {"and", "the", "with", "to", "for", "my"}
    return " ".join(w if w in small and i else w.capitalize() for i, w in enumerate(words))


def theme_counts(lyrics: str) -> NDArray[np.int64]:
    """How often each theme's words stand in a text, (16,), in `THEMES` order."""
    themes = [THEME_OF_WORD[word] for word in tokens(lyrics) if word in THEME_OF_WORD]
    return np.bincount(np.asarray(themes, dtype=np.int64), minlength=len(THEMES))


def theme_labels(lyrics: str) -> NDArray[np.float64]:
    """Theme labels of a text: ``(count + 1/16) / (sum of counts + 1)``, (16,), sums to 1.

    The posterior mean of a topic share under a symmetric Dirichlet prior of total weight 1, which is what LDA
    reports: a theme that is absent sits at a floor that falls with the length of the text.
    """
    counts = theme_counts(lyrics)
    shares: NDArray[np.float64] = (counts + 1.0 / len(THEMES)) / (counts.sum() + 1.0)
    return shares


def _section(
    patterns: tuple[str, ...], lines: int, mixture: NDArray[np.float64], rng: np.random.Generator
) -> str:
    """Lines of different patterns, each with a capital first letter."""
    chosen = rng.permutation(len(patterns))[:lines]
    filled = (_line(patterns[int(i)], mixture, rng) for i in chosen)
    return "\n".join(line[0].upper() + line[1:] for line in filled)


def _line(pattern: str, mixture: NDArray[np.float64], rng: np.random.Generator) -> str:
    """Pattern with every slot filled; common words of a theme come more often, none twice in one line."""
    edges = np.cumsum(mixture)
    pieces = pattern.split("{")
    line, used = pieces[0], set[str]()
    for piece in pieces[1:]:
        theme = min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(THEMES) - 1)
        choices = [word for word in _WORDS[theme, piece[0]] if word not in used]
        word = choices[int(len(choices) * rng.random() ** 1.5)]  # earlier words of a list are the common ones
        used.add(word)
        line += word + piece[2:]
    return line
