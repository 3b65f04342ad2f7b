"""From labelled songs to a trained model with its report: split, scale, train, judge."""

import hashlib
import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import set_seed

from engine.config import NetworkSettings, TrainingSettings
from engine.encoder import SongEncoder
from engine.errors import TrainingDataError
from engine.model_bundle import Model
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor, Scalers
from engine.song import Song
from engine.text_encoder import load_text_encoder, load_tokenizer
from engine.training.dataset import SongDataset, pool_frozen_lyrics
from engine.training.evaluation import evaluate
from engine.training.split import Split, split_by_artist
from engine.training.trainer import ProgressCallback, train_network
from engine.vocabulary import GENRES, MODALITIES, LabelSchema


def train_model(
    songs: Sequence[Song],
    schema: LabelSchema,
    network_settings: NetworkSettings,
    training_settings: TrainingSettings,
    work: Path,
    report: ProgressCallback = lambda _: None,
    judge_only: Collection[str] | None = None,
) -> Model:
    """Train on labelled songs; the same songs, settings and thread count give the same model.

    ``work`` keeps checkpoints: after a kill the same call goes on from the last one. The report judges the
    test part of the split by artist, narrowed to the ids in ``judge_only`` where given.

    Raises
    ------
    TrainingDataError
        When too few songs carry labels, or the artists are too few to split.
    """
    labelled = [
        song for song in songs if any(slug in song.labels for slug in schema.slugs) and song.modalities
    ]
    if not labelled:
        raise TrainingDataError(
            "no song carries both a label and something to read; import songs with label columns"
        )
    split = split_by_artist(labelled, training_settings.hold_out, training_settings.seed)
    set_seed(training_settings.seed)
    preprocessor = _fit_preprocessor([labelled[row] for row in split.train], schema, network_settings)
    network = SongNetwork(
        load_text_encoder(network_settings.text),
        network_settings,
        genres=len(GENRES),
        labels=len(schema),
        modality_dropout=training_settings.modality_dropout,
    )
    train_songs = SongDataset([labelled[row] for row in split.train], preprocessor)
    if network_settings.text.tuning == "frozen":
        pool_frozen_lyrics(train_songs, network, preprocessor)
    data_hash = _data_hash(labelled, schema)
    checkpoints = work / _run_name(data_hash, network_settings, training_settings)
    train_network(network, preprocessor, train_songs, training_settings, checkpoints, report)
    model = Model(network.eval(), preprocessor, network_settings, training_settings, {}, data_hash)
    return replace(model, report=_report(model, labelled, split, judge_only))


def discard_checkpoints(work: Path, model: Model) -> None:
    """Remove the checkpoints of the run that made a model, once its bundle is written."""
    run = _run_name(model.training_data_hash, model.network_settings, model.training_settings)
    shutil.rmtree(work / run, ignore_errors=True)


def _fit_preprocessor(train: Sequence[Song], schema: LabelSchema, settings: NetworkSettings) -> Preprocessor:
    carried = {name for song in train for name in song.modalities}
    return Preprocessor(
        load_tokenizer(settings.text.source),
        Scalers.fit(train, schema),
        genres=GENRES,
        schema=schema,
        window_tokens=settings.text.window_tokens,
        modalities=[name for name in MODALITIES if name in carried],
    )


def _report(
    model: Model, songs: Sequence[Song], split: Split, judge_only: Collection[str] | None
) -> dict[str, object]:
    encoder = SongEncoder("unsaved", model)
    allowed = {song.song_id for song in songs} if judge_only is None else set(judge_only)
    test, validation = (
        evaluate(encoder, [songs[row] for row in rows if songs[row].song_id in allowed])
        for rows in (split.test, split.validation)
    )
    sizes = {name: len(rows) for name, rows in split._asdict().items()}
    return {
        **test,
        "split": sizes,
        "validation_mean_r2": validation.get("mean_r2"),
        "threads": torch.get_num_threads(),
    }


def _data_hash(songs: Sequence[Song], schema: LabelSchema) -> str:
    """sha256 over everything that training reads, in order."""
    digest = hashlib.sha256()
    for song in songs:
        audio = [] if song.audio is None else song.audio.tolist()
        labels = [song.labels.get(slug) for slug in schema.slugs]
        row = [song.song_id, song.artist, song.lyrics, song.genre, song.year, audio, labels]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _run_name(data_hash: str, *settings: NetworkSettings | TrainingSettings) -> str:
    """Folder of a run's checkpoints: other songs or settings never go on from them."""
    text = data_hash + "".join(s.model_dump_json() for s in settings)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
