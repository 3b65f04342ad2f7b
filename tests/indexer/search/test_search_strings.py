import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from indexer.search.strings import Strings
from tests.indexer.search.samples import texts


@given(st.sets(texts(5), max_size=30), texts(5))
def test_finds_what_a_list_finds(these: set[str], other: str) -> None:
    ordered = sorted(these)
    strings = Strings.pack(ordered)
    assert list(strings) == ordered
    assert len(strings) == len(ordered)
    for text in {*these, other}:
        assert strings.find(text) == (ordered.index(text) if text in these else None)


def test_a_lone_surrogate_is_not_found_as_a_question_mark() -> None:
    assert Strings.pack(["?"]).find("\ud800") is None


@pytest.mark.parametrize(
    ("these", "words"),
    [(["b", "a"], "'a' follows 'b'"), (["a", "a"], "'a' follows 'a'"), (["\ud800"], "not valid Unicode")],
)
def test_texts_out_of_order_double_or_not_unicode_are_refused(these: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Strings.pack(these)
