"""A text encoder small enough to train in a test: a BERT of random weights and a word list, made in code."""

from pathlib import Path

import torch
from transformers import BertConfig, BertModel, BertTokenizer

TINY_WIDTH = 16
TINY_WORDS = (
    "love", "night", "rain", "fire", "gun", "blood", "dance", "baby", "girl", "river", "road", "light",
    "god", "home", "tears", "music", "the", "a", "and", "in", "you", "me", "my", "i",
)  # fmt: skip
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def save_tiny_encoder(folder: Path, *, seed: int = 7) -> Path:
    """Save a BERT of 2 layers, 2 heads, width `TINY_WIDTH` with its tokenizer; equal seeds give equal weights."""
    folder.mkdir(parents=True, exist_ok=True)
    words = (
        *_SPECIAL,
        *TINY_WORDS,
        *(c for c in _LETTERS if c not in TINY_WORDS),
        *(f"##{c}" for c in _LETTERS),
    )
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizer(vocab=str(vocabulary), model_max_length=64).save_pretrained(str(folder))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=TINY_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(config)
    model.save_pretrained(str(folder))
    return folder
