"""The checks of ``songlike index verify``."""

from pathlib import Path
from typing import NamedTuple

from engine.errors import BundleError
from indexer.catalog import Catalog
from indexer.search.bundle import load_index
from indexer.search.recall import verify_recall


class Check(NamedTuple):
    """One check and how it went."""

    name: str
    passed: bool
    detail: str


def checks_of(catalog: Catalog, path: Path, sample: int) -> list[Check]:
    """Check the index bundle in folder ``path``; what rests on a failed check is left out.

    ``files``: every file is there, whole, and agrees with the manifest. ``model``: the catalogue knows the
    model whose vectors these are. ``recall``: ``sample`` queries find no fewer of their true neighbours than
    they did when the index was built.
    """
    try:
        index = load_index(path)
    except BundleError as error:
        return [Check("files", False, str(error))]
    checks = [Check("files", True, f"{index.info.songs:,} songs in {path.name}")]
    model_id = index.info.model_id
    known = catalog.embeddings.model(model_id) is not None
    detail = "known to the catalogue" if known else "unknown to the catalogue; run `songlike index build`"
    checks.append(Check("model", known, f"{model_id} is {detail}"))
    recall = verify_recall(index, sample)
    checks.append(
        Check(
            "recall", recall >= index.info.recall, f"{recall:.4f}, {index.info.recall:.4f} when it was built"
        )
    )
    return checks
