"""A model on disk: read back bit for bit, the same in every process, refused when it is not what it was."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine import model_bundle
from engine.bundle_store import BundleStore, bundle_identity, file_hash, read_manifest
from engine.encoder import SongEncoder
from engine.errors import BundleError, InputError, StoreError
from engine.model_bundle import Model, model_store
from engine.network.song_network import SongNetwork
from engine.preprocessing import Preprocessor
from tests.engine.tiny import (
    SCHEMA,
    build_network,
    build_preprocessor,
    tiny_network,
    tiny_training,
    toy_songs,
)
from tests.tiny_encoder import save_tiny_encoder

SONGS = toy_songs(12, seed=11)
ENCODE = """
import sys
from pathlib import Path
import torch
from engine.encoder import SongEncoder
from tests.engine.tiny import toy_songs
torch.set_num_threads(1)
encoded = SongEncoder.load(Path(sys.argv[1])).encode(toy_songs(12, seed=11))
sys.stdout.buffer.write(encoded.vectors.tobytes() + encoded.labels.tobytes())
"""


def _model(network: SongNetwork, preprocessor: Preprocessor, folder: Path, **text: Any) -> Model:
    settings = tiny_network(folder, **text)
    return Model(
        network.eval(), preprocessor, settings, tiny_training(), {"mean_r2": 0.5}, "hash of the songs"
    )


def _untrained(folder: Path, **text: Any) -> Model:
    """A model whose every tensor, adapters included, is away from its start."""
    network = build_network(tiny_network(folder, **text))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02 * torch.randn_like(parameter))
    return _model(network, build_preprocessor(folder, toy_songs()), folder, **text)


@pytest.fixture(scope="module")
def saved(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle of the trained model; tests that damage it copy it first."""
    return model.save(model_store(tmp_path_factory.mktemp("models")))


@pytest.fixture
def bundle(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / saved.name))


@pytest.mark.parametrize("tuning", ["lora", "frozen", "full"])
def test_a_saved_model_encodes_the_same_bit_for_bit(
    tuning: str, encoder_folder: Path, tmp_path: Path
) -> None:
    model = _untrained(encoder_folder, tuning=tuning)
    before = SongEncoder("x", model).encode(SONGS)
    path = model.save(model_store(tmp_path))
    loaded = SongEncoder.load(path)
    after = loaded.encode(SONGS)
    np.testing.assert_array_equal(after.vectors, before.vectors)
    np.testing.assert_array_equal(after.labels, before.labels)
    assert after.coverage == before.coverage
    assert loaded.model_id == path.name
    assert replace(loaded.model, network=model.network, preprocessor=model.preprocessor) == model
    files = {"lora": {"adapter.safetensors"}, "full": {"text_encoder.safetensors"}, "frozen": set()}[tuning]
    assert {p.name for p in path.glob("*.safetensors")} == {"network.safetensors"} | files
    assert not list(path.rglob("*.bin")) + list(path.rglob("*.p*k*l*"))


def test_another_process_gives_the_same_bytes(saved: Path) -> None:
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-c", ENCODE, str(saved)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": "1"},
        timeout=120,
        check=False,
    )
    here = SongEncoder.load(saved).encode(SONGS)
    assert ran.returncode == 0, ran.stderr.decode()
    assert ran.stdout == here.vectors.tobytes() + here.labels.tobytes()


def test_equal_models_have_one_id(model: Model, saved: Path, tmp_path: Path) -> None:
    assert model.save(model_store(tmp_path)).name == saved.name
    assert replace(model, report={"mean_r2": 0.9}).save(model_store(tmp_path)).name != saved.name


def test_the_manifest_states_what_the_model_was_made_of(
    saved: Path, model: Model, encoder_folder: Path
) -> None:
    manifest = read_manifest(saved)
    assert (manifest["kind"], manifest["format"], manifest["vector_width"]) == ("model", 1, 12)
    assert [label["slug"] for label in manifest["vocabulary"]["labels"]] == ["rain", "dance_level"]
    assert manifest["trained_modalities"] == ["lyrics", "audio", "genre", "year"]
    assert manifest["training_data_hash"] == model.training_data_hash
    assert manifest["quality"]["mean_r2"] == model.report["mean_r2"]
    assert manifest["text_encoder"]["weights_sha256"] == file_hash(encoder_folder / "model.safetensors")


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")


