"""The report of a model: label metrics on songs by artists that training never saw."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from engine.encoder import SongEncoder
from engine.errors import InputError
from engine.preprocessing import label_matrix
from engine.song import Song
from engine.training.baselines import TfidfRidge
from engine.training.metrics import label_metrics
from engine.training.split import split_by_artist
from engine.vocabulary import LabelSchema


def held_out(
    songs: Sequence[Song], hold_out: float, seed: int, judge_only: Collection[str] | None = None
) -> list[Song]:
    """Songs of the test part, of those that may judge: ids in ``judge_only``, all by default."""
    test = [songs[row] for row in split_by_artist(songs, hold_out, seed).test]
    return [song for song in test if judge_only is None or song.song_id in judge_only]


def trained_on(songs: Sequence[Song], hold_out: float, seed: int) -> list[Song]:
    """Songs of the training part of the same split."""
    return [songs[row] for row in split_by_artist(songs, hold_out, seed).train]


def evaluate(encoder: SongEncoder, songs: Sequence[Song]) -> dict[str, Any]:
    """Label metrics of a model over songs, per label and as means; songs it cannot read are counted apart."""
    readable = [song for song in songs if _is_readable(encoder, song)]
    if not readable:
        return {"songs": 0, "unreadable": len(songs), "labels": {}}
    predicted = encoder.encode(readable).labels
    true = label_matrix(readable, encoder.schema)
    scalers = encoder.model.preprocessor.scalers
    metrics = label_metrics(predicted, true, scalers.label_mean, encoder.schema.slugs)
    return {**metrics, "unreadable": len(songs) - len(readable)}


def evaluate_baseline(
    train: Sequence[Song], judged: Sequence[Song], schema: LabelSchema, *, metadata: bool
) -> dict[str, Any]:
    """The same metrics of TF-IDF + ridge trained on ``train``."""
    predicted = TfidfRidge(schema, metadata=metadata).fit(train).predict(judged)
    train_mean = np.nanmean(label_matrix(train, schema), axis=0).tolist()
    return label_metrics(predicted, label_matrix(judged, schema), train_mean, schema.slugs)


def _is_readable(encoder: SongEncoder, song: Song) -> bool:
    try:
        encoder.prepare(song)
    except InputError:
        return False
    return True
