import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.vocabulary import (
    AUDIO_FEATURES,
    DEFAULT_LABELS,
    GENRES,
    RESERVED_SLUGS,
    Label,
    LabelSchema,
    normalise_genre,
    slugify,
)


def test_sizes_and_names_are_those_of_the_public_data_set() -> None:
    assert (len(DEFAULT_LABELS), len(AUDIO_FEATURES), len(GENRES)) == (18, 22, 7)
    assert len(set(AUDIO_FEATURES)) == 22
    assert DEFAULT_LABELS.slugs == (
        "dating", "violence", "world_life", "night_time", "shake_the_audience", "family_gospel", "romantic",
        "communication", "obscene", "music", "movement_places", "light_visual_perceptions",
        "family_spiritual", "like_girls", "sadness", "feelings", "danceability", "loudness",
    )  # fmt: skip


@given(st.text())
def test_a_slug_stands_in_a_url_and_is_its_own_slug(name: str) -> None:
    try:
        slug = slugify(name)
    except InputError:
        bare = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip().replace(" ", "_")
        assert bare == "" or bare in RESERVED_SLUGS
        return
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", slug)
    assert slugify(slug) == slug


@pytest.mark.parametrize("name", ["", "///", "éè", "Song ID", "genre", " YEAR "])
def test_names_that_make_no_slug_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"rename|letter or digit"):
        slugify(name)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)])
def test_an_empty_range_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match="empty range"):
        Label.named("valence", low, high)


def test_a_schema_needs_labels_with_slugs_of_their_own() -> None:
    with pytest.raises(InputError, match="at least one"):
        LabelSchema(())
    with pytest.raises(InputError, match="share a slug"):
        LabelSchema((Label.named("a b"), Label.named("a/b")))


@given(st.lists(st.from_regex(r"[a-z]{2,8}z", fullmatch=True), min_size=1, unique=True), st.floats(-1e6, 1e6))
def test_a_schema_survives_json(names: list[str], low: float) -> None:
    schema = LabelSchema(tuple(Label.named(name, low, low + 1) for name in names))
    assert LabelSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert [label.name for label in schema] == names


@pytest.mark.parametrize(
    "spelling", ["Hip-Hop", "hiphop", "HIP_HOP", " hip  hop ", "hip-hop/rap".replace("/", " ")]
)
def test_hip_hop_has_one_spelling(spelling: str) -> None:
    assert normalise_genre(spelling) == "hip hop"


@pytest.mark.parametrize("nothing", [None, "", "  ", "-_"])
def test_no_genre_is_none(nothing: str | None) -> None:
    assert normalise_genre(nothing) is None


@given(st.text())
def test_normalising_a_genre_twice_changes_nothing(text: str) -> None:
    once = normalise_genre(text)
    assert normalise_genre(once) == once


def test_every_named_genre_is_its_own_spelling() -> None:
    assert tuple(map(normalise_genre, GENRES)) == GENRES
