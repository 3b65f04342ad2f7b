"""One tiny text encoder and one tiny trained model for the whole room; transformers' own chatter is off."""

from pathlib import Path

import pytest
import torch
import transformers

from engine.model_bundle import Model
from engine.training.fit import train_model
from tests.engine.tiny import SCHEMA, tiny_network, tiny_training, toy_songs
from tests.tiny_encoder import save_tiny_encoder


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Progress bars and advice of transformers are not what is tested; small tensors need one thread."""
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call] # untyped there
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # untyped there
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny text encoder; tests only read it."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def model(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A LoRA model trained for two epochs on 30 toy songs; tests only read it."""
    work = tmp_path_factory.mktemp("work")
    return train_model(toy_songs(), SCHEMA, tiny_network(encoder_folder), tiny_training(), work)
