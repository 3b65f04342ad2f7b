"""What a model bundle says of itself, read without torch: enough to tell models apart and to plan a build."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from engine.bundle_store import read_manifest
from engine.errors import BundleError, InputError
from engine.vocabulary import LabelSchema


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts of a model bundle's manifest."""

    model_id: str
    labels: LabelSchema
    dimension: int
    feature_version: str
    trained_modalities: tuple[str, ...]
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Card of the model bundle in a folder; its files are not checked.

        Raises
        ------
        BundleError
            When the folder holds no readable model manifest.
        """
        manifest = read_manifest(path)
        try:
            return cls(
                model_id=path.name,
                labels=LabelSchema.from_json(manifest["vocabulary"]["labels"]),
                dimension=int(manifest["vector_width"]),
                feature_version=manifest["feature_version"],
                trained_modalities=tuple(manifest["trained_modalities"]),
                manifest=manifest,
            )
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise BundleError(f"{path} is no model bundle: its manifest lacks or garbles {error}") from None
