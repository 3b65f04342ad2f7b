import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.bundle_store import MANIFEST, BundleStore, bundle_identity, file_hash, read_manifest
from engine.errors import BundleError, InputError, ModelMismatchError, StoreError
from indexer.search.bundle import index_store, load_index, write_index_bundle
from indexer.search.filters import Filter, Range
from indexer.search.layout import IndexLayout
from indexer.search.rows import IndexRows
from tests.indexer.search.samples import LABELS, MODEL, Sample, index_of, random_samples, rows_of

SONGS = random_samples(60)
FILES = [
    "artist_value_offsets.npy", "artist_values.npy", "artists.npy", "coverage.npy", "genre_value_offsets.npy",
    "genre_values.npy", "genres.npy", "index.json", "keys.npy", "labels.npy", "song_id_offsets.npy",
    "song_ids.npy", "vectors.faiss", "years.npy",
]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = index_store(tmp_path_factory.mktemp("indexes"))
    return write_index_bundle(
        store, rows_of(SONGS), model_id=MODEL, labels=LABELS, facts={"built_by": "test"}
    )


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(written, tmp_path / written.name))


def rewrite(path: Path, **facts: Any) -> None:
    """Change facts in the manifest alone."""
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps({**manifest, **facts}))


def sign(path: Path) -> Path:
    """Make the manifest agree with the files again, as another program that writes such bundles would."""
    files = {file.name: file_hash(file) for file in path.iterdir() if file.name != MANIFEST}
    facts = json.loads((path / "index.json").read_text())
    rewrite(path, files=files, **facts)
    name = bundle_identity(read_manifest(path))
    rewrite(path, name=name)
    return path.rename(path.with_name(name))


def test_what_was_written_is_read(written: Path) -> None:
    index, memory = load_index(written, MODEL), index_of(SONGS)
    assert sorted(path.name for path in written.iterdir()) == sorted([*FILES, MANIFEST])
    assert (index.info.version, index.info.model_id, index.info.labels) == (written.name, MODEL, LABELS)
    assert (index.info.songs, index.info.dimension, index.info.recall) == (60, 16, 1.0)
    assert (index.info.factory, index.info.metric) == ("Flat", "inner_product")
    assert index.info.created_at.tzinfo is not None
    where = Filter((Range("danceability", 30, None, percentile=True), Range("year", None, 2010)))
    for song in SONGS[:10]:
        query = np.array(song.vector, np.float32)
        assert index.search(query, where, 60) == memory.search(query, where, 60)
        assert index.attributes_of(song.song_id) == memory.attributes_of(song.song_id)


def test_the_manifest_is_a_birth_certificate(written: Path) -> None:
    manifest = json.loads((written / MANIFEST).read_text())
    assert manifest["kind"] == "index"
    assert manifest["built_by"] == "test"
    assert manifest["labels"] == LABELS.to_json()
    danceability = np.array([song.labels[0] for song in SONGS], np.float32)
    expected = {str(p): float(np.nanpercentile(danceability.astype(float), p)) for p in (0, 1, 5, 10, 25, 50)}
    assert {p: manifest["label_percentiles"]["danceability"][p] for p in expected} == pytest.approx(expected)
    assert load_index(written).info.label_percentiles["danceability"][50] == pytest.approx(expected["50"])


def test_rows_may_come_in_any_order(written: Path, tmp_path: Path) -> None:
    shuffled = rows_of(sorted(SONGS, key=lambda song: song.vector))
    keys = {song.song_id: 1000 + number for number, song in enumerate(SONGS)}
    rows = replace(shuffled, keys=np.array([keys[song_id] for song_id in shuffled.song_ids], np.int64))
    again = write_index_bundle(
        index_store(tmp_path), rows, model_id=MODEL, labels=LABELS, facts={"built_by": "test"}
    )
    assert again.name == written.name  # equal content, equal name


def test_the_same_vectors_of_another_model_are_another_bundle(written: Path, tmp_path: Path) -> None:
    other = write_index_bundle(index_store(tmp_path), rows_of(SONGS), model_id="model-b", labels=LABELS)
    assert other.name != written.name
    assert load_index(other).info.model_id == "model-b"


