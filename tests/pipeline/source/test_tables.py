from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.clip import AudioRef
from pipeline.errors import SourceError
from pipeline.source.base import Item
from pipeline.source.manifest import ManifestSource
from pipeline.source.place import Place
from pipeline.source.tables import TableFile

AUDIO = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])


def sound(number: int) -> bytes:
    return b"RIFF" + bytes([number % 256, number // 256])


def table(n_rows: int, embeds: Any = lambda i: True, kind: pa.DataType = AUDIO) -> pa.Table:
    values: list[Any] = [
        {"bytes": sound(i) if embeds(i) else None, "path": f"s{i}.wav"} if kind == AUDIO else sound(i)
        for i in range(n_rows)
    ]
    return pa.table(
        {
            "text": [f"text {i}" for i in range(n_rows)],
            "audio": pa.array(values, kind),
            "gender": pa.array([i % 3 for i in range(n_rows)], pa.int64()),
            "vector": pa.array([[1.0]] * n_rows),
        }
    )


def written(path: Path, data: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(data, path, row_group_size=700)
    elif path.stem == "file":
        with pa.ipc.new_file(str(path), data.schema) as writer:
            writer.write_table(data, max_chunksize=300)
    else:
        with pa.ipc.new_stream(str(path), data.schema) as writer:
            writer.write_table(data, max_chunksize=300)
    return path


def resolved(audio: AudioRef) -> bytes:
    """The bytes a part means, read in another way than the source reads them."""
    kind, number, column = (audio.part or "").split(":", 2)
    assert kind == "row"
    if audio.url.endswith(".parquet"):
        value = pq.read_table(audio.url).column(column)[int(number)].as_py()
    else:
        opened = pa.ipc.open_file if Path(audio.url).stem == "file" else pa.ipc.open_stream
        value = opened(pa.memory_map(audio.url)).read_all().column(column)[int(number)].as_py()
    found = value["bytes"] if isinstance(value, dict) else value
    assert isinstance(found, bytes)
    return found


def items_of(path: Path) -> list[Item]:
    place = Place.at(str(path))
    return list(TableFile(place).items(place.folder.sound))


NAMES = pytest.mark.parametrize("name", ["t.parquet", "stream.arrow", "file.arrow"])


@NAMES
def test_a_part_leads_to_the_bytes_of_its_own_row_across_groups_and_batches(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / name, table(1500))
    items = items_of(path)
    assert [i.given.text for i in items] == [f"text {i}" for i in range(1500)]
    assert [i.audio.part for i in items] == [f"row:{i}:audio" for i in range(1500)]
    assert [i.id for i in items[:2]] == ["s0", "s1"]
    assert items[7].audio.version == str(path.stat().st_mtime_ns)
    for number in (0, 299, 300, 699, 700, 1023, 1024, 1499):
        assert resolved(items[number].audio) == sound(number)


@NAMES
def test_a_row_without_bytes_is_the_file_at_its_path(tmp_path: Path, name: str) -> None:
    items = items_of(written(tmp_path / name, table(900, embeds=lambda i: i % 2 == 0)))
    assert [i.audio.part for i in items[:2]] == ["row:0:audio", None]
    assert items[1].audio.url == str(tmp_path / "s1.wav")
    assert items[899].audio.url == str(tmp_path / "s899.wav")


@NAMES
def test_a_row_with_neither_bytes_nor_path_is_a_problem(tmp_path: Path, name: str) -> None:
    data = pa.table({"audio": pa.array([None, {"bytes": b"x", "path": None}], AUDIO)})
    nothing, something = items_of(written(tmp_path / name, data))
    assert nothing.problem is not None
    assert nothing.problem.code == "no_audio"
    assert something.problem is None
    assert something.id.endswith("-1")


@NAMES
def test_a_column_of_plain_bytes_is_sound(tmp_path: Path, name: str) -> None:
    items = items_of(written(tmp_path / name, table(3, kind=pa.large_binary())))
    assert [resolved(i.audio) for i in items] == [sound(i) for i in range(3)]


@NAMES
def test_numbers_of_classes_are_read_by_the_names_the_dataset_gives_them(tmp_path: Path, name: str) -> None:
    features = {"gender": {"_type": "ClassLabel", "names": ["male", "female"]}}
    data = table(3).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    items = items_of(written(tmp_path / name, data))
    assert [i.given.gender for i in items] == ["male", "female", None]
    items = items_of(written(tmp_path / f"x-{name}", table(3)))
    assert [i.given.gender for i in items] == [None, None, None]


def test_a_parquet_manifest_of_paths_reads_like_any_manifest(tmp_path: Path) -> None:
    data = pa.table(
        {
            "id": [1, 2],
            "path": pa.array(["a.wav", None]).dictionary_encode(),
            "start": [0.5, float("nan")],
            "end": [1.5, float("nan")],
            "more": [1, 2],
        }
    )
    source = ManifestSource(str(written(tmp_path / "m.parquet", data)))
    first, second = source
    assert (first.id, first.audio.url, first.audio.offset_s, first.audio.span_s) == (
        "1",
        str(tmp_path / "a.wav"),
        0.5,
        1.0,
    )
    assert second.problem is not None
    assert second.problem.code == "no_audio"
    assert source.ignored_columns == ("more",)


def test_embedded_sound_is_whole_whatever_times_stand_beside_it(tmp_path: Path) -> None:
    data = table(1).append_column("start", pa.array([3.0])).append_column("duration", pa.array([2.0]))
    (item,) = items_of(written(tmp_path / "t.parquet", data))
    assert (item.audio.offset_s, item.audio.span_s, item.recording_s) == (None, None, 2.0)


def test_rows_behind_a_break_in_the_file_are_problems_one_each(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", table(1500))
    data = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    items = items_of(path)
    assert len(items) == 1500
    assert [i.problem.code if i.problem else None for i in items] == [None] * 700 + ["bad_file"] * 800


def test_an_arrow_file_that_breaks_off_is_a_problem_after_the_rows_before(tmp_path: Path) -> None:
    path = written(tmp_path / "stream.arrow", table(900))
    path.write_bytes(path.read_bytes()[:-20_000])
    items = items_of(path)
    assert 0 < len(items) <= 601
    assert items[-1].problem is not None
    assert all(i.problem is None for i in items[:-1])


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense", None])
def test_what_is_no_table_of_sound_is_a_source_error(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is None:
        written(path, pa.table({"words": ["x"]}))
    else:
        path.write_bytes(content)
    with pytest.raises(SourceError, match="words" if content is None else "cannot be read"):
        TableFile(Place.at(str(path)))


def test_two_columns_of_one_name_are_a_source_error(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array(["a.wav"]), pa.array(["b.wav"])], names=["audio", "audio"])
    with pytest.raises(SourceError, match="one name"):
        TableFile(Place.at(str(written(tmp_path / "t.parquet", twice))))


def test_an_empty_parquet_manifest_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no rows"):
        ManifestSource(str(written(tmp_path / "m.parquet", table(0))))


@NAMES
def test_a_table_elsewhere_reads_like_a_local_one(tmp_path: Path, name: str) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe(f"/tables/{name}", written(tmp_path / name, table(3)).read_bytes())
    place = Place.at(f"memory://tables/{name}")
    items = list(TableFile(place).items(place.folder.sound))
    data = fs.cat(f"/tables/{name}")
    fs.rm("/tables", recursive=True)
    assert [i.audio.url for i in items] == [f"memory:///tables/{name}"] * 3
    assert io.BytesIO(data).read(1)
    assert items[2].audio.part == "row:2:audio"
