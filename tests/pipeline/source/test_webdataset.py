from __future__ import annotations

import io
import tarfile
from itertools import islice
from pathlib import Path

import fsspec
import pytest

from pipeline.clip import AudioRef
from pipeline.errors import SourceError
from pipeline.source.base import Item
from pipeline.source.webdataset import WebDatasetSource, expanded


def shard(path: Path, members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def resolved(audio: AudioRef) -> bytes:
    offset, _, size = (audio.part or "").removeprefix("tar:").partition("+")
    return Path(audio.url).read_bytes()[int(offset) : int(offset) + int(size)]


def code(item: Item) -> str | None:
    return item.problem.code if item.problem else None


LONG = "d/" * 90 + "語"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_part_leads_to_the_bytes_of_the_sound_whatever_stands_around_it(tmp_path: Path, form: int) -> None:
    members = {
        "./000.json": b'{"speaker": "anna", "gender": "f", "duration": 2.5, "start": 9, "audio": "no.wav"}',
        "./000.flac": b"sound zero",
        "./000.txt": "hellö\n".encode(),
        f"{LONG}.wav": b"x" * 1000,
        f"{LONG}.seg.mp3": b"second",
        "b.with.points.opus": b"",
    }
    path = shard(tmp_path / "s.tar", members, form)
    first, long, last = WebDatasetSource(str(path))
    assert (first.id, long.id, last.id) == ("000", LONG, "b")
    assert resolved(first.audio) == b"sound zero"
    assert resolved(long.audio) == b"x" * 1000
    assert (last.audio.size_bytes, resolved(last.audio)) == (0, b"")
    assert first.audio.version == str(path.stat().st_mtime_ns)
    assert (first.given.text, first.given.speaker, first.given.gender) == ("hellö", "anna", "female")
    assert (first.recording_s, first.audio.offset_s) == (2.5, None)


def test_every_sample_is_one_item_and_a_bad_one_says_why(tmp_path: Path) -> None:
    members = {
        "a.txt": b"no sound",
        "b.wav": b"1",
        "b.json": b"{broken",
        "c.wav": b"1",
        "c.json": b"[1]",
        "d.wav": b"1",
        "d.txt": b"\xff",
        "e.wav": b"1",
        "e.txt": b"x" * (2**20 + 1),
        "f.wav": b"1",
        ".hidden.wav": b"1",
        "no_extension": b"1",
    }
    items = list(WebDatasetSource(str(shard(tmp_path / "s.tar", members))))
    expected = {
        "a": "no_audio",
        "b": "bad_text",
        "c": "bad_text",
        "d": "bad_text",
        "e": "bad_text",
        "f": None,
    }
    assert {i.id: code(i) for i in items} == expected
    said = {i.id: str(i.problem) for i in items}
    assert said["b"].endswith("expecting property name enclosed in double quotes, at character 2.")
    assert said["d"] == "The .txt of 'd' cannot be read: byte 1 is not UTF-8."


def test_a_folder_a_pattern_and_a_glob_name_the_same_shards_in_order(tmp_path: Path) -> None:
    for number in (10, 9, 8):
        shard(tmp_path / f"x-{number:03d}.tar", {f"{number}.wav": b"1"})
    for url in ("", "/x-{008..010}.tar", "/x-*.tar"):
        assert [i.id for i in WebDatasetSource(f"{tmp_path}{url}")] == ["8", "9", "10"]


def test_number_ranges_keep_their_leading_zeros_and_multiply() -> None:
    assert expanded("a{0..1}/b{08..10}.tar") == [f"a{a}/b{b}.tar" for a in "01" for b in ("08", "09", "10")]
    assert expanded("a{2..1}.tar") == []
    with pytest.raises(SourceError, match="more than"):
        expanded("{0..999999999}.tar")


def test_keys_that_repeat_from_shard_to_shard_are_told_apart_where_asked(tmp_path: Path) -> None:
    for name in ("x", "y"):
        shard(tmp_path / f"{name}.tar", {"0.wav": b"1"})
    assert [(i.id, code(i)) for i in WebDatasetSource(str(tmp_path))] == [
        ("0", None),
        ("0#2", "duplicate_id"),
    ]
    assert [i.id for i in WebDatasetSource(str(tmp_path), shard_in_id=True)] == ["x/0", "y/0"]


@pytest.mark.parametrize("cut", [1, 600, 1025, 1536, 1700, 2048, 2600])
def test_a_shard_that_breaks_off_anywhere_says_so_after_the_samples_before(tmp_path: Path, cut: int) -> None:
    whole = shard(tmp_path / "a.tar", {"a.wav": b"1", "b.wav": b"2" * 600, "b.txt": b"3"}).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:cut])
    shard(tmp_path / "b.tar", {"z.wav": b"1"})
    items = list(WebDatasetSource(str(tmp_path)))
    assert [code(i) for i in items].count("bad_file") == 1
    assert items[-1].id == "z"
    assert [i.id for i in items[:-2]] == ["a", "b"][: len(items) - 2]


def test_garbage_between_members_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", {"a.wav": b"1", "b.wav": b"2"})
    data = bytearray(path.read_bytes())
    data[1024:1536] = b"\x55" * 512
    path.write_bytes(data)
    assert [(i.id, code(i)) for i in WebDatasetSource(str(path))][-1][1] == "bad_file"


def test_a_missing_shard_of_a_pattern_is_one_problem(tmp_path: Path) -> None:
    shard(tmp_path / "x-0.tar", {"0.wav": b"1"})
    items = list(WebDatasetSource(f"{tmp_path}/x-{{0..1}}.tar"))
    assert [(i.id, code(i)) for i in items] == [("0", None), ("x-1", "bad_file")]


def test_stopping_early_is_no_error(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", {f"{i}.wav": b"1" for i in range(5)})
    assert [i.id for i in islice(WebDatasetSource(str(path)), 2)] == ["0", "1"]


@pytest.mark.parametrize("name", ["", "x-*.tar", "x.tar.gz", "{2..1}.tar"])
def test_where_there_is_no_shard_that_can_be_read_there_is_no_source(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError):
        WebDatasetSource(f"{tmp_path}/{name}")


def test_shards_elsewhere_read_like_local_ones(tmp_path: Path) -> None:
    fs = fsspec.filesystem("memory")
    data = shard(tmp_path / "a.tar", {"a.wav": b"sound", "a.txt": b"hi"}).read_bytes()
    fs.pipe("/shards/a.tar", data)
    (item,) = WebDatasetSource("memory://shards")
    fs.rm("/shards", recursive=True)
    assert (item.audio.url, item.given.text) == ("memory:///shards/a.tar", "hi")
    offset = int((item.audio.part or "")[4:].split("+")[0])
    assert data[offset : offset + 5] == b"sound"
