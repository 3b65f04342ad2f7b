"""Index bundles: everything a search needs of one catalogue under one model, written once, read by many."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.bundle_store import MANIFEST, BundleStore, verify_bundle
from engine.errors import BundleError, InputError, ModelMismatchError
from engine.vocabulary import MODALITIES, LabelSchema
from indexer.search.attributes import Attributes
from indexer.search.faiss_index import METRIC, FaissIndex, make_vectors
from indexer.search.layout import FACTS, VECTORS, IndexLayout
from indexer.search.percentiles import label_percentiles
from indexer.search.port import IndexInfo
from indexer.search.recall import verify_recall
from indexer.search.rows import IndexRows, in_song_id_order

__all__ = ["INDEX_FORMATS", "INDEX_KIND", "IndexRows", "index_store", "load_index", "write_index_bundle"]

INDEX_KIND = "index"
INDEX_FORMAT = 1
INDEX_FORMATS = (1,)  # every format this songlike reads, the newest last
_OWN_FACTS = (
    "model_id", "factory", "metric", "songs", "dimension", "labels", "modalities",
    "label_percentiles", "recall",
)  # fmt: skip
_STORE_FACTS = ("kind", "format", "name", "created_at", "files")  # written by the bundle store
_UNNAMED = "(not written yet)"


def index_store(root: Path) -> BundleStore:
    """The index bundles in a folder."""
    return BundleStore(root, INDEX_KIND)


def write_index_bundle(
    store: BundleStore,
    rows: IndexRows,
    *,
    model_id: str,
    labels: LabelSchema,
    factory: str = "Flat",
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Build an index, measure its recall, write it as a new bundle and return its folder.

    Nothing is published. ``facts`` are added to the manifest; they must be JSON and name no fact that the
    index has itself.

    Raises
    ------
    InputError
        Naming the song_id whose vector, label, year or coverage is wrong, or that is there twice; or when the
        factory is not exact.
    StoreError
        When the disk refuses; what was there before is untouched.
    """
    if taken := sorted({*(facts or {})} & {*_OWN_FACTS, *_STORE_FACTS}):
        raise InputError(
            f"the manifest of an index has its own {', '.join(taken)}; name these facts otherwise"
        )
    attributes, vectors = in_song_id_order(rows, labels)
    index = make_vectors(vectors, factory)
    own = _own_facts(model_id, factory, attributes, vectors.shape[1])
    # The recall is measured on the index itself, so it completes the facts afterwards.
    info = _info(own, version=_UNNAMED, created_at=datetime.now(UTC))
    own["recall"] = verify_recall(FaissIndex(info, index, attributes))
    complete = {**own, **(facts or {})}

    def fill(folder: Path) -> None:
        layout = IndexLayout(folder)
        layout.write_facts(complete)
        layout.write_vectors(index)
        layout.write_attributes(attributes)

    return store.write(fill, format=INDEX_FORMAT, facts=complete)


def load_index(path: Path, model_id: str | None = None) -> FaissIndex:
    """Open an index bundle after checking every file of it; ``model_id`` is the model it must be of, if any.

    Raises
    ------
    ModelMismatchError
        When its vectors are of another model.
    BundleError
        Naming the file that is missing, damaged or does not agree with the manifest.
    """
    manifest = verify_bundle(path, kind=INDEX_KIND, formats=INDEX_FORMATS)
    layout = IndexLayout(path)
    facts = layout.read_facts()
    if manifest.get("name") != path.name or any(manifest.get(name) != fact for name, fact in facts.items()):
        raise BundleError(
            f"{path / MANIFEST} is damaged: it differs from {FACTS} or the folder's name; "
            "make the bundle again"
        )
    try:
        info = _info(facts, version=path.name, created_at=datetime.fromisoformat(manifest["created_at"]))
        modalities = tuple(facts["modalities"])
    except (InputError, LookupError, TypeError, ValueError) as error:
        raise BundleError(f"{path / MANIFEST} is damaged: {error!r}; make the bundle again") from None
    if modalities != MODALITIES:
        raise BundleError(
            f"{path} is based on modalities {modalities}, this songlike knows {MODALITIES}; make it again"
        )
    if model_id is not None and info.model_id != model_id:
        raise ModelMismatchError(
            f"index {path.name} holds vectors of model {info.model_id}, the catalogue's model is {model_id}; "
            "run `songlike index build`"
        )
    vectors = layout.read_vectors()
    if (vectors.ntotal, vectors.d) != (info.songs, info.dimension):
        raise BundleError(
            f"{path / VECTORS} holds {vectors.ntotal} vectors of dimension {vectors.d}, "
            f"the manifest says {info.songs} of {info.dimension}; make the bundle again"
        )
    return FaissIndex(info, vectors, layout.read_attributes(info.labels, info.songs))


def _own_facts(model_id: str, factory: str, attributes: Attributes, dimension: int) -> dict[str, Any]:
    """What the manifest says of the index itself, JSON through and through."""
    percentiles = label_percentiles(attributes.labels, attributes.schema)
    values: tuple[Any, ...] = (
        model_id,
        factory,
        METRIC,
        len(attributes),
        dimension,
        attributes.schema.to_json(),
        list(MODALITIES),
        {slug: {str(at): value for at, value in table.items()} for slug, table in percentiles.items()},
        0.0,
    )
    return dict(zip(_OWN_FACTS, values, strict=True))


def _info(facts: Mapping[str, Any], *, version: str, created_at: datetime) -> IndexInfo:
    return IndexInfo(
        version=version,
        model_id=str(facts["model_id"]),
        labels=LabelSchema.from_json(facts["labels"]),
        songs=int(facts["songs"]),
        dimension=int(facts["dimension"]),
        factory=str(facts["factory"]),
        metric=str(facts["metric"]),
        recall=float(facts["recall"]),
        label_percentiles={
            slug: {int(percent): float(value) for percent, value in table.items()}
            for slug, table in facts["label_percentiles"].items()
        },
        created_at=created_at,
    )
