"""WhiStress: the files of a release are read as they lie, and what is no release is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from annotators.emphasis.whistress import WhistressAnnotator
from pipeline.models import ModelError
from pipeline.options import resolve
from tests.tiny.whistress import make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whistress"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> WhistressAnnotator:
    return built(folder, min_probability=0.0)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


def options(folder: Path, **more: object) -> dict[str, object]:
    named = {"model": str(folder), "backbone": str(folder / "backbone"), "device": "cpu", **more}
    return resolve(WhistressAnnotator, "emphasis=whistress", named)


def built(folder: Path, **more: object) -> WhistressAnnotator:
    return WhistressAnnotator(**options(folder, **more))  # type: ignore[arg-type]


def test_every_tensor_of_the_files_is_in_the_network(folder: Path, annotator: WhistressAnnotator) -> None:
    network = annotator._network
    for part, file, prefix in (
        (network.backbone, load_file(folder / "backbone" / "model.safetensors"), "model."),
        (network.block, torch.load(folder / "additional_decoder_block.pt"), ""),
        (network.classifier, torch.load(folder / "classifier.pt"), ""),
    ):
        held = part.state_dict()
        assert {key.removeprefix(prefix) for key in file} == set(held)
        assert all(torch.equal(held[key.removeprefix(prefix)], tensor) for key, tensor in file.items())


def test_the_published_layout_passes_the_check(folder: Path) -> None:
    WhistressAnnotator.check(options(folder))
    head, backbone = WhistressAnnotator.models(options(folder))
    assert (head.commercial, backbone.commercial) == (False, True)


def refuses(copy: Path, words: str) -> None:
    """Both the check and the constructor say why."""
    with pytest.raises(ModelError, match=words):
        WhistressAnnotator.check(options(copy))
    with pytest.raises(ModelError, match=words):
        built(copy)


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("classifier.pt", "fc2.bias"),
        ("additional_decoder_block.pt", "encoder_attn.k_proj.weight"),
        ("backbone/model.safetensors", "model.encoder.conv1.weight"),
    ],
)
def test_missing_unexpected_and_reshaped_tensors_are_named(copy: Path, file: str, key: str) -> None:
    path = copy / file
    state = load_file(path) if path.suffix == ".safetensors" else torch.load(path)

    def write(tensors: dict[str, torch.Tensor]) -> None:
        save_file(tensors, path) if path.suffix == ".safetensors" else torch.save(tensors, path)

    write({k if k != key else "other": tensor for k, tensor in state.items()})
    refuses(copy, rf"1 missing \({key}\) and 1 unexpected \(other\)")
    write({k: tensor if k != key else torch.zeros(3) for k, tensor in state.items()})
    refuses(copy, rf"{key} is \(3,\), not")


def test_a_backbone_may_hold_its_tied_output_too(copy: Path) -> None:
    path = copy / "backbone" / "model.safetensors"
    state = load_file(path)
    save_file({**state, "proj_out.weight": state["model.decoder.embed_tokens.weight"].clone()}, path)
    WhistressAnnotator.check(options(copy))
    built(copy)


@pytest.mark.parametrize(
    "file", ["classifier.pt", "additional_decoder_block.pt", "backbone/model.safetensors"]
)
def test_a_truncated_file_is_refused(copy: Path, file: str) -> None:
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content[: len(content) // 2])
    refuses(copy, "cannot be read|cut short")


@pytest.mark.parametrize(
    "file",
    ["classifier.pt", "additional_decoder_block.pt", "metadata.json", "backbone/model.safetensors"],
)
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    refuses(copy, f"lacks {Path(file).name}")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"layer_for_head": 13}', '{"layer_for_head": -1}'])
def test_metadata_without_a_layer_of_the_backbone_is_refused(copy: Path, text: str) -> None:
    (copy / "metadata.json").write_text(text)
    refuses(copy, "metadata.json")


@pytest.mark.parametrize(("setting", "value"), [("vocab_size", 51865), ("model_type", "wav2vec2")])
def test_a_backbone_that_is_no_english_whisper_is_refused(copy: Path, setting: str, value: object) -> None:
    path = copy / "backbone" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {setting: value}))
    refuses(copy, str(value))
