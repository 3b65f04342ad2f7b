"""Invented singers and their songs: words, sound, labels, and what is not known of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.artists import LAST_YEAR, Artist, invent_artists
from engine.demo.band import BANDS
from engine.demo.lyrics import theme_labels, write_lyrics, write_title
from engine.demo.sound import Sound, render
from engine.errors import InputError
from engine.vocabulary import MODALITIES, THEMES

ALBUM = "songlike demo (synthetic)"
LACKING_SHARE = {"lyrics": 0.10, "audio": 0.10, "genre": 0.08, "year": 0.08}
LONG_LYRICS_EVERY = 40  # songs; these have 600 words and more, beyond every common encoder's window
FIRST_YEAR = 1950

# Streams of chance; `engine.demo.artists` uses 1 and 2.
_OF_CATALOGUE, _OF_SONG, _OF_SOUND = 0, 3, 4


@dataclass(frozen=True, slots=True)
class DemoSong:
    """One invented song with everything true of it; ``lacking``: what its files do not tell."""

    song_id: str
    title: str
    artist: str
    genre: str
    year: int
    lyrics: str
    labels: dict[str, float]  # by label name, in the order of DEFAULT_LABELS
    sound: Sound
    seconds: float
    chance: tuple[int, int, int]  # seed, stream and number: where the recording's randomness starts
    lacking: frozenset[str]

    def recording(self) -> NDArray[np.float32]:
        """The song's samples, mono, 22,050 Hz; the same at every call."""
        return render(self.sound, self.seconds, np.random.default_rng(self.chance))


def invent_songs(songs: int, seed: int, seconds: tuple[float, float]) -> Iterator[DemoSong]:
    """Invent songs one after the other; the same arguments give the same songs.

    Parameters
    ----------
    songs
        How many; there is one artist to about five songs.
    seed
        Not negative.
    seconds
        Least and greatest length of a recording, uniform between.

    Raises
    ------
    InputError
        When a parameter is out of range.
    """
    if songs < 1 or seed < 0:
        raise InputError(f"a demo catalogue of {songs} songs from seed {seed}: give songs >= 1 and seed >= 0")
    if not 0.5 <= seconds[0] <= seconds[1] <= 600:
        raise InputError(f"demo recordings of {seconds} s: give 0.5 <= shortest <= longest <= 600")
    return _invent(songs, seed, seconds)


def _invent(songs: int, seed: int, seconds: tuple[float, float]) -> Iterator[DemoSong]:
    rng = np.random.default_rng((seed, _OF_CATALOGUE, 0))
    artists = invent_artists(max(songs // 5, min(songs, 4)), seed, rng)
    at_least_two = np.repeat(np.arange(len(artists)), 2)[:songs]
    by_chance = rng.integers(len(artists), size=songs - len(at_least_two))
    singer = rng.permutation(np.concatenate([at_least_two, by_chance]))
    lacking = _lacking(songs, rng)
    for i in range(songs):
        yield _song(i, artists[singer[i]], seed, seconds, lacking[i])


def _song(
    i: int, artist: Artist, seed: int, seconds: tuple[float, float], lacking: frozenset[str]
) -> DemoSong:
    """The i-th song of the catalogue."""
    rng = np.random.default_rng((seed, _OF_SONG, i))
    mixture = rng.dirichlet(artist.tastes)
    is_long = i % LONG_LYRICS_EVERY == LONG_LYRICS_EVERY // 4
    lyrics = write_lyrics(mixture, int(rng.integers(620, 800) if is_long else rng.integers(60, 122)), rng)
    band = BANDS[artist.genre]
    year = int(np.clip(artist.debut + rng.integers(0, 16), FIRST_YEAR, LAST_YEAR))
    danceability = float(np.clip(band.danceability + artist.danceability + rng.normal(0, 0.13), 0.05, 0.97))
    loudness = 0.6 + 0.0035 * (year - 1985) + band.loudness + rng.normal(0, 0.07)
    loudness = float(np.clip(loudness, 0.1, 0.97))
    labels = dict(zip(THEMES, theme_labels(lyrics).tolist(), strict=True))
    return DemoSong(
        song_id=f"demo-{i + 1:04d}",
        title=write_title(mixture, rng),
        artist=artist.name,
        genre=artist.genre,
        year=year,
        lyrics=lyrics,
        labels=labels | {"danceability": danceability, "loudness": loudness},
        sound=_sound(artist, danceability, loudness, rng),
        seconds=float(rng.uniform(*seconds)),
        chance=(seed, _OF_SOUND, i),
        lacking=lacking,
    )


def _sound(artist: Artist, danceability: float, loudness: float, rng: np.random.Generator) -> Sound:
    """Recipe in which the labels are heard: danceable is faster for the genre, drummed more and tighter."""
    band = BANDS[artist.genre]
    within = 0.5 + 1.5 * (danceability - band.danceability) + rng.normal(0, 0.1)
    low, high = band.tempo
    brightness = band.brightness + artist.brightness + 0.5 * (loudness - 0.6) + rng.normal(0, 0.04)
    return Sound(
        genre=artist.genre,
        tempo=float(low + (high - low) * np.clip(within, 0, 1)),
        brightness=float(np.clip(brightness, 0, 1)),
        percussion=float(np.clip(0.05 + 0.7 * danceability + rng.normal(0, 0.03), 0.02, 0.8)),
        loudness=loudness,
        looseness=0.03 * (1 - danceability),
        key=artist.key + int(rng.integers(-2, 3)),
    )


def _lacking(songs: int, rng: np.random.Generator) -> list[frozenset[str]]:
    """Modalities that each song lacks: stated shares of the catalogue, never all of one song's."""
    lacking: list[set[str]] = [set() for _ in range(songs)]
    for modality, share in LACKING_SHARE.items():
        for i in rng.permutation(songs)[: round(share * songs)]:
            lacking[i].add(modality)
    return [frozenset(names - {"lyrics"} if len(names) == len(MODALITIES) else names) for names in lacking]