def test_a_catalogue_without_genres_years_and_artists_is_ordinary(tmp_path: Path) -> None:
    songs = [Sample(song.song_id, song.vector, (float("nan"),) * 3) for song in SONGS]
    path = write_index_bundle(index_store(tmp_path), rows_of(songs), model_id=MODEL, labels=LABELS)
    index = load_index(path)
    assert index.info.label_percentiles == {"danceability": {}, "world_life": {}, "loudness": {}}
    hit = index.search(np.array(songs[0].vector, np.float32), limit=1).hits[0]
    assert (hit.genre, hit.year, hit.labels["danceability"]) == (None, None, None)


# --- Damage


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_a_flipped_byte_is_found_and_the_file_named(bundle: Path, file: str, place: float) -> None:
    content = bytearray((bundle / file).read_bytes())
    content[int(place * len(content))] ^= 0x10
    (bundle / file).write_bytes(content)
    with pytest.raises(BundleError, match=file):
        load_index(bundle)


@pytest.mark.parametrize("file", [*FILES, MANIFEST])
def test_a_truncated_or_missing_file_is_found_and_named(bundle: Path, file: str) -> None:
    content = (bundle / file).read_bytes()
    (bundle / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match=file):
        load_index(bundle)
    (bundle / file).unlink()
    with pytest.raises(BundleError, match=file):
        load_index(bundle)


@pytest.mark.parametrize(
    "fact",
    [
        "model_id", "factory", "metric", "songs", "dimension", "labels", "modalities", "label_percentiles",
        "recall", "built_by", "name", "kind", "format",
    ],
)  # fmt: skip
def test_a_changed_fact_in_the_manifest_is_found(bundle: Path, fact: str) -> None:
    rewrite(bundle, **{fact: "changed"})
    with pytest.raises(BundleError):
        load_index(bundle)


@pytest.mark.parametrize("created_at", ["yesterday", None, 7])
def test_a_manifest_without_a_time_is_damaged(bundle: Path, created_at: object) -> None:
    rewrite(bundle, created_at=created_at)
    with pytest.raises(BundleError, match=MANIFEST):
        load_index(bundle)


