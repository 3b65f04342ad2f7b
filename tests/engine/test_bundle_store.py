"""Bundles on disk: one atomic step from old to new, whatever the disk does."""

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.bundle_store import BundleStore, content_hash, file_hash, read_manifest, verify_bundle
from engine.errors import BundleError, NotFoundError, NothingPublishedError, StoreError


def _fill(text: str) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "a.txt").write_text(text)
        (folder / "sub" / "b.txt").write_text(text[::-1])

    return fill


def _write(store: BundleStore, text: str) -> str:
    return store.write(_fill(text), format=1, facts={"text": text}).name


def _leftovers(store: BundleStore) -> list[str]:
    return [path.name for path in store.root.iterdir() if path.name.startswith(".")]


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "deep" / "store", "toy")


def test_a_written_bundle_is_whole_and_unpublished(store: BundleStore) -> None:
    path = store.write(_fill("hello"), format=3, facts={"extra": [1, 2]}, prefix="v-")
    manifest = verify_bundle(path, kind="toy", formats=(2, 3))
    assert manifest["files"] == {
        "a.txt": file_hash(path / "a.txt"),
        "sub/b.txt": file_hash(path / "sub" / "b.txt"),
    }
    assert manifest["extra"] == [1, 2]
    stated = hashlib.sha256(b'{"extra": [1, 2], "format": 3, "kind": "toy"}').hexdigest()
    named_by = content_hash({**manifest["files"], "": stated})
    assert path.name == manifest["name"] == "v-" + named_by[:16]
    assert _leftovers(store) == []
    with pytest.raises(NothingPublishedError, match="no toy bundle has been published"):
        store.current()


def test_the_hash_of_a_bundle_is_that_of_its_sorted_files() -> None:
    # printf 'a\\0x\\nb\\0y\\n' | sha256sum
    expected = "1daaa098f3889f74c5c9d7bac7c9d40d6bd577004676b876137ed1dc54ae80b0"
    assert content_hash({"a": "x", "b": "y"}) == content_hash({"b": "y", "a": "x"}) == expected
    assert content_hash({"a": "y", "b": "x"}) != expected


def test_equal_content_has_an_equal_name_and_is_kept_once(store: BundleStore) -> None:
    first = _write(store, "same")
    before = (store.root / first / "manifest.json").read_bytes()
    assert _write(store, "same") == first
    assert (store.root / first / "manifest.json").read_bytes() == before
    assert store.names() == [first]
    assert _write(store, "other") != first


def test_a_damaged_bundle_is_replaced_by_its_own_content(store: BundleStore) -> None:
    name = _write(store, "good")
    (store.root / name / "a.txt").write_text("bad")
    assert _write(store, "good") == name
    assert (store.root / name / "a.txt").read_text() == "good"


def test_publish_rollback_and_prune(store: BundleStore) -> None:
    names = [_write(store, str(i)) for i in range(4)]
    assert store.names() == names
    store.publish(names[3])
    assert store.current() == store.root / names[3]
    assert store.rollback() == names[2]
    assert store.current().name == names[2]
    assert store.prune(keep=1) == names[:2]  # the current one stays beside the newest
    assert store.names() == names[2:]
    with pytest.raises(NothingPublishedError, match="older"):
        store.rollback()


def test_the_first_bundle_has_nothing_to_roll_back_to(store: BundleStore) -> None:
    store.publish(_write(store, "only"))
    with pytest.raises(NothingPublishedError, match="no toy bundle older"):
        store.rollback()


def test_what_is_not_here_cannot_be_published(store: BundleStore) -> None:
    assert store.names() == []
    with pytest.raises(NotFoundError, match="'nowhere'"):
        store.publish("nowhere")
    with pytest.raises(NothingPublishedError):
        store.rollback()


def test_leftovers_of_a_crash_are_not_bundles(store: BundleStore) -> None:
    name = _write(store, "good")
    store.publish(name)
    crashed = store.root / ".writing-0123"
    crashed.mkdir()
    (crashed / "manifest.json").write_text("{")
    (store.root / ".writing-4567").write_text(name)
    assert store.names() == [name]
    assert store.current().name == name


