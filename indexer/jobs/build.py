"""``index build``: features -> embeddings and labels -> index -> verify -> publish.

Every stage keeps what it has done in SQL, keyed by the content it was computed from, and commits batch by
batch: a killed build goes on where it stopped, and one with nothing new does no work.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from engine.bundle_store import BundleStore, read_manifest, verify_bundle
from engine.errors import BundleError, InputError, NothingPublishedError, SonglikeError
from engine.model_card import ModelCard
from indexer.catalog.catalog import Catalog
from indexer.jobs import embeddings, features
from indexer.jobs.embeddings import EmbeddingStage
from indexer.jobs.features import extract_features_stage
from indexer.jobs.progress import JobProgress, ProgressCallback, StageClock, no_report
from indexer.search.bundle import INDEX_FORMATS, INDEX_KIND, IndexRows, load_index, write_index_bundle

_REPORT_TO_SQL_S = 1.0  # the state in SQL is refreshed at most this often
_LEAST_RECALL = 0.95  # an index that finds less of the true neighbours is not published


class BuildOutcome(NamedTuple):
    """How a build ended; ``failed`` counts the songs in the error ledger."""

    state: Literal["published", "unchanged"]
    version: str
    model_id: str
    songs: int
    new_features: int
    new_vectors: int
    failed: int
    recall: float
    seconds: float


def build_index(
    catalog: Catalog,
    models: BundleStore,
    indexes: BundleStore,
    *,
    factory: str = "Flat",
    keep: int = 3,
    workers: int = 1,
    retry_failed: bool = False,
    report: ProgressCallback = no_report,
) -> BuildOutcome:
    """Bring the published index up to the catalogue and the current model.

    ``keep`` bundles stay for rollback. The old index serves until the new one is verified.

    Raises
    ------
    NothingPublishedError
        When no model has been published.
    BundleError
        When the new index does not pass verification; the old one stays.
    StoreError
        When the disk or database refuses; the old index stays, and the next build goes on from here.
    """
    begun = time.monotonic()
    bundle = models.current()
    card = ModelCard.read(bundle)
    model_key = catalog.embeddings.register_model(card.model_id, card.dimension, card.labels)
    with _recorded(catalog, model_key, report) as run:
        new_features = extract_features_stage(
            catalog, workers=workers, retry_failed=retry_failed, report=run.report
        )
        stage = EmbeddingStage(catalog, bundle, card, model_key)
        new_vectors = stage.run(retry_failed=retry_failed, report=run.report)
        rows, source = _read_rows(catalog, model_key, run.report)
        published = _published(indexes)
        if published is not None and _made_from(published, card, source, factory):
            run.state, path = "unchanged", published
        else:
            path = _write_verified(indexes, rows, card, factory, source, run.report)
            indexes.publish(path.name)
            indexes.prune(keep)
            run.state = "published"
        run.version = path.name
    return BuildOutcome(
        state=run.state,
        version=path.name,
        model_id=card.model_id,
        songs=len(rows.keys),
        new_features=new_features,
        new_vectors=new_vectors,
        failed=len({*catalog.ledger.known(features.STAGE), *catalog.ledger.known(embeddings.STAGE)}),
        recall=float(read_manifest(path)["recall"]),
        seconds=time.monotonic() - begun,
    )


# ── The run's record in SQL ──────────────────────────────────────────────────────────────────────────────


class _Run:
    """One run's state, for the record in SQL that ``index status`` reads."""

    def __init__(self, catalog: Catalog, key: int, report: ProgressCallback) -> None:
        self.state: Literal["published", "unchanged"] = "unchanged"
        self.version: str | None = None
        self.stage = ""
        self._catalog = catalog
        self._key = key
        self._report = report
        self._noted = 0.0

    def report(self, progress: JobProgress) -> None:
        """Pass progress on, and note it in SQL now and then."""
        self._report(progress)
        new_stage, self.stage = progress.stage != self.stage, progress.stage
        if new_stage or time.monotonic() - self._noted > _REPORT_TO_SQL_S:
            self._catalog.builds.progress(self._key, progress.stage, progress.done, progress.total)
            self._noted = time.monotonic()


