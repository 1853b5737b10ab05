"""What a Whisper model in CTranslate2's format holds, read from its file without loading it.

`model.bin` lists its variables one after another, each a name, a shape and its bytes, then aliases
of variables that are equal. Scalars (switches, numbers of heads) and the scales of quantised weights
differ between versions of the converter; tensors do not.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.models import ModelError, compare_shapes

FILES = ("model.bin", "vocabulary.json", "tokenizer.json", "config.json", "preprocessor_config.json")
Shapes = dict[str, tuple[int, ...]]
_TIMES = 1501  # the last tokens: <|0.00|> to <|30.00|>


def check_whisper(name: str, folder: Path) -> None:
    """ModelError unless `folder` holds a whole Whisper model whose files belong together."""
    found = tensors(folder / "model.bin")
    compare_shapes(name, _whisper(name, found), found)
    n_mels, n_tokens = found["encoder/conv1/weight"][1], found["decoder/embeddings/weight"][0]
    n_features = _json(folder / "preprocessor_config.json").get("feature_size")
    if n_features != n_mels:
        raise ModelError(f"{name} hears {n_mels} mel bands; its preprocessor_config.json says {n_features}.")
    vocabulary = _json(folder / "vocabulary.json")
    if len(vocabulary) != n_tokens:
        raise ModelError(f"{name} knows {n_tokens} tokens; its vocabulary.json names {len(vocabulary)}.")
    added = {token["content"]: token["id"] for token in _json(folder / "tokenizer.json")["added_tokens"]}
    if added.get("<|notimestamps|>") != n_tokens - _TIMES - 1:
        raise ModelError(f"The tokenizer.json of {name} belongs to another Whisper: it numbers otherwise.")


def tensors(file: Path) -> Shapes:
    """The shape of every tensor by its name; ModelError where the file is another's or is cut short."""
    with file.open("rb") as opened:
        try:
            kind, found = _tensors(opened, file.stat().st_size)
        except (EOFError, UnicodeDecodeError) as error:
            raise ModelError(f"{file} is cut short, or is no CTranslate2 model.") from error
    if kind != "WhisperSpec":
        raise ModelError(f"{file} is no Whisper model: it is {kind}.")
    return found


def _tensors(opened: BinaryIO, size: int) -> tuple[str, Shapes]:
    _read(opened, "I")
    kind = _name(opened)
    _read(opened, "I")
    found: Shapes = {}
    for _ in range(_read(opened, "I")):
        name = _name(opened)
        found[name] = tuple(_read(opened, "I") for _ in range(_read(opened, "B")))
        _read(opened, "B")
        if opened.seek(_read(opened, "I"), 1) > size:
            raise EOFError
    for _ in range(_read(opened, "I")):
        name, same = _name(opened), _name(opened)
        found[name] = found[same]
    if opened.tell() != size:
        raise EOFError
    return kind, {k: v for k, v in found.items() if v and not k.endswith("weight_scale")}


def _whisper(name: str, found: Shapes) -> Shapes:
    """The tensors a Whisper of these sizes has: one width, one inner width, layers counted."""
    try:
        n_tokens, width = found["decoder/embeddings/weight"]
        n_mels = found["encoder/conv1/weight"][1]
        inner = found["encoder/layer_0/ffn/linear_0/weight"][0]
    except (KeyError, IndexError, ValueError) as error:
        raise ModelError(f"The checkpoint of {name} lacks the embedding or the first layers.") from error
    expected: Shapes = {
        "decoder/embeddings/weight": (n_tokens, width),
        "decoder/projection/weight": (n_tokens, width),
        "decoder/position_encodings/encodings": (448, width),
        "encoder/position_encodings/encodings": (1500, width),
        "encoder/conv1/weight": (width, n_mels, 3),
        "encoder/conv2/weight": (width, width, 3),
        "encoder/conv1/bias": (width,),
        "encoder/conv2/bias": (width,),
    }
    for part, attentions in (("encoder", {"self_attention": (3, 1)}), ("decoder", _DECODER)):
        expected |= _norm(f"{part}/layer_norm", width)
        for layer in range(_n_layers(found, part)):
            for block, outputs in attentions.items():
                expected |= _block(f"{part}/layer_{layer}/{block}", [(n * width, width) for n in outputs])
            expected |= _block(f"{part}/layer_{layer}/ffn", [(inner, width), (width, inner)])
    return expected


_DECODER = {"self_attention": (3, 1), "attention": (1, 2, 1)}  # widths of: q, k, v; output | q; k, v; output


def _block(name: str, linears: list[tuple[int, int]]) -> Shapes:
    shapes = _norm(f"{name}/layer_norm", linears[0][1])
    for i, (rows, columns) in enumerate(linears):
        shapes |= {f"{name}/linear_{i}/weight": (rows, columns), f"{name}/linear_{i}/bias": (rows,)}
    return shapes


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}/beta": (width,), f"{name}/gamma": (width,)}


def _n_layers(found: Shapes, part: str) -> int:
    matches = [re.match(rf"{part}/layer_(\d+)/", key) for key in found]
    return max((int(match[1]) + 1 for match in matches if match), default=0)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not JSON, or is cut short.") from error


def _name(opened: BinaryIO) -> str:
    text = opened.read(_read(opened, "H"))
    if not text.endswith(b"\0"):
        raise EOFError
    return text[:-1].decode()


def _read(opened: BinaryIO, kind: str) -> int:
    data = opened.read(struct.calcsize(kind))
    if len(data) != struct.calcsize(kind):
        raise EOFError
    value: int = struct.unpack(kind, data)[0]
    return value