def _full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("broken", ["fsync", "write", "rename"])
def test_a_full_disk_leaves_what_was_there(
    broken: str, store: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _write(store, "old")
    store.publish(old)
    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", _full_disk)
    elif broken == "rename":
        monkeypatch.setattr(Path, "rename", _full_disk)
    with pytest.raises(StoreError, match=r"cannot write the toy bundle .*No space left on device"):
        store.write(_full_disk if broken == "write" else _fill("new"), format=1, facts={})
    monkeypatch.undo()
    assert store.names() == [old]
    assert store.current().name == old
    assert _leftovers(store) == []


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_while_publishing_leaves_the_current_one(
    broken: str, store: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = _write(store, "old"), _write(store, "new")
    store.publish(old)
    owner: object = os if broken == "fsync" else Path
    monkeypatch.setattr(owner, broken, _full_disk)
    with pytest.raises(StoreError, match="No space left on device; the current one stays"):
        store.publish(new)
    monkeypatch.undo()
    assert store.current().name == old
    assert _leftovers(store) == []


def test_a_maker_that_fails_leaves_nothing(store: BundleStore) -> None:
    def fill(folder: Path) -> None:
        (folder / "a.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(fill, format=1, facts={})
    assert store.names() == []
    assert _leftovers(store) == []


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: _flip(p / "a.txt"), "a.txt is damaged"),
        (lambda p: _flip(p / "sub" / "b.txt"), "b.txt is damaged"),
        (lambda p: (p / "sub" / "b.txt").unlink(), "sub/b.txt"),
        (lambda p: (p / "extra.txt").write_text("x"), "extra.txt"),
        (lambda p: (p / "manifest.json").unlink(), "no manifest.json"),
        (lambda p: (p / "manifest.json").write_text('{"kind": "toy"'), "manifest.json is damaged"),
        (lambda p: (p / "manifest.json").write_bytes(b"\xff\xfe\x00"), "manifest.json is damaged"),
        (lambda p: (p / "manifest.json").write_text("[" * 100 + "]" * 100), "not a JSON object"),
        (lambda p: (p / "manifest.json").write_text("9" * 4000), "manifest.json is damaged"),
        (lambda p: _change(p, kind="index"), "'index' bundle, not a 'toy'"),
        (lambda p: _change(p, format=2), r"format 2, this songlike reads \[1\]; upgrade"),
        (lambda p: _change(p, files=None), "lists no files"),
        (lambda p: _change(p, files={}), "damaged"),
        (lambda p: _change(p, name="0123456789abcdef"), "damaged"),
    ],
)  # fmt: skip
def test_damage_is_named(damage: Callable[[Path], Any], message: str, store: BundleStore) -> None:
    path = store.root / _write(store, "hello")
    damage(path)
    with pytest.raises(BundleError, match=message):
        verify_bundle(path, kind="toy", formats=(1,))


def _change(path: Path, **facts: Any) -> None:
    manifest = {**read_manifest(path), **facts}
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("manifest", ["{", "[]", "{}", '{"created_at": 5}'])
def test_a_bundle_with_a_damaged_manifest_does_not_block_the_others(
    manifest: str, store: BundleStore
) -> None:
    damaged, good = _write(store, "damaged"), _write(store, "good")
    (store.root / damaged / "manifest.json").write_text(manifest)
    assert store.names() == [good]
    store.publish(good)
    assert store.current().name == good


def test_facts_are_part_of_the_name_and_cannot_be_changed_unnoticed(store: BundleStore) -> None:
    one, two = (store.write(_fill("x"), format=1, facts={"labels": [n]}) for n in ("joy", "grief"))
    assert one.name != two.name
    manifest = (one / "manifest.json").read_text().replace("joy", "grief")
    (one / "manifest.json").write_text(manifest)
    with pytest.raises(BundleError, match=r"manifest\.json is damaged: its name, facts"):
        verify_bundle(one, kind="toy", formats=(1,))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../etc", b".hidden", b"a/b", None])
def test_a_damaged_current_is_one_clear_error_and_publishing_mends_it(
    content: bytes | None, store: BundleStore
) -> None:
    name = _write(store, "good")
    current = store.root / "current"
    if content is None:
        current.mkdir()
    else:
        current.write_bytes(content)
    with pytest.raises(BundleError, match="does not name a bundle; remove it"):
        store.current()
    if content is not None:
        store.publish(name)
        assert store.current().name == name
