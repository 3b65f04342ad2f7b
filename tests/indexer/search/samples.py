"""Small catalogues to search, and a search so naive that one can read that it is right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.vocabulary import Label, LabelSchema
from indexer.search.faiss_index import METRIC, FaissIndex, make_vectors
from indexer.search.filters import Filter
from indexer.search.port import IndexInfo
from indexer.search.rows import IndexRows, in_song_id_order
from indexer.search.terms import AnyOf, Has, NoneOf, Range, Term

LABELS = LabelSchema(
    (Label.named("danceability"), Label.named("world/life"), Label.named("loudness", -60, 0))
)
MODEL = "model-a"


@dataclass(frozen=True)
class Sample:
    """One song of a made-up catalogue."""

    song_id: str
    vector: tuple[float, ...]
    labels: tuple[float, ...]
    genre: str | None = None
    year: int | None = None
    artist: str | None = None
    coverage: tuple[str, ...] = ("lyrics",)


def rows_of(songs: Sequence[Sample]) -> IndexRows:
    return IndexRows(
        keys=np.arange(len(songs), dtype=np.int64) + 1000,
        song_ids=[song.song_id for song in songs],
        vectors=np.array([song.vector for song in songs], dtype=np.float32),
        labels=np.array([song.labels for song in songs], dtype=np.float32),
        genres=[song.genre for song in songs],
        years=[song.year for song in songs],
        artists=[song.artist for song in songs],
        coverage=[song.coverage for song in songs],
    )


def index_of(songs: Sequence[Sample], model_id: str = MODEL) -> FaissIndex:
    """Index in memory, as a bundle would hold it."""
    attributes, vectors = in_song_id_order(rows_of(songs), LABELS)
    info = IndexInfo(
        version="in memory",
        model_id=model_id,
        labels=LABELS,
        songs=len(songs),
        dimension=vectors.shape[1],
        factory="Flat",
        metric=METRIC,
        recall=1.0,
        label_percentiles={},
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return FaissIndex(info, make_vectors(vectors, "Flat"), attributes)


def random_samples(count: int, seed: int = 0, dimension: int = 16) -> list[Sample]:
    """Clustered songs with unknown values here and there, in an order that is not that of their ids."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, count // 10), dimension))
    vectors = centres[rng.integers(len(centres), size=count)] + 0.5 * rng.normal(size=(count, dimension))
    labels = rng.random((count, len(LABELS)))
    labels[rng.random(labels.shape) < 0.1] = np.nan
    genres, artists = ("pop", "rock", "hip hop", None), ("Ann", "Bob", "Cay", "Dée", "Eve", "Fox", None)
    return [
        Sample(
            song_id=f"song-{number}",
            vector=unit(vectors[number]),
            labels=tuple(labels[number].tolist()),
            genre=genres[rng.integers(len(genres))],
            year=None if rng.random() < 0.2 else int(rng.integers(1950, 2020)),
            artist=artists[rng.integers(len(artists))],
            coverage=(("lyrics",), ("audio",), ("lyrics", "audio", "genre"))[rng.integers(3)],
        )
        for number in range(count)
    ]


def unit(vector: NDArray[np.float64] | Sequence[float]) -> tuple[float, ...]:
    """The vector as float32 of length 1."""
    wide = np.asarray(vector, dtype=np.float64)
    return tuple((wide / np.linalg.norm(wide)).astype(np.float32).tolist())


# --- The naive search: one song at a time, exact sums, no index.


def naive_passes(songs: Sequence[Sample], song: Sample, term: Term) -> bool:
    match term:
        case Range():
            return _naive_range(songs, song, term)
        case AnyOf(column, values):
            return _spelled(song, column) in values
        case NoneOf(column, values):
            return _spelled(song, column) not in values
        case Has(column, present):
            return (column in song.coverage) == present


def _naive_range(songs: Sequence[Sample], song: Sample, term: Range) -> bool:
    value = _number(song, term.column)
    if math.isnan(value):
        return False
    low, high = term.low, term.high
    if term.percentile:
        values = [_number(other, term.column) for other in songs]
        known = [other for other in values if not math.isnan(other)]
        low = None if low is None else float(np.quantile(known, low / 100))
        high = None if high is None else float(np.quantile(known, high / 100))
    return (low is None or value >= single(low)) and (high is None or value <= single(high))


def single(value: float) -> float:
    """The nearest number in single precision."""
    return float(np.float32(value))


def _number(song: Sample, column: str) -> float:
    if column == "year":
        return math.nan if song.year is None else float(song.year)
    return single(song.labels[LABELS.slugs.index(column)])


def _spelled(song: Sample, column: str) -> str | None:
    value: str | None = getattr(song, column)
    return value.casefold() if value and column == "artist" else value


