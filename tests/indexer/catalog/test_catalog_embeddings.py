from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from engine.errors import InputError, ModelMismatchError, StoreError
from engine.vocabulary import DEFAULT_LABELS, Label, LabelSchema
from indexer.catalog import Catalog
from indexer.catalog.database import reading, writing
from indexer.catalog.embeddings import Embedding
from indexer.catalog.records import SongRecord

LABELS = LabelSchema((Label.named("energy"), Label.named("bpm", 0, 300)))


def songs(catalog: Catalog, *song_ids: str) -> dict[str, int]:
    catalog.songs.upsert(
        [SongRecord(song_id=song_id, artist=f"by {song_id}", genre="pop", year=1990) for song_id in song_ids]
    )
    return {song.song_id: song.key or 0 for batch in catalog.songs.stream() for song in batch}


def embedding(key: int, rng: np.random.Generator, dimension: int = 4) -> Embedding:
    return Embedding(
        song_key=key,
        input_hash=f"in{key}",
        vector=rng.normal(size=dimension).astype(np.float32),
        labels=rng.uniform(size=2).astype(np.float32),
        coverage=("lyrics", "year"),
    )


def test_a_model_is_known_by_its_id(catalog: Catalog) -> None:
    key = catalog.embeddings.register_model("m1", 4, LABELS)
    assert catalog.embeddings.register_model("m1", 4, LABELS) == key
    assert catalog.embeddings.register_model("m2", 4, LABELS) != key
    model = catalog.embeddings.model("m1")
    assert model is not None
    assert (model.key, model.dimension, model.labels) == (key, 4, LABELS)
    assert catalog.embeddings.model("m3") is None


@pytest.mark.parametrize(("dimension", "labels"), [(5, LABELS), (4, DEFAULT_LABELS)])
def test_a_model_never_changes_under_its_id(catalog: Catalog, dimension: int, labels: LabelSchema) -> None:
    catalog.embeddings.register_model("m1", 4, LABELS)
    with pytest.raises(ModelMismatchError, match=r"m1 is known .* another dimension or other labels"):
        catalog.embeddings.register_model("m1", dimension, labels)


def test_vectors_come_back_bit_for_bit_and_are_replaced(catalog: Catalog) -> None:
    rng = np.random.default_rng(1)
    key = songs(catalog, "a")["a"]
    model = catalog.embeddings.register_model("m1", 4, LABELS)
    for _ in range(2):
        wanted = embedding(key, rng)
        catalog.embeddings.put(model, [wanted])
        found = catalog.embeddings.get(model, key)
        assert found is not None
        np.testing.assert_array_equal(found.vector, wanted.vector)
        np.testing.assert_array_equal(found.labels, wanted.labels)
        assert (found.input_hash, found.coverage) == (f"in{key}", ("lyrics", "year"))
        assert found.vector.dtype == np.float32
    assert catalog.embeddings.count(model) == 1
    assert catalog.embeddings.get(model, key + 1) is None


@pytest.mark.parametrize("batch_size", [1, 2, 4, 5, 1000])
def test_the_matrix_is_in_code_point_order_of_song_id(catalog: Catalog, batch_size: int) -> None:
    rng = np.random.default_rng(2)
    keys = songs(catalog, "b", "B", "a-1", "a1", "é", "10", "9", "\U0001f3b5", "\uff5e", "no vector")
    model, other = (catalog.embeddings.register_model(name, 4, LABELS) for name in ("m1", "m2"))
    rows = {name: embedding(key, rng) for name, key in keys.items() if name != "no vector"}
    catalog.embeddings.put(model, list(rows.values()))
    catalog.embeddings.put(other, [embedding(keys["a1"], rng)])
    batches = list(catalog.embeddings.matrix(model, batch_size))
    assert all(0 < len(batch.keys) <= batch_size for batch in batches)
    names = [name for batch in batches for name in batch.song_ids]
    assert names == sorted(rows)
    wanted = [rows[name] for name in names]
    np.testing.assert_array_equal(
        np.vstack([b.vectors for b in batches]), np.array([w.vector for w in wanted])
    )
    np.testing.assert_array_equal(
        np.vstack([b.labels for b in batches]), np.array([w.labels for w in wanted])
    )
    np.testing.assert_array_equal(np.concatenate([b.keys for b in batches]), [w.song_key for w in wanted])
    assert [artist for batch in batches for artist in batch.artists] == [f"by {name}" for name in names]
    assert batches[0].genres == ["pop"] * len(batches[0].keys)
    assert batches[0].years == [1990] * len(batches[0].keys)
    assert batches[0].coverage[0] == ("lyrics", "year")
    assert batches[0].keys.dtype == np.int64


def test_the_matrix_of_nothing_has_no_batch(catalog: Catalog) -> None:
    model = catalog.embeddings.register_model("m1", 4, LABELS)
    assert list(catalog.embeddings.matrix(model)) == []


def test_hashes_tell_what_is_known(catalog: Catalog) -> None:
    rng = np.random.default_rng(3)
    keys = list(songs(catalog, *(f"s{i}" for i in range(1200))).values())
    model = catalog.embeddings.register_model("m1", 4, LABELS)
    catalog.embeddings.put(model, [embedding(key, rng) for key in keys[:1100]])
    everything = {key: f"in{key}" for key in keys[:1100]}
    assert catalog.embeddings.hashes(model) == everything
    assert catalog.embeddings.hashes(model, keys) == everything
    assert catalog.embeddings.hashes(model, keys[1099:]) == {keys[1099]: f"in{keys[1099]}"}
    catalog.embeddings.discard(model, keys[:600])
    assert catalog.embeddings.hashes(model) == {key: f"in{key}" for key in keys[600:1100]}
    assert catalog.embeddings.count(model) == 500


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"vector": np.zeros(5, np.float32)}, ModelMismatchError),
        ({"labels": np.zeros(3, np.float32)}, ModelMismatchError),
        ({"vector": np.array([0, 0, 0, np.nan], np.float32)}, InputError),
        ({"labels": np.array([np.inf, 0], np.float32)}, InputError),
        ({"song_key": 10**9}, StoreError),
    ],
)
def test_a_vector_that_does_not_fit_stores_nothing(
    catalog: Catalog, change: dict[str, object], error: type[Exception]
) -> None:
    first, second = songs(catalog, "a", "b").values()
    model = catalog.embeddings.register_model("m1", 4, LABELS)
    good = embedding(first, np.random.default_rng(4))
    bad = replace(good, **{"song_key": second, **change})  # type: ignore[arg-type]  # parameters of several types
    with pytest.raises(error):
        catalog.embeddings.put(model, [good, bad])
    assert catalog.embeddings.count(model) == 0


def test_an_unknown_model_is_refused(catalog: Catalog) -> None:
    key = songs(catalog, "a")["a"]
    with pytest.raises(ModelMismatchError, match="no model with the key 7"):
        catalog.embeddings.put(7, [embedding(key, np.random.default_rng(5))])


def test_vectors_go_with_their_song(catalog: Catalog) -> None:
    keys = songs(catalog, "a", "b")
    model = catalog.embeddings.register_model("m1", 4, LABELS)
    catalog.embeddings.put(model, [embedding(key, np.random.default_rng(6)) for key in keys.values()])
    with writing(catalog.database) as connection:
        connection.execute(text("DELETE FROM songs WHERE song_id = 'a'"))
    with reading(catalog.database) as connection:
        assert connection.execute(text("SELECT song_key FROM embeddings")).scalars().all() == [keys["b"]]