def test_an_extra_file_is_found(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        load_index(bundle)


def test_a_bundle_of_another_kind_or_of_a_newer_format_is_refused(bundle: Path) -> None:
    rewrite(bundle, kind="model")
    with pytest.raises(BundleError, match="'model' bundle, not a 'index' bundle"):
        load_index(bundle)
    rewrite(bundle, kind="index", format=2)
    with pytest.raises(BundleError, match=r"format 2, this songlike reads \[1\]"):
        load_index(bundle)


def test_an_index_of_another_model_is_refused_and_both_are_named(bundle: Path) -> None:
    with pytest.raises(ModelMismatchError, match=r"model-a.*model-b.*songlike index build"):
        load_index(bundle, "model-b")


def reshape(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        np.save(path / f"{name}.npy", change(np.load(path / f"{name}.npy")))

    return damage


def facts(**changed: Any) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        own = json.loads((path / "index.json").read_text())
        (path / "index.json").write_text(json.dumps({**own, **changed}))

    return damage


def fill(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        (path / name).write_bytes(content)

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (reshape("keys", lambda keys: keys[1:]), r"keys\.npy"),
        (reshape("keys", lambda keys: keys.astype(np.int32)), r"keys\.npy"),
        (reshape("labels", lambda labels: labels.T), r"labels\.npy"),
        (reshape("genres", lambda codes: codes + 100), r"genres\.npy.*outside the 3 values"),
        (reshape("song_id_offsets", lambda offsets: offsets + 1), r"song_id_offsets\.npy.*do not divide"),
        (reshape("artist_value_offsets", lambda offsets: offsets[:0]), r"artist_value_offsets\.npy"),
        (fill("years.npy", b"no array"), r"years\.npy"),
        (fill("coverage.npy", b""), r"coverage\.npy"),
        (fill("vectors.faiss", b"no index at all"), r"vectors\.faiss"),
        (fill("vectors.faiss", b""), r"vectors\.faiss"),
        (facts(songs=59), r"vectors\.faiss holds 60 vectors of dimension 16, the manifest says 59 of 16"),
        (facts(dimension=8), r"vectors\.faiss holds 60 vectors of dimension 16, the manifest says 60 of 8"),
        (facts(labels=[]), MANIFEST),
        (facts(labels=LABELS.to_json()[:2]), r"labels\.npy"),
        (facts(modalities=["smell"]), "modalities"),
        (facts(recall="high"), MANIFEST),
    ],
)
def test_files_that_disagree_are_named_though_their_hashes_are_right(
    bundle: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(bundle)
    with pytest.raises(BundleError, match=words):
        load_index(sign(bundle))


def test_signing_anew_is_not_damage(bundle: Path) -> None:
    assert load_index(sign(bundle)).info.songs == 60


@pytest.mark.parametrize("content", [b"[1]", b"\xff"])
def test_facts_that_are_no_json_object_are_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"index\.json"):
        IndexLayout(tmp_path).read_facts()


def test_arrays_that_need_pickle_are_not_read(bundle: Path) -> None:
    np.save(bundle / "years.npy", np.array([{}] * 60), allow_pickle=True)
    with pytest.raises(BundleError, match=r"years\.npy"):
        load_index(sign(bundle))


# --- Writing


def changed(rows: IndexRows, row: int, **values: Any) -> IndexRows:
    for name, value in values.items():
        column = getattr(rows, name)
        column = column.copy() if isinstance(column, np.ndarray) else list(column)
        column[row] = value
        rows = replace(rows, **{name: column})  # type: ignore[arg-type] # one column of any type
    return rows


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"vectors": np.full(16, 1.0)}, "'song-7': its vector is not finite and of unit length"),
        ({"vectors": np.full(16, np.nan)}, "'song-7': its vector"),
        ({"vectors": np.zeros(16)}, "'song-7': its vector"),
        ({"labels": np.array([0, np.inf, 0])}, "'song-7': its label is infinite"),
        ({"years": 1990.5}, "'song-7': its year is no whole year"),
        ({"years": 123456}, "'song-7': its year is no whole year"),
        ({"coverage": ("smell",)}, "'song-7': its coverage"),
        ({"song_ids": "song-3"}, "'song-3' is there twice"),
        ({"keys": 1003}, "two songs share a key"),
        ({"song_ids": "\udcff"}, "not valid Unicode"),
    ],
)
def test_a_wrong_song_is_named_and_nothing_is_written(
    tmp_path: Path, values: dict[str, Any], words: str
) -> None:
    rows = changed(rows_of(SONGS), 7, **values)
    with pytest.raises(InputError, match=words):
        write_index_bundle(index_store(tmp_path), rows, model_id=MODEL, labels=LABELS)
    assert list(tmp_path.iterdir()) == []


def test_columns_of_different_length_or_none_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="'years': 59"):
        replace(rows_of(SONGS), years=[None] * 59)
    with pytest.raises(InputError, match="no song to index"):
        rows_of([])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"vectors": np.zeros((60, 0), np.float32)}, r"vectors have shape \(60, 0\)"),
        ({"vectors": np.zeros(60, np.float32)}, r"vectors have shape \(60,\)"),
        ({"labels": np.zeros((60, 2), np.float32)}, r"labels have shape \(60, 2\); give \(60, 3\)"),
    ],
)
def test_matrices_of_another_shape_are_refused(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_index_bundle(
            index_store(tmp_path), replace(rows_of(SONGS), **values), model_id=MODEL, labels=LABELS
        )


def test_a_fact_of_the_index_cannot_be_overwritten(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has its own created_at, recall"):
        write_index_bundle(
            index_store(tmp_path), rows_of(SONGS), model_id=MODEL, labels=LABELS,
            facts={"recall": 1, "created_at": "now", "built_by": "test"},
        )  # fmt: skip


def test_a_full_disk_is_a_store_error_and_what_was_there_stays(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: BundleStore = index_store(tmp_path)
    first = write_index_bundle(store, rows_of(SONGS), model_id=MODEL, labels=LABELS)
    store.publish(first.name)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_index_bundle(store, rows_of(SONGS), model_id="model-b", labels=LABELS)
    assert store.names() == [first.name]
    assert load_index(store.current()).info.songs == 60


def test_what_faiss_cannot_write_is_an_os_error(written: Path, tmp_path: Path) -> None:
    vectors = IndexLayout(written).read_vectors()
    with pytest.raises(OSError, match=r"vectors\.faiss"):
        IndexLayout(tmp_path / "missing").write_vectors(vectors)
