"""Every annotator against human labels: makes the page docs/accuracy.md.

    python -m benchmarks.accuracy FOLDER > docs/accuracy.md

FOLDER holds a folder for each corpus, with a manifest.jsonl of clips and their labels. One
configuration serves all: the embedded profile as it comes. No label reaches an annotator but the
text and the language, and English corpora are annotated a second time without the text. `--runs`
names a folder where the runs stay, and go on from where they were stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyarrow import dataset

from benchmarks.accuracy_page import GIVEN, RECOGNISED, Measured, page
from benchmarks.baselines import baselines
from jobs.evaluate.labels import text
from jobs.evaluate.manifest import Line, read_labels

KEPT = {GIVEN: "text,language", RECOGNISED: "language"}
MOST_RECOGNISED = 250
"""Clips of a corpus that are recognised, spread over its manifest: 4x real time on a core."""


def main() -> None:
    """Annotate and evaluate every corpus, and print the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=Path, help="keep the runs here")
    arguments = parser.parse_args()
    manifests = sorted(arguments.folder.glob("*/manifest.jsonl"))
    if not manifests:
        parser.error(f"there is no {arguments.folder}/*/manifest.jsonl")
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as passing:
        found = list(_measured(manifests, arguments.runs or Path(passing), failed))
    names = {m.corpus for m in found}
    others = {m.parent.name: baselines(m) for m in manifests if m.parent.name in names}
    sys.stdout.write(page(found, others, failed, str(arguments.folder)))


def _measured(manifests: list[Path], runs: Path, failed: list[str]) -> Iterator[Measured]:
    """Every run of every corpus; the names of those whose commands fail go to `failed`."""
    for manifest in manifests:
        labels = read_labels(manifest).lines
        for source_of_text in (GIVEN, RECOGNISED) if any(map(_recognisable, labels.values())) else (GIVEN,):
            try:
                yield _measure(manifest, labels, source_of_text, runs)
            except subprocess.CalledProcessError:
                failed.append(f"{manifest.parent.name}, text {source_of_text}")


def _recognisable(line: Line) -> bool:
    return bool(text(line, "text")) and str(line.get("language", "")).startswith("en")


def _measure(manifest: Path, labels: Mapping[str, Line], source_of_text: str, runs: Path) -> Measured:
    corpus = manifest.parent.name
    run = runs / f"{corpus}-{source_of_text}"
    kept = ("--ignore-given", "--keep-given", KEPT[source_of_text])
    source = _spread(manifest, labels, run.parent) if source_of_text == RECOGNISED else manifest
    facts = _speechcraft("annotate", str(source), "--out", str(run), *kept)
    report = _speechcraft("evaluate", str(run), "--labels", str(manifest))
    return Measured(corpus, source_of_text, labels, facts, report, _n_enhanced(run))


def _n_enhanced(run: Path) -> int:
    index = json.loads((run / "dataset" / "index.json").read_text("utf-8"))
    files = [run / "dataset" / file["name"] for file in index["files"]]
    column = dataset.dataset(files).to_table(columns=["enhanced"])["enhanced"]
    return sum(value is True for value in column.to_pylist())


def _spread(manifest: Path, labels: Mapping[str, Line], folder: Path) -> Path:
    """The manifest, or one of every n-th clip: the first clips of a corpus are of its first speakers."""
    step = -(-len(labels) // MOST_RECOGNISED)
    if step == 1:
        return manifest
    lines = [{**line, "audio": _absolute(manifest, line)} for line in list(labels.values())[::step]]
    path = folder / f"{manifest.parent.name}-spread.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _absolute(manifest: Path, line: Line) -> str:
    return str((manifest.parent / str(line.get("audio"))).resolve())


def _speechcraft(*arguments: str) -> dict[str, Any]:
    """What the command prints for machines; exit code 3 is a run with shards given up, which has rows."""
    command = [sys.executable, "-m", "jobs.cli", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        raise subprocess.CalledProcessError(done.returncode, command)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


if __name__ == "__main__":
    main()
