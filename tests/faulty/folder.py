"""A small run whose faults a file says."""

from __future__ import annotations

from pathlib import Path

from tests.command import Ended, dataset_files, example, speechcraft, write_manifest

NAMES = ("brother", "red-book", "meeting", "zh-neighbour", "zh-match", "forecast")
JOB = """
annotators:
  sound: decode
  energy: {{use: tests.faulty.energy, faults: {faults}, calls: {calls}{more}}}
  pitch: dio
  topic: {topic}
keep_sound: {keep_sound}
"""


class Folder:
    """A source of six clips in shards of two, and a job whose faults a file says."""

    def __init__(
        self, path: Path, *, more: str = "", topic: str = "tests.faulty.topic", keep_sound: bool = True
    ) -> None:
        self.path, self.run = path, path / "run"
        self.faults, self.calls, job = path / "faults", path / "calls", path / "job.yaml"
        source = write_manifest(path / "clips.jsonl", *map(example, NAMES))
        self.break_()
        kept = str(keep_sound).lower()
        text = JOB.format(faults=self.faults, calls=self.calls, more=more, topic=topic, keep_sound=kept)
        job.write_text(text)
        self.command = (source, "--job", job, "--shard-size", 2, "--out", self.run, "--engine", "inline")

    def break_(self, **faults: str) -> None:
        """Fail on these clips from now on, and on no other."""
        self.faults.write_text("".join(f"{id.replace('_', '-')} {code}\n" for id, code in faults.items()))
        self.calls.write_text("")

    def annotate(self, *more: object) -> Ended:
        return speechcraft("annotate", *self.command, *more)

    def retry(self, *more: object) -> Ended:
        return speechcraft("retry", self.run, "--engine", "inline", *more)

    def called(self) -> list[str]:
        """The clips whose level was computed since faults were last set."""
        return sorted(self.calls.read_text().split())

    def bytes_(self) -> dict[str, bytes]:
        """Every sidecar and sound, and the data of the dataset."""
        files = [*self.run.glob("*@*/*"), *dataset_files(self.run)]
        return {str(f.relative_to(self.run)): f.read_bytes() for f in files}
