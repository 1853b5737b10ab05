"""A topic prompt: what is known of where a clip is from, in; a few words, out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rewriter import AnswerError, TopicPrompt, load_topic
from prompts.rewriter.fence import CLOSE, OPEN
from tests.prompts.rewriter.hostile import ATTACKS, TEXTS

PROMPTS = {language: load_topic("topic", language) for language in ("en", "zh")}
EN, ZH = PROMPTS["en"], PROMPTS["zh"]


def answer(topic: str) -> str:
    return json.dumps({"topic": topic})


@given(TEXTS, TEXTS, st.sampled_from(["en", "zh"]))
def test_nothing_known_of_a_clip_leaves_its_fence(text: str, other: str, language: str) -> None:
    prompt = PROMPTS[language]
    messages = prompt.messages(title=text, description=other, category=text, transcript=other, faults=[text])
    assert messages[:-1] == prompt.messages(title="Roses")[:-1]
    last = messages[-1]["content"]
    assert last.count(OPEN) == last.count(CLOSE) == 1
    opened, line, closed, rejected, reasons, request = last.split("\n")
    assert (opened, closed) == (OPEN, CLOSE)
    assert (rejected, request) == (prompt.file.rejected, prompt.file.request)
    assert set(json.loads(line)) <= {how.called for how in prompt.file.inputs.values()}
    assert len(json.loads(reasons)) == 1
    assert len(last) < 6_000


def test_what_is_not_known_is_not_shown() -> None:
    last = EN.messages(title="Roses", category=" \n")[-1]["content"]
    assert json.loads(last.split("\n")[1]) == {"title": "Roses"}


@pytest.mark.parametrize(
    ("language", "said", "topic"),
    [
        ("en", "moving house", "moving house"),
        ("en", ' "Moving\nhouse". ', "Moving house"),
        ("en", "the roses of Pemberton Lane", "the roses of Pemberton Lane"),
        ("en", "C++", "C++"),
        ("en", "taxes (US)", "taxes (US)"),
        ("en", "", None),
        ("en", "None", None),
        ("en", "—", None),
        ("en", "12", None),
        ("zh", "“搬家”。", "搬家"),
        ("zh", "AI 与教育", "AI 与教育"),
        ("zh", "无", None),
        ("zh", "", None),
    ],
)
def test_a_topic_is_cleaned_and_may_be_none(language: str, said: str, topic: str | None) -> None:
    assert PROMPTS[language].read(answer(said)) == topic


def test_a_topic_is_not_all_that_was_said() -> None:
    assert EN.read(answer("The roses"), transcript="the roses!") is None
    assert EN.read(answer("roses"), transcript="the roses!") == "roses"


@pytest.mark.parametrize(
    ("language", "said", "why"),
    [
        ("en", "the long and winding road home", "5 words"),
        ("en", "antidisestablishmentarianism and floccinaucinihilipilification", "longer than 60"),
        ("en", "antidisestablishmentarianism counterrevolutionary", "40 characters"),
        ("en", "搬家", "not in English"),
        ("zh", "moving house", "not in Chinese"),
        ("zh", "关于搬到新房子以后第一个早上的故事", "15"),
    ],
)
def test_a_topic_that_will_not_do_says_why(language: str, said: str, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        PROMPTS[language].read(answer(said))


@given(TEXTS, st.sampled_from(["en", "zh"]))
def test_whatever_is_answered_a_topic_is_short_and_of_its_language(text: str, language: str) -> None:
    try:
        topic = PROMPTS[language].read(answer(text[:200]))
    except AnswerError:
        return
    if topic is not None:
        assert topic.isprintable()
        assert len(topic) <= (40 if language == "en" else 15)


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_examples_are_topics(prompt: TopicPrompt) -> None:
    assert len(prompt.file.examples) >= 4
    for example in prompt.file.examples:
        said = example["given"].get("transcript")
        assert prompt.read(answer(example["topic"]), transcript=said) == (example["topic"] or None)


def test_hostile_answers_are_topics_or_errors() -> None:
    for attack in ATTACKS:
        with pytest.raises(AnswerError):
            EN.read(attack)
