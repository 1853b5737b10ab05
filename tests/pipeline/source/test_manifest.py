from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from pipeline.errors import SourceError
from pipeline.source.base import Item
from pipeline.source.manifest import ManifestSource

GOOD = {"id": "good", "audio": "good.wav"}
JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=4,
)
KNOWN = strategies.sampled_from(
    ["id", "audio", "path", "text", "age", "gender", "offset", "duration", "end", "language", "TEXT ", "x"]
)
LINE = strategies.one_of(
    strategies.dictionaries(KNOWN, JSON, max_size=6).map(json.dumps),
    JSON.map(json.dumps),
    strategies.text().map(lambda t: t.replace("\n", " ").replace("\r", " ")),
)
FAST = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def manifest(folder: Path, *rows: Any, name: str = "m.jsonl") -> ManifestSource:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / name).write_bytes("\n".join(lines).encode(errors="surrogatepass"))
    return ManifestSource(str(folder / name))


def code(item: Item) -> str | None:
    return item.problem.code if item.problem else None


@given(lines=strategies.lists(LINE, max_size=6))
@FAST
def test_any_line_that_is_not_blank_is_exactly_one_writable_item(tmp_path: Path, lines: list[str]) -> None:
    items = list(manifest(tmp_path, GOOD, *lines))
    assert len(items) == 1 + sum(bool(line.encode(errors="surrogatepass").strip()) for line in lines)
    assert len({i.id for i in items}) == len(items)
    for item in items:
        assert item.problem is not None or item.audio.url
        for text in (item.id, item.audio.url, item.given.text or "", str(item.problem)):
            assert text.encode().decode() == text


@given(data=strategies.binary(max_size=200))
@FAST
def test_any_bytes_after_a_good_line_are_items_and_never_an_error(tmp_path: Path, data: bytes) -> None:
    for name, head in (
        ("m.jsonl", json.dumps(GOOD)),
        ("m.csv", "id,audio\na,b.wav"),
        ("m.tsv", "id\taudio\na\tb.wav"),
    ):
        (tmp_path / name).write_bytes(head.encode() + b"\n" + data)
        items = list(ManifestSource(str(tmp_path / name)))
        assert items[0].problem is None
        assert len({i.id for i in items}) == len(items)


def test_every_column_arrives_under_its_usual_names(tmp_path: Path) -> None:
    row = {
        "utt_id": 7,
        "audio_filepath": "a/b.wav",
        "Sentence": " Hi there ",
        "lang": "en ",
        "spk": 12.0,
        "sex": "F",
        "age": "thirties",
        "emotion": "happy",
        "license": "CC0",
        "duration": "3.5",
        "secret": "x",
    }
    source = manifest(tmp_path, row)
    (item,) = source
    assert item.id == "7"
    assert item.audio.url == str(tmp_path / "a/b.wav")
    assert item.recording_s == 3.5
    assert item.audio.offset_s is None
    found = {k: v for k in item.given.__dataclass_fields__ if (v := getattr(item.given, k)) is not None}
    assert found == {
        "text": " Hi there ",
        "language": "en",
        "speaker": "12",
        "gender": "female",
        "age_years": 35.0,
        "emotion": "happy",
        "licence": "CC0",
    }
    assert source.ignored_columns == ("secret",)


