"""Songs as they enter and leave the catalogue."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.song import Song


@dataclass(frozen=True, slots=True)
class SongRecord:
    """One song as imported; ``key`` is the internal id that the catalogue gives.

    ``labels`` maps label slugs to known values, ``audio_path`` is absolute, ``source`` names the file or
    folder that the song came from.
    """

    song_id: str
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    lyrics: str | None = None
    labels: dict[str, float] = field(default_factory=dict)
    audio_path: str | None = None
    source: str = ""
    key: int | None = None

    @property
    def row_hash(self) -> str:
        """Sha256 over all that was imported, as hex digits; where it came from does not count."""
        content: list[Any] = [self.title, self.artist, self.album, self.genre, self.year, self.lyrics]
        content += [sorted(self.labels.items()), self.audio_path]
        return text_hash(json.dumps(content, ensure_ascii=True, separators=(",", ":")))

    def as_song(self, audio: NDArray[np.float64] | None = None) -> Song:
        """The song as the engine sees it, with the audio features (22,) that belong to it, if any."""
        return Song(
            song_id=self.song_id,
            artist=self.artist,
            title=self.title,
            lyrics=self.lyrics,
            genre=self.genre,
            year=self.year,
            audio=audio,
            labels=self.labels,
        )


@dataclass(frozen=True, slots=True)
class SongSummary:
    """What a list of songs shows of each."""

    key: int
    song_id: str
    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many songs were new, changed, or already there."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(
            self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged
        )


def text_hash(text: str) -> str:
    """Sha256 of a text as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def fold_text(text: str) -> str:
    """Spelling in which texts are compared: no case, no accents, single spaces."""
    bare = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    return " ".join(bare.casefold().split())


def search_text(title: str | None, artist: str | None) -> str:
    """Text that a search by title or artist looks through, and lists are ordered by."""
    return f"{fold_text(title or '')}\n{fold_text(artist or '')}"
