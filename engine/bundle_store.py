"""Bundles on disk: written aside, checked, published by one atomic rename, kept for rollback.

A store is a folder. Each bundle in it is a folder that never changes once it has its name, with a
``manifest.json`` as its birth certificate: kind, format, time, sha256 of every file, and the facts its maker
adds. The text file ``current`` names the published bundle::

    models/
      3f0c9a51b2d4e677/  manifest.json  config.json  weights.safetensors ...
      current            "3f0c9a51b2d4e677"
"""

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import BundleError, NotFoundError, NothingPublishedError, StoreError

MANIFEST = "manifest.json"
CURRENT = "current"
_ASIDE = ".writing-"
_NAME = re.compile(r"\w[\w-]*")
_BLOCK = 1 << 20  # bytes hashed at a time


class BundleStore:
    """The bundles of one kind in one folder; the folder need not exist yet."""

    def __init__(self, root: Path, kind: str) -> None:
        self.root = root
        self.kind = kind

    def write(
        self,
        fill: Callable[[Path], None],
        *,
        format: int,
        facts: Mapping[str, Any],
        prefix: str = "",
    ) -> Path:
        """Write a new bundle and return its folder; nothing is published yet.

        ``fill`` writes the files into an empty folder; ``facts`` are JSON and join the manifest. The bundle is
        named ``prefix`` + 16 hex digits of a hash over files and facts: equal content is kept once.

        Raises
        ------
        StoreError
            When the disk refuses (full, read-only); what was there before is untouched.
        """
        aside = self.root / f"{_ASIDE}{uuid.uuid4().hex}"
        try:
            aside.mkdir(parents=True)
            fill(aside)
            files = {_name(path, aside): file_hash(path) for path in _files_below(aside)}
            manifest = {"kind": self.kind, "format": format, "files": files, **facts}
            name = prefix + bundle_identity(manifest)
            manifest |= {"name": name, "created_at": datetime.now(UTC).isoformat()}
            (aside / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
            for path in _files_below(aside):
                _sync(path)
            _sync(aside)
            target = self.root / name
            if target.exists():
                if self._is_sound(target):
                    return target
                shutil.rmtree(target)  # damaged; the same content takes its place
            aside.rename(target)
            _sync(self.root)
            return target
        except OSError as error:
            raise StoreError(
                f"cannot write the {self.kind} bundle below {self.root}: {error.strerror or error}; "
                "free some space or choose another folder. What was published before is untouched"
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _is_sound(self, path: Path) -> bool:
        try:
            verify_bundle(path, kind=self.kind, formats=(read_manifest(path).get("format"),))
        except BundleError:
            return False
        return True

    def publish(self, name: str) -> None:
        """Make the named bundle the current one by one atomic rename.

        Raises
        ------
        NotFoundError
            When no such bundle is here.
        StoreError
            When the disk refuses; the current bundle stays what it was.
        """
        self.path_of(name)
        aside = self.root / f"{_ASIDE}{uuid.uuid4().hex}"
        try:
            aside.write_text(name + "\n", encoding="utf-8")
            _sync(aside)
            aside.replace(self.root / CURRENT)
            _sync(self.root)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise StoreError(
                f"cannot publish {self.kind} bundle {name}: {error.strerror or error}; the current one stays"
            ) from error

    def current(self) -> Path:
        """Folder of the published bundle.

        Raises
        ------
        NothingPublishedError
            When none has been published.
        BundleError
            When the file that names it is damaged.
        """
        try:
            name = (self.root / CURRENT).read_text(encoding="utf-8").strip()
        except (IsADirectoryError, PermissionError, UnicodeDecodeError) as error:
            raise self._unusable_current() from error
        except FileNotFoundError:
            raise NothingPublishedError(
                f"no {self.kind} bundle has been published in {self.root} yet"
            ) from None
        if not _NAME.fullmatch(name):  # it must not lead out of the store
            raise self._unusable_current()
        return self.root / name

    def _unusable_current(self) -> BundleError:
        return BundleError(
            f"{self.root / CURRENT} does not name a bundle; remove it and publish the {self.kind} again, by the "
            "command that made it"
        )

    def path_of(self, name: str) -> Path:
        """Folder of the named bundle.

        Raises
        ------
        NotFoundError
            When no such bundle is here.
        """
        if name not in self.names():
            raise NotFoundError(f"no {self.kind} bundle {name!r} in {self.root}; there are {self.names()}")
        return self.root / name

    def names(self) -> list[str]:
        """Names of the bundles here, oldest first.

        One whose manifest cannot be read is left out: it must not keep a sound one from being published.
        """
        births = [_birth(path.parent) for path in self.root.glob(f"[!.]*/{MANIFEST}")]
        return [name for _, name in sorted(birth for birth in births if birth is not None)]

    def rollback(self) -> str:
        """Publish the bundle made before the current one and return its name.

        Raises
        ------
        NothingPublishedError
            When none is published, or none is older.
        """
        current, names = self.current().name, self.names()
        older = names[: names.index(current)] if current in names else names
        if not older:
            raise NothingPublishedError(f"no {self.kind} bundle older than {current} is kept in {self.root}")
        self.publish(older[-1])
        return older[-1]

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest ``keep`` bundles, never the current one; returns the removed names.

        What the disk does not let go now is tried again by the next call.
        """
        current = self.current().name
        doomed = [name for name in self.names()[: -keep or None] if name != current]
        for name in doomed:
            shutil.rmtree(self.root / name, ignore_errors=True)
        return [name for name in doomed if not (self.root / name).exists()]


def verify_bundle(path: Path, *, kind: str, formats: tuple[Any, ...]) -> dict[str, Any]:
    """Check a bundle's kind, format and the sha256 of every file; return its manifest.

    Raises
    ------
    BundleError
        Naming the file that is missing, damaged or extra, or the kind or format that is foreign.
    """
    manifest = read_manifest(path)
    if manifest.get("kind") != kind:
        raise BundleError(f"{path} is a {manifest.get('kind')!r} bundle, not a {kind!r} bundle")
    if manifest.get("format") not in formats:
        raise BundleError(
            f"{path} has {kind} format {manifest.get('format')!r}, this songlike reads {list(formats)}; "
            "upgrade songlike or make the bundle again"
        )
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise BundleError(f"{path / MANIFEST} lists no files; make the bundle again")
    if path.name != manifest.get("name") or not path.name.endswith(bundle_identity(manifest)):
        raise BundleError(
            f"{path / MANIFEST} is damaged: its name, facts or list of files were changed; make the bundle again"
        )
    found = {_name(p, path) for p in _files_below(path)} - {MANIFEST}
    if found != set(files):
        odd = sorted(found ^ set(files))
        raise BundleError(f"{path}: files missing or not in the manifest: {odd}; make the bundle again")
    for name, expected in files.items():
        if file_hash(path / name) != expected:
            raise BundleError(
                f"{path / name} is damaged (sha256 differs from the manifest); make the bundle again"
            )
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """Manifest of the bundle in folder ``path``, unverified.

    Raises
    ------
    BundleError
        When there is none, or it is not JSON.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}") from None
    except (ValueError, RecursionError) as error:  # JSON and UTF-8 errors are ValueErrors
        raise BundleError(f"{path / MANIFEST} is damaged: {error}; make the bundle again") from None
    if not isinstance(manifest, dict):
        raise BundleError(f"{path / MANIFEST} is damaged: not a JSON object; make the bundle again")
    return manifest


def bundle_identity(manifest: Mapping[str, Any]) -> str:
    """16 hex digits by which a bundle is named: hash over its files and all that the manifest says of them."""
    facts = {key: value for key, value in manifest.items() if key not in {"name", "created_at", "files"}}
    stated = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return content_hash({**manifest["files"], "": stated})[:16]  # no file is named ""


def _birth(path: Path) -> tuple[str, str] | None:
    """When a bundle was made and its name; None when its manifest does not say."""
    try:
        created_at = read_manifest(path).get("created_at")
    except BundleError:
        return None
    return (created_at, path.name) if isinstance(created_at, str) else None


def content_hash(files: Mapping[str, str]) -> str:
    """Hash of a whole bundle from the hashes of its files: 64 hex digits, independent of their order."""
    lines = "".join(f"{name}\0{files[name]}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that a rename never points at data that is not there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
