"""SECap: the files of a release are read as they lie, and what is no release is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from annotators.emotion._secap_files import Files
from annotators.emotion._secap_keys import published_key
from annotators.emotion._secap_network import Secap, _sizes, published_shapes
from annotators.emotion.secap import SecapAnnotator
from pipeline.models import ModelError
from pipeline.options import resolve
from tests.tiny._secap_layout import FULL, checkpoint_shapes
from tests.tiny.secap import TREE, make, settings

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("secap"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> SecapAnnotator:
    return SecapAnnotator(model=str(folder), device="cpu", half=False)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def _options(folder: Path, **changes: object) -> dict[str, object]:
    return resolve(SecapAnnotator, "emotion=secap", {"model": str(folder), **changes})


def _rewritten(folder: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    file = folder / "model.ckpt"
    torch.save(change(torch.load(file, weights_only=True)), file)


class TestKeys:
    def test_the_1198_keys_of_the_full_size_are_those_of_the_modules_one_to_one(self, tmp_path: Path) -> None:
        released = checkpoint_shapes(FULL)
        expected = published_shapes(_full(tmp_path), released)
        assert len(released) == 1198
        assert expected == released

    def test_no_two_tensors_share_a_released_key(self, tmp_path: Path) -> None:
        with torch.device("meta"):
            keys = list(Secap(_full(tmp_path)).state_dict())
        assert len({published_key(key) for key in keys}) == len(keys)

    def test_every_tensor_but_those_of_training_is_loaded(
        self, annotator: SecapAnnotator, folder: Path
    ) -> None:
        released = torch.load(folder / "model.ckpt", weights_only=True)
        loaded = {published_key(k): v for k, v in annotator._network.state_dict().items()}
        unread = {k for k in released if k not in loaded}
        assert all(torch.equal(v, released[k].float()) for k, v in loaded.items())
        assert all(
            k.startswith("text2vec_model.") or k.endswith(("position_ids", "inv_freq")) for k in unread
        )

    def test_nothing_is_left_without_values_and_nothing_is_in_training(
        self, annotator: SecapAnnotator
    ) -> None:
        tensors = [*annotator._network.parameters(), *annotator._network.buffers()]
        assert {t.device.type for t in tensors} == {"cpu"}
        assert not any(m.training for m in annotator._network.modules())
        assert not any(m.training for m in annotator._similarity._model.modules())

    def test_constants_that_transformers_no_longer_saves_may_be_missing(self, copy: Path) -> None:
        constants = ("position_ids", "inv_freq")
        _rewritten(copy, lambda state: {k: v for k, v in state.items() if not k.endswith(constants)})
        SecapAnnotator.check(_options(copy))

    def test_tensors_may_lie_under_state_dict(self, copy: Path) -> None:
        _rewritten(copy, lambda state: {"state_dict": state})
        SecapAnnotator.check(_options(copy))


class TestFiles:
    def test_a_whole_release_passes(self, folder: Path) -> None:
        SecapAnnotator.check(_options(folder))
        assert all(m.identity for m in SecapAnnotator.models(_options(folder)))

    def test_without_the_release_s_folder_the_parts_are_repositories_of_their_own(self) -> None:
        names = [p.name for p in SecapAnnotator.published(_options(Path("yaoxunxu/SECaps")))]
        assert names == [
            "yaoxunxu/SECaps",
            "TencentGameMate/chinese-hubert-large",
            "shibing624/text2vec-base-chinese",
            "minlik/chinese-llama-7b-merged",
            "google-bert/bert-base-chinese",
            "shibing624/text2vec-base-chinese-paraphrase",
        ]

    def test_a_part_may_be_a_folder_of_its_own(self, copy: Path, tmp_path: Path) -> None:
        parts = {}
        for part in ("hubert", "text2vec", "llama", "bert", "similarity"):
            parts[part] = str(shutil.copytree(copy / "weights" / TREE[part], tmp_path / part))
        shutil.copy(copy / "weights" / TREE["vocabulary"] / "vocab.txt", parts["similarity"])
        shutil.rmtree(copy / "weights")
        SecapAnnotator.check(_options(copy, **parts))

    @pytest.mark.parametrize(
        "file",
        [
            "model.ckpt",
            f"weights/{TREE['llama']}/tokenizer.model",
            f"weights/{TREE['hubert']}/preprocessor_config.json",
            f"weights/{TREE['similarity']}/pytorch_model.bin",
            f"weights/{TREE['vocabulary']}/vocab.txt",
        ],
    )
    def test_a_missing_file_is_named(self, copy: Path, file: str) -> None:
        (copy / file).unlink()
        with pytest.raises(ModelError, match=Path(file).name):
            SecapAnnotator.check(_options(copy))

    @pytest.mark.parametrize(
        ("file", "message"),
        [
            ("model.ckpt", "cannot be read"),
            (f"weights/{TREE['similarity']}/pytorch_model.bin", "cannot be read"),
            (f"weights/{TREE['llama']}/tokenizer.model", "cut short"),
            (f"weights/{TREE['hubert']}/config.json", "cut short"),
        ],
    )
    def test_a_file_cut_short_is_named(self, copy: Path, file: str, message: str) -> None:
        held = (copy / file).read_bytes()
        (copy / file).write_bytes(held[: len(held) // 2])
        with pytest.raises(ModelError, match=message) as caught:
            SecapAnnotator.check(_options(copy))
        assert Path(file).name in str(caught.value)

    def test_missing_and_unexpected_keys_are_named_as_released(self, copy: Path) -> None:
        def renamed(state: dict[str, Any]) -> dict[str, Any]:
            state["audio_Qformer.bert.cls"] = state.pop("hubert_model.encoder.pos_conv_embed.conv.weight_g")
            return state

        _rewritten(copy, renamed)
        with pytest.raises(ModelError) as caught:
            SecapAnnotator.check(_options(copy))
        assert "1 missing (hubert_model.encoder.pos_conv_embed.conv.weight_g)" in str(caught.value)
        assert "1 unexpected (audio_Qformer.bert.cls)" in str(caught.value)

    def test_tensors_of_training_are_accounted_for(self, copy: Path) -> None:
        key = "text2vec_model.pooler.dense.weight"
        _rewritten(copy, lambda state: {k: v for k, v in state.items() if k != key})
        with pytest.raises(ModelError, match=r"text2vec_model\.pooler"):
            SecapAnnotator.check(_options(copy))

    def test_a_tensor_of_another_shape_is_named(self, copy: Path) -> None:
        _rewritten(copy, lambda state: state | {"audio_project.weight": torch.zeros(24, 47)})
        with pytest.raises(ModelError, match=r"audio_project.weight is \(24, 47\), not \(24, 48\)"):
            SecapAnnotator(model=str(copy), device="cpu")

    def test_settings_of_another_kind_of_model_are_named(self, copy: Path) -> None:
        file = copy / "weights" / TREE["hubert"] / "config.json"
        file.write_text(json.dumps({"model_type": "wav2vec2"}))
        with pytest.raises(ModelError, match="describes a wav2vec2, not a hubert"):
            SecapAnnotator.check(_options(copy))

    def test_a_checkpoint_without_names_is_no_checkpoint(self, copy: Path) -> None:
        torch.save([torch.zeros(3)], copy / "model.ckpt")
        with pytest.raises(ModelError, match="holds no tensors by name"):
            SecapAnnotator.check(_options(copy))


def _full(folder: Path) -> Any:
    """The settings at the published sizes, read as those of a release are."""
    for part, values in settings(FULL).items():
        (folder / part).mkdir()
        (folder / part / "config.json").write_text(json.dumps(values))
    return _sizes(
        Files("full", *(folder / n for n in ("c", "hubert", "text2vec", "llama", "bert", "s", "v"))), {}
    )