@contextmanager
def _recorded(catalog: Catalog, model_key: int, report: ProgressCallback) -> Iterator[_Run]:
    """Record a run from its start to its end, however it ends."""
    key = catalog.builds.start(model_key)
    run = _Run(catalog, key, report)
    reason = "run `songlike index build` to go on"
    ended = False
    try:
        yield run
        ended = True
    except SonglikeError as error:
        reason = str(error)
        raise
    finally:
        if ended:
            catalog.builds.finish(key, run.state, run.version)
        else:
            message = f"stopped in stage {run.stage or 'start'}: {reason}"
            catalog.builds.finish(key, "failed", message=message)


# ── Stages "index" and "verify" ──────────────────────────────────────────────────────────────────────────


def _read_rows(catalog: Catalog, model_key: int, report: ProgressCallback) -> tuple[IndexRows, str]:
    """Everything to index, and a hash over it by which an unchanged catalogue is known.

    Raises
    ------
    InputError
        When no song has a vector.
    """
    clock = StageClock("read", catalog.embeddings.count(model_key), report)
    digest = hashlib.sha256()
    batches = []
    for batch in catalog.embeddings.matrix(model_key):
        about = [batch.song_ids, batch.genres, batch.years, batch.artists, batch.coverage]
        for part in (
            batch.keys.tobytes(),
            batch.vectors.tobytes(),
            batch.labels.tobytes(),
            json.dumps(about).encode(),
        ):
            digest.update(part)
        batches.append(batch)
        clock.advance(len(batch.song_ids))
    if not batches:
        raise InputError(
            "no song of the catalogue could be embedded; import songs, and see `songlike index status`"
        )
    rows = IndexRows(
        keys=np.concatenate([batch.keys for batch in batches]),
        song_ids=[song_id for batch in batches for song_id in batch.song_ids],
        vectors=np.concatenate([batch.vectors for batch in batches]),
        labels=np.concatenate([batch.labels for batch in batches]),
        genres=[genre for batch in batches for genre in batch.genres],
        years=[year for batch in batches for year in batch.years],
        artists=[artist for batch in batches for artist in batch.artists],
        coverage=[coverage for batch in batches for coverage in batch.coverage],
    )
    return rows, digest.hexdigest()


def _write_verified(
    indexes: BundleStore,
    rows: IndexRows,
    card: ModelCard,
    factory: str,
    source: str,
    report: ProgressCallback,
) -> Path:
    """Write the index, open it again as a server would, and refuse it when it finds too little."""
    songs, before = len(rows.keys), {path.name for path in indexes.root.glob("*")}
    report(JobProgress("index", 0, songs, 0.0, None))
    path = write_index_bundle(
        indexes,
        rows,
        model_id=card.model_id,
        labels=card.labels,
        factory=factory,
        facts={"source_hash": source},
    )
    report(JobProgress("verify", 0, songs, 0.0, None))
    try:
        _verify(path, card, factory)
    except SonglikeError:
        if path.name not in before:  # else a rollback could publish it
            shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def _verify(path: Path, card: ModelCard, factory: str) -> None:
    recall = load_index(path, card.model_id).info.recall
    if recall < _LEAST_RECALL:
        raise BundleError(
            f"index {path.name} finds only {recall:.3f} of the true neighbours, {_LEAST_RECALL} is asked for; "
            f"it is not published. Build with another factory than {factory!r}"
        )


def _published(indexes: BundleStore) -> Path | None:
    try:
        return indexes.current()
    except (NothingPublishedError, BundleError):  # a damaged `current` is mended by publishing
        return None


def _made_from(path: Path, card: ModelCard, source: str, factory: str) -> bool:
    """Whether the index in this folder is sound and what a new build would make again."""
    try:
        manifest = verify_bundle(path, kind=INDEX_KIND, formats=INDEX_FORMATS)
    except BundleError:
        return False
    made_from = tuple(manifest.get(fact) for fact in ("model_id", "source_hash", "factory"))
    return made_from == (card.model_id, source, factory)
