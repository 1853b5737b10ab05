"""Topics by a model, keywords where it has none to offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from annotators.topic.keywords import KeywordsAnnotator
from annotators.topic.llm import LlmAnnotator
from pipeline.clip import Clip, Given
from pipeline.rows import Language, Topic, Transcript
from tests.endpoint.fake import Fake, fake
from tests.make import clip_of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with fake(tmp_path_factory.mktemp("fake")) as one:
        yield one


def clip(words: str = "", language: str = "en", **given: Any) -> Clip:
    rows = (Language(language, "given", None), Transcript(words, words, "given", None))
    return clip_of(id=words[:20], rows=rows if words else rows[:1], given=Given(**given))


def topics(server: Fake, *clips: Clip, **options: Any) -> list[Topic]:
    return list(LlmAnnotator(endpoint=server.url, model="rewriter", **options).annotate(clips))  # type: ignore[arg-type]


def test_the_topic_is_what_the_model_says_in_the_language_of_the_clip(server: Fake) -> None:
    server.follow()
    found = topics(server, clip("Rain is on its way."), clip("明天会下雨。", "zh"), clip(title="A storm"))
    assert found == [
        Topic("the weather", "llm:rewriter"),
        Topic("天气", "llm:rewriter"),
        Topic("the weather", "llm:rewriter"),
    ]


@pytest.mark.parametrize("manner", ["prose", "truncated", "silent", "html"])
def test_keywords_stand_where_no_answer_is_a_topic(server: Fake, manner: str) -> None:
    server.follow(answers=[manner])
    asked = clip("The dog chased the postman through the garden.")
    assert topics(server, asked, tries=2) == KeywordsAnnotator().annotate([asked])
    assert len(server.seen) == 2


def test_a_bad_answer_is_asked_for_again(server: Fake) -> None:
    server.follow(answers=["prose", "good"])
    assert topics(server, clip("Rain."))[0].topic == "the weather"


def test_nothing_said_is_not_asked_about(server: Fake) -> None:
    server.follow()
    assert topics(server, clip()) == [Topic(None, None)]
    assert server.seen == []
