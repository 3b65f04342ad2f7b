"""A library, a catalogue, the two bundle stores and counters of the costly calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.audio import AudioFeatures, extract_features
from engine.bundle_store import BundleStore
from engine.encoder import Encoded, SongEncoder
from engine.model_bundle import model_store
from indexer.catalog import Catalog
from indexer.jobs import features
from indexer.jobs.build import BuildOutcome, build_index
from indexer.search.bundle import index_store
from tests.indexer.jobs.library import Library, publish_random_model
from tests.tiny_encoder import save_tiny_encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny text encoder."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@dataclass
class Calls:
    """What a job has done: files decoded, encoders loaded, songs encoded a call."""

    extracted: list[str] = field(default_factory=list)
    loaded: int = 0
    encoded: list[int] = field(default_factory=list)

    def clear(self) -> None:
        """Count from nothing again."""
        self.extracted, self.loaded, self.encoded = [], 0, []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Counters around the real functions."""
    made = Calls()
    load, encode = SongEncoder.load, SongEncoder.encode_numbers

    def counted_extract(path: Path) -> AudioFeatures:
        made.extracted.append(path.name)
        return extract_features(path)

    def counted_load(bundle: Path) -> SongEncoder:
        made.loaded += 1
        return load(bundle)

    def counted_encode(self: SongEncoder, numbers: Any) -> Encoded:
        made.encoded.append(len(numbers))
        return encode(self, numbers)

    monkeypatch.setattr(features, "extract_features", counted_extract)
    monkeypatch.setattr(SongEncoder, "load", counted_load)
    monkeypatch.setattr(SongEncoder, "encode_numbers", counted_encode)
    return made


@pytest.fixture
def models(tmp_path: Path) -> BundleStore:
    return model_store(tmp_path / "models")


@pytest.fixture
def indexes(tmp_path: Path) -> BundleStore:
    return index_store(tmp_path / "indexes")


@pytest.fixture
def model_id(models: BundleStore, encoder_folder: Path) -> str:
    """The published model."""
    return publish_random_model(models, encoder_folder)


@pytest.fixture
def library(tmp_path: Path, catalog: Catalog) -> Library:
    """Thirty songs without audio, imported."""
    made = Library(tmp_path / "library")
    made.import_into(catalog)
    return made


@pytest.fixture
def build(
    catalog: Catalog, models: BundleStore, indexes: BundleStore, model_id: str
) -> Callable[..., BuildOutcome]:
    """``build_index`` on the fixtures."""

    def run(**options: Any) -> BuildOutcome:
        return build_index(catalog, models, indexes, **options)

    return run
