import shutil
import threading
from pathlib import Path

import pytest

from engine.bundle_store import CURRENT, BundleStore
from engine.errors import BundleError, ModelMismatchError, NothingPublishedError
from indexer.search import current as current_module
from indexer.search.bundle import index_store, load_index, write_index_bundle
from indexer.search.current import CurrentIndex
from indexer.search.faiss_index import FaissIndex
from tests.indexer.search.samples import LABELS, Sample, random_samples, rows_of


def write(store: BundleStore, mark: str, count: int = 30) -> str:
    """Bundle whose song ids and model all carry ``mark``."""
    songs = [
        Sample(f"{mark}-{number:03}", song.vector, song.labels)
        for number, song in enumerate(random_samples(count, seed=ord(mark)))
    ]
    return write_index_bundle(store, rows_of(songs), model_id=f"model-{mark}", labels=LABELS).name


def why(current: CurrentIndex) -> str:
    """The problem in words; a call, since mypy takes a property that was None to stay None."""
    return current.problem or "none"


def damage(store: BundleStore, name: str) -> None:
    (store.root / name / "years.npy").write_bytes(b"damaged")


def test_nothing_published_says_how_to_build(tmp_path: Path) -> None:
    current = CurrentIndex(tmp_path / "indexes")
    for _ in range(2):
        with pytest.raises(NothingPublishedError, match="songlike index build"):
            current.get()


def test_a_new_publication_and_a_rollback_are_noticed(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    current = CurrentIndex(tmp_path)
    first, second = write(store, "a"), write(store, "b")
    store.publish(first)
    opened = current.get()
    assert opened.info.version == first
    assert current.get() is opened
    store.publish(second)
    assert current.get().info.version == second
    assert opened.attributes_of("a-000") is not None  # a reader of the old one goes on
    store.rollback()
    assert current.get().info.version == first


def test_a_damaged_publication_leaves_the_old_index_in_place_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_module, "RETRY_S", 0.0)
    store = index_store(tmp_path)
    current = CurrentIndex(tmp_path)
    first, second = write(store, "a"), write(store, "b")
    store.publish(first)
    current.get()
    assert why(current) == "none"
    good = (tmp_path / second / "years.npy").read_bytes()
    damage(store, second)
    store.publish(second)
    assert current.get().info.version == first
    assert "years.npy is damaged" in why(current)
    (tmp_path / second / "years.npy").write_bytes(good)
    assert current.get().info.version == second
    assert why(current) == "none"


def test_a_refused_bundle_is_not_read_for_every_request(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    current = CurrentIndex(tmp_path)
    first = write(store, "a")
    good = (tmp_path / first / "years.npy").read_bytes()
    damage(store, first)
    store.publish(first)
    for _ in range(2):
        with pytest.raises(BundleError, match=r"years\.npy is damaged"):
            current.get()
        (tmp_path / first / "years.npy").write_bytes(good)  # mended, but not looked at again so soon


def test_a_vanished_current_file_leaves_the_old_index_in_place(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    current = CurrentIndex(tmp_path)
    first = write(store, "a")
    store.publish(first)
    current.get()
    shutil.rmtree(tmp_path)
    assert current.get().info.version == first
    assert current.problem is not None


def test_a_current_file_that_cannot_be_read_is_a_bundle_error(tmp_path: Path) -> None:
    (tmp_path / CURRENT).mkdir()
    with pytest.raises(BundleError, match="does not name a bundle; remove it"):
        CurrentIndex(tmp_path).get()


def test_a_garbled_current_file_leaves_the_old_index_in_place(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    current = CurrentIndex(tmp_path)
    first = write(store, "a")
    store.publish(first)
    current.get()
    (tmp_path / CURRENT).write_bytes(b"\xff\xfe")
    assert current.get().info.version == first
    assert current.problem is not None
    assert "does not name a bundle" in current.problem


def test_an_index_of_a_model_that_the_catalogue_does_not_know_is_refused(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    known = {"model-b"}
    current = CurrentIndex(tmp_path, known.__contains__)
    first, second = write(store, "a"), write(store, "b")
    store.publish(first)
    with pytest.raises(ModelMismatchError, match="model-a, which this catalogue does not know"):
        current.get()
    store.publish(second)
    assert current.get().info.version == second
    store.publish(first)
    assert current.get().info.version == second
    known.add("model-a")
    assert current.get().info.version == first


def test_readers_never_fail_nor_see_a_mix_while_indexes_are_swapped(tmp_path: Path) -> None:
    store = index_store(tmp_path)
    names = [write(store, mark, count) for mark, count in (("a", 30), ("b", 50), ("c", 40))]
    store.publish(names[0])
    current = CurrentIndex(tmp_path)
    stop, wrong, seen = threading.Event(), list[str](), set[str]()

    def read() -> None:
        while not stop.is_set():
            index = current.get()
            mark = index.info.model_id.removeprefix("model-")
            vector = index.vector_of(f"{mark}-000")
            if vector is None:
                wrong.append(f"{mark} lost its seed")
                return
            hits = index.search(vector, limit=100).hits
            if len(hits) != index.info.songs or any(not hit.song_id.startswith(mark) for hit in hits):
                wrong.append(f"{mark} answered {hits}")
            seen.add(mark)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(60):
            store.publish(names[turn % 3])
            assert current.get().info.version in names
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert len(seen) >= 2  # swaps did happen under the readers
    assert current.get().info.version == names[59 % 3]


def test_a_bundle_pruned_between_its_name_and_its_opening_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = index_store(tmp_path)
    first, second = write(store, "a"), write(store, "b")
    store.publish(second)
    answers = iter([tmp_path / first])
    published = BundleStore.current
    monkeypatch.setattr(BundleStore, "current", lambda self: next(answers, None) or published(self))
    shutil.rmtree(tmp_path / first)
    assert CurrentIndex(tmp_path).get().info.version == second


def test_only_the_first_reader_opens_a_new_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = index_store(tmp_path)
    store.publish(write(store, "a"))
    opened: list[Path] = []

    def load(path: Path) -> FaissIndex:
        opened.append(path)
        return load_index(path)

    monkeypatch.setattr(current_module, "load_index", load)
    current = CurrentIndex(tmp_path)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(current.get().info.songs)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [30] * 8
    assert len(opened) == 1
