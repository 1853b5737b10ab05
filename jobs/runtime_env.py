"""What a run brings with it to the nodes of a running Ray cluster: a working tree, packages, variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import OptionError, unknown

LEFT_OUT = [".git", ".venv", ".vllm", "__pycache__"]
"""Of a working tree; besides these Ray leaves out what .gitignore names."""


def runtime_env(file: Path | None, working_dir: str | None, ray_address: str | None) -> Mapping[str, Any]:
    """Ray's runtime environment from a file (YAML or JSON) and a folder; empty where neither is given.

    Raises OptionError for what is no runtime environment, and where no cluster is joined.
    """
    if file is None and working_dir is None:
        return {}
    if ray_address is None:
        raise OptionError(
            "--working-dir and --ray-runtime-env are for a running cluster: give --ray-address."
        )
    asked = {} if file is None else _read(file)
    if working_dir is not None:
        asked = {"excludes": LEFT_OUT, **asked, "working_dir": working_dir}
    return _checked(asked)


def _read(file: Path) -> dict[str, Any]:
    try:
        record = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise OptionError(f"The runtime environment {file} cannot be read: {reason}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(f"The runtime environment {file} is not YAML.") from error
    if not isinstance(record, dict) or not all(isinstance(key, str) for key in record):
        raise OptionError(f"The runtime environment {file} must map names such as working_dir to values.")
    return record


def _checked(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    from ray.runtime_env import RuntimeEnv

    known = [name for name in RuntimeEnv.known_fields if not name.startswith("_")]
    for name in asked:
        if name not in known:
            raise unknown("entry of a runtime environment", name, known)
    try:
        RuntimeEnv(**asked)
    except (TypeError, ValueError) as error:
        raise OptionError(f"Ray takes no such runtime environment: {error}") from error
    return asked
