"""What an export holds, as a test sees it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its name."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def check_sums(folder: Path) -> None:
    """Every file is in SHA256SUMS with its digest, but for that list itself."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    own = {n: d for n, d in contents(folder).items() if n != "SHA256SUMS"}
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in own.items()}


def decode(data: bytes | str | Path) -> tuple[npt.NDArray[np.int16], int]:
    """The samples in 16 bits, [n_frames] or [n_frames, n_channels], and their rate."""
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    samples, rate_hz = soundfile.read(source, dtype="int16")
    return samples, rate_hz
