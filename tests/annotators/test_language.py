from __future__ import annotations

from dataclasses import replace

import pytest

from annotators.language.script import ScriptAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Absent, Given
from pipeline.errors import OptionError
from pipeline.rows import Language, Sound
from tests.make import clip_of


def language_of(
    *, default: str | None = "en", text: str | None = None, language: str | None = None
) -> Language:
    clip = clip_of(given=Given(text=text, language=language))
    return ScriptAnnotator(default=default).annotate([clip])[0]


def test_a_given_language_beats_the_text() -> None:
    assert language_of(language="de-AT", text="我们走吧") == Language("de", "given", None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("人生就像剥洋葱", "zh"),
        ("東京タワーへ行く", "ja"),
        ("안녕하세요", "ko"),
        ("สวัสดี", "th"),
        ("Please call her before the rain.", "en"),
        ("I'D LIKE TO LEAVE THIS IN YOUR SAFE", "en"),
    ],
)
def test_the_text_tells_the_language(text: str, code: str) -> None:
    assert language_of(text=text) == Language(code, "script", None)


@pytest.mark.parametrize("text", [None, "", "...", "12", "Stella"])
@pytest.mark.parametrize("language", [None, "", "unknown", "und"])
def test_where_nothing_tells_the_default_is_assumed_and_marked(
    text: str | None, language: str | None
) -> None:
    assert language_of(text=text, language=language) == Language("en", "assumed", None)
    assert language_of(text=text, language=language, default="zh-CN").language in ("zh", None)
    assert language_of(text=text, language=language, default=None) == Language(None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "Der Lappen liegt auf dem Eisschrank.",
        "Je ne sais pas où il est.",
        "El perro come en la cocina.",
        "Ik ga naar huis.",
        "Ciao, come stai oggi?",
        "Привет, мир",
        "مرحبا",
    ],
)
def test_nothing_is_assumed_against_the_text(text: str) -> None:
    assert language_of(text=text) == Language(None, None, None)


def test_nothing_is_assumed_against_a_language_nobody_can_read() -> None:
    assert language_of(language="klingonese") == Language(None, None, None)
    assert language_of(language="klingonese", text="我们走吧") == Language("zh", "script", None)


@pytest.mark.parametrize(
    ("text", "heard", "code"),
    [(None, False, None), (" ", False, None), ("Stella", False, "en"), (None, True, "en")],
)
def test_of_a_clip_with_neither_sound_nor_text_nothing_is_assumed(
    text: str | None, heard: bool, code: str | None
) -> None:
    decoded = Sound(0.1, SAMPLE_RATE_HZ, 1, "pcm_s16", -6.0, 0.0, 8000.0, "hash")
    gone = Absent("failed", "not_found: There is no file.")
    clip = replace(clip_of(given=Given(text=text)), rows={Sound: decoded if heard else gone})
    (found,) = ScriptAnnotator().annotate([clip])
    assert (found.language, found.language_confidence) == (code, None)


def test_a_default_that_is_no_language_is_refused() -> None:
    with pytest.raises(OptionError, match=r"language\.default"):
        ScriptAnnotator(default="klingonese")
