import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.lyrics import clean_lyrics

PIECES = [
    "[00:12.34]", "<00:12.34>", "[ar: Nina]", "[Chorus]", "(Verse 2)", "[", "]", "(", ")", "<b>", "</b>", "<",
    ">", "&amp;", "&lt;", "amp;", "lt;", "\n", " ", "\u200b", "\x00", "http://x.y", "www.", "hook", "love", "1:",
    "3", "\u00ad", "ﬁ", "é",
]  # fmt: skip
WORDS = st.lists(
    st.sampled_from(["love", "Night", "don't", "naïve", "1999", "夜", "rain,", "(ooh)", "oh!"]), max_size=30
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("[00:12.34]Hello\n[01:02]dark <00:13.10>night", "Hello dark night"),
        ("[ti:My Song]\n[ar:Me]\n[offset: -200]\nHello", "Hello"),
        ("[Verse 1]\nHello\n(Chorus)\nnight\n[Pre-Chorus: Nina]\nagain", "Hello night again"),
        ("<p>Rock &amp; roll</p><br/>baby", "Rock & roll baby"),
        ("Rock &amp;amp; &lt;i&gt;roll&lt;/i&gt;", "Rock & roll"),
        ("see https://example.org/x?y=1 or www.example.org now", "see or now"),
        ("a\x00b\u200bc\u2028d\ttab\r\nline", "a b c d tab line"),
        ("ﬁre  café", "fire café"),
        ("[Chorus]", ""),
        ("", ""),
    ],
)
def test_what_is_no_word_goes(raw: str, clean: str) -> None:
    assert clean_lyrics(raw) == clean


@pytest.mark.parametrize(
    "words",
    [
        "i <3 you and you > me",
        "5 < 6 and 7 > 3",
        "the bridge (over water) and the hook",
        "at 12:30 we met [crowd cheers] oh",
        "Don't STOP believin'",
    ],
)
def test_words_that_look_like_markup_stay(words: str) -> None:
    assert clean_lyrics(words) == words


@given(WORDS)
def test_plain_words_are_unharmed(words: list[str]) -> None:
    assert clean_lyrics("\n".join(words)) == " ".join(words)


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_lyrics(text)
    assert clean_lyrics(once) == once
    assert "\n" not in once
    assert once == once.strip()


def test_hostile_nesting_ends_soon() -> None:
    assert len(clean_lyrics("<a" * 20_000 + ">" * 20_000)) <= 60_000
