"""The named vocabularies, in tensor order: labels, audio features, genres.

Every size in the code is derived from these tuples. They are copied into each manifest and compared on
load. The label set is data: `DEFAULT_LABELS` is what songlike predicts unless a model was trained on others.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError

# Words that the query language uses itself; a label with such a slug could not be filtered by.
RESERVED_SLUGS = frozenset({"song_id", "title", "artist", "album", "genre", "year", "lyrics", "audio"})


def slugify(name: str) -> str:
    """URL-safe form of a label name: ``world/life`` -> ``world_life``.

    Raises
    ------
    InputError
        When nothing is left of the name, or the query language uses the word itself.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not slug:
        raise InputError(
            f"label name {name!r} has no letter or digit; give it a name that can stand in a URL"
        )
    if slug in RESERVED_SLUGS:
        raise InputError(f"label name {name!r} is a word of the query language; rename the label")
    return slug


@dataclass(frozen=True, slots=True)
class Label:
    """One continuous label: its name in the data, its URL-safe slug and its range (both ends included)."""

    name: str
    slug: str
    minimum: float = 0.0
    maximum: float = 1.0

    @classmethod
    def named(cls, name: str, minimum: float = 0.0, maximum: float = 1.0) -> "Label":
        """Label with the slug derived from its name.

        Raises
        ------
        InputError
            When the name makes no slug or the range is empty.
        """
        if not minimum < maximum:
            raise InputError(
                f"label {name!r} has the empty range [{minimum}, {maximum}]; give minimum < maximum"
            )
        return cls(name, slugify(name), float(minimum), float(maximum))


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """An ordered set of labels: the columns of every label matrix, (n, len(schema))."""

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise InputError("a label schema needs at least one label")
        if len(set(self.slugs)) != len(self.labels):
            raise InputError(f"two labels share a slug in {list(self.slugs)}; rename one")

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    @property
    def slugs(self) -> tuple[str, ...]:
        """Slugs in tensor order."""
        return tuple(label.slug for label in self.labels)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain lists and dictionaries, as manifests and the database keep them."""
        return [
            {"name": la.name, "slug": la.slug, "minimum": la.minimum, "maximum": la.maximum}
            for la in self.labels
        ]

    @classmethod
    def from_json(cls, rows: Iterable[dict[str, Any]]) -> "LabelSchema":
        """Read back what `to_json` wrote."""
        return cls(tuple(Label(r["name"], r["slug"], float(r["minimum"]), float(r["maximum"])) for r in rows))


# The label columns of "Music Dataset: Lyrics and Metadata from 1950 to 2019" (Moura, Fontelles, Sampaio,
# França, 2020, doi 10.17632/3t9vbwxgr5.3, CC BY 4.0), in its order. The first 16 are topic shares of the lyrics.
THEMES = (
    "dating", "violence", "world/life", "night/time", "shake the audience", "family/gospel", "romantic",
    "communication", "obscene", "music", "movement/places", "light/visual perceptions", "family/spiritual",
    "like/girls", "sadness", "feelings",
)  # fmt: skip
DEFAULT_LABELS = LabelSchema(tuple(Label.named(name) for name in (*THEMES, "danceability", "loudness")))

GENRES = ("country", "jazz", "blues", "hip hop", "pop", "reggae", "rock")

AUDIO_FEATURES = (
    "zcr_mean", "rms_mean", "centroid_mean", "bw_mean", "flat_mean", "mfcc1_mean", "mfcc2_mean", "chroma_mean",
    "zcr_std", "rms_std", "centroid_std", "bw_std", "flat_std", "mfcc1_std", "mfcc2_std", "chroma_std",
    "mfcc1_dmean", "mfcc2_dmean", "tempo", "tempo_conf", "beat_int_mean", "beat_int_std",
)  # fmt: skip

MODALITIES = ("lyrics", "audio", "genre", "year")


def normalise_genre(text: str | None) -> str | None:
    """One spelling per genre: lower case, single spaces, ``Hip-Hop`` and ``hiphop`` -> ``hip hop``.

    Genres outside `GENRES` stay what they are: the catalogue keeps and filters by any genre. None when empty.
    """
    words = re.sub(r"[\s_\-]+", " ", text or "").strip().lower()
    return {"": None, "hiphop": "hip hop", "hip hop rap": "hip hop"}.get(words, words)
