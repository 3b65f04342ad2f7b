import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.cli.evaluation import read_ids
from engine.bundle_store import BundleStore
from engine.config import NetworkSettings, TextSettings, TrainingSettings
from engine.errors import InputError
from engine.vocabulary import Label, LabelSchema
from tests.api.command import fake_job, songlike
from tests.api.small_home import SmallHome


class Outcome(NamedTuple):
    """The fields of `indexer.jobs.training.TrainingOutcome`."""

    model_id: str
    path: Path
    report: dict[str, Any]
    seconds: float


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def train(catalog: object, models: BundleStore, **options: Any) -> Outcome:
        found.append({"catalog": catalog, "models": models, **options})
        return Outcome("m1", models.root / "m1", {"songs": 30, "mean_r2": 0.25, "labels": {}}, 3.2)

    @contextmanager
    def table_catalog(table: Path, labels: LabelSchema | None = None) -> Iterator[tuple[Path, object]]:
        yield table, labels

    fake_job(monkeypatch, "training", train=train, table_catalog=table_catalog)
    return found


def test_defaults_are_those_of_the_settings(own_home: SmallHome, calls: list[dict[str, Any]]) -> None:
    result = songlike(own_home.settings.home, "model", "train")
    assert result.exit_code == 0
    (call,) = calls
    assert call["network"] == NetworkSettings()
    assert call["training"] == TrainingSettings()
    assert (call["labels"], call["judge_only"], call["publish"], call["workers"]) == (None, None, True, 1)
    assert call["models"].root == own_home.settings.models
    assert result.stdout.startswith("Trained and published model m1 in 3 s.\n")
    assert ["r2", "0.250"] in [line.split() for line in result.stdout.splitlines()]


def test_options_reach_the_settings(own_home: SmallHome, calls: list[dict[str, Any]], tmp_path: Path) -> None:
    judges = tmp_path / "judges.txt"
    judges.write_text("s010\n\ns011\n")
    result = songlike(
        own_home.settings.home, "model", "train", "--encoder", "minilm", "--tuning", "frozen", "--fusion", "gated",
        "--loss", "huber", "--epochs", "0.5", "--batch-songs", "8", "--learning-rate", "0.01",
        "--text-learning-rate", "0.002", "--seed", "7", "--label", "danceability", "--label", "world/life",
        "--judge-only", judges, "--workers", "2", "--no-publish", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (call,) = calls
    assert call["network"] == NetworkSettings(text=TextSettings.packaged(tuning="frozen"), fusion="gated")
    assert call["training"] == TrainingSettings(
        loss="huber", epochs=0.5, batch_songs=8, learning_rate=0.01, text_learning_rate=0.002, seed=7
    )
    assert call["labels"] == ["danceability", "world_life"]
    assert call["judge_only"] == {"s010", "s011"}
    assert (call["publish"], call["workers"]) == (False, 2)
    found = json.loads(result.stdout)
    assert (found["model_id"], found["published"], found["report"]["mean_r2"]) == ("m1", False, 0.25)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], TextSettings(source="BAAI/bge-large-en-v1.5", pooling="cls")),
        (["--encoder", "minilm"], TextSettings.packaged()),
        (["--encoder", "package:other"], TextSettings(source="package:other", pooling="mean")),
        (["--encoder", "minilm", "--pooling", "cls"], TextSettings.packaged(pooling="cls")),
        (["--encoder", "org/name", "--pooling", "mean"], TextSettings(source="org/name", pooling="mean")),
    ],
)
def test_encoder_and_its_pooling(
    own_home: SmallHome, calls: list[dict[str, Any]], arguments: list[str], expected: TextSettings
) -> None:
    assert songlike(own_home.settings.home, "model", "train", *arguments).exit_code == 0
    assert calls[0]["network"].text == expected


