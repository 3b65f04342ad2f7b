"""Training end to end on toy songs: it learns, repeats itself bit for bit, and goes on after a kill."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.encoder import SongEncoder
from engine.errors import StoreError, TrainingDataError
from engine.model_bundle import Model
from engine.preprocessing import label_matrix
from engine.song import Song
from engine.training.dataset import Collator, SongDataset
from engine.training.fit import train_model
from engine.training.split import split_by_artist
from engine.training.trainer import EpochSampler, SongTrainer, TrainingProgress, last_checkpoint
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from tests.engine.tiny import SCHEMA, build_preprocessor, tiny_network, tiny_training, toy_songs


class KilledError(Exception):
    """Stands for kill -9."""


def _train(folder: Path, work: Path, songs: list[Song] | None = None, **changes: Any) -> Model:
    report = changes.pop("report", lambda _: None)
    network = tiny_network(folder, **changes.pop("text", {}))
    return train_model(songs or toy_songs(), SCHEMA, network, tiny_training(**changes), work, report)


def _assert_same_weights(one: Model, other: Model) -> None:
    first, second = one.network.state_dict(), other.network.state_dict()
    assert first.keys() == second.keys()
    assert [name for name in first if not first[name].equal(second[name])] == []


def test_overfits_a_dozen_songs(encoder_folder: Path, tmp_path: Path) -> None:
    songs = toy_songs(14, artists=14, whole=True)
    seen: list[TrainingProgress] = []
    settings = {
        "epochs": 60,
        "modality_dropout": 0.0,
        "weight_decay": 0.0,
        "learning_rate": 5e-3,
        "hold_out": 0.07,
    }
    report = train_model(
        songs, SCHEMA, tiny_network(encoder_folder), tiny_training(**settings), tmp_path, seen.append
    )
    losses = [step.loss for step in seen if step.loss is not None]
    assert losses[0] > 0.3
    assert losses[-1] < 0.02
    trained_on = [songs[row] for row in split_by_artist(songs, 0.07, 0).train]
    predicted = SongEncoder("x", report).encode(trained_on).labels
    assert abs(predicted - label_matrix(trained_on, SCHEMA)).max() < 0.15


@pytest.mark.parametrize("tuning", ["lora", "frozen", "full"])
def test_the_same_seed_gives_the_same_model_bit_for_bit(
    tuning: str, encoder_folder: Path, tmp_path: Path
) -> None:
    text = {"tuning": tuning}
    one = _train(encoder_folder, tmp_path / "a", text=text)
    torch.rand(7)  # what came before in the process does not matter
    other = _train(encoder_folder, tmp_path / "b", text=text)
    _assert_same_weights(one, other)
    assert one.report == other.report


def _full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_at_a_checkpoint_says_how_to_go_on(
    encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SongTrainer, "_save_checkpoint", _full_disk)
    with pytest.raises(StoreError, match=r"checkpoints below .*No space left on device; free some space"):
        _train(encoder_folder, tmp_path, checkpoint_steps=1)


def test_another_seed_gives_another_model(model: Model, encoder_folder: Path, tmp_path: Path) -> None:
    another = _train(encoder_folder, tmp_path, seed=1).network.state_dict()
    assert not another["head.0.weight"].equal(model.network.state_dict()["head.0.weight"])


@pytest.fixture(scope="module")
def whole(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return _train(encoder_folder, tmp_path_factory.mktemp("whole"), epochs=3, checkpoint_steps=2)


@pytest.mark.parametrize("killed_at", [5, 7, 9])  # after checkpoints 4, 6 and 8 of 6 steps an epoch
def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    killed_at: int, whole: Model, encoder_folder: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"epochs": 3, "checkpoint_steps": 2}

    def kill(progress: TrainingProgress) -> None:
        if progress.step == killed_at:
            raise KilledError

    with pytest.raises(KilledError):
        _train(encoder_folder, tmp_path / "killed", report=kill, **settings)
    steps: list[int] = []
    resumed = _train(encoder_folder, tmp_path / "killed", report=lambda p: steps.append(p.step), **settings)
    assert min(steps) == killed_at  # no step but the killed one is done twice
    _assert_same_weights(resumed, whole)
    assert resumed.report == whole.report


def test_a_checkpoint_cut_short_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((2, '{"global_step": 2}'), (4, '{"global'), (6, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-2")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]
    assert last_checkpoint(tmp_path / "checkpoint-2") is None


def test_a_finished_run_called_again_does_no_step(encoder_folder: Path, tmp_path: Path) -> None:
    one = _train(encoder_folder, tmp_path)
    steps: list[int] = []
    again = _train(encoder_folder, tmp_path, report=lambda p: steps.append(p.step))
    _assert_same_weights(one, again)
    assert len(steps) <= 1


def test_other_songs_never_go_on_from_a_checkpoint(encoder_folder: Path, tmp_path: Path) -> None:
    _train(encoder_folder, tmp_path)
    changed = [replace(song, year=1999) for song in toy_songs()]
    steps: list[int] = []
    mixed = _train(encoder_folder, tmp_path, changed, report=lambda p: steps.append(p.step))
    fresh = _train(encoder_folder, tmp_path / "fresh", changed)
    assert steps[0] == 1
    _assert_same_weights(mixed, fresh)
    assert len(list(tmp_path.iterdir())) == 3


def test_progress_counts_up_to_the_last_step(encoder_folder: Path, tmp_path: Path) -> None:
    seen: list[TrainingProgress] = []
    _train(encoder_folder, tmp_path, report=seen.append)
    steps = [progress.step for progress in seen]
    assert steps == sorted(steps)
    assert seen[-1].step == seen[-1].steps
    assert seen[-1].eta_s == 0.0
    assert all(progress.songs_per_second > 0 for progress in seen)


def test_text_encoder_and_new_layers_have_rates_of_their_own(encoder_folder: Path, tmp_path: Path) -> None:
    before = _train(encoder_folder, tmp_path / "a", text_learning_rate=1e-30, weight_decay=0.0)
    plain = _train(encoder_folder, tmp_path / "b", text={"tuning": "frozen"}, weight_decay=0.0)
    state = before.network.state_dict()
    adapters = [tensor for name, tensor in state.items() if name.endswith("lora_B.default.weight")]
    assert max(float(tensor.abs().max()) for tensor in adapters) < 1e-20
    base = "lyrics.encoder.encoder.layer.0.output.dense"
    assert state[f"{base}.base_layer.weight"].equal(plain.network.state_dict()[f"{base}.weight"])


def test_the_report_judges_artists_that_training_never_saw(model: Model) -> None:
    songs = toy_songs()
    split = split_by_artist(songs, 0.1, 0)
    report = model.report
    assert report["split"] == {
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
    }
    assert report["songs"] == len(split.test)
    assert set(report["labels"]) == {"rain", "dance_level"}
    train = label_matrix([songs[row] for row in split.train], SCHEMA)
    assert model.preprocessor.scalers.label_mean == pytest.approx(train.mean(axis=0))


def test_judge_only_narrows_the_report(encoder_folder: Path, tmp_path: Path) -> None:
    songs = toy_songs()
    test = split_by_artist(songs, 0.1, 0).test
    chosen = {songs[row].song_id for row in test[:2]}
    network = tiny_network(encoder_folder)
    model = train_model(songs, SCHEMA, network, tiny_training(epochs=1), tmp_path, judge_only=chosen)
    assert model.report["songs"] == 2


def test_modalities_that_no_song_carries_are_not_trained(encoder_folder: Path, tmp_path: Path) -> None:
    songs = [replace(song, audio=None, genre=None) for song in toy_songs(whole=True)]
    model = _train(encoder_folder, tmp_path, songs, epochs=1)
    assert model.preprocessor.modalities == ("lyrics", "year")


def test_labels_known_for_some_songs_train(encoder_folder: Path, tmp_path: Path) -> None:
    songs = [
        replace(
            song,
            labels={"rain": song.labels["rain"]} if i % 2 else {"dance_level": song.labels["dance_level"]},
        )
        for i, song in enumerate(toy_songs())
    ]
    songs += [Song("nothing", artist="z"), Song("no labels", artist="z", lyrics="love")]
    model = _train(encoder_folder, tmp_path, songs, epochs=1, loss="huber")
    assert all(bool(tensor.isfinite().all()) for tensor in model.network.state_dict().values())
    assert sum(model.report["split"].values()) == 30


def test_the_eighteen_labels_train_too(encoder_folder: Path, tmp_path: Path) -> None:
    songs = [replace(s, labels=dict.fromkeys(DEFAULT_LABELS.slugs, s.labels["rain"])) for s in toy_songs()]
    network = tiny_network(encoder_folder, fusion="gated")
    model = train_model(songs, DEFAULT_LABELS, network, tiny_training(epochs=1), tmp_path)
    assert SongEncoder("x", model).encode(songs[:3]).labels.shape == (3, 18)


@pytest.mark.parametrize(
    "songs",
    [
        [],
        [Song("a", lyrics="love")],
        [Song("a", labels={"rain": 0.1})],
        [Song("a", lyrics="x", labels={"y": 1})],
    ],
)
def test_nothing_to_train_on_is_refused(songs: list[Song], encoder_folder: Path, tmp_path: Path) -> None:
    schema = LabelSchema((Label.named("rain"),))
    with pytest.raises(TrainingDataError, match="both a label and something to read"):
        train_model(songs, schema, tiny_network(encoder_folder), tiny_training(), tmp_path)


def test_the_sampler_orders_by_seed_and_epoch_alone(encoder_folder: Path) -> None:
    songs = SongDataset(toy_songs(), build_preprocessor(encoder_folder, toy_songs()))
    one, other = EpochSampler(4, songs, seed=5), EpochSampler(4, songs, seed=5)
    one.set_epoch(2)
    list(other)
    torch.rand(3)
    other.set_epoch(2)
    second = list(one)
    assert sorted(second) == list(range(len(one))) == list(range(30))
    assert list(other) == second
    other.set_epoch(3)
    assert list(other) != second


def test_collated_batches_carry_songs_and_targets(encoder_folder: Path) -> None:
    preprocessor = build_preprocessor(encoder_folder, toy_songs())
    unread = [Song("x", genre="polka", labels={"rain": 0.2}), Song("y", year=1999)]
    songs = SongDataset([*unread, *toy_songs(6)], preprocessor)
    assert songs.rows == [2, 3, 4, 5, 6, 7]
    collated = Collator(preprocessor)([songs[0], songs[3]])
    expected = preprocessor.batch([preprocessor.numbers(toy_songs(6)[i]) for i in (0, 3)])
    torch.testing.assert_close(collated["audio"], expected.audio, equal_nan=True)
    assert collated["input_ids"].equal(expected.input_ids)
    targets = preprocessor.standardised_labels([toy_songs(6)[i] for i in (0, 3)])
    assert collated["labels"].tolist() == targets.tolist()
