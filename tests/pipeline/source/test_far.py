"""A source on object storage yields what the same files yield on this machine, listed once a folder."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.parts import open_bytes
from pipeline.source import open_source
from tests.s3.server import S3

NAMES = ("one", "two", "three")


def sounds(folder: Path) -> None:
    for i, name in enumerate(NAMES):
        (folder / "wav").mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / "wav" / f"{name}.wav", np.full(800, i / 10), 8000)
        (folder / "wav" / f"{name}.txt").write_text(f"this is {name}")


def lines() -> list[dict[str, str]]:
    return [{"id": name, "audio": f"wav/{name}.wav", "text": f"this is {name}"} for name in NAMES]


def folder(at: Path) -> str:
    return "wav"


def jsonl(at: Path) -> str:
    (at / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines()))
    return "manifest.jsonl"


def jsonl_gz(at: Path) -> str:
    (at / "manifest.jsonl.gz").write_bytes(gzip.compress((at / jsonl(at)).read_bytes()))
    return "manifest.jsonl.gz"


def csv(at: Path) -> str:
    (at / "manifest.csv").write_text(
        "id,audio,text\n" + "".join(",".join(x.values()) + "\n" for x in lines())
    )
    return "manifest.csv"


def parquet(at: Path) -> str:
    pq.write_table(pa.Table.from_pylist(lines()), at / "manifest.parquet")
    return "manifest.parquet"


def webdataset(at: Path) -> str:
    with tarfile.open(at / "shard.tar", "w") as archive:
        for path in sorted((at / "wav").iterdir()):
            info = tarfile.TarInfo(path.name)
            info.size = path.stat().st_size
            archive.addfile(info, io.BytesIO(path.read_bytes()))
    return "shard.tar"


def kaldi(at: Path) -> str:
    (at / "wav.scp").write_text("".join(f"{name} wav/{name}.wav\n" for name in NAMES))
    (at / "text").write_text("".join(f"{name} this is {name}\n" for name in NAMES))
    return "wav.scp"


@pytest.mark.parametrize("form", [folder, jsonl, jsonl_gz, csv, parquet, webdataset, kaldi])
def test_a_source_far_away_is_the_source(s3: S3, tmp_path: Path, form: Callable[[Path], str]) -> None:
    sounds(tmp_path)
    name = form(tmp_path)
    bucket = s3.bucket()
    fs = fsspec.filesystem("s3")
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        fs.pipe_file(f"{bucket}/{path.relative_to(tmp_path)}", path.read_bytes())
    where = "" if form is kaldi else f"/{name}"
    near = list(open_source(f"{tmp_path}{where}"))
    far = list(open_source(f"{bucket}{where}"))
    assert [(item.id, item.given, item.problem) for item in far] == [
        (item.id, item.given, item.problem) for item in near
    ]
    assert len(far) == 3
    for one, other in zip(far, near, strict=True):
        with open_bytes(one.audio) as ours, open_bytes(other.audio) as theirs:
            assert ours.read() == theirs.read()


def test_a_folder_is_listed_once_whatever_it_holds(s3: S3) -> None:
    bucket = s3.bucket()
    fs = fsspec.filesystem("s3")
    for i in range(40):
        fs.pipe_file(f"{bucket}/speech/{i % 2}/{i}.wav", b"RIFF")
    s3.fail(0)
    assert len(list(open_source(f"{bucket}/speech"))) == 40
    assert s3.done()["requests"] <= 12  # what it is, and each of three folders, twice: to see and to read
