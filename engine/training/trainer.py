"""Training end to end through transformers' Trainer, resumable after a kill."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint

from engine.config import TrainingSettings
from engine.errors import StoreError
from engine.network.losses import label_loss
from engine.network.song_network import SongBatch, SongNetwork
from engine.preprocessing import Preprocessor
from engine.training.dataset import Collator, SongDataset


class TrainingProgress(NamedTuple):
    """Where training stands; ``songs_per_second`` counts this process's own steps."""

    step: int
    steps: int
    epoch: float
    loss: float | None
    songs_per_second: float
    batch_songs: int
    eta_s: float


ProgressCallback = Callable[[TrainingProgress], None]


class EpochSampler(torch.utils.data.Sampler[int]):
    """Songs of similar length together, in an order that the seed and the epoch alone decide.

    Trainer's own sampler draws from the global random state, so a run that goes on in the middle of an epoch
    would meet its songs in another order than the run that was never stopped.
    """

    def __init__(self, batch_songs: int, songs: SongDataset, seed: int) -> None:
        self.seed = seed
        self.generator = torch.Generator()
        self.set_epoch(0)
        self.grouped = LengthGroupedSampler(
            batch_songs,
            lengths=[len(item["input_ids"]) for item in songs.items],
            generator=self.generator,
        )

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader before each epoch."""
        self.generator.manual_seed(1_000_003 * self.seed + epoch)

    def __len__(self) -> int:
        return len(self.grouped)

    def __iter__(self) -> Iterator[int]:
        return iter(self.grouped)


class SongTrainer(Trainer):
    """Trainer whose loss is `label_loss`, with a learning rate of its own for the text encoder."""

    def __init__(
        self, *, network: SongNetwork, songs: SongDataset, settings: TrainingSettings, **parts: Any
    ) -> None:
        super().__init__(model=network, train_dataset=songs, **parts)
        self.songs = songs
        self.network = network
        self.settings = settings

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,  # noqa: ARG002 - Trainer's signature
    ) -> Any:
        """Loss over the known labels of one batch."""
        output = model(SongBatch(**{field: inputs[field] for field in SongBatch._fields}))
        loss = label_loss(output.labels, inputs["labels"], self.settings.loss)
        return (loss, output) if return_outputs else loss

    def _get_train_sampler(
        self,
        train_dataset: Any = None,  # noqa: ARG002 - Trainer's signature
    ) -> EpochSampler:
        return EpochSampler(self.settings.batch_songs, self.songs, self.settings.seed)

    def create_optimizer(
        self,
        model: torch.nn.Module | None = None,  # noqa: ARG002 - Trainer's signature
    ) -> torch.optim.Optimizer:
        """AdamW; the pretrained text encoder and its adapters learn more slowly than the new layers."""
        if self.optimizer is None:
            learning = [(name, p) for name, p in self.network.named_parameters() if p.requires_grad]
            text = [p for name, p in learning if name.startswith("lyrics.encoder.")]
            rest = [p for name, p in learning if not name.startswith("lyrics.encoder.")]
            groups = [
                {"params": rest, "lr": self.settings.learning_rate},
                {"params": text, "lr": self.settings.text_learning_rate},
            ]
            self.optimizer = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        return self.optimizer


class _Reporter(TrainerCallback):
    """Passes progress on to the caller at every logging step."""

    def __init__(self, report: ProgressCallback, batch_songs: int) -> None:
        self.report = report
        self.batch_songs = batch_songs

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002 - TrainerCallback's signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002 - TrainerCallback's signature
        **_: Any,
    ) -> None:
        """Start the clock."""
        self.begun, self.first_step = time.monotonic(), state.global_step

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002 - TrainerCallback's signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002 - TrainerCallback's signature
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report step, loss, rate and time to go."""
        per_step = (time.monotonic() - self.begun) / max(state.global_step - self.first_step, 1)
        self.report(
            TrainingProgress(
                step=state.global_step,
                steps=state.max_steps,
                epoch=state.epoch or 0.0,
                loss=(logs or {}).get("loss"),
                songs_per_second=self.batch_songs / per_step if per_step else 0.0,
                batch_songs=self.batch_songs,
                eta_s=per_step * (state.max_steps - state.global_step),
            )
        )


def train_network(
    network: SongNetwork,
    preprocessor: Preprocessor,
    songs: SongDataset,
    settings: TrainingSettings,
    work: Path,
    report: ProgressCallback,
) -> None:
    """Train in place. Checkpoints go to ``work``; when one is there already, training goes on from it."""
    steps = -(-len(songs) // settings.batch_songs) * settings.epochs
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=settings.batch_songs,
        num_train_epochs=settings.epochs,
        lr_scheduler_type="cosine",
        warmup_steps=round(settings.warmup_share * steps),
        seed=settings.seed,
        save_strategy="steps",
        save_steps=settings.checkpoint_steps,
        save_total_limit=1,
        logging_steps=max(1, min(20, round(steps) // 10)),
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=True,
        report_to="none",
    )
    trainer = SongTrainer(
        network=network,
        settings=settings,
        args=arguments,
        songs=songs,
        data_collator=Collator(preprocessor),
        callbacks=[_Reporter(report, settings.batch_songs)],
    )
    trainer.remove_callback(_printer(trainer))
    work.mkdir(parents=True, exist_ok=True)
    try:
        trainer.train(resume_from_checkpoint=last_checkpoint(work))
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"training cannot write its checkpoints below {work}: {error}; free some space and give the same "
            "command again, it goes on from the last whole one"
        ) from error


def last_checkpoint(work: Path) -> str | None:
    """Newest whole checkpoint below ``work``; one that a kill cut short while it was written is removed."""
    while last := get_last_checkpoint(str(work)):  # type: ignore[no-untyped-call] # transformers leaves it untyped
        try:
            # Trainer writes this file last.
            json.loads((Path(last) / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            shutil.rmtree(last)
        else:
            return str(last)
    return None


def _printer(trainer: Trainer) -> TrainerCallback:
    """Callback that prints every log line; progress is reported to the caller instead."""
    names = {type(callback).__name__: callback for callback in trainer.callback_handler.callbacks}
    found: TrainerCallback = names["PrinterCallback"]
    return found
