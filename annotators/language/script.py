"""The language as given; else as the script and the function words of the text tell; else assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pipeline.annotator import Annotator
from pipeline.clip import Absent, Clip
from pipeline.errors import OptionError
from pipeline.languages import language_code
from pipeline.options import Option
from pipeline.rows import ASSUMED, Language, Sound
from pipeline.text import script_of, words
from prompts.stopwords import stopwords

_ONE_LANGUAGE = {  # scripts that, in practice, write one language
    "armenian": "hy", "georgian": "ka", "greek": "el", "gujarati": "gu", "gurmukhi": "pa", "han": "zh",
    "hangul": "ko", "hebrew": "he", "kana": "ja", "kannada": "kn", "khmer": "km", "lao": "lo",
    "malayalam": "ml", "myanmar": "my", "oriya": "or", "sinhala": "si", "tamil": "ta", "telugu": "te",
    "thai": "th",
}  # fmt: skip
_SAYS_NOTHING = frozenset({"", "-", "?", "n/a", "na", "none", "null", "unk", "unknown", "und", "mis"})


class ScriptAnnotator(Annotator[Language]):
    """Given, in any usual spelling; else told from the text; else `default`, marked as assumed.

    A text in a script that one language writes tells it (Chinese characters without kana: zh); Latin
    script tells English by its function words. Nothing is assumed against the text (Cyrillic is not
    English) or against a given language nobody can read: the language is then null. So it is where there
    is neither text nor sound: of nothing nothing is assumed.
    """

    row = Language
    version = 2
    wants = (Sound,)
    sees = frozenset({"language", "text"})

    def __init__(
        self,
        *,
        default: Annotated[
            str | None, Option("language of clips of which nothing tells it; none leaves it open")
        ] = "en",
    ) -> None:
        self._default = None if default is None else language_code(default)
        if default is not None and self._default is None:
            raise OptionError(f"language.default takes an ISO 639 code such as en or zh, not {default!r}.")

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The lists of words it reads."""
        return "\n".join(" ".join(sorted(stopwords(name))) for name in ("en", "en_common", "latin"))

    @classmethod
    def from_given(cls, clip: Clip) -> Language | None:
        """The given language; None where none is given or nobody can read it."""
        code = None if clip.given.language is None else language_code(clip.given.language)
        return None if code is None else Language(code, "given", None)

    def annotate(self, clips: Sequence[Clip]) -> list[Language]:
        """One row a clip; the language is null where the source or the text contradicts the default."""
        return [self.from_given(clip) or self._told(clip) for clip in clips]

    def _told(self, clip: Clip) -> Language:
        text = clip.given.text or ""
        if (code := _written_in(text)) is not None:
            return Language(code, "script", None)
        silent = (clip.given.language or "").strip().lower() in _SAYS_NOTHING
        nothing = not text.strip() and isinstance(clip.rows.get(Sound), Absent)
        if self._default is None or nothing or not silent or not _may_be(self._default, text):
            return Language(None, None, None)
        return Language(self._default, ASSUMED, None)


def _written_in(text: str) -> str | None:
    script = script_of(text)
    if script == "latin":
        return "en" if _english_evidence(text) > 0 else None
    return None if script is None else _ONE_LANGUAGE.get(script)


def _may_be(code: str, text: str) -> bool:
    """Whether nothing in a text speaks against a language: its script, or words of another one."""
    script = script_of(text)
    if script is None:
        return True
    if code in _ONE_LANGUAGE.values() or script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE.get(script) == code
    return code != "en" or (script == "latin" and _english_evidence(text) >= 0)


def _english_evidence(text: str) -> int:
    """Function words of English, less those of other languages and words with letters it has not."""
    english, other = stopwords("en"), stopwords("latin")
    foreign = other - english - stopwords("en_common")
    tokens = [token.lower().replace("’", "'") for token in words(text)]
    for_it = sum(token in english and token not in other for token in tokens)
    return for_it - sum(token in foreign or not token.isascii() for token in tokens)
