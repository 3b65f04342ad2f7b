"""Training and evaluation on a catalogue's labelled songs."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from engine.audio import FEATURE_VERSION
from engine.bundle_store import BundleStore
from engine.config import NetworkSettings, TrainingSettings
from engine.encoder import SongEncoder
from engine.errors import TrainingDataError
from engine.song import Song
from engine.training.evaluation import evaluate, evaluate_baseline, held_out, trained_on
from engine.training.fit import discard_checkpoints, train_model
from engine.training.trainer import TrainingProgress
from engine.vocabulary import LabelSchema
from indexer.catalog.catalog import Catalog, open_catalog
from indexer.ingest.importer import import_path
from indexer.jobs.features import extract_features_stage
from indexer.jobs.progress import JobProgress, ProgressCallback, no_report

STAGE = "training"
CHECKPOINTS = ".training"  # below the model store; hidden from its list of bundles


class TrainingOutcome(NamedTuple):
    """A trained model and where it lies."""

    model_id: str
    path: Path
    report: dict[str, Any]
    seconds: float


def train(
    catalog: Catalog,
    models: BundleStore,
    *,
    network: NetworkSettings,
    training: TrainingSettings,
    labels: Sequence[str] | None = None,
    judge_only: Collection[str] | None = None,
    publish: bool = True,
    workers: int = 1,
    report: ProgressCallback = no_report,
) -> TrainingOutcome:
    """Train a model on the catalogue's labelled songs and write its bundle.

    ``labels`` are slugs to predict, by default all that the catalogue holds. A killed run goes on from its
    last checkpoint when the same call is made again.

    Raises
    ------
    TrainingDataError
        When there are no labels of these names, or too few songs or artists.
    StoreError
        When the disk refuses; models that were there are untouched.
    """
    begun = time.monotonic()
    checkpoints = models.root / CHECKPOINTS
    schema = _schema(catalog, labels)
    extract_features_stage(catalog, workers=workers, report=report)
    model = train_model(
        labelled_songs(catalog, schema),
        schema,
        network,
        training,
        checkpoints,
        _passed_on(report),
        judge_only,
    )
    path = model.save(models)
    if publish:
        models.publish(path.name)
    discard_checkpoints(checkpoints, model)
    return TrainingOutcome(path.name, path, model.report, time.monotonic() - begun)


def evaluate_model(
    catalog: Catalog,
    models: BundleStore,
    *,
    model_id: str | None = None,
    judge_only: Collection[str] | None = None,
    baselines: bool = False,
) -> dict[str, Any]:
    """Label metrics of a model (default: the published one) on the catalogue's songs by artists it never saw.

    The split is the one the model was trained with, so on its own training songs the held-out part is
    unseen. ``baselines`` adds TF-IDF + ridge, without and with genre and year, on the same split.
    """
    path = models.current() if model_id is None else models.path_of(model_id)
    encoder = SongEncoder.load(path)
    songs = labelled_songs(catalog, encoder.schema)
    settings = encoder.model.training_settings
    judged = held_out(songs, settings.hold_out, settings.seed, judge_only)
    result: dict[str, Any] = {"model_id": path.name, **evaluate(encoder, judged)}
    if baselines:
        train_songs = trained_on(songs, settings.hold_out, settings.seed)
        result["baselines"] = {
            name: evaluate_baseline(train_songs, judged, encoder.schema, metadata=metadata)
            for name, metadata in (("tfidf_ridge", False), ("tfidf_genre_year_ridge", True))
        }
    return result


@contextmanager
def table_catalog(table: Path, labels: LabelSchema | None = None) -> Iterator[Catalog]:
    """Temporary catalogue of the songs in a CSV or Parquet table, to train on without importing them.

    Raises
    ------
    TableError
        When the table cannot be read.
    """
    with (
        TemporaryDirectory(prefix="songlike-") as folder,
        open_catalog(f"sqlite:///{folder}/table.db") as catalog,
    ):
        import_path(catalog, table, labels)
        yield catalog


def labelled_songs(catalog: Catalog, schema: LabelSchema) -> list[Song]:
    """Songs that carry a label and something to read, with their audio features, in order of import.

    They are what training splits by artist, so that an evaluation finds the same split.
    """
    songs: list[Song] = []
    for records in catalog.songs.stream():
        labelled = [record for record in records if any(slug in record.labels for slug in schema.slugs)]
        audio = catalog.features.of_songs(
            [record.key for record in labelled if record.key is not None], FEATURE_VERSION
        )
        for record in labelled:
            _, values = audio.get(record.key or 0, (None, None))
            song = record.as_song(values)
            if song.modalities:
                songs.append(song)
    return songs


def _schema(catalog: Catalog, slugs: Sequence[str] | None) -> LabelSchema:
    held = catalog.songs.label_schema()
    if held is None:
        raise TrainingDataError("the catalogue holds no label values; import songs with label columns first")
    if slugs is None:
        return held
    by_slug = {label.slug: label for label in held}
    unknown = [slug for slug in slugs if slug not in by_slug]
    if unknown:
        raise TrainingDataError(f"the catalogue holds no labels {unknown}; it holds {list(by_slug)}")
    return LabelSchema(tuple(by_slug[slug] for slug in slugs))


def _passed_on(report: ProgressCallback) -> Any:
    def training_report(p: TrainingProgress) -> None:
        loss = (
            ""
            if p.loss is None
            else f"loss {p.loss:.3f}, epoch {p.epoch:.2f}, {p.songs_per_second:.1f} songs/s"
        )
        rate = p.songs_per_second / p.batch_songs
        report(JobProgress(STAGE, p.step, p.steps, rate, p.eta_s, loss))

    return training_report
