from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.settings import Settings
from engine.vocabulary import DEFAULT_LABELS
from indexer.search.filters import filter_parameters
from tests.api.small_home import SmallHome, make_home


def parameters_of(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {parameter["name"]: parameter for parameter in spec["paths"]["/similar"]["get"]["parameters"]}


def test_every_filter_is_listed(client: TestClient) -> None:
    parameters = parameters_of(client.get("/openapi.json").json())
    assert set(parameters) == {"song_id", "limit", "offset", *filter_parameters(DEFAULT_LABELS)}
    for label in DEFAULT_LABELS:
        assert parameters[f"min_{label.slug}"]["schema"] == {"type": "number"}
    assert parameters["genre"]["schema"]["type"] == "array"
    assert parameters["year_min"]["schema"] == {"type": "integer"}
    assert parameters["song_id"]["required"] is True


def test_without_an_index_the_default_labels_are_listed(tmp_path: Path) -> None:
    with TestClient(create_app(Settings.load(home=tmp_path))) as client:
        before = parameters_of(client.get("/openapi.json").json())
    assert {f"max_{slug}" for slug in DEFAULT_LABELS.slugs} <= set(before)


def test_description_follows_the_published_index(own_home: SmallHome) -> None:
    from engine.vocabulary import Label, LabelSchema

    with TestClient(create_app(own_home.settings)) as client:
        assert "min_valence" not in parameters_of(client.get("/openapi.json").json())
        make_home(own_home.settings.home, schema=LabelSchema((Label.named("valence"),)), model_id="model-b")
        after = parameters_of(client.get("/openapi.json").json())
    assert "min_valence" in after
    assert "min_danceability" not in after


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/similar", {"200", "404", "422", "500", "503"}),
        ("/songs", {"200", "422", "500", "503"}),
        ("/songs/{song_id}", {"200", "404", "422", "500", "503"}),
        ("/labels", {"200", "422", "500", "503"}),
        ("/health/live", {"200", "500"}),
        ("/health/ready", {"200", "500", "503"}),
    ],
)
def test_every_error_is_documented_as_a_problem(client: TestClient, path: str, statuses: set[str]) -> None:
    spec = client.get("/openapi.json").json()
    responses = spec["paths"][path]["get"]["responses"]
    assert set(responses) == statuses
    for status in statuses - {"200"}:
        assert list(responses[status]["content"]) == ["application/problem+json"]
    assert {"type", "title", "status", "detail"} <= set(
        spec["components"]["schemas"]["Problem"]["properties"]
    )
    assert "HTTPValidationError" not in spec["components"]["schemas"]


def test_all_paths_are_described_and_named(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/similar",
        "/songs",
        "/songs/{song_id}",
        "/labels",
        "/health/live",
        "/health/ready",
    }
    assert all(route["get"]["summary"] and route["get"]["description"] for route in paths.values())


def test_signposts(client: TestClient) -> None:
    assert client.get("/").json()["openapi"] == "/openapi.json"
    assert "openapi.json" in client.get("/docs").text
