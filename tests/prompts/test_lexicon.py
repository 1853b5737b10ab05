"""What an editor of the lexicons can rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from prompts.realiser import english_words as words
from prompts.realiser import lexicon
from tests.prompts.reading import Lang, phrases


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phrase_tells_one_value_of_one_attribute(language: Lang) -> None:
    meanings: dict[str, set[tuple[str, str]]] = {}
    for text, attribute, value in phrases(language):
        meanings.setdefault(text.lower(), set()).add((attribute, value))
    assert {t: m for t, m in meanings.items() if len(m) > 1} == {}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_phrase_uses_a_word_that_is_both_pitch_and_loudness(language: Lang) -> None:
    banned = (
        ("soft", "low voice", "high voice", "low tone")
        if language == "en"
        else ("低沉", "高声", "低声", "高亢")
    )
    for text, *_ in phrases(language):
        assert not any(word in text for word in banned), text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_phrase_uses_a_word_that_editors_struck_out(language: Lang) -> None:
    struck = (
        ("evenly paced", "speedily", "irately", "repugnance", "revolted", "startled", "generous", "scale")
        if language == "en"
        else (
            "声量",
            "讲话者",
            "口吻",
            "惶恐",
            "憎恶",
            "反感",
            "平静",
            "流露着",
            "不轻不响",
            "处在高位",
            "属于",
        )
    )
    for text, *_ in phrases(language):
        assert not any(word in text for word in struck), text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_mark_is_left_in_a_phrase(language: Lang) -> None:
    for text, *_ in phrases(language):
        assert "{" not in text.replace("{x}", ""), text


def test_a_key_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xx.yaml").write_text("a: 1\na: 2\n")
    monkeypatch.setattr(lexicon, "FOLDER", tmp_path)
    with pytest.raises(UsageError, match="twice"):
        lexicon.load.__wrapped__("xx")


def test_the_digest_changes_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "FOLDER", tmp_path)
    (tmp_path / "en.yaml").write_text("word: old")
    before = lexicon.digest.__wrapped__()
    (tmp_path / "en.yaml").write_text("word: new")
    assert lexicon.digest.__wrapped__() != before


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("elderly man", "an elderly man"),
        ("young woman", "a young woman"),
        ("unhurried pace", "an unhurried pace"),
        ("uniform pace", "a uniform pace"),
        ("honest tone", "an honest tone"),
        ("high pitch", "a high pitch"),
    ],
)
def test_the_article_follows_the_sound(noun: str, phrase: str) -> None:
    assert words.with_article(noun) == phrase


@pytest.mark.parametrize(
    ("verb", "third", "ing"),
    [
        ("keep", "keeps", "keeping"),
        ("race", "races", "racing"),
        ("stress", "stresses", "stressing"),
        ("put", "puts", "putting"),
        ("hurry", "hurries", "hurrying"),
        ("lay", "lays", "laying"),
        ("push", "pushes", "pushing"),
    ],
)
def test_verbs_take_their_forms(verb: str, third: str, ing: str) -> None:
    assert words.third_person(verb) == third
    assert words.participle(verb, ["put"]) == ing


def test_a_phrase_agrees_with_she_he_they_and_the_speaker() -> None:
    assert words.agree("{they} take{s} {their} time") == (
        "she takes her time",
        "he takes his time",
        "they take their time",
        "the speaker takes the time",
    )
