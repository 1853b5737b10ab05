"""docs/example-card.md from the code: `python -m jobs.example_card examples/clips > docs/example-card.md`.

Annotates the clips, exports them, and prints the card of that as a page.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from jobs.export.card import CARD
from jobs.jobfile import build_job, read_profile

ASKED = ("--split", "by=speaker,test=0.2", "--filter", "snr_db > 10")
"""The export that docs/dataset.md shows."""


CALIBRATED = ("labels", "caption")
"""Families whose fingerprints tell the thresholds of the corpus, too."""


def page(card: str) -> str:
    """A card as a page of docs: what a hub reads at its head is shown as a block."""
    _, head, body = card.split("---\n", 2)
    before = ", ".join(f"{family} {fingerprint}" for family, fingerprint in uncalibrated().items())
    made = (
        "<!-- Made by `make docs` from the example clips; its front matter is shown as a block. "
        f"Before thresholds: {before}. -->"
    )
    return f"{made}\n\n```yaml\n{head}```\n{body}"


def uncalibrated() -> dict[str, str]:
    """The fingerprints of CALIBRATED before there are thresholds: they tell that a page is old."""
    job = build_job(read_profile("embedded"))
    return {way.family: way.fingerprint for way in job.ways if way.family in CALIBRATED}


def made_anew(clips: str) -> str:
    """The page, from a run of its own."""
    with tempfile.TemporaryDirectory() as folder:
        run, out = Path(folder) / "run", Path(folder) / "dataset"
        _speechcraft("annotate", clips, "--out", run, "--engine", "inline")
        _speechcraft("export", run, out, *ASKED)
        return page((out / CARD).read_text("utf-8"))


def _speechcraft(*arguments: object) -> None:
    code = "import sys; from jobs.cli import main; sys.argv[0] = 'speechcraft'; main()"
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.stdout.write(made_anew(sys.argv[1]))
