from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TrainingDataError
from engine.song import Song
from engine.training.split import Split, split_by_artist


def _songs(artists: list[int]) -> list[Song]:
    return [Song(f"s{i}", artist=f"Artist {a}", lyrics=f"own words {i}") for i, a in enumerate(artists)]


def _part_of(split: Split) -> dict[int, int]:
    return {row: part for part, rows in enumerate(split) for row in rows}


@given(artists=st.lists(st.integers(0, 40), min_size=30, max_size=120), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_artists_never_straddle_and_every_song_has_one_part(artists: list[int], seed: int) -> None:
    songs = _songs([*artists, *range(41)])
    split = split_by_artist(songs, 0.1, seed)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(len(songs)))
    part = _part_of(split)
    for artist in {song.artist for song in songs}:
        assert len({part[row] for row, song in enumerate(songs) if song.artist == artist}) == 1


@given(seed=st.integers(0, 1000), shuffled=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_songs_does_not_matter(seed: int, shuffled: Random) -> None:
    songs = _songs([i % 25 for i in range(60)])
    songs[::17] = [replace(song, lyrics="same old song") for song in songs[::17]]
    order = list(range(60))
    shuffled.shuffle(order)
    straight, mixed = (
        split_by_artist(songs, 0.15, seed),
        split_by_artist([songs[i] for i in order], 0.15, seed),
    )
    for rows, rows_mixed in zip(straight, mixed, strict=True):
        assert {songs[row].song_id for row in rows} == {songs[order[row]].song_id for row in rows_mixed}


def test_sizes_are_about_those_asked_for() -> None:
    split = split_by_artist(_songs(list(range(500))), 0.1, 0)
    assert (len(split.train), len(split.validation), len(split.test)) == (400, 50, 50)
    grouped = split_by_artist(_songs([i % 100 for i in range(500)]), 0.1, 0)  # five songs an artist
    assert (len(grouped.train), len(grouped.validation), len(grouped.test)) == (400, 50, 50)


def test_another_seed_holds_out_others() -> None:
    songs = _songs(list(range(200)))
    assert split_by_artist(songs, 0.1, 0) == split_by_artist(songs, 0.1, 0)
    assert split_by_artist(songs, 0.1, 0).test != split_by_artist(songs, 0.1, 1).test


@pytest.mark.parametrize("seed", range(20))
def test_near_duplicates_stay_together_through_other_artists(seed: int) -> None:
    songs = _songs(list(range(40)))
    songs[3] = replace(songs[3], lyrics="[Chorus]\nLove me, tender tender")
    songs[20] = replace(songs[20], lyrics="tender LOVE me, <b>tender</b>")  # artist 20 covers artist 3
    songs.append(Song("b", artist="artist  20", lyrics="river of gold"))  # the spelling of artist 20 differs
    songs[31] = replace(songs[31], lyrics="gold river of")
    part = _part_of(split_by_artist(songs, 0.3, seed))
    assert len({part[3], part[20], part[31], part[40]}) == 1


def test_songs_without_artist_or_words_are_not_one_group() -> None:
    songs = [Song(f"s{i}", artist=None, lyrics="[Chorus]" if i % 2 else None, year=1990) for i in range(100)]
    split = split_by_artist(songs, 0.1, 0)
    assert (len(split.train), len(split.validation), len(split.test)) == (80, 10, 10)


@pytest.mark.parametrize("artists", [[], [1], [1, 2], [1, 1, 2, 2, 2]])
def test_fewer_than_three_artists_cannot_be_split(artists: list[int]) -> None:
    with pytest.raises(TrainingDataError, match="at least three artists"):
        split_by_artist(_songs(artists), 0.1, 0)


def test_three_artists_give_three_parts() -> None:
    assert sorted(map(len, split_by_artist(_songs([1, 2, 3]), 0.1, 0))) == [1, 1, 1]
