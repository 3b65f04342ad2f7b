"""The one way in which lyrics are cleaned, for training and for serving alike."""

import html
import re
import unicodedata

MAX_LYRICS_CHARACTERS = 100_000

# A tag begins with a letter, or is a word's time stamp: "i <3 you > me" has none.
_TAG = re.compile(r"<(?:[/!]?[a-zA-Z][^<>]{0,40}|\d{1,3}:\d{2}(?:[.:]\d{1,3})?)>")
_LRC = re.compile(
    r"\[(?:\d{1,3}:\d{2}(?:[.:]\d{1,3})?|(?:ar|al|ti|au|by|re|ve|offset|length|la|id)\s*:[^\]\n]*)\]",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"^\s*[\[(]\s*(?:verse|chorus|refrain|bridge|intro|outro|hook|pre-?chorus|interlude|instrumental)\b[^\])\n]*[\])]\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_MAX_PASSES = 8  # each pass peels one layer of nested markup; nobody nests deeper but to waste our time
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def clean_lyrics(text: str) -> str:
    """Words of the lyrics on one line: no time stamps, section headers, markup, links or control characters.

    Letters, case and word order stay: the tokenizer of the text encoder decides what they mean. Empty when
    nothing is left. Cleaning what is clean changes nothing: exports that were escaped twice need two passes.
    """
    for _ in range(_MAX_PASSES):
        cleaned = _clean_once(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def _clean_once(text: str) -> str:
    text = unicodedata.normalize("NFKC", html.unescape(text))
    for pattern in (_TAG, _LRC, _SECTION, _LINK):
        text = pattern.sub(" ", text)
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} else c for c in text)
    return " ".join(text.split())
