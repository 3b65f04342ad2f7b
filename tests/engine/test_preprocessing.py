from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.preprocessing import Preprocessor, Scalers, SongNumbers, length_batches
from engine.song import Song
from engine.vocabulary import AUDIO_FEATURES, GENRES, MODALITIES, Label, LabelSchema
from tests.engine.tiny import SCHEMA, build_preprocessor, toy_songs

LOGGED = {"tempo", "tempo_conf", "flat_mean", "flat_std"}


@pytest.fixture(scope="module")
def preprocessor(encoder_folder: Path) -> Preprocessor:
    return build_preprocessor(encoder_folder, toy_songs())


@given(words=st.integers(1, 400), window=st.integers(8, 64))
@settings(max_examples=60, suppress_health_check=[HealthCheck.differing_executors], deadline=None)
def test_windows_hold_every_token_once_in_order(preprocessor: Preprocessor, words: int, window: int) -> None:
    lyrics = " ".join(["love", "night", "rain", "kx"][i % 4] for i in range(words))
    tokenizer = preprocessor.tokenizer
    small = Preprocessor(tokenizer, preprocessor.scalers, genres=GENRES, schema=SCHEMA, window_tokens=window)
    found = small.windows(lyrics)
    assert all(w[0] == tokenizer.cls_token_id and w[-1] == tokenizer.sep_token_id for w in found)
    assert max(map(len, found)) <= window
    assert max(map(len, found)) - min(map(len, found)) <= 1  # no stub at the end
    expected = tokenizer(lyrics, add_special_tokens=False)["input_ids"]
    assert [token for w in found for token in w[1:-1]] == expected
    assert len(found) == -(-len(expected) // (window - 2))


@pytest.mark.parametrize("nothing", [None, "", " \n", "[Chorus]", "[00:01.00]"])
def test_no_words_no_windows(preprocessor: Preprocessor, nothing: str | None) -> None:
    assert preprocessor.windows(nothing) == []


def test_batch_pads_with_a_mask(preprocessor: Preprocessor) -> None:
    long, bare, short = (
        Song("a", lyrics="love " * 20),
        Song("b", year=1980),
        Song("c", lyrics="rain night"),
    )
    numbers = [preprocessor.numbers(song) for song in (long, bare, short)]
    batch = preprocessor.batch(numbers)
    windows = [w for one in numbers for w in one.windows]
    assert batch.window_song.tolist() == [0, 0, 2]
    assert batch.input_ids.shape == (3, max(map(len, windows)))
    for ids, mask, window in zip(
        batch.input_ids.tolist(), batch.attention_mask.tolist(), windows, strict=True
    ):
        rest = len(ids) - len(window)
        assert ids == window + [preprocessor.tokenizer.pad_token_id] * rest
        assert mask == [1] * len(window) + [0] * rest
    assert batch.present.tolist() == [
        [True, False, False, False],
        [False, False, False, True],
        [True, False, False, False],
    ]


def test_a_batch_without_lyrics_has_no_windows(preprocessor: Preprocessor) -> None:
    batch = preprocessor.batch([preprocessor.numbers(Song("a", year=1980))])
    assert batch.input_ids.shape == (0, 0)
    assert batch.window_song.shape == (0,)


def test_scalers_in_closed_form() -> None:
    one, two, three = (np.full(22, value) for value in (1.0, 3.0, 8.0))
    one[5] = two[5] = three[5] = np.nan  # known for no song
    three[6] = np.nan  # known for two
    songs = [
        Song("a", audio=one, year=1960, labels={"rain": 0.2}),
        Song("b", audio=two, year=2000, labels={"rain": 0.6, "dance_level": 1.0}),
        Song("c", audio=three),
        Song("d", lyrics="love"),
    ]
    scalers = Scalers.fit(songs, SCHEMA)
    plain = AUDIO_FEATURES.index("rms_mean")
    assert scalers.audio_mean[plain] == pytest.approx(4.0)
    assert scalers.audio_std[plain] == pytest.approx((26 / 3) ** 0.5)  # squares 9, 1, 16
    assert (scalers.audio_mean[6], scalers.audio_std[6]) == pytest.approx((2.0, 1.0))
    assert (scalers.audio_mean[5], scalers.audio_std[5]) == (0.0, 1.0)
    for name in LOGGED:
        column = AUDIO_FEATURES.index(name)
        logs = np.log([2.0, 4.0, 9.0])
        assert scalers.audio_mean[column] == pytest.approx(logs.mean())
        assert scalers.audio_std[column] == pytest.approx(logs.std())
    assert (scalers.year_min, scalers.year_max) == (1960, 2000)
    assert scalers.label_mean == pytest.approx((0.4, 1.0))
    assert scalers.label_std == pytest.approx((0.2, 1.0))  # one known value does not vary


def test_scalers_of_songs_with_nothing_leave_everything_unscaled() -> None:
    scalers = Scalers.fit([Song("a", lyrics="love")], SCHEMA)
    assert scalers == Scalers((0.0,) * 22, (1.0,) * 22, 0.0, 1.0, (0.0, 0.0), (1.0, 1.0))
    assert Scalers.from_json(scalers.to_json()) == scalers


def test_audio_is_standardised_clipped_and_keeps_unknowns(preprocessor: Preprocessor) -> None:
    songs = [Song(str(i), audio=np.full(22, float(value))) for i, value in enumerate((1, 3))]
    scaled = Preprocessor(
        preprocessor.tokenizer,
        Scalers.fit(songs, SCHEMA),
        genres=GENRES,
        schema=SCHEMA,
        window_tokens=16,
    )
    given_values = np.full(22, 3.0)
    given_values[1], given_values[2] = np.nan, 1e9
    before = given_values.copy()
    audio = scaled.numbers(Song("x", audio=given_values)).audio
    assert audio[0] == pytest.approx(1.0)  # mean 2, deviation 1
    assert audio[AUDIO_FEATURES.index("tempo")] == pytest.approx(1.0)
    assert np.isnan(audio[1])
    assert audio[2] == 6.0
    np.testing.assert_array_equal(given_values, before)  # the caller's array is not written to


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 2)), min_size=2, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.differing_executors], deadline=None)
def test_raw_labels_undo_standardised_labels(
    preprocessor: Preprocessor, values: list[tuple[float, float]]
) -> None:
    songs = [Song(str(i), labels={"rain": a, "dance_level": b}) for i, (a, b) in enumerate(values)]
    fitted = Preprocessor(
        preprocessor.tokenizer,
        Scalers.fit(songs, SCHEMA),
        genres=GENRES,
        schema=SCHEMA,
        window_tokens=16,
    )
    np.testing.assert_allclose(fitted.raw_labels(fitted.standardised_labels(songs)), values, atol=1e-5)