def test_table_needs_no_catalogue_and_brings_its_own_labels(
    tmp_path: Path, calls: list[dict[str, Any]]
) -> None:
    table = tmp_path / "songs.csv"
    arguments = ["--table", str(table), "--label", "world_life", "--label", "valence:-5:5"]
    result = songlike(tmp_path / "home", "model", "train", *arguments)
    assert result.exit_code == 0
    assert calls[0]["labels"] == ["world_life", "valence"]
    assert calls[0]["catalog"] == (table, LabelSchema((Label("valence", "valence", -5, 5),)))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--epochs", "0"), ("--learning-rate", "-1"), ("--batch-songs", "0")]
)
def test_setting_out_of_range_names_its_option(
    own_home: SmallHome, calls: list[dict[str, Any]], option: str, value: str
) -> None:
    result = songlike(own_home.settings.home, "model", "train", option, value)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"songlike: {option} ")
    assert len(result.stderr.splitlines()) == 1
    assert not calls


EVALUATION = {
    "model_id": "m1",
    "songs": 1200,
    "mean_r2": 0.5,
    "mean_mae": 0.1,
    "mean_spearman": 0.7,
    "mean_predictor_r2": 9.0,
    "mean_mean_predictor_r2": -0.01,
    "labels": {
        "danceability": {
            "songs": 1190, "r2": 0.4, "mae": 0.11, "spearman": 0.65, "mean_predictor_r2": -0.02,
            "mean_predictor_mae": 0.2,
        },
        "constant": {
            "songs": 3, "r2": None, "mae": None, "spearman": None, "mean_predictor_r2": None,
            "mean_predictor_mae": None,
        },
    },
    "baselines": {"tfidf_ridge": {"mean_r2": 0.33, "labels": {"danceability": {"r2": 0.31}}}},
}  # fmt: skip


def test_evaluation_as_table_and_json(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []

    def evaluate_model(_catalog: object, _models: object, **options: Any) -> dict[str, Any]:
        calls.append(options)
        return EVALUATION

    fake_job(monkeypatch, "training", evaluate_model=evaluate_model)
    home = own_home.settings.home
    shown = songlike(home, "model", "evaluate", "--model", "m1", "--baselines").stdout.splitlines()
    assert calls == [{"model_id": "m1", "judge_only": None, "baselines": True}]
    assert shown[0] == "Model m1 on 1,200 songs by artists that training never saw."
    rows = {line.split()[0]: line.split()[1:] for line in shown[2:]}
    assert rows == {
        "danceability": ["1,190", "0.400", "0.110", "0.650", "-0.020", "0.200", "0.310"],
        "constant": ["3", "-", "-", "-", "-", "-", "-"],
        "mean": ["1,200", "0.500", "0.100", "0.700", "-0.010", "-", "0.330"],
    }
    assert json.loads(songlike(home, "model", "evaluate", "--json").stdout) == EVALUATION


def test_info_shows_the_manifest(tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "models", "model")
    facts = {
        "vocabulary": {"labels": [{"slug": "danceability"}], "genres": ["pop"]},
        "quality": {"mean_r2": 0.5},
    }

    def fill(folder: Path) -> None:
        (folder / "w.bin").write_bytes(b"x")

    path = store.write(fill, format=1, facts=facts)
    assert songlike(tmp_path, "model", "info").exit_code == 3
    store.publish(path.name)
    manifest = json.loads(songlike(tmp_path, "model", "info", "--json").stdout)
    assert manifest == json.loads((path / "manifest.json").read_text())
    shown = [line.split() for line in songlike(tmp_path, "model", "info", path.name).stdout.splitlines()]
    assert ["labels", "danceability"] in shown
    assert ["quality", "mean_r2=0.5"] in shown
    assert ["name", path.name] in shown
    assert songlike(tmp_path, "model", "info", "no-such").exit_code == 3


def test_ids_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes("\ufeffa b\r\nü/c\n\n a \n".encode())
    assert read_ids(path) == frozenset({"a b", "ü/c", "a"})
    assert read_ids(None) is None


@pytest.mark.parametrize("content", [None, b"", b"\n \n", b"\xff\xfe"])
def test_file_without_ids_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ids.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"--judge-only .*ids\.txt"):
        read_ids(path)
