"""Low-rank adapters on every linear layer, by TRL's supervised trainer."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from transformers.pytorch_utils import Conv1D
from transformers.trainer_utils import get_last_checkpoint
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from jobs.train.rewriter.schedule import Schedule
from jobs.train.rewriter.tokens import Tokens

log = logging.getLogger(__name__)
WARM_UP = 0.03
"""Share of the steps in which the rate rises to its height."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """The network with its adapter, and how it went; `losses` by step, in nats per token."""

    network: Any
    steps: int
    losses: tuple[tuple[int, float], ...]
    resumed_at: int


class _Watch(TrainerCallback):
    """Hands each logged loss on."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self._say(f"step {state.global_step} of {state.max_steps}: loss {float(logs['loss']):.4f}")


def tune(
    network: Any,
    tokenizer: Any,
    rows: Sequence[Tokens],
    schedule: Schedule,
    seed: int,
    checkpoints: Path,
    say: Callable[[str], None],
) -> Tuned:
    """Tune an adapter on rows of tokens; go on from the last checkpoint if there is one.

    Same rows, schedule and machine, same adapter: on a processor to the byte, on a GPU within its rounding.
    """
    data = Dataset.from_dict(
        {"input_ids": [list(row.ids) for row in rows], "labels": [row.labels for row in rows]}
    )
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PEFT reads a name that transformers gives up
        trainer = SFTTrainer(
            model=network,
            args=_settings(schedule, seed, checkpoints, str(network.device.type)),
            train_dataset=data,
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=schedule.rank,
                lora_alpha=schedule.alpha,
                lora_dropout=schedule.dropout,
                target_modules=_layers(network),
                task_type="CAUSAL_LM",
            ),
            callbacks=[_Watch(say)],
        )
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
                trainer.remove_callback(callback)
        trainer.train(resume_from_checkpoint=last)
    history = [(int(e["step"]), float(e["loss"])) for e in trainer.state.log_history if "loss" in e]
    resumed = int(last.rpartition("-")[2]) if last else 0
    return Tuned(trainer.model, int(trainer.state.global_step), tuple(history), resumed)


def _layers(network: Any) -> list[str]:
    """The linear layers by their own names, without the head: what servers load adapters of."""
    head = network.get_output_embeddings()
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in network.named_modules()
            if isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
        }
    )


def _settings(schedule: Schedule, seed: int, checkpoints: Path, device: str) -> SFTConfig:
    cuda = device == "cuda"
    return SFTConfig(
        output_dir=str(checkpoints),
        num_train_epochs=schedule.epochs,
        per_device_train_batch_size=schedule.batch,
        gradient_accumulation_steps=schedule.accumulate,
        learning_rate=schedule.rate,
        lr_scheduler_type="cosine",
        warmup_steps=WARM_UP,
        save_strategy="steps",
        save_steps=schedule.save_steps,
        save_total_limit=1,
        logging_steps=10,
        seed=seed,
        data_seed=seed,
        bf16=cuda and torch.cuda.is_bf16_supported(),
        use_cpu=not cuda,
        gradient_checkpointing=cuda,
        dataloader_pin_memory=cuda,
        report_to="none",
        disable_tqdm=True,
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