def test_raw_labels_stay_inside_their_ranges(preprocessor: Preprocessor) -> None:
    raw = preprocessor.raw_labels(np.array([[1e6, -1e6], [-1e6, 1e6]], dtype=np.float32))
    assert raw.tolist() == [[1.0, -1.0], [0.0, 2.0]]


def test_an_unknown_label_stays_unknown(preprocessor: Preprocessor) -> None:
    targets = preprocessor.standardised_labels([Song("a", labels={"rain": 0.5, "elsewhere": 3.0})])
    assert np.isfinite(targets[0, 0])
    assert np.isnan(targets[0, 1])


@pytest.mark.parametrize(
    ("year", "scaled"), [(1960, 0), (1970, 0.25), (2000, 1), (1850, 0), (2400, 1), (None, 0)]
)
def test_years_are_scaled_and_clamped(preprocessor: Preprocessor, year: int | None, scaled: float) -> None:
    fitted = Preprocessor(
        preprocessor.tokenizer,
        replace(preprocessor.scalers, year_min=1960.0, year_max=2000.0),
        genres=GENRES,
        schema=SCHEMA,
        window_tokens=16,
    )
    numbers = fitted.numbers(Song("a", lyrics="love", year=year))
    assert numbers.year == pytest.approx(scaled)
    assert numbers.present[3] is (year is not None)


def test_one_training_year_divides_by_nothing(preprocessor: Preprocessor) -> None:
    scalers = replace(preprocessor.scalers, year_min=1990.0, year_max=1990.0)
    one_year = Preprocessor(preprocessor.tokenizer, scalers, genres=GENRES, schema=SCHEMA, window_tokens=16)
    assert [one_year.numbers(Song("a", year=y)).year for y in (1989, 1990, 1991)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(("genre", "code"), [("Hip-Hop", 4), ("rock", 7), ("polka", 0), ("", 0), (None, 0)])
def test_a_genre_outside_the_vocabulary_is_absent(
    preprocessor: Preprocessor, genre: str | None, code: int
) -> None:
    numbers = preprocessor.numbers(Song("a", lyrics="love", genre=genre))
    assert numbers.genre == code
    assert numbers.present[2] is (code > 0)


@pytest.mark.parametrize(
    "song", [Song("empty-1"), Song("empty-1", lyrics="[Chorus]"), Song("empty-1", genre="polka")]
)
def test_a_song_with_nothing_is_refused_by_name(preprocessor: Preprocessor, song: Song) -> None:
    with pytest.raises(InputError, match="'empty-1' has nothing that this model reads"):
        preprocessor.numbers(song)


def test_modalities_that_were_not_trained_are_not_read(encoder_folder: Path) -> None:
    only_sound = build_preprocessor(encoder_folder, toy_songs(), modalities=("audio", "year"))
    song = Song("a", lyrics="love", audio=np.ones(22), genre="pop", year=1990)
    numbers = only_sound.numbers(song)
    assert numbers.windows == []
    assert dict(zip(MODALITIES, numbers.present, strict=True)) == {
        "lyrics": False, "audio": True, "genre": False, "year": True,
    }  # fmt: skip
    with pytest.raises(InputError, match="audio, year"):
        only_sound.numbers(Song("b", lyrics="love", genre="pop"))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 256)), max_size=60))
@settings(suppress_health_check=[HealthCheck.differing_executors])
def test_length_batches_hold_each_row_once_and_stay_small(shapes: list[tuple[int, int]]) -> None:
    audio = np.zeros(22, dtype=np.float32)
    numbers = [SongNumbers([[1] * length] * count, audio, 0, 0.0, (True,) * 4) for count, length in shapes]
    batches = length_batches(numbers)
    assert sorted(row for rows in batches for row in rows) == list(range(len(numbers)))
    for rows in batches:
        windows = [w for row in rows for w in numbers[row].windows]
        padded = len(windows) * max(map(len, windows), default=0)
        assert rows
        assert len(rows) == 1 or padded <= 4096


def test_labels_of_another_range_are_kept_inside_it(encoder_folder: Path) -> None:
    schema = LabelSchema((Label.named("valence", -5, -2),))
    songs = [Song(str(i), labels={"valence": v}) for i, v in enumerate((-5.0, -2.0))]
    fitted = build_preprocessor(encoder_folder, songs, schema=schema)
    raw = fitted.raw_labels(np.array([[0.0], [9.0], [-9.0]], dtype=np.float32))
    assert raw[:, 0].tolist() == [-3.5, -2.0, -5.0]
