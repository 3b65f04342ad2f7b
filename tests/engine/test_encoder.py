import numpy as np
import pytest

from engine.encoder import SongEncoder
from engine.errors import InputError
from engine.model_bundle import Model
from engine.song import Song
from tests.engine.tiny import SCHEMA, toy_songs

LONG = Song("long", lyrics="love the rain " * 900, genre="pop")


@pytest.fixture(scope="module")
def encoder(model: Model) -> SongEncoder:
    return SongEncoder("tiny", model)


def test_many_at_once_are_as_one_by_one_in_their_order(encoder: SongEncoder) -> None:
    songs = [LONG, *toy_songs(20, seed=5), LONG, Song("year", year=1999)]
    together = encoder.encode(songs)
    for row, song in enumerate(songs):
        alone = encoder.encode([song])
        np.testing.assert_allclose(alone.vectors[0], together.vectors[row], atol=1e-5)
        np.testing.assert_allclose(alone.labels[0], together.labels[row], atol=1e-5)
        assert together.coverage[row] == alone.coverage[0] == song.modalities
    backwards = encoder.encode(songs[::-1])
    np.testing.assert_allclose(backwards.vectors[::-1], together.vectors, atol=1e-5)
    gaps = np.linalg.norm(together.vectors[1:21, None] - together.vectors[None, 1:21], axis=-1)
    assert gaps[~np.eye(20, dtype=bool)].min() > 1e-4  # else any order would pass


def test_vectors_are_unit_and_labels_in_range(encoder: SongEncoder) -> None:
    encoded = encoder.encode(toy_songs(20, seed=5))
    assert encoded.vectors.dtype == encoded.labels.dtype == np.float32
    assert encoded.vectors.shape == (20, encoder.dimension) == (20, 12)
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-6)
    low, high = (np.array([getattr(label, end) for label in SCHEMA]) for end in ("minimum", "maximum"))
    assert bool(((low <= encoded.labels) & (encoded.labels <= high)).all())


def test_encoding_twice_is_the_same_even_after_training_mode(encoder: SongEncoder) -> None:
    once = encoder.encode(toy_songs(5))
    encoder.model.network.train()
    again = encoder.encode(toy_songs(5))
    np.testing.assert_array_equal(once.vectors, again.vectors)


def test_no_songs_are_no_rows(encoder: SongEncoder) -> None:
    encoded = encoder.encode([])
    assert encoded.vectors.shape == (0, 12)
    assert encoded.labels.shape == (0, 2)
    assert encoded.coverage == []


def test_an_unknown_genre_is_no_coverage(encoder: SongEncoder) -> None:
    plain, polka = encoder.encode([Song("a", lyrics="love"), Song("b", lyrics="love", genre="polka")]).vectors
    np.testing.assert_allclose(plain, polka, atol=1e-6)
    assert encoder.encode([Song("b", lyrics="love", genre="polka")]).coverage == [("lyrics",)]


def test_a_song_with_nothing_is_refused_by_name(encoder: SongEncoder) -> None:
    with pytest.raises(InputError, match="'bare'"):
        encoder.encode([*toy_songs(2), Song("bare")])


def test_the_schema_is_that_of_the_model(encoder: SongEncoder) -> None:
    assert encoder.schema == SCHEMA
