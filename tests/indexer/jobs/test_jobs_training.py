"""Training and evaluation from a catalogue: which songs, which labels, and what is published."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.audio import FEATURE_VERSION
from engine.bundle_store import BundleStore
from engine.config import TrainingSettings
from engine.encoder import SongEncoder
from engine.errors import NotFoundError, NothingPublishedError, TrainingDataError
from engine.training.evaluation import evaluate, held_out
from engine.vocabulary import Label, LabelSchema
from indexer.catalog import Catalog, open_catalog
from indexer.jobs.build import build_index
from indexer.jobs.progress import JobProgress
from indexer.jobs.training import (
    CHECKPOINTS,
    TrainingOutcome,
    evaluate_model,
    labelled_songs,
    table_catalog,
    train,
)
from indexer.search.bundle import load_index
from indexer.search.filters import Filter
from tests.indexer.jobs.library import CORRUPT, EMPTY, LABELS, SONGS, Library, network_settings

TRAINING = TrainingSettings(epochs=1, batch_songs=8, hold_out=0.2)
OWN = LabelSchema((Label.named("valence"), Label.named("bpm", 0, 300)))
Train = Callable[..., TrainingOutcome]


@pytest.fixture
def run_training(catalog: Catalog, models: BundleStore, encoder_folder: Path) -> Train:
    """``train`` on the fixtures, with the smallest network."""

    def run(**options: Any) -> TrainingOutcome:
        options = {"network": network_settings(encoder_folder), "training": TRAINING, **options}
        return train(catalog, models, **options)

    return run


def test_a_model_is_trained_published_and_judged_on_its_own_split(
    catalog: Catalog, library: Library, models: BundleStore, run_training: Train
) -> None:
    seen: list[JobProgress] = []
    outcome = run_training(report=seen.append)
    assert models.current() == outcome.path
    assert outcome.path.name == outcome.model_id
    encoder = SongEncoder.load(outcome.path)
    assert encoder.schema == LABELS  # of the 18 default ones, just those that the table has
    assert not encoder.model.network.training
    assert seen[-1].stage == "training"
    assert seen[-1].done == seen[-1].total
    # The run is over: its checkpoints, each as large as the network, are gone.
    assert list((models.root / CHECKPOINTS).iterdir()) == []
    assert models.names() == [outcome.model_id]
    # The empty song carries labels; counted into the split, it would move songs from one part to another.
    assert EMPTY in library.rows
    split = outcome.report["split"]
    assert sum(split.values()) == SONGS - 1
    judged = evaluate_model(catalog, models)
    assert (judged["model_id"], judged["songs"]) == (outcome.model_id, split["test"])
    assert judged["mean_r2"] == pytest.approx(outcome.report["mean_r2"], abs=1e-6)
    for slug in LABELS.slugs:
        assert judged["labels"][slug]["mae"] == pytest.approx(outcome.report["labels"][slug]["mae"], abs=1e-6)


def test_the_same_call_gives_the_same_model(library: Library, run_training: Train) -> None:
    assert run_training().model_id == run_training(publish=False).model_id


def test_some_of_the_labels(library: Library, models: BundleStore, run_training: Train) -> None:
    first = run_training()
    outcome = run_training(labels=["danceability"], publish=False)
    assert SongEncoder.load(outcome.path).schema.slugs == ("danceability",)
    assert models.current() == first.path


def test_labels_that_are_not_there(library: Library, models: BundleStore, run_training: Train) -> None:
    with pytest.raises(
        TrainingDataError, match=r"no labels \['tempo'\]; it holds \['sadness', 'danceability'\]"
    ):
        run_training(labels=["sadness", "tempo"])
    assert models.names() == []


def test_a_catalogue_without_labels_cannot_train(run_training: Train) -> None:
    with pytest.raises(TrainingDataError, match="import songs with label columns"):
        run_training()


def test_judge_only_narrows_the_judged_songs_not_the_training(
    catalog: Catalog, library: Library, models: BundleStore, run_training: Train
) -> None:
    outcome = run_training()
    encoder = SongEncoder.load(outcome.path)
    test_part = held_out(labelled_songs(catalog, LABELS), TRAINING.hold_out, TRAINING.seed)
    chosen = {song.song_id for song in test_part[:3]}
    judged = evaluate_model(catalog, models, judge_only=chosen | {EMPTY})
    expected = evaluate(encoder, [song for song in test_part if song.song_id in chosen])
    assert judged["songs"] == 3
    assert judged == {"model_id": outcome.model_id, **expected}
    narrowed = run_training(judge_only=chosen, publish=False)
    assert (narrowed.report["songs"], narrowed.report["split"]) == (3, outcome.report["split"])
    assert narrowed.report["labels"]["sadness"]["mae"] == pytest.approx(
        expected["labels"]["sadness"]["mae"], abs=1e-6
    )


def test_a_model_is_judged_by_its_id(
    catalog: Catalog, library: Library, models: BundleStore, run_training: Train
) -> None:
    outcome = run_training(publish=False)
    with pytest.raises(NothingPublishedError):
        evaluate_model(catalog, models)
    assert evaluate_model(catalog, models, model_id=outcome.model_id)["model_id"] == outcome.model_id
    with pytest.raises(NotFoundError, match="nobody"):
        evaluate_model(catalog, models, model_id="nobody")


def test_baselines_find_what_is_in_the_words_and_in_the_genre(
    tmp_path: Path, catalog: Catalog, models: BundleStore, run_training: Train
) -> None:
    library = Library(tmp_path / "toy", songs=60)
    for number, row in enumerate(library.rows.values()):
        sad, jazz = number % 2, number % 3 == 0
        row |= {"artist": f"Artist {number}", "genre": "jazz" if jazz else "pop", "year": 1985}
        row |= {"lyrics": f"{'tears rain' if sad else 'dance baby'} number{number}"}
        row |= {"sadness": 0.9 if sad else 0.1, "danceability": 0.1 if jazz else 0.9}
    library.import_into(catalog)
    run_training()
    baselines = evaluate_model(catalog, models, baselines=True)["baselines"]
    words, metadata = baselines["tfidf_ridge"], baselines["tfidf_genre_year_ridge"]
    assert words["songs"] == metadata["songs"] == 12
    assert words["labels"]["sadness"]["r2"] > 0.9  # written in the lyrics
    assert words["labels"]["danceability"]["r2"] < 0.1  # is not
    assert metadata["labels"]["danceability"]["r2"] > 0.9  # written in the genre
    assert "baselines" not in evaluate_model(catalog, models)


def test_labelled_songs_carry_their_audio(catalog: Catalog, library: Library, run_training: Train) -> None:
    library.with_audio()
    del library.rows["s01"]["sadness"], library.rows["s02"]["sadness"], library.rows["s02"]["danceability"]
    library.import_into(catalog)
    run_training()  # computes the features
    songs = {song.song_id: song for song in labelled_songs(catalog, LABELS)}
    assert set(library.rows) - set(songs) == {EMPTY, "s02"}
    assert {song_id for song_id, song in songs.items() if song.audio is not None} == {
        song_id for song_id, row in library.rows.items() if "audio_path" in row and song_id != CORRUPT
    }
    stored = catalog.songs.get("s06")
    assert stored is not None and stored.key is not None
    _, features = catalog.features.of_songs([stored.key], FEATURE_VERSION)[stored.key]
    audio = songs["s06"].audio
    assert audio is not None
    np.testing.assert_array_equal(audio, features)
    assert songs["s01"].labels == {"danceability": library.rows["s01"]["danceability"]}


def test_a_table_trains_without_being_imported(tmp_path: Path, catalog: Catalog, library: Library) -> None:
    other = Library(tmp_path / "other", songs=12)
    table = other.folder / "songs.csv"
    with table_catalog(table_of(other)) as temporary:
        assert temporary.songs.count() == 12
        assert [song.song_id for song in labelled_songs(temporary, LABELS)] == [
            song_id for song_id in other.rows if song_id != EMPTY
        ]
        assert temporary.database.url != catalog.database.url
        file = Path(temporary.database.url.database or "")
        assert file.is_file()
    assert not file.parent.exists()
    assert table.is_file()
    assert catalog.songs.count() == SONGS


def table_of(library: Library) -> Path:
    """The library's table, written by way of a catalogue that is thrown away."""
    with open_catalog(f"sqlite:///{library.folder / 'aside.db'}") as aside:
        library.import_into(aside)
    return library.folder / "songs.csv"


