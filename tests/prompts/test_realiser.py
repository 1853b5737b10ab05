"""What holds of every caption, in both languages."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from prompts.realiser import CONVEYABLE, Attributes, Captions, realise
from prompts.realiser.lexicon import load
from tests.prompts.reading import (
    TEXT,
    Lang,
    attributes_of,
    expected,
    labels,
    pairwise_rows,
    read,
)

LANGUAGES: tuple[Lang, ...] = ("en", "zh")
KEYS = 8
FUNCTION_WORDS = frozenset(load("en")["function_words"].split())
NOUNS_ZH = (
    "音调",
    "音量",
    "声量",
    "语速",
    "语气",
    "口吻",
    "情绪",
    "话题",
    "重音",
    "适中",
    "中等",
    "正常",
    "居中",
    "音高",
)


@cache
def corpus(language: Lang) -> list[tuple[tuple[Any, ...], Captions]]:
    return [
        (row, realise(attributes_of(row, language), language=language, key=f"{i}/{k}"))
        for i, row in enumerate(pairwise_rows())
        for k in range(KEYS)
    ]


def texts(language: Lang) -> list[str]:
    return [t for _, c in corpus(language) for t in (c.description, c.instruction or "")]


def bare(text: str, language: Lang) -> str:
    """The caption without the words it quotes."""
    return text.replace(TEXT[language], "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_attribute_is_told_once_and_none_is_invented_or_contradicted(language: Lang) -> None:
    for row, captions in corpus(language):
        for text in (captions.description, captions.instruction or ""):
            told = {name: sorted(values) for name, values in labels(read(text, language)).items()}
            assert told == {name: [value] for name, value in expected(row).items()}, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_conveyed_names_the_attributes_in_the_order_of_the_description(language: Lang) -> None:
    for row, captions in corpus(language):
        assert set(captions.conveyed) == set(expected(row))
        read_order = [a for a, _ in read(captions.description, language) if a != "who"]
        assert [a for a in captions.conveyed if a in read_order] == read_order, captions.description


def test_an_english_topic_without_its_article_is_quoted_and_never_put_into_a_sentence() -> None:
    found = [text for text in texts("en") if "brother" in text]
    assert found
    for text in found:
        assert re.search(r'(?:topic|subject)(?: at hand)? (?:of|is|being) "brother"', text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_attribute_can_come_before_every_other(language: Lang) -> None:
    seen = {
        (a, b) for _, c in corpus(language) for i, a in enumerate(c.conveyed) for b in c.conveyed[i + 1 :]
    }
    assert seen >= set(permutations(CONVEYABLE, 2)) - ({("gender", "age")} if language == "zh" else set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_frame_is_used(language: Lang) -> None:
    few = Attributes(gender="male", pitch_label="low", energy_label="high", transcript=TEXT[language])
    said = [realise(few, language=language, key=str(i)) for i in range(2500)]
    texts = {t.lower() for c in said for t in (c.description, c.instruction or "")}
    for kind, frames in load(language)["frames"].items():
        for frame in frames if not kind.startswith("empty") else ():
            pieces = re.split(r"\{\w+\}", frame.lstrip("!= "))
            assert any(in_order(pieces, text) for text in texts), frame


def in_order(pieces: list[str], text: str) -> bool:
    """True if the pieces stand in the text one after the other."""
    at = 0
    for piece in pieces:
        at = text.find(piece, at) + len(piece)
        if at < len(piece):
            return False
    return True


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_transcript_stands_verbatim_in_the_instruction_and_not_in_the_description(language: Lang) -> None:
    for _, captions in corpus(language):
        assert captions.instruction is not None
        assert captions.instruction.count(TEXT[language]) == 1
        assert TEXT[language] not in captions.description


def test_english_captions_are_well_formed() -> None:
    faults = re.compile(r"\ba [aeio]|\ban [^aeiouh]|  | [,.;:]|\.\.|,,|,\.|;\.|\{|\}|^ |\bthe the\b")
    for text in texts("en"):
        assert not faults.search(bare(text, "en")), text
        assert text[0].isupper() or text[0] == '"', text
        assert text.endswith((".", '."')), text
        for sentence_start in re.findall(r"(?<=[.] )\w", bare(text, "en")):
            assert sentence_start.isupper(), text


def test_english_verbs_agree_with_their_pronouns() -> None:
    for text in texts("en"):
        assert not re.search(r"\b(?:she|he) (?:are|keep|speak|talk|sound|stress|use)\b", text, re.I), text
        assert not re.search(r"\bthey (?:is|keeps|speaks|talks|sounds|stresses|uses|takes)\b", text, re.I), (
            text
        )


def test_a_pronoun_never_tells_another_gender() -> None:
    for row, captions in corpus("en"):
        words = set(re.findall(r"\w+", f"{captions.description} {captions.instruction}".lower()))
        if row[0] != "female":
            assert not words & {"she", "her"}
        if row[0] != "male":
            assert not words & {"he", "his"}
    for row, captions in corpus("zh"):
        both = captions.description + (captions.instruction or "")
        assert row[0] == "female" or "她" not in both
        assert row[0] == "male" or "他" not in both


def test_a_speaker_whose_sex_is_known_is_never_they() -> None:
    for row, captions in corpus("en"):
        if row[0]:
            assert not re.search(r"\bthe(?:y|ir)\b", f"{captions.description} {captions.instruction}", re.I)


def test_a_child_or_teenager_is_named_as_one_at_once() -> None:
    apart = re.compile(r"\b(?:the speaker|s?he|they) (?:is|are) (?!talking)|听上去是|从声音听是")
    for language in LANGUAGES:
        for row, captions in corpus(language):
            if row[1] in ("child", "teenager"):
                for text in (captions.description, captions.instruction or ""):
                    assert not apart.search(re.sub(r"[Tt]he speaker is (?=an? )", "", text)), text


def test_no_verb_of_speaking_stands_twice_in_an_english_sentence() -> None:
    for text in texts("en"):
        for part in bare(text, "en").split(". "):
            assert len(re.findall(r"\b(?:speak|talk)(?:s|ing)?\b", part)) <= 1, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_follows_a_quoted_full_stop_hangs_together(language: Lang) -> None:
    known = Attributes(
        gender="male", emotion="angry", speed_label="slow", pitch_label="low", transcript="Go."
    )
    limps = re.compile(r'" (?:\w+ly|fast)\b' if language == "en" else r"”(?!这|时|由|出自|是|要由|\Z)")
    for key in map(str, range(300)):
        text = realise(known, language=language, key=key).instruction or ""
        assert not limps.search(text), text


def test_no_content_word_of_english_stands_twice() -> None:
    for text in texts("en"):
        words = re.findall(r"[a-z]{3,}", bare(text, "en").lower())
        counts = Counter(w for w in words if w not in FUNCTION_WORDS)
        assert max(counts.values(), default=0) <= 1, (text, counts.most_common(2))


def test_no_noun_of_manner_in_chinese_stands_twice() -> None:
    for text in texts("zh"):
        for noun in NOUNS_ZH:
            assert text.count(noun) <= 1, (noun, text)


def test_chinese_captions_have_chinese_punctuation_and_no_spaces() -> None:
    for text in texts("zh"):
        plain = bare(text, "zh")
        assert not re.search(r"[\x00-\x7f]", plain), text
        assert not re.search(r"[，。：、][，。：、]|的的|地地|一[位名个](?:的|，)", plain), text
        assert text.endswith("。"), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_stand_at_the_beginning_middle_and_end_as_in_the_paper(language: Lang) -> None:
    places: Counter[str] = Counter()
    for text in (c.instruction or "" for _, c in corpus(language)):
        before, _, after = text.partition(TEXT[language])
        places["start" if len(before) == 1 else "end" if len(after) <= 2 else "middle"] += 1
    n = places.total()
    assert places["start"] / n == pytest.approx(0.056, abs=0.03)
    assert places["middle"] / n == pytest.approx(0.33, abs=0.06)
    assert places["end"] / n == pytest.approx(0.61, abs=0.06)
