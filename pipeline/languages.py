"""Names of languages, as manifests spell them, into codes."""

from __future__ import annotations

from functools import lru_cache

import langcodes

_NAMES = {  # as manifests spell them; codes are langcodes' work
    "arabic": "ar", "cantonese": "yue", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko",
    "mandarin": "zh", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt",
    "putonghua": "zh", "romanian": "ro", "russian": "ru", "spanish": "es", "swedish": "sv", "thai": "th",
    "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi", "中文": "zh", "普通话": "zh", "汉语": "zh",
    "粤语": "yue", "英语": "en", "英文": "en",
}  # fmt: skip
_NOT_ONE_LANGUAGE = frozenset({"mis", "mul", "und", "zxx"})


@lru_cache(maxsize=4096)
def language_code(name: str) -> str | None:
    """ISO 639-1 of a tag, code or name (`en-US`, `eng`, `English`), or 639-3 where there is none.

    Macro-languages stand for their standard member (`cmn` is `zh`, `arb` is `ar`; Cantonese stays
    `yue`). None for what names no language, or no single one (`und`, `mul`).
    """
    tag = name.strip().lower().replace("_", "-")
    known = _NAMES.get(tag) or _NAMES.get(tag.split("-")[0].split("(")[0].strip())
    if known is not None:
        return known
    try:
        language = langcodes.get(langcodes.standardize_tag(tag, macro=True))
    except ValueError:
        return None
    code = language.language
    return code if code and code not in _NOT_ONE_LANGUAGE and language.is_valid() else None
