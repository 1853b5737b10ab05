"""Only sound pairs are learnt from, none of the test part, and what is made of them stays sound."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.data import LABELLED, Wanted, prepared
from jobs.train.rewriter.enhance import with_synonyms, without_duplicates
from jobs.train.rewriter.held_out import split
from jobs.train.rewriter.pairs import Gate, Pair
from jobs.train.rewriter.sources import from_file, from_prompt
from jobs.train.rewriter.synonyms import variants
from pipeline.errors import SourceError, UsageError
from prompts import check
from prompts.realiser import Attributes, Captions
from tests.jobs.train.rewriting import lines, pairs, write, wrong


@pytest.fixture
def prompts() -> Prompts:
    return Prompts("caption")


def quiet(line: str) -> None:
    """Nobody watches."""


def test_the_gate_lets_sound_pairs_through_and_counts_the_others_by_fault(prompts: Prompts) -> None:
    good = pairs(8)
    gate = Gate(prompts)
    assert [p.id for p in gate.all_of([*good, *map(wrong, good)])] == [p.id for p in good]
    assert (gate.seen, gate.passed) == (16, 8)
    assert gate.rejected["distortion"] == 8


def test_a_pair_says_what_it_conveys_as_the_check_reads_it(prompts: Prompts) -> None:
    for pair in Gate(prompts).all_of(pairs(6)):
        assert set(pair.captions.conveyed) == set(
            check.conveyed(pair.captions.description, pair.attributes, language=pair.language)
        )
        assert "gender" in pair.captions.conveyed


def test_words_that_no_mark_can_stand_for_are_not_learnt(prompts: Prompts) -> None:
    """Two copies of the words: the model would have to write one of them out."""
    pair = pairs(1, language="en")[0]
    twice = f"{pair.captions.instruction} {pair.attributes.transcript}"
    gate = Gate(prompts)
    assert gate.passes(replace(pair, captions=replace(pair.captions, instruction=twice))) is None
    nothing = Pair("n", "en", Attributes(), Captions("Somebody speaks here now.", None, ()), "run")
    assert gate.passes(nothing) is None
    assert gate.rejected["untellable"] >= 1


def test_the_examples_of_the_prompts_pass_the_gate(prompts: Prompts) -> None:
    gate = Gate(prompts)
    for language in ("en", "zh"):
        gate.all_of(from_prompt(prompts.full(language)))
    assert gate.rejected == {}


def test_a_file_of_examples_is_read_and_what_it_calls_faulty_is_not_learnt(tmp_path: Path) -> None:
    good = pairs(3)
    records = list(lines(good))
    records[1]["faults"] = [{"caption": "description", "kind": "omission", "attribute": "pitch"}]
    found = list(from_file(write(tmp_path / "examples.jsonl", records)))
    assert [pair.id if pair else None for pair in found] == ["clip 0", None, "clip 2"]
    assert found[0] is not None
    assert found[0].attributes == good[0].attributes
    assert found[0].captions.instruction == good[0].captions.instruction


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"language": "fr"}, "en or zh"),
        ({"id": ""}, "text as its id"),
        ({"description": None}, "text as its description"),
        ({"instruction": 3}, "text or null as its instruction"),
        ({"attributes": None}, "an object as its attributes"),
        ({"attributes": {"sex": "male"}}, "has the attribute 'sex'"),
        ({"attributes": {"gender": "men"}}, "female, male"),
        ({"attributes": {"topic": ["a"]}}, "text or null as topic"),
    ],
)
def test_a_line_that_is_no_example_is_named(
    change: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    first, second = lines(pairs(2))
    path = write(tmp_path / "mine.jsonl", [first, second | change])
    with pytest.raises(SourceError, match=r"mine\.jsonl, line 2") as error:
        list(from_file(path))
    assert complaint in str(error.value)


def test_a_line_that_is_not_json_and_a_file_that_is_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{")
    with pytest.raises(SourceError, match="line 1 is not JSON"):
        list(from_file(tmp_path / "x.jsonl"))
    with pytest.raises(SourceError, match="cannot be read"):
        list(from_file(tmp_path / "none.jsonl"))


@pytest.mark.parametrize("seed", range(5))
def test_no_combination_and_no_clip_is_in_both_parts(seed: int) -> None:
    parts = split(pairs(60), 0.2, seed)
    assert parts.by == "combination"
    learnt, tested = ({p.combination for p in part} for part in (parts.training, parts.held_out))
    assert learnt.isdisjoint(tested)
    assert {p.id for p in parts.training}.isdisjoint(p.id for p in parts.held_out)
    assert 6 <= len(parts.held_out) <= 18
    assert len(parts.training) + len(parts.held_out) + parts.dropped == 60


def test_one_clip_under_two_sets_of_labels_is_never_in_both_parts() -> None:
    """Two runs over the same clips, one of which heard them otherwise."""
    first = pairs(40)
    second = [replace(b, id=a.id, origin="run") for a, b in zip(first, pairs(40, seed=9), strict=True)]
    parts = split([*first, *second], 0.2, 0)
    assert {p.id for p in parts.training}.isdisjoint(p.id for p in parts.held_out)
    assert parts.dropped > 0


def test_the_split_is_that_of_its_seed() -> None:
    some = pairs(60)
    assert split(some, 0.2, 3) == split(some, 0.2, 3)
    assert {p.id for p in split(some, 0.2, 3).held_out} != {p.id for p in split(some, 0.2, 4).held_out}


def test_where_labels_hardly_differ_clips_are_held_out() -> None:
    alike = [replace(p, attributes=replace(p.attributes, emotion=None)) for p in pairs(60)]
    same = [p for p in alike if p.attributes.gender == "male" and p.attributes.pitch_label == "low"]
    parts = split(same, 0.2, 0)
    assert parts.by == "clip"
    assert {p.id for p in parts.training}.isdisjoint(p.id for p in parts.held_out)


def test_what_the_prompt_shows_is_never_held_out(prompts: Prompts) -> None:
    shown = list(from_prompt(prompts.full("en")))
    parts = split([*pairs(40), *shown], 0.5, 0)
    assert all(p.origin != "prompt" for p in parts.held_out)
    assert {p.combination for p in shown}.isdisjoint(p.combination for p in parts.held_out)


def test_too_little_to_hold_anything_out_is_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        split(pairs(1), 0.2, 0)


def test_synonyms_change_the_words_and_not_the_facts(prompts: Prompts) -> None:
    gate = Gate(prompts)
    good = pairs(30)
    found = with_synonyms(good, 2, gate, 0)
    assert gate.passed >= 0.9 * gate.seen >= 40
    assert with_synonyms(good, 2, Gate(prompts), 0) == found
    known = {(p.captions.description, p.captions.instruction) for p in good}
    assert all((p.captions.description, p.captions.instruction) not in known for p in found)
    assert all(str(p.attributes.transcript) in str(p.captions.instruction) for p in found)


def test_synonyms_leave_the_words_the_topic_and_the_stressed_word_alone() -> None:
    known = Attributes(
        gender="male",
        speed_label="slow",
        topic="a slow train",
        emphasis_word="slowly",
        transcript="A man, slow.",
    )
    captions = Captions(
        'A man talks about a slow train and stresses "slowly".', 'Let a man say "A man, slow." here.', ()
    )
    pair = Pair("1", "en", known, captions, "run")
    for found in variants(pair, 5, 0):
        assert "a slow train" in found.captions.description
        assert '"slowly"' in found.captions.description
        assert '"A man, slow."' in str(found.captions.instruction)


def test_an_article_follows_the_sound_of_the_word_that_comes() -> None:
    known = Attributes(gender="female", age_group="elderly")
    pair = Pair("1", "en", known, Captions("An old woman speaks.", None, ()), "run")
    texts = {v.captions.description for v in variants(pair, 20, 0)}
    assert len(texts) > 2
    for text in texts:
        article, word = text.split()[:2]
        assert (article == "An") == (word[0] in "aeiou"), text


def test_what_reads_almost_like_another_is_left_out_also_of_the_part_held_out() -> None:
    first = pairs(1, language="en")[0]
    again = replace(first, id="again")
    other = pairs(3, seed=5, language="en")[2]
    assert without_duplicates([first, again, other]) == [first, other]
    assert without_duplicates([again, other], apart=[first]) == [other]


def test_prepared_data_are_sound_apart_and_counted(tmp_path: Path, prompts: Prompts) -> None:
    good = pairs(40)
    records = [*lines(good), *lines(map(wrong, good[:6]))]
    records[0]["faults"] = [{"kind": "omission"}]
    path = write(tmp_path / "examples.jsonl", records)
    data = prepared(Wanted(files=(path,), held_out=0.2), prompts, tmp_path, quiet)
    assert data.record["read"]["examples"] == 46
    assert data.record["rejected"] == {"distortion": 6, LABELLED: 1}
    everything = [*data.training, *data.held_out]
    assert not any(p.id.startswith("wrong") or p.id == "clip 0" for p in everything)
    assert {p.combination for p in data.training}.isdisjoint(p.combination for p in data.held_out)
    assert {p.made for p in data.held_out} == {"found"}
    assert {"found", "synonyms"} == {p.made for p in data.training}
    for pair in everything:
        assert not check.check(pair.captions, pair.attributes, language=pair.language)
    assert json.dumps(data.record)
    assert prepared(Wanted(files=(path,), held_out=0.2), prompts, tmp_path, quiet) == data


def test_nothing_sound_is_refused_with_the_reasons(tmp_path: Path, prompts: Prompts) -> None:
    path = write(tmp_path / "examples.jsonl", lines(map(wrong, pairs(3))))
    with pytest.raises(UsageError, match="distortion 3"):
        prepared(Wanted(files=(path,)), prompts, tmp_path, quiet)
    with pytest.raises(UsageError, match="none was found"):
        prepared(Wanted(), prompts, tmp_path, quiet)
