import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from indexer.catalog import open_catalog
from indexer.search.bundle import index_store
from tests.api.command import fake_job, songlike
from tests.api.small_home import SmallHome, make_home


class Outcome(NamedTuple):
    """The fields of `indexer.jobs.build.BuildOutcome`."""

    state: str
    version: str = "v1"
    model_id: str = "m1"
    songs: int = 1200
    new_features: int = 3
    new_vectors: int = 1100
    failed: int = 0
    recall: float = 1.0
    seconds: float = 65.4


def recorder(outcome: Outcome, calls: list[dict[str, Any]]) -> Callable[..., Outcome]:
    def build_index(catalog: object, models: object, indexes: object, **options: Any) -> Outcome:
        calls.append({"models": models, "indexes": indexes, **options})
        return outcome

    return build_index


def test_build_passes_its_options_on(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    fake_job(monkeypatch, "build", build_index=recorder(Outcome("published", failed=2), calls))
    arguments = ["--factory", "Flat", "--keep", "5", "--workers", "2", "--retry-failed"]
    result = songlike(own_home.settings.home, "index", "build", *arguments)
    assert result.exit_code == 0
    assert result.stdout == (
        "Published index v1: 1,200 songs, 3 audio files and 1,100 vectors new, in 1:05 min.\n"
        "2 songs are in the error ledger; `songlike index status` says why.\n"
    )
    (call,) = calls
    assert (call["factory"], call["keep"], call["workers"], call["retry_failed"]) == ("Flat", 5, 2, True)
    assert (call["models"].root, call["models"].kind) == (own_home.settings.models, "model")
    assert (call["indexes"].root, call["indexes"].kind) == (own_home.settings.indexes, "index")


def test_build_with_nothing_new_says_so(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_job(monkeypatch, "build", build_index=recorder(Outcome("unchanged"), []))
    home = own_home.settings.home
    assert songlike(home, "index", "build").stdout == "Nothing new: index v1 of 1,200 songs stays as it is.\n"
    assert json.loads(songlike(home, "index", "build", "--json").stdout) == Outcome("unchanged")._asdict()


def test_interrupted_build_is_130(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_index(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    fake_job(monkeypatch, "build", build_index=build_index)
    result = songlike(own_home.settings.home, "index", "build")
    assert result.exit_code == 130
    assert "the same command goes on from there" in result.stderr


def test_verify_passes_a_good_index(small_home: SmallHome) -> None:
    result = songlike(small_home.settings.home, "index", "verify", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["version"], found["passed"]) == (small_home.version, True)
    assert [(check["name"], check["passed"]) for check in found["checks"]] == [
        ("files", True),
        ("model", True),
        ("recall", True),
    ]


def test_verify_of_a_damaged_index_is_1(own_home: SmallHome) -> None:
    folder = own_home.settings.indexes / own_home.version
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(bytes(content))
    result = songlike(own_home.settings.home, "index", "verify")
    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert largest.name in result.stdout


def test_verify_of_an_index_of_another_catalogue_is_1(own_home: SmallHome, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    open_catalog(other).close()
    result = songlike(own_home.settings.home, "--database", other, "index", "verify", "--json")
    assert result.exit_code == 1
    checks = {check["name"]: check["passed"] for check in json.loads(result.stdout)["checks"]}
    assert checks == {"files": True, "model": False, "recall": True}


def test_verify_finds_a_loss_of_recall(own_home: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    import api.cli.verification

    monkeypatch.setattr(api.cli.verification, "verify_recall", lambda *_: 0.97)
    result = songlike(own_home.settings.home, "index", "verify")
    assert result.exit_code == 1
    assert "0.9700, 1.0000 when it was built" in result.stdout


def test_list_rollback_and_verify_by_name(own_home: SmallHome) -> None:
    home = own_home.settings.home
    new = make_home(home, seed=1)
    listed = json.loads(songlike(home, "index", "list", "--json").stdout)
    assert [(row["version"], row["current"]) for row in listed] == [
        (own_home.version, False),
        (new.version, True),
    ]
    assert [row["songs"] for row in listed] == [40, 40]
    lines = songlike(home, "index", "list").stdout.splitlines()
    assert [line.split()[:1] for line in lines[1:]] == [[own_home.version], ["*"]]
    assert songlike(home, "index", "rollback").stdout == f"Published index {own_home.version} again.\n"
    assert index_store(own_home.settings.indexes).current().name == own_home.version
    assert songlike(home, "index", "rollback").exit_code == 3
    assert (
        json.loads(songlike(home, "index", "verify", new.version, "--json").stdout)["version"] == new.version
    )
    assert songlike(home, "index", "verify", "no-such").exit_code == 3


def test_empty_home_has_no_index(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("song_id,title\na,One\n")
    songlike(tmp_path, "catalog", "import", table)
    assert songlike(tmp_path, "index", "list", "--json").stdout == "[]\n"
    assert "songlike index build" in songlike(tmp_path, "index", "list").stdout
    for command in ("verify", "rollback"):
        assert songlike(tmp_path, "index", command).exit_code == 3
    status = songlike(tmp_path, "index", "status", "--json")
    assert status.exit_code == 0
    assert json.loads(status.stdout) == {
        "published": None,
        "catalogue_songs": 1,
        "latest_build": None,
        "failed": {},
        "errors": [],
    }


def test_status_tells_build_and_failures(own_home: SmallHome) -> None:
    home = own_home.settings.home
    with open_catalog(own_home.settings.database) as catalog:
        key = catalog.songs.by_ids(["s007"])["s007"].key
        catalog.ledger.record(key, "features", "audio file is empty", "hash", "v1")
        model = catalog.embeddings.model(own_home.model_id)
        assert model is not None
        run = catalog.builds.start(model.key)
        catalog.builds.progress(run, "features", 3, 40)
    found = json.loads(songlike(home, "index", "status", "--json").stdout)
    assert found["published"]["version"] == own_home.version
    assert (found["latest_build"]["state"], found["latest_build"]["done"]) == ("running", 3)
    assert found["failed"] == {"features": 1}
    assert [(error["song_id"], error["reason"]) for error in found["errors"]] == [
        ("s007", "audio file is empty")
    ]
    shown = songlike(home, "index", "status").stdout
    for words in (own_home.version, "running", "features 3/40", "features 1", "audio file is empty"):
        assert words in shown
    assert "audio file is empty" not in songlike(home, "index", "status", "--errors", "0").stdout