def test_of_two_columns_for_the_same_the_plainer_name_counts_unless_it_is_blank(tmp_path: Path) -> None:
    both, one = manifest(
        tmp_path,
        {"path": "p.wav", "audio": "a.wav", "transcript": "t", "text": "x"},
        {"path": "p.wav", "audio": "", "transcript": "t", "text": None},
    )
    assert (Path(both.audio.url).name, both.given.text) == ("a.wav", "x")
    assert (Path(one.audio.url).name, one.given.text) == ("p.wav", "t")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"duration": 2}, (None, None, 2.0)),
        ({"duration": "nonsense"}, (None, None, None)),
        ({"offset": 0, "duration": 2}, (0.0, 2.0, None)),
        ({"offset_s": "1.5", "duration_s": "2"}, (1.5, 2.0, None)),
        ({"start": 1, "end": 3}, (1.0, 2.0, None)),
        ({"end": 3}, (0.0, 3.0, None)),
        ({"offset": 1}, (1.0, None, None)),
        ({"offset": float("nan"), "duration": 2}, (None, None, 2.0)),
    ],
)
def test_an_offset_makes_a_span_and_a_duration_alone_is_the_length(
    tmp_path: Path, times: dict[str, object], expected: tuple[float | None, ...]
) -> None:
    (item,) = manifest(tmp_path, {**GOOD, **times})
    assert (item.audio.offset_s, item.audio.span_s, item.recording_s) == expected


@pytest.mark.parametrize("times", [{"offset": -1}, {"offset": 2, "end": 1}, {"offset": "x"}, {"offset": [1]}])
def test_times_that_are_no_part_of_a_recording_are_a_problem(
    tmp_path: Path, times: dict[str, object]
) -> None:
    (item,) = manifest(tmp_path, {**GOOD, **times})
    assert code(item) == "bad_span"


def test_each_bad_row_is_a_problem_in_its_place(tmp_path: Path) -> None:
    items = list(
        manifest(
            tmp_path,
            GOOD,
            "{broken",
            "[1, 2]",
            {"id": "no sound", "text": "x"},
            "",
            GOOD,
            {"id": "nested", "audio": {"path": "n.wav"}},
            '{"a": ' + "[" * 100_000,
            {"audio": "d/u.wav"},
            {"audio": "d/u.flac"},
            {"id": "nul", "audio": "a\0.wav"},
        )
    )
    assert [(i.id, code(i)) for i in items] == [
        ("good", None),
        ("row-2", "bad_line"),
        ("row-3", "bad_line"),
        ("no sound", "no_audio"),
        ("good#2", "duplicate_id"),
        ("nested", None),
        ("row-7", "bad_line"),
        ("d/u", None),
        ("d/u#2", None),
        ("nul", "bad_path"),
    ]


def test_an_enormous_line_is_one_problem_and_the_next_line_is_read(tmp_path: Path) -> None:
    for name, head in (("m.jsonl", json.dumps(GOOD)), ("m.csv", "id,audio\ngood,g.wav")):
        last = json.dumps({"id": "last", "audio": "l.wav"}) if name == "m.jsonl" else "last,l.wav"
        (tmp_path / name).write_text(f'{head}\n"{"x" * (33 * 2**20)}"\n{last}\n')
        items = list(ManifestSource(str(tmp_path / name)))
        assert [code(i) for i in items] == [None, "bad_line", None]


def test_a_table_of_text_reads_like_json_and_its_quotes_are_those_of_its_format(tmp_path: Path) -> None:
    rows = [
        "\ufeffID, Audio ,text,offset,duration",
        'a,a.wav,"He said ""hi"",\r\nthen left",,2',
        "b,b.wav,plain",
        "c,c.wav,too,many,fields,here",
        "d,d.wav,\udcff,,",
        "",
    ]
    (tmp_path / "m.csv").write_bytes("\r\n".join(rows).encode(errors="surrogateescape"))
    items = list(ManifestSource(str(tmp_path / "m.csv")))
    assert [(i.id, i.given.text, i.recording_s, code(i)) for i in items] == [
        ("a", 'He said "hi",\nthen left', 2.0, None),
        ("b", "plain", None, None),
        ("row-3", None, None, "bad_line"),
        ("row-4", None, None, "bad_line"),
    ]
    (tmp_path / "m.tsv").write_text('path\tsentence\tage\na.mp3\t"Hi" she said\ttwenties\n')
    (item,) = ManifestSource(str(tmp_path / "m.tsv"))
    assert (item.id, item.given.text, item.given.age_years) == ("a", '"Hi" she said', 25.0)