def test_a_flipped_byte_in_any_file_is_named(bundle: Path) -> None:
    names = [path.name for path in _files(bundle)]
    assert {"network.safetensors", "adapter.safetensors", "settings.json", "tokenizer.json"} <= set(names)
    for path in _files(bundle):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            damaged = bytearray(whole)
            damaged[place] ^= 0x10
            path.write_bytes(bytes(damaged))
            with pytest.raises(BundleError, match=f"{path.name} is damaged"):
                Model.load(bundle)
        path.write_bytes(whole)
    Model.load(bundle)


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "scalers.json").unlink()
    with pytest.raises(BundleError, match=r"scalers\.json"):
        Model.load(bundle)


def _reseal(bundle: Path, **facts: Any) -> Path:
    """Make the manifest fit what the folder holds, as a forger or another program would."""
    files = {p.relative_to(bundle).as_posix(): file_hash(p) for p in _files(bundle)}
    manifest = {**read_manifest(bundle), "files": files, **facts}
    name = bundle_identity(manifest)
    (bundle / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    return bundle.rename(bundle.with_name(name))


def _change_tensors(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("network.safetensors", lambda t: t.pop("head.0.weight"), r"tensors do not fit .*head\.0\.weight"),
        ("network.safetensors", lambda t: t.update(stray=torch.zeros(1)), "tensors do not fit .*stray"),
        ("network.safetensors", lambda t: t.update({"head.0.bias": torch.zeros(3)}), "wrong shape"),
        ("adapter.safetensors", lambda t: t.pop(min(t)), "tensors do not fit .*lora_"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(
    file: str, change: Callable[[dict[str, torch.Tensor]], object], message: str, bundle: Path
) -> None:
    _change_tensors(bundle / file, change)
    with pytest.raises(BundleError, match=message):
        Model.load(_reseal(bundle))


def test_weights_that_are_no_weights_are_refused(bundle: Path) -> None:
    (bundle / "network.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(BundleError, match="weights cannot be read"):
        Model.load(_reseal(bundle))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"kind": "index"}, "'index' bundle, not a 'model'"),
        ({"format": 2}, r"model format 2, this songlike reads \[1\]; upgrade songlike"),
        ({"feature_version": "other-9"}, "trained on audio features 'other-9'.*train the model again"),
        (
            {"vocabulary": {"labels": SCHEMA.to_json(), "audio_features": ["zcr_mean"], "genres": []}},
            "audio features",
        ),
        ({"vocabulary": {"labels": []}}, "at least one label"),
        ({"vocabulary": None}, "lacks or garbles"),
        ({"text_encoder": {}}, "weights_sha256"),
        ({"text_encoder": "x"}, "lacks or garbles"),
        ({"trained_modalities": None}, "lacks or garbles"),
    ],
)
def test_a_foreign_manifest_is_refused(facts: dict[str, Any], message: str, bundle: Path) -> None:
    with pytest.raises(BundleError, match=message):
        Model.load(_reseal(bundle, **facts))


def test_a_huge_manifest_is_refused(bundle: Path) -> None:
    (bundle / "manifest.json").write_text('{"kind": "model", "format": ' + "9" * 5_000_000)
    with pytest.raises(BundleError, match=r"manifest\.json is damaged"):
        Model.load(bundle)


def test_changed_base_weights_are_refused(tmp_path: Path) -> None:
    folder = save_tiny_encoder(tmp_path / "encoder")
    path = _untrained(folder).save(model_store(tmp_path / "models"))
    Model.load(path)
    save_tiny_encoder(folder, seed=8)
    with pytest.raises(BundleError, match="not the one this model was trained on"):
        Model.load(path)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="no text encoder in"):
        Model.load(path)


def test_the_bundle_keeps_its_own_tokenizer(tmp_path: Path) -> None:
    folder = save_tiny_encoder(tmp_path / "encoder")
    model = _untrained(folder)
    path = model.save(model_store(tmp_path / "models"))
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).unlink()
    loaded = Model.load(path)
    assert loaded.preprocessor.windows("love the rain") == model.preprocessor.windows("love the rain")


def test_a_full_disk_under_the_weights_is_a_store_error(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BundleStore(tmp_path, "model")

    def full(*_: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(model_bundle, "save_file", full)
    with pytest.raises(StoreError, match="No space left on device"):
        model.save(store)
    assert list(tmp_path.iterdir()) == []
