"""Where the parts of SECap are: its checkpoint, and the settings and vocabularies of what it is built from.

The release is `model.ckpt` and a folder `weights` unpacked beside it. Of that folder only settings,
vocabularies and the model that compares sentences are read, all of which stand in repositories of their
own as well: where there is no such folder, those are taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from huggingface_hub.errors import StrictDataclassError
from transformers import PretrainedConfig

from pipeline.models import MODELS_FOLDER, ModelError, Published, locate

C = TypeVar("C", bound=PretrainedConfig)

MODEL = "yaoxunxu/SECaps"
CHECKPOINT, CONFIG, TOKENIZER = "model.ckpt", "config.json", "tokenizer.model"
SIMILARITY, VOCABULARY = "pytorch_model.bin", "vocab.txt"
_TREE = "weights"
_LLAMA_1 = "LLaMA 1 licence (research only)"


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part is read from: a repository, or a folder under `weights`. `option` names another."""

    option: str
    repository: str
    folder: str
    files: tuple[str, ...]
    licence: str
    commercial: bool
    size_bytes: int
    about: str


_PARTS = {
    "hubert": _Part(
        option="hubert",
        repository="TencentGameMate/chinese-hubert-large",
        folder="models--TencentGameMate--chinese-hubert-large/snapshots/"
        "90cb660492214f687e60f5ca509b20edae6e75bd",
        files=(CONFIG, "preprocessor_config.json"),
        licence="MIT",
        commercial=True,
        size_bytes=2_000,
        about="settings of SECap's HuBERT",
    ),
    "text2vec": _Part(
        option="text2vec",
        repository="shibing624/text2vec-base-chinese",
        folder="models--shibing624--text2vec-base-chinese/snapshots/26420fdf61ddfd92fafbaf3bc21a7c06b1812248",
        files=(CONFIG,),
        licence="Apache-2.0",
        commercial=True,
        size_bytes=1_000,
        about="settings of the encoder of captions that SECap was trained with",
    ),
    "llama": _Part(
        option="llama",
        repository="minlik/chinese-llama-7b-merged",
        folder="models--minlik--chinese-llama-7b-merged/snapshots/1ca4d87576f1fef4d44a949fb65bbe6b96675872",
        files=(TOKENIZER, CONFIG),
        licence=_LLAMA_1,
        commercial=False,
        size_bytes=760_000,
        about="settings and vocabulary of SECap's LLaMA",
    ),
    "bert": _Part(
        option="bert",
        repository="google-bert/bert-base-chinese",
        folder="models--bert-base-chinese/snapshots/8d2a91f91cc38c96bb8b4556ba70c392f8d5ee55",
        files=(CONFIG,),
        licence="Apache-2.0",
        commercial=True,
        size_bytes=1_000,
        about="settings of SECap's Q-Former",
    ),
    "similarity": _Part(
        option="similarity",
        repository="shibing624/text2vec-base-chinese-paraphrase",
        folder="simi_shibing624_text2vec-base-chinese-paraphrase",
        files=(SIMILARITY, CONFIG),
        licence="Apache-2.0",
        commercial=True,
        size_bytes=472_000_000,
        about="compares the sentences SECap writes",
    ),
    "vocabulary": _Part(
        option="similarity",
        repository="shibing624/text2vec-base-chinese-paraphrase",
        folder="simi_berttokenizer",
        files=(VOCABULARY,),
        licence="Apache-2.0",
        commercial=True,
        size_bytes=0,
        about="vocabulary of what compares sentences",
    ),
}


@dataclass(frozen=True, slots=True)
class Files:
    """The checkpoint, and the folder of each part."""

    name: str
    checkpoint: Path
    hubert: Path
    text2vec: Path
    llama: Path
    bert: Path
    similarity: Path
    vocabulary: Path


def published(options: Mapping[str, object]) -> tuple[Published, ...]:
    """The checkpoint's model first, then those its parts are read from, each named once."""
    found = {str(options["model"]): _secap(str(options["model"]))}
    for part in _PARTS.values():
        name = _name(part, options)
        known = found.get(name, Published(name, (), part.licence, part.commercial, 0, part.about))
        found[name] = replace(
            known, files=known.files + part.files, size_bytes=known.size_bytes + part.size_bytes
        )
    return tuple(found.values())


def locate_all(options: Mapping[str, object]) -> Files:
    """Where each part is; ModelError naming the first that is not there."""
    folders = {p.name: locate(p).folder for p in published(options)}
    name = str(options["model"])
    parts = {key: folders[_name(part, options)] for key, part in _PARTS.items()}
    return Files(name, folders[name] / CHECKPOINT, **parts)


def config_of(kind: type[C], folder: Path, *also: str) -> C:
    """The settings in config.json; ModelError where they are not of that kind, nor of a kind in `also`."""
    file = folder / CONFIG
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        named = values.get("model_type", kind.model_type)
        config: C = kind.from_dict(values)
    except (ValueError, TypeError, AttributeError, StrictDataclassError) as error:
        raise ModelError(f"{file} does not describe a {kind.model_type}, or is cut short.") from error
    if named not in {kind.model_type, *also}:
        raise ModelError(f"{file} describes a {named}, not a {kind.model_type}.")
    return config


def _secap(name: str) -> Published:
    return Published(
        name=name,
        files=(CHECKPOINT,),
        licence=f"none stated; its language model is under the {_LLAMA_1}",
        commercial=False,
        size_bytes=15_900_000_000,  # from its shapes: LLaMA in half precision, the rest in single
        about="a Chinese sentence on the mood of the voice; HuBERT, Q-Former and LLaMA 7B",
    )


def _name(part: _Part, options: Mapping[str, object]) -> str:
    """The option's word, else the folder in the release's tree, else the repository."""
    given = options[part.option]
    if given is not None:
        return str(given)
    tree = _tree(str(options["model"]))
    return part.repository if tree is None else str(tree / part.folder)


def _tree(model: str) -> Path | None:
    """The folder `weights` of a release that is kept as one folder, or on the shelf of models."""
    shelf = os.environ.get(MODELS_FOLDER)
    places = [Path(model).expanduser(), *([Path(shelf) / model] if shelf else [])]
    return next((place.absolute() / _TREE for place in places if (place / _TREE).is_dir()), None)