def test_a_compressed_manifest_reads_like_a_plain_one_and_a_truncated_one_says_so(tmp_path: Path) -> None:
    data = "".join(
        json.dumps({"id": f"{i}", "audio": f"{os.urandom(99).hex()}.wav"}) + "\n" for i in range(3000)
    )
    packed = gzip.compress(data.encode())
    (tmp_path / "m.jsonl.gz").write_bytes(packed)
    assert len(list(ManifestSource(str(tmp_path / "m.jsonl.gz")))) == 3000
    (tmp_path / "m.jsonl.gz").write_bytes(packed[: len(packed) * 3 // 4])
    items = list(ManifestSource(str(tmp_path / "m.jsonl.gz")))
    assert 1000 < len(items) < 3000
    assert code(items[-1]) in ("bad_file", "bad_line")


@pytest.mark.parametrize("content", ["", "\n\n"])
@pytest.mark.parametrize("name", ["m.jsonl", "m.csv", "m.tsv"])
def test_an_empty_manifest_is_a_source_error(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(SourceError, match="no rows"):
        manifest(tmp_path, content, name=name)


@pytest.mark.parametrize(
    ("name", "content"),
    [("m.jsonl", '{"id": 1, "words": "x"}'), ("m.csv", "id,words\n1,x"), ("m.tsv", "id\twords\n1\tx")],
)
def test_a_manifest_without_sound_is_a_source_error_that_names_its_columns(
    tmp_path: Path, name: str, content: str
) -> None:
    with pytest.raises(SourceError, match="words"):
        manifest(tmp_path, content, name=name)


@pytest.mark.parametrize("name", ["m.jsonl", "m.csv.gz", "m.parquet", "m.xlsx"])
def test_a_manifest_that_cannot_be_read_is_a_source_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError):
        ManifestSource(str(tmp_path / name))


def test_size_and_time_of_a_local_file_are_known_and_a_missing_file_is_left_to_the_decoder(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.wav").write_bytes(b"123")
    there, gone = manifest(tmp_path, GOOD, {"id": "gone", "audio": "gone.wav"})
    assert there.audio.size_bytes == 3
    assert there.audio.version == str((tmp_path / "good.wav").stat().st_mtime_ns)
    assert (gone.audio.size_bytes, gone.audio.version, gone.problem) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/x/a.wav", "/x/a.wav"),
        ("file:///x/a.wav", "/x/a.wav"),
        ("s3://bucket/a.wav", "s3://bucket/a.wav"),
        ("//x///a://b.wav", "/x/a:/b.wav"),
        ("file://host/a.wav", None),
        ("zip://a.wav::http://host/x.zip", None),
        ("simplecache::/x/a.wav", None),
        ("nonsense://a.wav", None),
    ],
)
def test_a_path_is_a_file_or_a_url_of_a_known_kind_and_never_a_chain(
    tmp_path: Path, path: str, url: str | None
) -> None:
    (item,) = manifest(tmp_path, {"id": "a", "audio": path})
    assert item.audio.url == (url or "")
    assert code(item) == (None if url else "bad_path")


def test_a_manifest_from_elsewhere_names_files_beside_it_and_none_of_this_machine() -> None:
    fs = fsspec.filesystem("memory")
    rows = [
        {"id": "a", "audio": "x/../a.wav"},
        {"id": "b", "audio": "/etc/passwd"},
        {"id": "c", "audio": "file:///etc/x"},
    ]
    fs.pipe("/set/m.jsonl", "\n".join(map(json.dumps, rows)).encode())
    a, b, c = ManifestSource("memory://set/m.jsonl")
    fs.rm("/set", recursive=True)
    assert a.audio.url == "memory:///set/a.wav"
    assert code(b) == code(c) == "bad_path"


def test_relative_paths_start_where_the_person_says(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("path\na.mp3\n")
    (item,) = ManifestSource(str(tmp_path / "m.tsv"), audio_root=str(tmp_path / "clips"))
    assert item.audio.url == str(tmp_path / "clips" / "a.mp3")
