"""Builds that are killed, refused by the disk, or not good enough: the old index stays, the next build goes on."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.audio import FEATURE_VERSION, AudioFeatures, extract_features
from engine.bundle_store import MANIFEST, BundleStore
from engine.encoder import Encoded, SongEncoder
from engine.errors import BundleError, NothingPublishedError, StoreError
from engine.model_card import ModelCard
from indexer.catalog import Catalog, open_catalog
from indexer.jobs import build as build_module
from indexer.jobs import embeddings, features
from indexer.jobs.build import BuildOutcome, build_index
from indexer.search import bundle as bundle_module
from indexer.search.bundle import index_store, load_index
from indexer.search.layout import IndexLayout
from tests.indexer.jobs.conftest import Calls
from tests.indexer.jobs.library import SONGS, Library, publish_random_model

Build = Callable[..., BuildOutcome]
BATCH = 8


@pytest.fixture
def other_recall(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the recall that is measured from now on."""

    def set_to(recall: float) -> None:
        monkeypatch.setattr(bundle_module, "verify_recall", lambda _: recall)

    return set_to


def kill_in_call(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the encoder interrupted in its call of this number, counted from 1."""
    encode, calls = SongEncoder.encode_numbers, [0]

    def interrupted(self: SongEncoder, numbers: Sequence[Any]) -> Encoded:
        calls[0] += 1
        if calls[0] == number:
            raise KeyboardInterrupt
        return encode(self, numbers)

    monkeypatch.setattr(SongEncoder, "encode_numbers", interrupted)


def change(library: Library, catalog: Catalog, lyrics: str = "rain and fire") -> None:
    """Change one song, so that the next build has something to do."""
    library.rows["s01"]["lyrics"] = lyrics
    library.import_into(catalog)


def test_a_killed_build_keeps_its_batches_and_the_next_goes_on(
    catalog: Catalog,
    library: Library,
    models: BundleStore,
    indexes: BundleStore,
    build: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embeddings, "_BATCH", BATCH)
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        kill_in_call(killed, 2)
        build()
    latest = catalog.builds.latest()
    assert latest is not None
    assert (latest.state, latest.version, latest.stage) == ("failed", None, "embeddings")
    assert latest.message == "stopped in stage embeddings: run `songlike index build` to go on"
    model_key = catalog.embeddings.register_model(*card_facts(models))
    kept = catalog.embeddings.hashes(model_key)
    assert len(kept) == BATCH - 1  # the song with nothing to read is in the first batch
    with pytest.raises(NothingPublishedError):
        indexes.current()
    outcome = build()
    assert (outcome.state, outcome.new_vectors) == ("published", SONGS - 1 - len(kept))
    with open_catalog(f"sqlite:///{tmp_path / 'undisturbed.db'}") as other:
        library.import_into(other)
        undisturbed = index_store(tmp_path / "undisturbed")
        assert build_index(other, models, undisturbed).new_vectors == SONGS - 1
    one, two = load_index(indexes.current()), load_index(undisturbed.current())
    every = np.arange(SONGS - 1)
    np.testing.assert_array_equal(one.vectors_at(every), two.vectors_at(every))
    np.testing.assert_array_equal(one.attributes.labels, two.attributes.labels)


def card_facts(models: BundleStore) -> tuple[str, int, Any]:
    card = ModelCard.read(models.current())
    return card.model_id, card.dimension, card.labels


def test_a_build_killed_while_decoding_goes_on_with_the_rest(
    catalog: Catalog, library: Library, build: Build, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.with_audio().import_into(catalog)
    monkeypatch.setattr(features, "_BATCH", 2)
    decoded: list[str] = []

    def interrupted(path: Path) -> AudioFeatures:
        if path.name == "s18.wav":
            raise KeyboardInterrupt
        decoded.append(path.name)
        return extract_features(path)

    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(features, "extract_features", interrupted)
        build()
    assert set(decoded) == {"s00.wav", "s03.wav", "s06.wav"}
    assert build().state == "published"
    assert set(calls.extracted) == {"s18.wav", "s24.wav"}


def test_a_full_disk_leaves_the_old_index_in_service(
    catalog: Catalog,
    library: Library,
    indexes: BundleStore,
    build: Build,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = build()
    change(library, catalog)

    def full(self: IndexLayout, index: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as small_disk, pytest.raises(StoreError, match="No space left"):
        small_disk.setattr(IndexLayout, "write_vectors", full)
        build()
    latest = catalog.builds.latest()
    assert latest is not None
    assert latest.state == "failed"
    assert "stopped in stage index" in (latest.message or "")
    assert "No space left" in (latest.message or "")
    assert load_index(indexes.current()).info.version == first.version
    assert sorted(path.name for path in indexes.root.iterdir()) == sorted([first.version, "current"])
    calls.clear()
    again = build()
    assert (again.state, again.new_vectors, calls.encoded) == ("published", 0, [])


def test_an_index_that_finds_too_little_is_refused(
    catalog: Catalog,
    library: Library,
    indexes: BundleStore,
    build: Build,
    other_recall: Callable[[float], None],
) -> None:
    first = build()
    change(library, catalog)
    other_recall(0.949)
    with pytest.raises(BundleError, match=r"finds only 0\.949 of the true neighbours"):
        build()
    assert indexes.current().name == first.version
    # It is gone, so that no rollback can publish it later.
    assert indexes.names() == [first.version]
    latest = catalog.builds.latest()
    assert latest is not None
    assert latest.state == "failed"
    assert "true neighbours" in (latest.message or "")
    other_recall(0.95)
    assert build().recall == 0.95


def test_a_refused_index_that_was_good_before_is_not_removed(
    library: Library, indexes: BundleStore, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build()
    indexes.root.joinpath("current").unlink()
    monkeypatch.setattr(build_module, "_LEAST_RECALL", 1.01)
    with pytest.raises(BundleError, match="true neighbours"):
        build()
    assert indexes.names() == [first.version]


def test_rollback_brings_the_earlier_index_back_and_a_build_the_newest(
    catalog: Catalog, library: Library, indexes: BundleStore, build: Build
) -> None:
    first = build()
    before = load_index(indexes.current()).vector_of("s01")
    change(library, catalog)
    second = build()
    assert indexes.rollback() == first.version
    after = load_index(indexes.current()).vector_of("s01")
    assert before is not None and after is not None
    np.testing.assert_array_equal(before, after)
    again = build()
    assert (again.state, again.version, again.new_vectors) == ("published", second.version, 0)


def test_the_newest_bundles_are_kept(
    catalog: Catalog, library: Library, indexes: BundleStore, build: Build
) -> None:
    versions = []
    for lyrics in ("love", "night rain", "fire gun blood", "dance baby"):
        change(library, catalog, lyrics)
        versions.append(build(keep=2).version)
    assert len(set(versions)) == 4
    assert indexes.names() == versions[-2:]
    assert indexes.current().name == versions[-1]


@pytest.mark.parametrize("damaged", [MANIFEST, "vectors.faiss"])
def test_a_build_mends_a_damaged_index(
    library: Library, indexes: BundleStore, build: Build, calls: Calls, damaged: str
) -> None:
    first = build()
    calls.clear()
    path = indexes.current() / damaged
    path.write_bytes(b"[" + path.read_bytes()[1:])
    again = build()
    assert (again.state, again.new_vectors, calls.loaded) == ("published", 0, 0)
    assert load_index(indexes.current()).info.songs == first.songs


def test_a_new_model_embeds_everything_from_stored_features(
    catalog: Catalog,
    library: Library,
    models: BundleStore,
    indexes: BundleStore,
    build: Build,
    calls: Calls,
    encoder_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library.with_audio().import_into(catalog)
    old = build()
    calls.clear()
    new_model = publish_random_model(models, encoder_folder, seed=1)
    assert new_model != old.model_id
    monkeypatch.setattr(embeddings, "_BATCH", BATCH)
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        kill_in_call(killed, 2)
        build()
    # Half way the old index serves, and it is of the old model alone.
    serving = load_index(indexes.current(), old.model_id)
    assert serving.info.version == old.version
    calls.clear()
    new = build()
    assert (new.state, new.model_id, new.songs) == ("published", new_model, old.songs)
    assert (calls.extracted, new.new_features) == ([], 0)
    index = load_index(indexes.current(), new_model)
    encoder = SongEncoder.load(models.current())
    for record in next(catalog.songs.stream()):
        vector = index.vector_of(record.song_id)
        if vector is not None:
            audio = catalog.features.of_songs([record.key or 0], FEATURE_VERSION).get(record.key or 0)
            expected = encoder.encode([record.as_song(audio[1] if audio else None)]).vectors[0]
            np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_a_model_of_equal_vectors_still_gets_an_index_of_its_own(
    library: Library, models: BundleStore, indexes: BundleStore, build: Build, encoder_folder: Path
) -> None:
    build()
    twin = publish_random_model(models, encoder_folder, note={"judged": "other songs"})
    outcome = build()
    assert (outcome.state, outcome.model_id) == ("published", twin)
    assert load_index(indexes.current(), twin).info.model_id == twin


def test_back_to_an_earlier_model_nothing_is_embedded_again(
    library: Library,
    models: BundleStore,
    indexes: BundleStore,
    build: Build,
    calls: Calls,
    encoder_folder: Path,
) -> None:
    first = build()
    publish_random_model(models, encoder_folder, seed=1, modalities=["year"])
    without_year = [song_id for song_id, row in library.rows.items() if "year" not in row]
    assert build().failed == len(without_year) > 1
    models.publish(first.model_id)
    calls.clear()
    outcome = build()
    assert (outcome.state, outcome.new_vectors, outcome.version) == ("published", 0, first.version)
    assert calls.encoded == []
    assert outcome.failed == 1  # what the other model could not read is no error of this one
