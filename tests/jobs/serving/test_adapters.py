"""An adapter that vLLM could not serve, or not on this model, is found before it is started."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.serving.adapters import CONFIG, RANKS, WEIGHTS, check_adapter, rank_limit
from pipeline.errors import RunError, UsageError
from tests.tiny import llama


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama.make(tmp_path_factory.mktemp("llama") / "base")


@pytest.fixture(scope="module")
def trained(base: Path) -> Path:
    return llama.adapter(base, base.parent / "adapter", rank=12)


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "adapter"))


def change(adapter: Path, **facts: object) -> None:
    file = adapter / CONFIG
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def test_the_rank_is_the_highest_of_all_modules(adapter: Path, base: Path) -> None:
    assert check_adapter("a", adapter, base) == 12
    change(adapter, rank_pattern={"q_proj": 40})
    assert check_adapter("a", adapter, base) == 40


@pytest.mark.parametrize(("ranks", "limit"), [([1], 8), ([8], 8), ([8, 12], 16), ([512], 512)])
def test_the_limit_is_the_least_vllm_knows_that_holds_all(ranks: list[int], limit: int) -> None:
    assert rank_limit(ranks) == limit
    assert limit in RANKS


def test_a_rank_beyond_vllm_is_refused() -> None:
    with pytest.raises(RunError, match="rank 513; vLLM serves ranks up to 512"):
        rank_limit([8, 513])


def test_an_adapter_of_another_model_is_refused_and_what_differs_is_named(
    trained: Path, tmp_path: Path
) -> None:
    other = llama.make(tmp_path / "wider", hidden=256)
    with pytest.raises(RunError, match=r"is not one of wider: layers.0.mlp.down_proj is .* wide, not"):
        check_adapter("a", trained, other)


def test_an_adapter_of_another_architecture_is_refused(trained: Path, base: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(base / "config.json", other)
    import torch

    save_file({"transformer.h.0.attn.weight": torch.zeros(4, 4)}, other / "model.safetensors")
    with pytest.raises(RunError, match=r"it has no layers.0.mlp.down_proj; .* and 25 more"):
        check_adapter("a", trained, other)


def test_what_is_quantised_is_left_to_vllm(trained: Path, tmp_path: Path) -> None:
    other = llama.make(tmp_path / "wider", hidden=256)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"quantization_config": {"bits": 4}}))
    assert check_adapter("a", trained, other) == 12


def broken_config(adapter: Path) -> None:
    (adapter / CONFIG).write_text("{")


def cut_short(adapter: Path) -> None:
    (adapter / WEIGHTS).write_bytes((adapter / WEIGHTS).read_bytes()[:-7])


def changed(**facts: Any) -> Callable[[Path], None]:
    return lambda adapter: change(adapter, **facts)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (shutil.rmtree, "There is no folder"),
        (lambda adapter: (adapter / CONFIG).unlink(), "there is no adapter_config.json in it"),
        (lambda adapter: (adapter / WEIGHTS).unlink(), "there is no adapter_model.safetensors in it"),
        (broken_config, "cannot be read"),
        (cut_short, "is cut short"),
        (changed(peft_type="PREFIX_TUNING"), "is of the type PREFIX_TUNING, not LORA"),
        (changed(use_dora=True), "is a DoRA, which vLLM does not serve"),
        (changed(modules_to_save=["lm_head"]), "holds whole modules (lm_head)"),
        (changed(r="8"), "has the rank '8'"),
        (changed(rank_pattern={"q": 0}), "has the rank 0"),
    ],
)
def test_what_is_no_adapter_is_refused_in_one_sentence(
    harm: Callable[[Path], None], message: str, adapter: Path, base: Path
) -> None:
    harm(adapter)
    with pytest.raises(UsageError) as caught:
        check_adapter("a", adapter, base)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