def naive_search(
    songs: Sequence[Sample], query: Sequence[float], where: Filter, without: Sequence[str] = ()
) -> list[tuple[str, float]]:
    """Every passing song with its cosine, nearest first, then by song_id."""
    found = []
    for song in songs:
        if song.song_id in without or not all(naive_passes(songs, song, term) for term in where.terms):
            continue
        cosine = single(math.fsum(a * b for a, b in zip(song.vector, query, strict=True)))
        found.append((song.song_id, min(1.0, max(-1.0, cosine))))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def naive_dropped(songs: Sequence[Sample], where: Filter, without: Sequence[str] = ()) -> dict[str, int]:
    """Songs that fail exactly this one term."""
    dropped = {}
    for term in where.terms:
        others = [other for other in where.terms if other is not term]
        dropped[term.text] = sum(
            song.song_id not in without
            and not naive_passes(songs, song, term)
            and all(naive_passes(songs, song, other) for other in others)
            for song in songs
        )
    return dropped


# --- Hypothesis: few distinct values, so that ties, duplicates and bounds that are met exactly are common.

BOUNDS = (0.0, 0.1, 0.25, 0.6, 1.0)
GENRES = ("pop", "rock", "hip hop", "Ünïcode & co")
ARTISTS = ("Ann", "BOB", "Dée=?", "é  ü")


def texts(longest: int = 8) -> st.SearchStrategy[str]:
    """Any Unicode text; unlike ``st.text()`` it builds no table of all characters, which takes a second."""
    characters = st.integers(1, 0x2FFFF).filter(lambda code: not 0xD800 <= code < 0xE000).map(chr)
    return st.lists(characters, max_size=longest).map("".join)


def label_values() -> st.SearchStrategy[float]:
    return st.sampled_from((*BOUNDS, math.nan)) | st.floats(0, 1, width=32)


def directions(dimension: int) -> st.SearchStrategy[tuple[float, ...]]:
    steps = st.lists(st.integers(-1, 1), min_size=dimension, max_size=dimension)
    return steps.filter(any).map(lambda vector: unit([float(step) for step in vector]))


@st.composite
def catalogues(draw: st.DrawFn, largest: int = 40) -> list[Sample]:
    vectors = directions(draw(st.integers(1, 4)))
    ids = draw(
        st.lists(
            st.text("ab0é\U0001d11e-", min_size=1, max_size=4), min_size=1, max_size=largest, unique=True
        )
    )
    pool = draw(st.lists(vectors, min_size=1, max_size=6))
    dimension = len(pool[0])
    return [
        Sample(
            song_id=song_id,
            vector=draw(st.sampled_from([vector for vector in pool if len(vector) == dimension])),
            labels=tuple(draw(label_values()) for _ in LABELS),
            genre=draw(st.sampled_from((*(genre.casefold() for genre in GENRES), None))),
            year=draw(st.none() | st.integers(1990, 1994)),
            artist=draw(st.sampled_from((*(" ".join(artist.split()) for artist in ARTISTS), None))),
            coverage=tuple(draw(st.sets(st.sampled_from(("lyrics", "audio", "genre", "year"))))),
        )
        for song_id in ids
    ]


def ranges(column: str, percentile: bool = False) -> st.SearchStrategy[Range]:
    if column == "year":
        bound = st.integers(1989, 1995).map(float)
    elif percentile:
        bound = st.sampled_from((0.0, 10.0, 50.0, 100.0)) | st.floats(0, 100)
    else:
        bound = st.sampled_from(BOUNDS) | st.floats(-2, 2)
    return (
        st.tuples(st.none() | bound, st.none() | bound)
        .filter(any_given)
        .map(lambda ends: Range(column, *_ascending(*ends), percentile))
    )


def any_given(ends: tuple[float | None, float | None]) -> bool:
    return ends != (None, None)


def _ascending(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    return (high, low) if low is not None and high is not None and low > high else (low, high)


def filters(song_ids: Sequence[str] = ("a", "b&=", "ä")) -> st.SearchStrategy[Filter]:
    texts = {"genre": GENRES, "artist": ARTISTS, "song_id": tuple(song_ids)}
    choices: list[st.SearchStrategy[Term]] = [ranges("year"), st.builds(Has, st.just("audio"), st.booleans())]
    choices.append(st.builds(Has, st.just("lyrics"), st.booleans()))
    for slug in LABELS.slugs:
        choices += [ranges(slug), ranges(slug, percentile=True)]
    for column, values in texts.items():
        some = st.lists(st.sampled_from((*values, "nobody")), min_size=1, max_size=7).map(tuple)
        choices += [st.builds(AnyOf, st.just(column), some), st.builds(NoneOf, st.just(column), some)]

    def place(term: Term) -> tuple[str, str, bool]:
        return term.column, type(term).__name__, isinstance(term, Range) and term.percentile

    return st.lists(st.one_of(choices), max_size=4, unique_by=place).map(lambda terms: Filter(tuple(terms)))
