"""The project's own small networks: ONNX files that ship in the package, each with a card that pins it.

The card is the JSON file of the same name: `name`, `licence`, `about`, `sha256` of the weights, and under
`facts` whatever the annotator reads (classes, scales). The card for people is the `.md` beside both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.annotator import Model
from pipeline.models import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Array = npt.NDArray[Any]
_DIGITS = 16  # of the sha256, in a fingerprint


def model(weights: Path) -> Model:
    """What a job's fingerprint says of shipped weights: the identity is the hash of the file itself.

    Raises ModelError where the file is not the one that the card pins. Loads no network.
    """
    card = card_of(weights)
    return Model(card["name"], _sha256(weights, card)[:_DIGITS], card["licence"], True, card["about"])


def facts(weights: Path) -> Mapping[str, Any]:
    """What the card tells the annotator of its network."""
    found: Mapping[str, Any] = card_of(weights)["facts"]
    return found


@cache
def card_of(weights: Path) -> dict[str, Any]:
    """The card beside the weights; ModelError where there is none, or where it lacks what every card has."""
    path = weights.with_suffix(".json")
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The card {path.name} of the weights {weights.name} cannot be read.") from error
    missing = {"name", "licence", "about", "sha256", "facts"} - set(card)
    if missing:
        raise ModelError(f"The card {path.name} lacks {', '.join(sorted(missing))}.")
    return dict(card)


def write_card(
    weights: Path, *, name: str, licence: str, about: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Pin weights that were just exported: write the card beside them, and return it."""
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    card = {"name": name, "licence": licence, "about": about, "sha256": sha256, "facts": dict(facts)}
    text = json.dumps(card, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    weights.with_suffix(".json").write_text(text, "utf-8")
    card_of.cache_clear()
    return card


class Network:
    """Shipped weights, loaded, on one thread: a clip's numbers depend on nothing but the clip.

    It hears one clip at a time. A batch would need padding and would change the order of sums; one core is
    busy with one clip anyway, and the factory's processes are as many as the cores.
    """

    def __init__(self, weights: Path) -> None:
        _sha256(weights, card_of(weights))
        self._session = _session(weights)
        self._outputs = [o.name for o in self._session.get_outputs()]

    def __call__(self, **inputs: Array) -> dict[str, Array]:
        """The outputs by name. Inputs are cast to the types that the network declares."""
        fed = {i.name: np.asarray(inputs[i.name], _kind(i.type)) for i in self._session.get_inputs()}
        found: Sequence[Array] = self._session.run(self._outputs, fed)
        return dict(zip(self._outputs, found, strict=True))


def _session(weights: Path) -> InferenceSession:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no base class
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The weights {weights.name} cannot be loaded: {reason}") from error


def _kind(declared: str) -> npt.DTypeLike:
    return np.int64 if declared == "tensor(int64)" else np.float32


def _sha256(weights: Path, card: Mapping[str, Any]) -> str:
    try:
        found = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"The weights {weights.name} are missing from the package.") from error
    if found != card["sha256"]:
        raise ModelError(
            f"The weights {weights.name} are not those of their card: sha256 {found[:_DIGITS]}..., "
            f"not {str(card['sha256'])[:_DIGITS]}..."
        )
    return found
