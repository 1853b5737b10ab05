"""Languages as people call them, and what to say of clips whose language nothing told."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.counting import counted

_LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "pt": "Portuguese",
    "ru": "Russian",
    "zh": "Chinese",
}


def language_name(code: str) -> str:
    """The name of a language that has one here, else its code."""
    return _LANGUAGES.get(code, code)


def assumptions(assumed: Mapping[str, int]) -> list[str]:
    """A sentence for each language that so many clips were taken for."""
    return [
        f"{counted(clips, 'clip')} {'was' if clips == 1 else 'were'} taken for {language_name(code)}: no "
        "transcript and no column tells the language. Give a transcript or a column language, or say "
        "--set language.default=zh (or another; none leaves it open)."
        for code, clips in sorted(assumed.items())
    ]
