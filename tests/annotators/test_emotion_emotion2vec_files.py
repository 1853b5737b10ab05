"""emotion2vec: a checkpoint is read as it is published, and what is no such checkpoint is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from annotators._torch import shapes
from annotators.emotion._emotion2vec import FILES, built
from annotators.emotion.emotion2vec import Emotion2vecAnnotator
from pipeline.models import Located, ModelError, Published
from pipeline.options import resolve
from tests.tiny.emotion2vec import SETTINGS, make

pytestmark = pytest.mark.usefixtures("one_thread")
PUBLISHED = (
    "生气/angry 厌恶/disgusted 恐惧/fearful 开心/happy 中立/neutral 其他/other 难过/sad 吃惊/surprised <unk>"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("emotion2vec"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> Emotion2vecAnnotator:
    return Emotion2vecAnnotator(model=str(folder), device="cpu")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


def options(folder: Path) -> dict[str, object]:
    return resolve(Emotion2vecAnnotator, "emotion=emotion2vec", {"model": str(folder)})


def test_every_tensor_of_the_file_is_in_the_network(folder: Path, annotator: Emotion2vecAnnotator) -> None:
    file = torch.load(folder / "model.pt", weights_only=True)["model"]
    held = annotator._network.state_dict()
    assert {key.removeprefix("d2v_model.") for key in file} == set(held)
    assert all(torch.equal(held[key.removeprefix("d2v_model.")], tensor) for key, tensor in file.items())


def test_the_large_network_has_the_185_published_tensors(copy: Path) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    network, audio = settings["model_conf"], settings["model_conf"]["modalities"]["audio"]
    network |= {"embed_dim": 1024, "num_heads": 16, "depth": 8}
    audio |= {"prenet_depth": 4, "num_alibi_heads": 16}
    audio["feature_encoder_spec"] = audio["feature_encoder_spec"].replace("16", "512")
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    published = Published(str(copy), FILES, "", False, 0, "")
    found = shapes(built(Located(published, copy, ""), 9).state_dict())
    assert len(found) == 185
    encoder = "modality_encoders.AUDIO"
    assert found["proj.weight"] == (9, 1024)
    assert found["blocks.7.attn.qkv.weight"] == (3072, 1024)
    assert found["blocks.0.mlp.fc1.weight"] == (4096, 1024)
    assert found[f"{encoder}.alibi_scale"] == (1, 1, 16, 1, 1)
    assert found[f"{encoder}.extra_tokens"] == (1, 10, 1024)
    assert found[f"{encoder}.context_encoder.blocks.3.norm2.bias"] == (1024,)
    assert found[f"{encoder}.local_encoder.conv_layers.6.2.1.bias"] == (512,)
    assert found[f"{encoder}.relative_positional_encoder.5.0.weight"] == (1024, 64, 19)


def test_the_published_layout_passes_the_check(folder: Path) -> None:
    Emotion2vecAnnotator.check(options(folder))
    (model,) = Emotion2vecAnnotator.models(options(folder))
    assert not model.commercial


def rewrite(copy: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save({"model": tensors}, copy / "model.pt")


def tensors_of(copy: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(copy / "model.pt", weights_only=True)["model"]
    return found


def refuses(copy: Path, words: str) -> None:
    """Both the check and the constructor say why."""
    with pytest.raises(ModelError, match=words):
        Emotion2vecAnnotator.check(options(copy))
    with pytest.raises(ModelError, match=words):
        Emotion2vecAnnotator(model=str(copy), device="cpu")


def test_a_missing_and_an_unexpected_key_are_named(copy: Path) -> None:
    tensors = tensors_of(copy)
    tensors["d2v_model.extra"] = tensors.pop("d2v_model.blocks.0.norm1.weight")
    rewrite(copy, tensors)
    refuses(copy, r"1 missing \(d2v_model.blocks.0.norm1.weight\) and 1 unexpected \(d2v_model.extra\)")


def test_keys_without_their_prefix_are_not_the_published_layout(copy: Path) -> None:
    rewrite(copy, {key.removeprefix("d2v_model."): tensor for key, tensor in tensors_of(copy).items()})
    refuses(copy, "missing .* unexpected")


def test_a_checkpoint_without_a_classifier_is_refused(copy: Path) -> None:
    rewrite(copy, {key: t for key, t in tensors_of(copy).items() if not key.startswith("proj.")})
    refuses(copy, r"2 missing \(proj.bias, proj.weight\)")


def test_tensors_of_another_shape_are_refused(copy: Path) -> None:
    tensors = tensors_of(copy)
    tensors["proj.weight"] = torch.zeros(5, 32)
    rewrite(copy, tensors)
    refuses(copy, r"proj.weight is \(5, 32\), not \(9, 32\)")


def test_a_truncated_checkpoint_is_refused(copy: Path) -> None:
    content = (copy / "model.pt").read_bytes()
    (copy / "model.pt").write_bytes(content[: len(content) // 2])
    refuses(copy, "cannot be read")


@pytest.mark.parametrize("held", [{"state": {}}, {"model": None}, [1]])
def test_a_file_that_holds_no_network_is_refused(copy: Path, held: object) -> None:
    torch.save(held, copy / "model.pt")
    refuses(copy, "no part 'model'")


@pytest.mark.parametrize("name", ["model.pt", "config.yaml", "tokens.txt"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    refuses(copy, f"lacks {name}")


def test_the_labels_of_an_older_model_are_refused(copy: Path) -> None:
    (copy / "tokens.txt").write_text("\n".join(f"unuse_{i}" for i in range(4)) + "\n<unk>")
    refuses(copy, "has 5")


def test_labels_in_another_order_are_refused(copy: Path) -> None:
    (copy / "tokens.txt").write_text("\n".join(reversed(PUBLISHED.split())), encoding="utf-8")
    refuses(copy, "labels")


@pytest.mark.parametrize(
    ("audio", "setting"),
    [
        ({"extractor_mode": "default"}, "extractor_mode"),  # normalises over the padding
        ({"feature_encoder_spec": "print('hello')"}, "feature_encoder_spec"),  # FunASR would run it
        ({"num_alibi_heads": 2}, "num_alibi_heads"),
    ],
)
def test_another_kind_of_network_is_refused(copy: Path, audio: dict[str, Any], setting: str) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    settings["model_conf"]["modalities"]["audio"] |= audio
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    refuses(copy, setting)


@pytest.mark.parametrize("text", ["", "a: [", "model_conf: 3", "- 1"])
def test_settings_that_describe_nothing_are_refused(copy: Path, text: str) -> None:
    (copy / "config.yaml").write_text(text or " ")
    refuses(copy, "does not describe")


@pytest.mark.parametrize("setting", ["learned_alibi", "conv_pos_depth", "num_alibi_heads", "conv_pos_groups"])
def test_settings_that_lack_what_the_network_needs_are_refused(copy: Path, setting: str) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    del settings["model_conf"]["modalities"]["audio"][setting]
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    refuses(copy, "does not describe")


def test_fairseq_settings_that_nobody_reads_here_may_be_missing(copy: Path) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    del settings["model_conf"]["modalities"]["audio"]["decoder"]
    del settings["scope_map"], settings["tokenizer"]
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    Emotion2vecAnnotator.check(options(copy))
