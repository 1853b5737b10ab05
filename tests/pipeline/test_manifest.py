"""A shard is named by what is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError
from pipeline.manifest import read_ids, read_shard, shard_of, write_shard
from pipeline.placing import groups
from pipeline.source.base import Item
from pipeline.storage import Store

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats(0, 1e6)
items = st.builds(
    Item,
    id=texts,
    audio=st.builds(
        AudioRef,
        url=texts,
        part=st.none() | texts,
        offset_s=st.none() | numbers,
        span_s=st.none() | numbers,
        size_bytes=st.none() | st.integers(0, 2**40),
        version=st.none() | texts,
    ),
    given=st.builds(Given, text=st.none() | texts, age_years=st.none() | numbers, title=st.none() | texts),
    recording_s=st.none() | numbers,
)


@given(st.lists(items, min_size=1, max_size=4))
def test_what_is_written_is_read_back_whatever_characters_it_holds(written: list[Item]) -> None:
    store = Store("memory://manifest")
    shard = shard_of(3, written)
    write_shard(store, shard, written)
    assert read_shard(store, shard) == written
    assert read_ids(store, shard) == [item.id for item in written]


def test_a_problem_is_read_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    written = [Item("a", AudioRef(""), problem=ClipError("no_audio", "There is no sound."))]
    write_shard(store, shard_of(0, written), written)
    problem = read_shard(store, shard_of(0, written))[0].problem
    assert problem is not None
    assert (problem.code, str(problem)) == ("no_audio", "There is no sound.")


def test_a_transcript_of_ten_megabytes_is_a_transcript(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    written = [Item("a/b", AudioRef("x.wav"), Given(text="words\n\0 " * 1_250_000))]
    write_shard(store, shard_of(0, written), written)
    assert read_shard(store, shard_of(0, written)) == written


@given(items, items)
def test_shards_of_other_clips_have_other_names(one: Item, other: Item) -> None:
    assert (shard_of(0, [one]) == shard_of(0, [other])) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        {"audio": AudioRef("a.wav", version="2")},
        {"audio": AudioRef("a.wav", size_bytes=1)},
        {"given": Given(text="other")},
        {"id": "b"},
        {"recording_s": 2.0},
        {"problem": ClipError("decode", "no")},
    ],
)
def test_whatever_changes_of_a_clip_changes_the_name_of_its_shard(change: dict[str, object]) -> None:
    item = Item("a", AudioRef("a.wav", version="1"), Given(text="text"), recording_s=1.0)
    assert shard_of(0, [item]).hash != shard_of(0, [replace(item, **change)]).hash  # type: ignore[arg-type]


@given(st.integers(0, 40), st.integers(1, 12))
def test_groups_hold_every_item_once_in_order(count: int, size: int) -> None:
    found = list(groups(range(count), size))
    assert [n for group in found for n in group] == list(range(count))
    assert all(len(group) == size for group in found[:-1])
