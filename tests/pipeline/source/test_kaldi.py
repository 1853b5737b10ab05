from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from pipeline.errors import SourceError
from pipeline.source.base import Item
from pipeline.source.kaldi import KaldiSource, Lookup
from pipeline.source.place import Place


def data(folder: Path, **files: str) -> KaldiSource:
    for name, content in files.items():
        (folder / name.replace("_scp", ".scp")).write_text(
            content, encoding="utf-8", errors="surrogateescape"
        )
    return KaldiSource(str(folder))


def code(item: Item) -> str | None:
    return item.problem.code if item.problem else None


def test_every_recording_is_an_item_with_what_the_other_files_say(tmp_path: Path) -> None:
    source = data(
        tmp_path,
        wav_scp="s1-a /x/a.wav\ns1-b\trel/b.wav \ns2-c s3://bucket/c.wav\n",
        text="s1-a  HELLO  WORLD\ns2-c 你好\n",
        utt2spk="s1-a s1\ns1-b s1\ns2-c s2\n",
        spk2gender="s1 f\ns2 m\n",
        utt2lang="s2-c zh\n",
        utt2dur="s1-a 2.5\n",
    )
    a, b, c = source
    assert (a.id, a.audio.url, a.given.text, a.recording_s) == ("s1-a", "/x/a.wav", "HELLO  WORLD", 2.5)
    assert (b.audio.url, b.given.text, b.given.speaker) == (str(tmp_path / "rel/b.wav"), None, "s1")
    assert (c.given.gender, c.given.language, c.given.text) == ("male", "zh", "你好")


def test_segments_cut_recordings_and_a_bad_one_says_why(tmp_path: Path) -> None:
    segments = [
        "u1 rec 0.5 2.0",
        "u2 rec 2.0 -1",
        "u3 rec 3.0 1.0",
        "u4 other 0 1",
        "u5 rec",
        "u6 rec 0 1 1",
        "u7 pipe 0 1",
        "u8 rec 0 1 A",
        "u9 rec x 1",
    ]
    items = list(
        data(
            tmp_path,
            wav_scp="pipe touch hacked |\nrec /x/a.wav\n",
            segments="\n".join(segments),
            reco2dur="rec 9.0\n",
            text="u1 one\nu7 seven\n",
        )
    )
    assert [(i.id, code(i)) for i in items] == [
        ("u1", None),
        ("u2", None),
        ("u3", "bad_span"),
        ("u4", "no_audio"),
        ("u5", "bad_line"),
        ("u6", "channel"),
        ("u7", "pipe"),
        ("u8", None),
        ("u9", "bad_span"),
    ]
    assert (items[0].audio.offset_s, items[0].audio.span_s, items[0].recording_s) == (0.5, 1.5, 9.0)
    assert (items[1].audio.offset_s, items[1].audio.span_s) == (2.0, None)
    assert items[0].given.text == "one"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("touch {}/hacked |", "pipe"),
        ("| touch {}/hacked", "pipe"),
        ("-", "pipe"),
        ("", "no_audio"),
        ("/x/wav.ark:1234", "ark"),
        ("/x/a::b.wav", "bad_path"),
    ],
)
def test_an_entry_that_is_no_file_is_a_problem_and_never_run(
    tmp_path: Path, entry: str, problem: str
) -> None:
    (item,) = data(tmp_path, wav_scp=f"u {entry.format(tmp_path)}\n")
    assert (item.id, code(item)) == ("u", problem)
    assert not (tmp_path / "hacked").exists()


def test_relative_paths_start_where_the_first_of_them_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "a.wav").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    (item,) = data(tmp_path / "data", wav_scp="u a.wav\n")
    assert item.audio.url == str(tmp_path / "a.wav")
    (tmp_path / "data" / "a.wav").write_bytes(b"1")
    (item,) = KaldiSource("data")
    assert item.audio.url == str(tmp_path / "data" / "a.wav")
    (item,) = KaldiSource("data", audio_root="elsewhere")
    assert item.audio.url == str(tmp_path / "elsewhere" / "a.wav")


def test_text_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    a, b = data(tmp_path, wav_scp="a /a.wav\nb /b.wav\n", text="a f\udcfcr\nb fine\n")
    assert (code(a), code(b), b.given.text) == ("bad_text", None, "fine")


IDS = strategies.lists(strategies.text("abz", min_size=1, max_size=2), max_size=8)


@given(held=IDS, asked=IDS, in_order=strategies.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_lookup_finds_the_line_of_every_id_sorted_or_not(
    tmp_path: Path, held: list[str], asked: list[str], in_order: bool
) -> None:
    if in_order:
        held, asked = sorted(set(held)), sorted(asked)
    (tmp_path / "text").write_text("".join(f"{id} says {n}\n" for n, id in enumerate(held)))
    lookup = Lookup(Place.at(str(tmp_path / "text")))
    expected = {id: f"says {n}" for n, id in enumerate(held)}
    assert [lookup.get(id) for id in asked] == [expected.get(id) for id in asked]


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_folder_without_recordings_is_a_source_error(tmp_path: Path, content: str | None) -> None:
    with pytest.raises(SourceError, match=r"wav\.scp"):
        data(tmp_path, **({} if content is None else {"wav_scp": content}))
