from __future__ import annotations

import os
import random
from pathlib import Path

import fsspec
import pytest
from hypothesis import given, settings, strategies

from pipeline.errors import ClipError, SourceError
from pipeline.source.base import Item
from pipeline.source.folder import FolderSource, decoded


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")


def ids(folder: Path) -> list[str]:
    return [i.id for i in FolderSource(str(folder))]


def only(folder: Path) -> Item:
    (item,) = FolderSource(str(folder))
    return item


def code(item: Item) -> str:
    assert isinstance(item.problem, ClipError)
    return item.problem.code


def test_items_come_in_the_order_of_their_paths_however_the_disk_lists_them(tmp_path: Path) -> None:
    names = ["b.wav", "a/c.flac", "a/b/d.OPUS", "a-1.mp3", "a.wav", "é.ogg", "語/一.m4a"]
    random.Random(3).shuffle(names)
    touch(tmp_path, *names)
    paths = [i.audio.url for i in FolderSource(str(tmp_path))]
    assert paths == sorted(str(tmp_path / n) for n in names)


def test_the_id_is_the_relative_path_without_extension(tmp_path: Path) -> None:
    touch(tmp_path, "s1/a.wav", "s1/b.x.flac")
    assert ids(tmp_path) == ["s1/a", "s1/b.x"]


def test_files_that_differ_in_the_extension_only_keep_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.flac", "a.wav.mp3", "b.wav")
    assert sorted(ids(tmp_path)) == ["a.flac", "a.wav", "a.wav.mp3", "b"]
    assert not any(i.problem for i in FolderSource(str(tmp_path)))


def test_size_and_modification_time_come_with_the_listing(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    audio = only(tmp_path).audio
    assert audio.size_bytes == 5
    assert audio.version == str((tmp_path / "a.wav").stat().st_mtime_ns)


def test_hidden_files_and_what_is_no_sound_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", ".b.wav", ".git/c.wav", "notes.pdf", "._a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert ids(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["a.txt", "a.lab", "a.TXT"])
def test_the_text_beside_a_sound_is_given_verbatim(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf  Hello,  WORLD \r\n")
    assert only(tmp_path).given.text == "  Hello,  WORLD "


def test_labels_with_times_are_no_text(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "a.lab").write_text("0 500000 sil\n500000 900000 ah\n")
    assert only(tmp_path).given.text is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_chinese_text_is_read_in_the_encodings_it_comes_in(encoding: str) -> None:
    assert decoded("今天天气很好，我们去公园。\n".encode(encoding)) == "今天天气很好，我们去公园。"


@pytest.mark.parametrize("data", ["für alle".encode("latin-1"), b"\xff\xff\xff", b"RIFF\x80\x81"])
def test_text_in_another_encoding_is_a_problem_not_a_guess(tmp_path: Path, data: bytes) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_bytes(data)
    item = only(tmp_path)
    assert code(item) == "bad_text"
    assert str(item.problem) == "'a.txt' is no text in UTF-8, UTF-16 or GB18030."


@given(strategies.binary(max_size=40))
@settings(deadline=None)
def test_any_bytes_are_text_that_can_be_written_or_no_text(data: bytes) -> None:
    try:
        text = decoded(data)
    except UnicodeError:
        return
    assert text.encode().decode() == text


def test_a_sidecar_too_large_to_be_a_transcript_is_a_problem(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_bytes(b"x" * (2**20 + 1))
    assert code(only(tmp_path)) == "bad_text"


def test_the_first_subfolder_is_the_speaker_where_asked(tmp_path: Path) -> None:
    touch(tmp_path, "anna/1/a.wav", "b.wav")
    speakers = {i.id: i.given.speaker for i in FolderSource(str(tmp_path), speaker_from="folder")}
    assert speakers == {"anna/1/a": "anna", "b": None}
    assert all(i.given.speaker is None for i in FolderSource(str(tmp_path)))


def test_links_in_a_circle_end_and_no_folder_is_read_twice(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "b/y.wav")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "z").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    assert ids(tmp_path) == ["a/x", "a/z/y"]


def test_a_link_that_leads_nowhere_is_an_item_of_unknown_size(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    assert only(tmp_path).audio.size_bytes is None


@pytest.mark.parametrize("name", [b"a\xff.wav", b"http::b.wav", b"a\nb.wav"])
def test_a_name_that_cannot_be_a_url_is_a_problem(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes(b"")
    item = only(tmp_path)
    assert code(item) == "bad_path"
    assert item.id.encode()


def test_a_single_sound_file_is_a_source_with_its_text(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "a.txt").write_text("hello")
    (item,) = FolderSource(str(tmp_path / "a.wav"))
    assert (item.id, item.given.text) == ("a", "hello")


@pytest.mark.parametrize("name", ["", "missing", "missing.wav"])
def test_where_there_is_no_sound_there_is_no_source(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(SourceError):
        FolderSource(str(tmp_path / name))


def test_a_folder_that_cannot_be_listed_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="permission denied"):
        FolderSource(str(tmp_path))


def test_a_folder_elsewhere_reads_like_a_local_one() -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe({"/speech/b/x.wav": b"sound", "/speech/a.wav": b"s", "/speech/a.txt": "héllo".encode()})
    items = list(FolderSource("memory://speech"))
    fs.rm("/speech", recursive=True)
    assert [(i.id, i.audio.url, i.audio.size_bytes, i.given.text) for i in items] == [
        ("a", "memory:///speech/a.wav", 1, "héllo"),
        ("b/x", "memory:///speech/b/x.wav", 5, None),
    ]
