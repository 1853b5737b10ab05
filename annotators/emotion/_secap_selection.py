"""Which of the sentences SECap wrote stands: those least like the rest are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from annotators._torch import load_exactly, read_checkpoint, shapes
from annotators.emotion._secap_files import SIMILARITY, Files, config_of
from pipeline.models import ModelError, compare_shapes

Pick = Literal["first", "best"]
N_DROPPED = 3
_UNREAD = ("pooler.", "embeddings.position_ids", "embeddings.task_type_embeddings.")
"""What the file may hold besides: the release reads this ERNIE as a BERT, which knows no kinds of tasks."""


class Similarity:
    """How alike sentences are: the cosine between the means of their tokens' last hidden states."""

    def __init__(self, files: Files, device: torch.device) -> None:
        self._device = device
        model = BertModel(_config(files), add_pooling_layer=False)
        load_exactly(model, _state(files), str(files.similarity))
        self._model = model.eval().to(device)
        self._tokenizer = BertTokenizer.from_pretrained(files.vocabulary, local_files_only=True)

    def __call__(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """The likeness of each to each, [n, n], -1..1; 1 on the diagonal."""
        with torch.inference_mode():
            likeness: npt.NDArray[np.float32] = self._cosines(list(sentences)).cpu().numpy()
        return likeness

    def _cosines(self, sentences: list[str]) -> torch.Tensor:
        tokens = self._tokenizer(
            sentences,
            padding=True,
            truncation=True,
            max_length=self._model.config.max_position_embeddings,
            return_tensors="pt",
        ).to(self._device)
        hidden = self._model(**tokens).last_hidden_state
        real = tokens.attention_mask[..., None].float()
        mean = (hidden * real).sum(dim=1) / real.sum(dim=1).clamp(min=1e-9)
        unit = torch.nn.functional.normalize(mean, dim=1)
        return unit @ unit.T


def check(files: Files) -> None:
    """ModelError where the file is not the model that compares sentences."""
    with torch.device("meta"):
        model = BertModel(_config(files), add_pooling_layer=False)
    compare_shapes(str(files.similarity), shapes(model.state_dict()), shapes(_state(files)))


def chosen(likeness: npt.NDArray[np.float32], pick: Pick) -> int:
    """Which sentence stands, of those that are left when the N_DROPPED least like the rest are dropped.

    `likeness` is [n, n]; a sentence counts by its mean likeness to all, itself among them, as released.
    `first`: the earliest that is left. `best`: the one most like the rest.
    """
    mean = likeness.astype(np.float64).mean(axis=1)
    left = np.sort(np.argsort(mean, kind="stable")[N_DROPPED:])
    return int(left[0] if pick == "first" else left[np.argmax(mean[left])])


def _config(files: Files) -> BertConfig:
    return config_of(BertConfig, files.similarity, "ernie")


def _state(files: Files) -> dict[str, torch.Tensor]:
    state = read_checkpoint(files.similarity / SIMILARITY)
    if not isinstance(state, dict):
        raise ModelError(f"The checkpoint {files.similarity / SIMILARITY} holds no tensors by name.")
    return {key: tensor for key, tensor in state.items() if not key.startswith(_UNREAD)}
