import json
import shutil
from pathlib import Path

import pytest
from transformers import BertModel

from engine.bundle_store import file_hash
from engine.config import LoraSettings, TextSettings
from engine.errors import BundleError, InputError
from engine.text_encoder import (
    base_weights_hash,
    check_base_weights,
    load_text_encoder,
    load_tokenizer,
    locate,
    stored_tokenizer,
)
from tests.engine.tiny import tiny_text


def test_a_folder_is_itself_and_a_hub_id_stays(encoder_folder: Path) -> None:
    assert locate(str(encoder_folder)) == str(encoder_folder)
    assert locate("BAAI/bge-large-en-v1.5") == "BAAI/bge-large-en-v1.5"
    assert base_weights_hash("BAAI/bge-large-en-v1.5") is None
    assert base_weights_hash(str(encoder_folder)) == file_hash(encoder_folder / "model.safetensors")


def test_an_installed_package_is_searched(
    encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "toy_encoder_package" / "data"
    shutil.copytree(encoder_folder, inside)
    (tmp_path / "toy_encoder_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("package:toy_encoder_package") == str(inside)


@pytest.mark.parametrize("name", ["no_such_package_here", "not a name", "../etc", "json", ""])
def test_a_package_without_an_encoder_says_how_to_get_one(name: str) -> None:
    with pytest.raises(InputError, match=r"carries a text encoder; install the extra .*songlike\[minilm\]"):
        locate(f"package:{name}")


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "~/nowhere-at-all", "a/b/c"])
def test_a_missing_folder_is_named(name: str) -> None:
    with pytest.raises(InputError, match=r"no text encoder in .*config\.json"):
        locate(name)


def test_loaded_weights_are_those_of_the_folder_without_dropout(encoder_folder: Path) -> None:
    frozen = load_text_encoder(tiny_text(encoder_folder, tuning="frozen"))
    saved = BertModel.from_pretrained(str(encoder_folder)).state_dict()
    state = frozen.state_dict()
    assert set(saved) - set(state) == {"pooler.dense.weight", "pooler.dense.bias"}
    assert all(state[name].equal(saved[name]) for name in state)
    assert frozen.config.hidden_dropout_prob == frozen.config.attention_probs_dropout_prob == 0
    assert not any(p.requires_grad for p in frozen.parameters())


def test_lora_of_the_asked_rank_sits_on_every_named_layer(encoder_folder: Path) -> None:
    settings = tiny_text(
        encoder_folder, lora=LoraSettings(rank=3, alpha=6, target_modules=("query", "value"))
    )
    learning = {n: p for n, p in load_text_encoder(settings).named_parameters() if p.requires_grad}
    assert len(learning) == 2 * 2 * 2  # layers x modules x (A, B)
    assert {min(p.shape) for p in learning.values()} == {3}


def test_lora_on_layers_that_are_not_there_is_refused(encoder_folder: Path) -> None:
    with pytest.raises(InputError, match="LoRA cannot be put on"):
        load_text_encoder(tiny_text(encoder_folder, lora=LoraSettings(target_modules=("q_proj",))))


def test_windows_longer_than_the_encoder_reads_are_refused(encoder_folder: Path) -> None:
    with pytest.raises(InputError, match="set window_tokens to 64 or less"):
        load_text_encoder(tiny_text(encoder_folder, window_tokens=65))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"{}"),
        ("model.safetensors", b"garbage"),
        ("model.safetensors", b""),
    ],
)
def test_a_damaged_encoder_is_one_clear_error(
    name: str, content: bytes, encoder_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="cannot load the text encoder"):
        load_text_encoder(TextSettings(source=str(folder), window_tokens=16))


def test_a_folder_without_a_tokenizer_is_one_clear_error(encoder_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": []}))
    with pytest.raises(InputError, match="cannot load the text encoder"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(BundleError, match="no readable tokenizer"):
        stored_tokenizer(tmp_path / "nowhere")


def test_other_base_weights_are_refused(encoder_folder: Path) -> None:
    check_base_weights(str(encoder_folder), None)
    check_base_weights(str(encoder_folder), file_hash(encoder_folder / "model.safetensors"))
    with pytest.raises(BundleError, match="not the one this model was trained on"):
        check_base_weights(str(encoder_folder), "0" * 64)
