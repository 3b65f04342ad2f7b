from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from engine.vocabulary import Label, LabelSchema
from indexer.search.percentiles import LABEL_PERCENTILES
from tests.api.small_home import SmallHome, make_home


def test_labels_stand_with_range_parameters_and_percentiles(
    client: TestClient, small_home: SmallHome
) -> None:
    answer = client.get("/labels").json()
    assert [label["slug"] for label in answer["labels"]] == list(small_home.schema.slugs)
    assert (answer["index_version"], answer["songs"]) == (small_home.version, 40)
    for label, values in zip(answer["labels"], small_home.labels.T, strict=True):
        assert label["parameters"] == [f"min_{label['slug']}", f"max_{label['slug']}"]
        assert (label["minimum"], label["maximum"]) == (0, 1)
        assert list(label["percentiles"]) == [str(at) for at in LABEL_PERCENTILES]
        for at, value in label["percentiles"].items():
            assert value == pytest.approx(np.percentile(values.astype(np.float64), int(at)))


def test_another_label_set_works_everywhere_without_a_code_change(tmp_path: Path) -> None:
    schema = LabelSchema((Label.named("Valence", -1, 1), Label.named("energy", 0, 10)))
    home = make_home(tmp_path, schema=schema)
    with TestClient(create_app(home.settings)) as client:
        labels = client.get("/labels").json()["labels"]
        assert [(label["name"], label["minimum"]) for label in labels] == [("Valence", -1), ("energy", 0)]
        answer = client.get("/similar?song_id=s010&min_valence=0.5&limit=100")
        names = {
            p["name"] for p in client.get("/openapi.json").json()["paths"]["/similar"]["get"]["parameters"]
        }
        unknown = client.get("/similar?song_id=s010&min_danceability=0.5")
    passing = (home.labels[:, 0] >= 0.5) & np.array([record.song_id != "s010" for record in home.records])
    assert answer.json()["passing"] == np.count_nonzero(passing)
    assert {"min_valence", "max_energy"} <= names
    assert "min_danceability" not in names
    assert unknown.status_code == 422


def test_labels_take_no_parameter(client: TestClient) -> None:
    answer = client.get("/labels?slug=x")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"parameter": "slug", "detail": "is not a parameter here; this path takes none"}
    ]
