from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jobs.evaluate import evaluate
from jobs.evaluate.labels import age_years, curve, gender, marks, number, speaker
from jobs.evaluate.manifest import read_labels
from jobs.evaluate.render import matching
from pipeline.errors import UsageError
from pipeline.source import open_source


def test_a_table_of_text_tells_what_json_tells(tmp_path: Path) -> None:
    labels = {"id": "a", "audio": "a.wav", "speaker": 7, "sex": "F", "age": 31, "f0_frame_s": 0.01}
    lists = {"f0_ref_hz": [0.0, 99.5], "words": [{"label": "so", "start": 0.1, "end": 0.2}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(labels | lists))
    cells = [str(v) for v in labels.values()] + [json.dumps(v) for v in lists.values()]
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    (tmp_path / "a.csv").write_text(",".join([*labels, *lists]) + "\n" + quoted + "\n")
    for name in ("a.jsonl", "a.csv"):
        line = read_labels(tmp_path / name).lines["a"]
        assert (speaker(line), gender(line), age_years(line)) == ("7", "female", 31)
        assert number(line, "f0_frame_s") == 0.01
        contour = curve(line, "f0_ref_hz")
        assert contour is not None
        assert contour.tolist() == [0.0, 99.5]
        assert [m.label for m in marks(line, "words") or ()] == ["so"]


@pytest.mark.parametrize(
    "line", [{"audio": "deep/er/a.wav"}, {"utt_id": "x", "wav": "a.wav"}, {"id": 12, "audio": "a.wav"}]
)
def test_labels_and_sources_name_clips_alike(line: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps(line))
    assert list(read_labels(path).lines) == [item.id for item in open_source(str(path))]


@pytest.mark.parametrize("text", ['{"text": "no id"}', "[]", "not json", '{"id": 1', "\x00"])
def test_a_manifest_that_names_no_clips_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="manifest"):
        read_labels(path)


@pytest.mark.parametrize("broken", ['{"id": 2', "# a remark", "[1]", '{"text": "no id"}', "[" * 5000])
def test_a_broken_line_is_counted_and_the_others_are_read(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(f'{{"id": 1}}\n{broken}\n{{"id": 3}}\n')
    labels = read_labels(path)
    assert list(labels.lines) == ["1", "3"]
    assert list(labels.broken) == [2]
    (told,) = (line for line in matching(evaluate((), (), labels.broken)) if "passed over" in line)
    assert told.startswith("1 line of the labels passed over, as no clip can be read from it: line 2 ")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        (
            "README",
            b"# Labels",
            r"'README' is no manifest: \.jsonl, \.csv, \.tsv \(also \.gz\) and \.parquet are",
        ),
        ("gone.jsonl", None, r"cannot be read: no such file or directory\.$"),
        (
            "a.jsonl",
            b"\n# Labels",
            r"^Line 2 of the labels .* is not JSON: expecting value, at character 1\.$",
        ),
        ("a.jsonl", b"[" * 5000, r"is not JSON: it is nested too deep\.$"),
        ("a.csv", b"id\n\xff\n", r"cannot be read: byte 4 is not UTF-8\.$"),
        ("a.jsonl.gz", b"no gzip", r"cannot be read: not a gzipped file"),
        ("a.parquet", b"no parquet", r"cannot be read: "),
    ],
)
def test_what_is_no_manifest_says_so_as_a_person_would(
    name: str, data: bytes | None, sentence: str, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=sentence) as raised:
        read_labels(tmp_path / name)
    assert not re.search("Errno|codec|recursion|line 1 column", str(raised.value))
