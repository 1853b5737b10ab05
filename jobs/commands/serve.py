"""`speechcraft serve`."""

from __future__ import annotations

import shlex
import signal
import time
from types import FrameType

from rich.console import Console

from jobs.output import emit
from jobs.serving.kept import log_file
from jobs.serving.ports import require_free
from jobs.serving.server import LOOK_S, Server
from jobs.serving.settings import Serve, read_serve
from jobs.serving.vllm import arguments, environment, find_vllm
from pipeline.errors import OptionError, RunError


def run(serve: Serve, host: str, port: int, *, as_json: bool) -> int:
    """Serve until told to end; the exit code. RunError if the server ends by itself."""
    vllm = find_vllm(serve.interpreter)
    command = arguments(vllm, serve, host, port, cpu=False)
    require_free(host, port)
    server = Server(command, environment(vllm.python), host, port, log_file(port))
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"Starting vLLM; its log is {server.log}", markup=False, highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server.start()
        server.wait_ready(serve.start_s)
        _tell(server, serve, as_json=as_json)
        while server.alive():
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
    raise RunError(f"The server ended. {server.last_words()}")


def settings(
    model: str,
    *,
    name: str | None,
    lora: dict[str, str],
    python: str | None,
    gpus: int,
    max_model_len: int | None,
    extra: str,
    start_s: float,
) -> Serve:
    """What the command line asks for."""
    try:
        more = shlex.split(extra)
    except ValueError as error:
        raise OptionError(f"--extra is not a line a shell could read: {error}.") from error
    return read_serve(
        {
            "model": model,
            "name": name,
            "lora": lora,
            "python": python,
            "gpus": gpus,
            "max_model_len": max_model_len,
            "extra": more,
            "start_s": start_s,
        }
    )


def _tell(server: Server, serve: Serve, *, as_json: bool) -> None:
    endpoint = f"{server.address}/v1"
    if as_json:
        emit({"endpoint": endpoint, "models": list(serve.names), "log": str(server.log)})
        return
    console = Console(soft_wrap=True)
    for label, value in (("endpoint", endpoint), ("models", ", ".join(serve.names))):
        console.print(f"{label:<9}{value}", markup=False, highlight=False)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
