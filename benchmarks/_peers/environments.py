"""Each peer in a virtual environment of its own, with the versions that were measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMMON = ("pyworld==0.3.5", "numpy>=2", "soundfile>=0.13", "pyarrow>=19", "setuptools<81")
"""What the function needs; pyworld 0.3.5 imports pkg_resources."""
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "daft": ("daft[ray]==0.7.26",),
    "datatrove": ("datatrove[io,processing]==0.10.1",),
    "ray": ("ray[data]==2.60.0",),
    # what it imports and does not name: it would install ray and torch, and newer setuptools, in mid-run
    "data-juicer": ("py-data-juicer==1.6.1", "aiohttp", "ray", "torch"),
}


def make(folder: Path, name: str) -> None:
    """Make the environment if it is not there; what pip said is kept beside it where it failed."""
    place = folder / name
    failed = folder / f"{name}.failed"
    if python_of(folder, name).exists() and not failed.exists():
        return
    print(f"making {place}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
    command = [str(python_of(folder, name)), "-m", "pip", "install", "--quiet", *PACKAGES[name], *COMMON]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    failed.unlink(missing_ok=True)
    if ended.returncode:
        errors = [line for line in ended.stderr.splitlines() if "ERROR" in line.upper()]
        failed.write_text((errors or ["pip failed"])[0])


def python_of(folder: Path, name: str) -> Path:
    """Its Python."""
    return folder / name / "bin" / "python"


def trouble(folder: Path, name: str) -> str | None:
    """Why it cannot be used, if so."""
    failed = folder / f"{name}.failed"
    if failed.exists():
        return failed.read_text().strip()
    return None if python_of(folder, name).exists() else "not installed: --make-envs"


def version(folder: Path, name: str, package: str) -> str:
    """Of a package there."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    ended = subprocess.run(
        [str(python_of(folder, name)), "-c", code], capture_output=True, text=True, check=False
    )
    return ended.stdout.strip() or "?"
