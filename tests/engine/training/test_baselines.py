import numpy as np
import pytest

from engine.errors import TrainingDataError
from engine.song import Song
from engine.training.baselines import TfidfRidge
from engine.training.evaluation import evaluate_baseline
from engine.vocabulary import Label, LabelSchema

SCHEMA = LabelSchema((Label.named("sad"), Label.named("old")))


def _songs(count: int, seed: int) -> list[Song]:
    """ "sad" follows from one word among noise, "old" from the year and the genre alone."""
    rng = np.random.default_rng(seed)
    songs = []
    for i in range(count):
        sad, year = int(rng.integers(2)), int(rng.integers(1950, 2020))
        noise = rng.choice(["moon", "car", "street", "home", "fire"], 6)
        genre = str(rng.choice(["Hip-Hop", "jazz"]))
        old = 0.5 + (1985 - year) / 100 + (0.1 if genre == "jazz" else -0.1)
        words = " ".join([*noise, "tears" if sad else "smile"])
        songs.append(
            Song(str(i), lyrics=words, genre=genre, year=year, labels={"sad": float(sad), "old": old})
        )
    return songs


def test_a_label_that_follows_from_a_word_is_learned() -> None:
    report = evaluate_baseline(_songs(200, 0), _songs(60, 1), SCHEMA, metadata=False)
    assert report["labels"]["sad"]["r2"] > 0.95
    assert report["labels"]["old"]["r2"] < 0.1


def test_metadata_adds_genre_in_any_spelling_and_year() -> None:
    report = evaluate_baseline(_songs(200, 0), _songs(60, 1), SCHEMA, metadata=True)
    assert report["labels"]["sad"]["r2"] > 0.95
    assert report["labels"]["old"]["r2"] > 0.95


def test_each_label_learns_from_the_songs_that_carry_it() -> None:
    songs = _songs(100, 0)
    for song in songs[::2]:
        song.labels.pop("old")  # type: ignore[attr-defined] # the mapping is a dict here
    both = TfidfRidge(SCHEMA).fit(songs).predict(songs[:10])
    alone = TfidfRidge(LabelSchema(SCHEMA.labels[:1])).fit(songs).predict(songs[:10])
    np.testing.assert_allclose(both[:, :1], alone)


def test_songs_without_words_are_refused() -> None:
    with pytest.raises(TrainingDataError, match="needs lyrics"):
        TfidfRidge(SCHEMA).fit([Song("a", year=1990, labels={"sad": 1.0}), Song("b", lyrics="once")])


def test_a_label_that_nobody_carries_is_refused_by_name() -> None:
    songs = [Song(str(i), lyrics="la la land", labels={"sad": 0.1 * i}) for i in range(4)]
    with pytest.raises(TrainingDataError, match="'old'"):
        TfidfRidge(SCHEMA).fit(songs)
