from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.errors import OptionError, SourceError
from pipeline.source import FORMS, open_source
from pipeline.source.detect import form_of

CUT = json.dumps(
    {"type": "MonoCut", "id": "c", "start": 0, "duration": 1, "supervisions": [], "recording": {}}
)
ROW = json.dumps({"id": "a", "audio": "a.wav"})


def put(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("files", "name", "form"),
    [
        ({"a.wav": ""}, "", "folder"),
        ({"s/a.wav": ""}, "", "folder"),
        ({"a.wav": ""}, "a.wav", "folder"),
        ({"m.jsonl": ROW}, "m.jsonl", "manifest"),
        ({"m.CSV": "audio\na.wav"}, "m.CSV", "manifest"),
        ({"any.jsonl": CUT}, "any.jsonl", "lhotse"),
        ({"cuts.jsonl": CUT, "audio/a.wav": ""}, "", "lhotse"),
        ({"manifest.jsonl": ROW, "a.wav": ""}, "", "manifest"),
        ({"wav.scp": "a /a.wav", "text": ""}, "", "kaldi"),
        ({"a.tar": "", "b.tar": ""}, "", "webdataset"),
        ({"a.tar": ""}, "a.tar", "webdataset"),
        ({}, "x-{000..012}.tar", "webdataset"),
        ({"dataset_dict.json": "{}"}, "", "hf"),
        ({"state.json": "{}", "dataset_info.json": "{}", "data-0.arrow": ""}, "", "hf"),
        ({"data/train-0.parquet": "", "README.md": ""}, "", "hf"),
    ],
)
def test_a_source_is_known_by_what_is_there(
    tmp_path: Path, files: dict[str, str], name: str, form: str
) -> None:
    put(tmp_path, files)
    assert form_of(f"{tmp_path}/{name}".rstrip("/"))[0] == form


@pytest.mark.parametrize(
    "files",
    [
        {"manifest.jsonl": ROW, "manifest.csv": "audio\na.wav"},
        {"manifest.jsonl": ROW, "wav.scp": "a /a.wav"},
        {"a.wav": "", "a.tar": ""},
    ],
)
def test_what_can_be_read_in_two_ways_is_an_error_that_says_how_to_choose(
    tmp_path: Path, files: dict[str, str]
) -> None:
    put(tmp_path, files)
    with pytest.raises(SourceError, match=r"more than one way.* or .*:/"):
        form_of(str(tmp_path))


@pytest.mark.parametrize("name", ["", "missing", "notes.pdf", "nonsense://x", "zip://x::/y", "a\nb", None])
def test_what_is_no_source_is_an_error_in_one_sentence(tmp_path: Path, name: str | None) -> None:
    put(tmp_path, {"notes.pdf": ""})
    url = "" if name is None else name if "://" in name else f"{tmp_path}/{name}".rstrip("/")
    with pytest.raises(SourceError) as caught:
        open_source(url)
    assert "\n" not in str(caught.value)


def test_a_name_before_the_path_chooses_the_form(tmp_path: Path) -> None:
    put(tmp_path, {"manifest.jsonl": ROW, "b.wav": ""})
    assert [i.id for i in open_source(str(tmp_path))] == ["a"]
    assert [i.id for i in open_source(f"folder:{tmp_path}")] == ["b"]
    assert set(FORMS) == {"folder", "manifest", "webdataset", "hf", "kaldi", "lhotse"}


def test_an_option_the_form_lacks_is_an_error_that_lists_those_it_has(tmp_path: Path) -> None:
    put(tmp_path, {"s/a.wav": ""})
    (item,) = open_source(str(tmp_path), options={"speaker_from": "folder"})
    assert item.given.speaker == "s"
    with pytest.raises(OptionError, match="speaker_from"):
        open_source(str(tmp_path), options={"speaker": "folder"})
    with pytest.raises(OptionError, match="speaker_from"):
        open_source(str(tmp_path), options={"url": "/elsewhere"})
    with pytest.raises(OptionError, match="speaker_from"):
        open_source(str(tmp_path), options={"speaker_from": "file"})


@pytest.mark.real
@pytest.mark.parametrize("corpus", ["librispeech", "speechocean762", "secap", "ljspeech", "timit"])
def test_every_line_of_a_real_manifest_is_an_item_whose_file_is_there(corpus: str) -> None:
    manifest = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / corpus / "manifest.jsonl"
    items = list(open_source(str(manifest)))
    assert len(items) == len(manifest.read_text(encoding="utf-8").splitlines())
    assert all(i.problem is None and i.audio.size_bytes and i.given.language for i in items)
