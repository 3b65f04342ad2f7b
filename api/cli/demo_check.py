"""Answers over HTTP against an exact computation from the vectors in SQL, by other means than the index."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.cli.demo_server import DemoServer
from api.settings import Settings
from engine.errors import ModelMismatchError
from indexer.catalog import Catalog, open_catalog

_CLOSE = 2e-6  # of a similarity in [0, 1]: single precision, added up in another order
_SEEDS = 20


@dataclass(frozen=True)
class _Truth:
    """Every embedded song, straight from SQL: row i of each."""

    song_ids: list[str]
    vectors: NDArray[np.float64]  # (n, d)
    labels: dict[str, NDArray[np.float32]]  # by slug, (n,)
    genres: list[str | None]
    years: list[int | None]

    @classmethod
    def read(cls, catalog: Catalog, model_id: str) -> "_Truth":
        model = catalog.embeddings.model(model_id)
        if model is None:
            raise ModelMismatchError(f"the server answers with model {model_id}, unknown to the catalogue")
        batches = list(catalog.embeddings.matrix(model.key))
        labels = np.concatenate([batch.labels for batch in batches])
        return cls(
            song_ids=[song_id for batch in batches for song_id in batch.song_ids],
            vectors=np.concatenate([batch.vectors for batch in batches]).astype(np.float64),
            labels={slug: labels[:, column] for column, slug in enumerate(model.labels.slugs)},
            genres=[genre for batch in batches for genre in batch.genres],
            years=[year for batch in batches for year in batch.years],
        )

    def passes(self, row: int, terms: dict[str, Any]) -> bool:
        """Whether one song fits every term, looked at one by one."""
        return all(self._fits(row, name, bound) for name, bound in terms.items())

    def _fits(self, row: int, name: str, bound: Any) -> bool:
        year = self.years[row]
        if name == "genre":
            return self.genres[row] in bound
        if name == "year_min":
            return year is not None and year >= bound
        if name == "year_max":
            return year is not None and year <= bound
        value, limit = self.labels[name[4:]][row], np.float32(bound)  # min_<slug> or max_<slug>
        return bool(value >= limit if name.startswith("min_") else value <= limit)


def wrong_answers(server: DemoServer, settings: Settings) -> tuple[int, list[str]]:
    """Number of answers checked, and a sentence for each that is wrong."""
    with open_catalog(settings.database) as catalog:
        some_song = server.get("/songs", limit=1)["songs"][0]["song_id"]
        truth = _Truth.read(catalog, server.get("/similar", song_id=some_song)["model_id"])
    seeds = truth.song_ids[:: max(1, len(truth.song_ids) // _SEEDS)]
    questions = [(song_id, terms) for song_id in seeds for terms in _filters(truth)]
    wrong = [sentence for song_id, terms in questions if (sentence := _wrong(server, truth, song_id, terms))]
    return len(questions), wrong


def _filters(truth: _Truth) -> list[dict[str, Any]]:
    """Filters that all, half, a few, one or no song passes."""

    def at(slug: str, share: float) -> float:
        return float(np.quantile(truth.labels[slug], share))

    return [
        {},
        {"min_danceability": at("danceability", 0.5)},
        {"min_danceability": at("danceability", 0.3), "max_sadness": at("sadness", 0.7)},
        {"genre": ["rock", "pop"], "year_min": 1970, "year_max": 1999},
        {"min_romantic": at("romantic", 0.9), "min_loudness": at("loudness", 0.8)},
        {"min_feelings": float(truth.labels["feelings"].max())},
        {"min_danceability": 1.0, "max_loudness": 0.0},
    ]


def _wrong(server: DemoServer, truth: _Truth, song_id: str, terms: dict[str, Any], limit: int = 10) -> str:
    """What is wrong with one answer; empty when it is right. Equal similarities may stand in any order."""
    answer = server.get("/similar", song_id=song_id, limit=limit, **terms)
    seed = truth.song_ids.index(song_id)
    passing = [row for row in range(len(truth.song_ids)) if row != seed and truth.passes(row, terms)]
    similarity = (1 + truth.vectors @ truth.vectors[seed]) / 2
    best = np.sort(similarity[passing])[::-1][:limit]
    got = np.array([song["similarity"] for song in answer["neighbours"]])
    rows = [truth.song_ids.index(song["song_id"]) for song in answer["neighbours"]]
    about = f"song {song_id} with {terms}"
    if answer["passing"] != len(passing):
        return f"{about}: {answer['passing']} songs are said to pass, {len(passing)} do"
    if len(got) != len(best) or len(set(rows)) != len(rows) or not set(rows) <= set(passing):
        return f"{about}: the answer holds other songs than those that pass"
    if np.abs(got - best).max(initial=0) > _CLOSE or np.abs(got - similarity[rows]).max(initial=0) > _CLOSE:
        return f"{about}: the neighbours are not the nearest ones"
    return ""
