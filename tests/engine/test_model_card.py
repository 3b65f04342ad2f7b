import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BundleError
from engine.model_bundle import Model, model_store
from engine.model_card import ModelCard
from tests.engine.tiny import SCHEMA

FACTS: dict[str, Any] = {
    "vocabulary": {"labels": SCHEMA.to_json()},
    "vector_width": 12,
    "feature_version": "v",
    "trained_modalities": ["lyrics"],
}


def test_the_card_of_a_saved_model(model: Model, tmp_path: Path) -> None:
    path = model.save(model_store(tmp_path))
    card = ModelCard.read(path)
    assert (card.model_id, card.labels, card.dimension) == (path.name, SCHEMA, 12)
    assert card.trained_modalities == ("lyrics", "audio", "genre", "year")
    assert card.manifest["kind"] == "model"


def test_no_manifest_is_no_card(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        ModelCard.read(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"vocabulary": {}},
        {"vocabulary": {"labels": []}},
        {"vocabulary": {"labels": [{"name": "a"}]}},
        {"vocabulary": {"labels": [{"name": "a", "slug": "a", "minimum": "low", "maximum": 1}]}},
        {"vocabulary": [1]},
        {"vector_width": "wide"},
        {"vector_width": None},
        {"trained_modalities": 3},
    ],
)
def test_a_garbled_manifest_is_one_clear_error(wrong: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({**FACTS, **wrong}))
    with pytest.raises(BundleError, match="is no model bundle"):
        ModelCard.read(tmp_path)


def test_other_kinds_of_bundle_lack_the_facts(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"kind": "index", "files": {}}')
    with pytest.raises(BundleError, match="vocabulary"):
        ModelCard.read(tmp_path)
