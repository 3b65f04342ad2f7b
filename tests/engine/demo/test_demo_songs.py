from collections import Counter

import numpy as np
import pytest

from engine.demo.artists import STYLES_PER_GENRE, invent_artists
from engine.demo.band import BANDS
from engine.demo.lyrics import theme_labels
from engine.demo.songs import LACKING_SHARE, DemoSong, invent_songs
from engine.errors import InputError
from engine.vocabulary import DEFAULT_LABELS, GENRES, THEMES

SHORT = (0.5, 0.5)


@pytest.fixture(scope="module")
def songs() -> list[DemoSong]:
    return list(invent_songs(300, 0, (8.0, 12.0)))


def test_the_stated_shares_lack_a_modality(songs: list[DemoSong]) -> None:
    lacking = Counter(name for song in songs for name in song.lacking)
    assert lacking == {"lyrics": 30, "audio": 30, "genre": 24, "year": 24}
    assert LACKING_SHARE.keys() == lacking.keys()


@pytest.mark.parametrize("seed", range(20))
def test_no_song_lacks_everything(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr("engine.demo.songs.LACKING_SHARE", dict.fromkeys(LACKING_SHARE, 0.9))
    lacking = [song.lacking for song in invent_songs(40, seed, SHORT)]
    assert max(len(names) for names in lacking) == 3  # of four
    assert any("lyrics" in names for names in lacking)


def test_labels_are_the_eighteen_and_the_themes_are_counted(songs: list[DemoSong]) -> None:
    for song in songs:
        assert tuple(song.labels) == tuple(label.name for label in DEFAULT_LABELS)
        themes = [song.labels[name] for name in THEMES]
        np.testing.assert_array_equal(themes, theme_labels(song.lyrics))
        assert sum(themes) == pytest.approx(1)
        assert all(0 < value < 1 for value in song.labels.values())


def test_themes_are_sparse_like_the_real_ones(songs: list[DemoSong]) -> None:
    themes = np.array([[song.labels[name] for name in THEMES] for song in songs])
    assert 0.35 < themes.max(axis=1).mean() < 0.6  # 0.44 in the public data set
    assert 3 < (themes > 0.05).sum(axis=1).mean() < 6  # 4.1 in the public data set
    assert themes.mean(axis=0).min() > 0.02  # every theme is sung about


def test_lengths_of_lyrics(songs: list[DemoSong]) -> None:
    words = sorted(len(song.lyrics.replace("[Chorus]", "").split()) for song in songs)
    usual = [n for n in words if n < 300]
    assert len(songs) - len(usual) == 8  # one of forty
    assert min(words[len(usual) :]) >= 600
    assert usual[0] >= 60
    assert usual[-1] <= 180  # 156 words and a few headers of two


def test_genres_years_and_artists(songs: list[DemoSong]) -> None:
    assert {song.genre for song in songs} == set(GENRES)
    assert all(max(1950, BANDS[song.genre].since) <= song.year <= 2019 for song in songs)
    assert max(song.year for song in songs) - min(song.year for song in songs) > 60
    per_artist = Counter(song.artist for song in songs)
    assert len(per_artist) == 60
    assert min(per_artist.values()) >= 2
    assert len({song.song_id for song in songs}) == 300
    assert {song.genre for song in songs if song.artist == songs[0].artist} == {songs[0].genre}


def test_the_sound_follows_the_labels(songs: list[DemoSong]) -> None:
    dance = np.array([song.labels["danceability"] for song in songs])
    assert np.corrcoef(dance, [song.sound.percussion for song in songs])[0, 1] > 0.95
    assert all(
        song.sound.looseness == pytest.approx(0.03 * (1 - d)) for song, d in zip(songs, dance, strict=True)
    )
    assert all(song.sound.loudness == song.labels["loudness"] for song in songs)
    assert all(BANDS[s.genre].tempo[0] <= s.sound.tempo <= BANDS[s.genre].tempo[1] for s in songs)
    loudness = [song.labels["loudness"] for song in songs]
    assert np.corrcoef(loudness, [song.year for song in songs])[0, 1] > 0.4


def test_a_danceable_song_is_faster_for_its_genre(songs: list[DemoSong]) -> None:
    for genre in GENRES:
        own = [(song.labels["danceability"], song.sound.tempo) for song in songs if song.genre == genre]
        assert np.corrcoef(np.array(own).T)[0, 1] > 0.5


def test_songs_and_recordings_are_the_same_each_time_and_differ_by_seed() -> None:
    first, again, other = (list(invent_songs(5, seed, SHORT)) for seed in (4, 4, 5))
    assert first == again
    assert [s.recording().tobytes() for s in first] == [s.recording().tobytes() for s in again]
    assert all(a.lyrics != b.lyrics for a, b in zip(first, other, strict=True))
    assert len({s.recording().tobytes() for s in first}) == 5


def test_artists_share_styles_and_names_never_repeat() -> None:
    artists = invent_artists(1_000, 0, np.random.default_rng(0))
    assert len({artist.name for artist in artists}) == 1_000
    assert len({artist.brightness for artist in artists}) == len(GENRES) * STYLES_PER_GENRE
    same = artists[0], artists[len(GENRES) * STYLES_PER_GENRE]
    assert same[0].genre == same[1].genre
    np.testing.assert_array_equal(same[0].tastes, same[1].tastes)
    assert same[0].tastes.shape == (len(THEMES),)


@pytest.mark.parametrize(
    ("count", "seed", "seconds"),
    [(0, 0, SHORT), (3, -1, SHORT), (3, 0, (2.0, 1.0)), (3, 0, (0.1, 1.0)), (3, 0, (1.0, float("nan")))],
)
def test_arguments_out_of_range_are_refused_at_once(
    count: int, seed: int, seconds: tuple[float, float]
) -> None:
    with pytest.raises(InputError, match="give "):
        invent_songs(count, seed, seconds)
