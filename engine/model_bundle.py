"""The model bundle: everything that makes a trained encoder, in a folder without pickles.

::

    manifest.json          kind, format, model_id, vocabulary, text encoder and its hash, quality
    settings.json          NetworkSettings and TrainingSettings
    scalers.json           means and deviations of the training songs
    network.safetensors    towers, fusion, projection, encoder, head
    adapter.safetensors    LoRA weights (tuning "lora"), or
    text_encoder.safetensors  the whole text encoder (tuning "full")
    tokenizer/             the tokenizer that the model was trained with
    report.json            measured quality on held-out artists
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.audio import FEATURE_VERSION
from engine.bundle_store import BundleStore, verify_bundle
from engine.config import NetworkSettings, TrainingSettings
from engine.errors import BundleError, InputError
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor, Scalers
from engine.text_encoder import base_weights_hash, check_base_weights, load_text_encoder, stored_tokenizer
from engine.vocabulary import AUDIO_FEATURES, LabelSchema

KIND = "model"
FORMAT = 1
READABLE_FORMATS = (1,)
_TEXT = "lyrics.encoder."
_TUNED_FILE = {"lora": "adapter.safetensors", "full": "text_encoder.safetensors"}


def model_store(root: Path) -> BundleStore:
    """The store of model bundles in a folder."""
    return BundleStore(root, KIND)


@dataclass(frozen=True)
class Model:
    """A network with what it needs to read songs and to be told apart from others."""

    network: SongNetwork
    preprocessor: Preprocessor
    network_settings: NetworkSettings
    training_settings: TrainingSettings
    report: dict[str, Any]
    training_data_hash: str

    def save(self, store: BundleStore) -> Path:
        """Write as a new bundle, unpublished; its folder is named by the model id.

        Raises
        ------
        StoreError
            When the disk refuses.
        """
        return store.write(self._fill, format=FORMAT, facts=self._facts())

    def _facts(self) -> dict[str, Any]:
        text = self.network_settings.text
        return {
            "vocabulary": {
                "labels": self.preprocessor.schema.to_json(),
                "audio_features": list(AUDIO_FEATURES),
                "genres": list(self.preprocessor.genres),
            },
            "feature_version": FEATURE_VERSION,
            "trained_modalities": list(self.preprocessor.modalities),
            "vector_width": self.network_settings.vector_width,
            "text_encoder": {"source": text.source, "weights_sha256": base_weights_hash(text.source)},
            "training_data_hash": self.training_data_hash,
            "quality": {key: value for key, value in self.report.items() if key.startswith("mean_")},
        }

    def _fill(self, folder: Path) -> None:
        settings = {
            "network": self.network_settings.model_dump(mode="json"),
            "training": self.training_settings.model_dump(mode="json"),
        }
        _write_json(folder / "settings.json", settings)
        _write_json(folder / "scalers.json", self.preprocessor.scalers.to_json())
        _write_json(folder / "report.json", self.report)
        state = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        _save_tensors(
            {k: v for k, v in state.items() if not k.startswith(_TEXT)}, folder / "network.safetensors"
        )
        tuning = self.network_settings.text.tuning
        if tuning in _TUNED_FILE:
            _save_tensors(_tuned_weights(state, tuning), folder / _TUNED_FILE[tuning])
        self.preprocessor.tokenizer.save_pretrained(folder / "tokenizer")

    @classmethod
    def load(cls, path: Path) -> "Model":
        """Read a bundle back, every file checked, every tensor in its place, the network in eval mode.

        Raises
        ------
        BundleError
            When the bundle is damaged, foreign, of another version, or its text encoder has changed.
        InputError
            When the text encoder it was trained on is not installed.
        """
        manifest = verify_bundle(path, kind=KIND, formats=READABLE_FORMATS)
        facts = _Facts.read(path, manifest)
        settings = _read_json(path / "settings.json")
        network_settings = NetworkSettings.model_validate(settings["network"])
        text = network_settings.text
        check_base_weights(text.source, facts.weights_sha256)
        schema, genres = facts.schema, facts.genres
        network = SongNetwork(
            load_text_encoder(text), network_settings, genres=len(genres), labels=len(schema)
        )
        _load_weights(network, path, text.tuning)
        preprocessor = Preprocessor(
            stored_tokenizer(path / "tokenizer"),
            Scalers.from_json(_read_json(path / "scalers.json")),
            genres=genres,
            schema=schema,
            window_tokens=text.window_tokens,
            modalities=facts.modalities,
        )
        return cls(
            network.eval(),
            preprocessor,
            network_settings,
            TrainingSettings.model_validate(settings["training"]),
            _read_json(path / "report.json"),
            facts.training_data_hash,
        )


class _Facts(NamedTuple):
    """What `Model._facts` put into the manifest."""

    schema: LabelSchema
    audio_features: tuple[str, ...]
    genres: tuple[str, ...]
    feature_version: str
    modalities: tuple[str, ...]
    weights_sha256: str | None
    training_data_hash: str

    @classmethod
    def read(cls, path: Path, manifest: dict[str, Any]) -> Self:
        """Read and check: vectors are never made from other features than the ones trained on."""
        try:
            vocabulary = manifest["vocabulary"]
            facts = cls(
                LabelSchema.from_json(vocabulary["labels"]),
                tuple(vocabulary["audio_features"]),
                tuple(vocabulary["genres"]),
                manifest["feature_version"],
                tuple(manifest["trained_modalities"]),
                manifest["text_encoder"]["weights_sha256"],
                manifest["training_data_hash"],
            )
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise BundleError(
                f"{path}: the manifest lacks or garbles {error}; make the bundle again"
            ) from error
        if (facts.feature_version, facts.audio_features) != (FEATURE_VERSION, AUDIO_FEATURES):
            raise BundleError(
                f"{path} was trained on audio features {facts.feature_version!r}, this songlike computes "
                f"{FEATURE_VERSION!r}; train the model again"
            )
        return facts


def _load_weights(network: SongNetwork, path: Path, tuning: str) -> None:
    """Strict: the bundle's tensors are exactly those that the settings call for."""
    try:
        stored = load_file(path / "network.safetensors")
        if tuning in _TUNED_FILE:
            stored |= load_file(path / _TUNED_FILE[tuning])
    except SafetensorError as error:
        raise BundleError(f"{path}: weights cannot be read ({error}); make the bundle again") from error
    state = network.state_dict()
    base = {k for k in state if k.startswith(_TEXT)} - set(_tuned_weights(state, tuning))
    if set(stored) != set(state) - base:
        odd = sorted(set(stored) ^ (set(state) - base))[:3]
        raise BundleError(
            f"{path}: tensors do not fit its settings, first of them {odd}; make the bundle again"
        )
    try:
        network.load_state_dict(stored, strict=False)  # the base encoder's tensors are in place already
    except RuntimeError as error:  # torch's report of a shape that does not fit
        raise BundleError(f"{path}: a tensor has the wrong shape ({error}); make the bundle again") from error


def _tuned_weights(state: dict[str, Tensor], tuning: str) -> dict[str, Tensor]:
    """Tensors of the text encoder that training changed."""
    text = {name: tensor for name, tensor in state.items() if name.startswith(_TEXT)}
    if tuning == "lora":
        return {name: tensor for name, tensor in text.items() if "lora_" in name}
    return text if tuning == "full" else {}


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    try:
        save_file(tensors, path)
    except SafetensorError as error:  # how safetensors reports a full disk
        raise OSError(str(error)) from error


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
