"""The model that is tuned, and its tokenizer: found on this machine, never downloaded."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from jobs.train.rewriter.tokens import PLAIN
from pipeline.models import MODELS_FOLDER, ModelError


def load(name: str, *, cpu: bool) -> tuple[Any, Any]:
    """Network and tokenizer; ModelError if they are not here or are no causal language model."""
    place = _place(name)
    device = "cuda" if torch.cuda.is_available() and not cpu else "cpu"
    half = device == "cuda" and torch.cuda.is_bf16_supported()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            network = AutoModelForCausalLM.from_pretrained(
                place, local_files_only=True, dtype=torch.bfloat16 if half else torch.float32
            )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise ModelError(f"The model {name} cannot be loaded from this machine: {reason}.") from error
    if tokenizer.eos_token is None:
        raise ModelError(f"The tokenizer of {name} has no token that ends a text.")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN
    return network.to(device), tokenizer


def _place(name: str) -> str:
    """A folder as it is, a copy under $SPEECHCRAFT_MODELS, else the id for the hub's cache."""
    shelf = os.environ.get(MODELS_FOLDER)
    if shelf and not Path(name).is_dir() and (Path(shelf) / name).is_dir():
        return str(Path(shelf) / name)
    return name
