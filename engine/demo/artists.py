"""Invented artists: a name, a genre, a style that some of them share, a key they like and a first year."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.demo.band import BANDS
from engine.vocabulary import GENRES, THEMES

STYLES_PER_GENRE = 3
LAST_YEAR = 2019

# Streams of chance of this file; `engine.demo.songs` uses others, so that no two things share their chance.
_OF_STYLE, _OF_ARTIST = 1, 2

_GENRE_THEMES = {
    "country": ("movement/places", "family/gospel", "night/time"),
    "jazz": ("romantic", "light/visual perceptions", "music"),
    "blues": ("sadness", "movement/places", "obscene"),
    "hip hop": ("obscene", "violence", "communication"),
    "pop": ("dating", "like/girls", "feelings"),
    "reggae": ("family/spiritual", "world/life", "shake the audience"),
    "rock": ("violence", "world/life", "light/visual perceptions"),
}
_FIRST_NAMES = """
    Orla Tobin Maris Ezekiel Juno Lysander Petra Calder Wilhelmina Fenn Ottoline Bram Saffi Thaddeus Inka
    Rowan Delphine Casimir Nell Barnaby Zuri Emeric Tamsin Leopold Araminta Jory Odalys Quill Veda Hollis
"""
_LAST_NAMES = """
    Vennaway Marlock Tressington Oakhurst-Bell Quillfeather Dunmarrow Larkspell Ashgrove Penhallick
    Copperwait Birchmoor Hollowell Starkweth Merrigold Farrowdale Nightinghall Underbrook Saltmarch
    Wrenfield Thistlewick
"""
_COLOURS = "Copper Velvet Paper Crooked Amber Hollow Wandering Second-Hand Polite Marmalade Tin Salted"
_THINGS = """
    Lanterns Herons Teacups Cartographers Umbrellas Lighthouses Foxgloves Barometers Magpies Bicycles
    Comets Haystacks Pigeons Satellites Turnstiles
"""


@dataclass(frozen=True, slots=True)
class Artist:
    """What the songs of one artist have in common; artists of one style share all but name, key and debut."""

    name: str
    genre: str
    tastes: NDArray[np.float64]  # (16,), Dirichlet weights of the themes, in THEMES order
    brightness: float  # added to the genre's
    danceability: float  # added to the genre's
    key: int  # MIDI note
    debut: int  # year


def invent_artists(count: int, seed: int, rng: np.random.Generator) -> list[Artist]:
    """Artists of all genres by turns; each 7 * `STYLES_PER_GENRE`-th has the same style; rng deals names."""
    names = _names(count, rng)
    artists = []
    for i in range(count):
        genre = GENRES[i % len(GENRES)]
        style = np.random.default_rng((seed, _OF_STYLE, i % (len(GENRES) * STYLES_PER_GENRE)))
        own = np.random.default_rng((seed, _OF_ARTIST, i))
        artists.append(
            Artist(
                name=names[i],
                genre=genre,
                tastes=_tastes(genre, style),
                brightness=float(style.normal(0, 0.08)),
                danceability=float(style.normal(0, 0.06)),
                key=int(own.integers(48, 58)),
                debut=int(own.integers(BANDS[genre].since, LAST_YEAR - 7)),
            )
        )
    return artists


def _tastes(genre: str, style: np.random.Generator) -> NDArray[np.float64]:
    """Dirichlet weights of the themes, (16,): sparse, leaning to the genre's and three of the style's own."""
    tastes = np.full(len(THEMES), 0.09)
    tastes[[THEMES.index(name) for name in _GENRE_THEMES[genre]]] += 0.15
    tastes[style.permutation(len(THEMES))[:3]] += 0.25
    return tastes


def _names(count: int, rng: np.random.Generator) -> list[str]:
    """Different invented names, of singers and bands by turns; numbered once the lists are used up."""
    singers = [f"{first} {last}" for first, last in product(_FIRST_NAMES.split(), _LAST_NAMES.split())]
    bands = [f"The {colour} {thing}" for colour, thing in product(_COLOURS.split(), _THINGS.split())]
    shuffled = [[names[i] for i in rng.permutation(len(names))] for names in (singers, bands)]
    result = []
    for i in range(count):
        names, turn = shuffled[i % 2], i // 2
        again = turn // len(names)
        result.append(names[turn % len(names)] + (f" {again + 1}" if again else ""))
    return result