def test_own_labels_train_build_and_filter_without_a_code_change(
    tmp_path: Path, catalog: Catalog, models: BundleStore, indexes: BundleStore, run_training: Train
) -> None:
    library = Library(tmp_path / "own", extra_labels=OWN)
    for number, row in enumerate(library.rows.values()):
        row |= {"valence": number / 100, "bpm": 60 + 7 * number}
    library.import_into(catalog)
    outcome = run_training(labels=OWN.slugs)
    assert SongEncoder.load(outcome.path).schema == OWN
    build_index(catalog, models, indexes)
    index = load_index(indexes.current(), outcome.model_id)
    assert index.info.labels == OWN
    song_ids = sorted(set(library.rows) - {EMPTY})
    bpm = {song_id: predicted(index.attributes_of(song_id), "bpm") for song_id in song_ids}
    assert all(60 < value < 300 for value in bpm.values())  # on its own scale, not on 0 to 1
    middle = sorted(bpm.values())[len(bpm) // 2]
    where = Filter.from_parameters(index.info.labels, {"min_bpm": middle})
    query = index.vector_of("s01")
    assert query is not None
    found = index.search(query, where, limit=SONGS)
    assert {hit.song_id for hit in found.hits} == {s for s, value in bpm.items() if value >= middle}
    assert list(found.dropped.values()) == [len(bpm) - len(found.hits)]


def predicted(found: Any, slug: str) -> float:
    value = found.labels[slug]
    assert isinstance(value, float)
    return value
