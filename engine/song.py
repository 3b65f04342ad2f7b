"""A song as the engine sees it: any non-empty subset of lyrics, audio, genre and year."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.vocabulary import MODALITIES


@dataclass(frozen=True, slots=True)
class Song:
    """One song to encode or to train on.

    ``audio`` holds the values of `engine.vocabulary.AUDIO_FEATURES`, (22,) float64, NaN where a value is
    unknown. ``labels`` maps label slugs to raw values; a missing slug is an unknown value.
    """

    song_id: str
    artist: str | None = None
    title: str | None = None
    lyrics: str | None = None
    genre: str | None = None
    year: int | None = None
    audio: NDArray[np.float64] | None = None
    labels: Mapping[str, float] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities that this song carries, in `MODALITIES` order."""
        present = (
            bool(self.lyrics and self.lyrics.strip()),
            self.audio is not None,
            bool(self.genre and self.genre.strip()),
            self.year is not None,
        )
        return tuple(name for name, here in zip(MODALITIES, present, strict=True) if here)
