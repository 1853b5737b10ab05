from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given, strategies

from pipeline.clip import AudioRef
from pipeline.errors import ClipError
from pipeline.source.base import Item, Source, Unnamed, printable, shown


class Listed(Source):
    form = "listed"

    def __init__(self, *items: Item) -> None:
        self.listed = items

    def _items(self) -> Iterator[Item]:
        yield from self.listed


def item(id: str) -> Item:
    return Item(id, AudioRef(f"/{id}.wav"))


def unnamed(id: str) -> Item:
    return Unnamed(id, AudioRef(f"/{id}.wav"))


IDS = strategies.one_of(strategies.text(max_size=3), strategies.sampled_from(["a", "a#2", "a#3", "a#2#2"]))


@given(strategies.lists(strategies.tuples(IDS, strategies.booleans()), max_size=12))
def test_as_many_items_come_out_as_go_in_in_order_and_every_id_is_its_own(
    wanted: list[tuple[str, bool]],
) -> None:
    items = [item(id) if named else unnamed(id) for id, named in wanted]
    settled = list(Listed(*items))
    assert [i.audio for i in settled] == [i.audio for i in items]
    assert len({i.id for i in settled}) == len(items)
    for i in settled:
        assert json.loads(json.dumps(i.id, ensure_ascii=False).encode()) == i.id


def test_a_repeated_id_is_a_problem_that_names_the_first() -> None:
    first, other, again, third = Listed(item("a"), item("b"), item("a"), item("a"))
    assert first.problem is None
    assert other.problem is None
    assert (again.id, third.id) == ("a#2", "a#3")
    assert again.problem is not None
    assert again.problem.code == "duplicate_id"
    assert "'a'" in str(again.problem)
    assert "item 1" in str(again.problem)


def test_an_id_that_was_made_up_gives_way_without_a_problem() -> None:
    settled = list(Listed(unnamed("a"), unnamed("a")))
    assert [(i.id, i.problem) for i in settled] == [("a", None), ("a#2", None)]


def test_a_problem_of_the_item_itself_comes_before_its_repeated_id() -> None:
    broken = Item("a", AudioRef(""), problem=ClipError("no_audio", "None."))
    problem = list(Listed(item("a"), broken))[1].problem
    assert problem is not None
    assert problem.code == "no_audio"


def test_iterating_twice_gives_the_same_items() -> None:
    source = Listed(item("a"), item("a"), unnamed("b"))
    assert [i.id for i in source] == [i.id for i in source]


def test_ids_keep_what_is_printable_in_any_script_and_lose_controls() -> None:
    assert printable("語/é 👩‍🚀 می‌خواهم") == "語/é 👩‍🚀 می‌خواهم"
    assert printable("a\nb\x1b[31mc\u202ed\ud800") == "a\ufffdb\ufffd[31mc\ufffdd\ufffd"


def test_a_message_shows_no_more_than_the_beginning_of_a_long_text() -> None:
    assert len(shown("x" * 10_000)) < 100
