import logging
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.settings import Settings
from indexer.search.bundle import index_store
from tests.api.small_home import SmallHome, make_home


def test_server_without_an_index_lives_but_is_not_ready(tmp_path: Path) -> None:
    with TestClient(create_app(Settings.load(home=tmp_path))) as client:
        assert client.get("/health/live").json() == {"status": "alive"}
        for path in ("/health/ready", "/labels", "/similar?song_id=x"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:problem-type:songlike:nothing-published"
            assert "songlike index build" in answer.json()["detail"]


def test_ready_server_names_its_index(client: TestClient, small_home: SmallHome) -> None:
    answer = client.get("/health/ready").json()
    assert answer.pop("created_at")
    assert answer == {
        "status": "ready",
        "model_id": small_home.model_id,
        "index_version": small_home.version,
        "songs": 40,
        "newest": True,
    }


def test_new_index_is_noticed_without_a_restart(own_home: SmallHome) -> None:
    store = index_store(own_home.settings.indexes)
    with TestClient(create_app(own_home.settings)) as client:
        before = client.get("/similar?song_id=s010").json()
        new = make_home(own_home.settings.home, seed=1, model_id="model-b")
        after = client.get("/similar?song_id=s010").json()
        store.rollback()
        again = client.get("/similar?song_id=s010").json()
    assert (before["index_version"], before["model_id"]) == (own_home.version, "model-a")
    assert (after["index_version"], after["model_id"]) == (new.version, "model-b")
    assert before["neighbours"] != after["neighbours"]
    assert again == before


def test_first_index_is_noticed_without_a_restart(tmp_path: Path) -> None:
    with TestClient(create_app(Settings.load(home=tmp_path))) as client:
        assert client.get("/health/ready").status_code == 503
        home = make_home(tmp_path)
        assert client.get("/health/ready").json()["index_version"] == home.version


def test_damaged_new_index_leaves_the_old_one_in_service(
    own_home: SmallHome, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_app(own_home.settings)) as client:
        new = make_home(own_home.settings.home, seed=1)
        for file in (own_home.settings.indexes / new.version).iterdir():
            if file.name != "manifest.json":
                file.write_bytes(b"damaged")
        with caplog.at_level(logging.WARNING):
            answer = client.get("/health/ready").json()
    assert (answer["index_version"], answer["newest"]) == (own_home.version, False)
    assert new.version in caplog.text


def test_damaged_only_index_is_503_without_paths(own_home: SmallHome) -> None:
    shutil.rmtree(own_home.settings.indexes / own_home.version)
    with TestClient(create_app(own_home.settings)) as client:
        answer = client.get("/similar?song_id=s010")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:problem-type:songlike:store-unavailable"
    assert str(own_home.settings.home) not in answer.text


def test_index_of_a_model_that_the_catalogue_does_not_know_is_503(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    other = Settings.load(home=home.settings.home, database_url=f"sqlite:///{tmp_path}/other.db")
    with TestClient(create_app(other)) as client:
        assert client.get("/similar?song_id=s010").status_code == 503
