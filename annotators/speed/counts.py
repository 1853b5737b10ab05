"""Speaking rate: what was said over the time it took, pauses taken out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Language, Speed, Word, Words
from pipeline.text import script_of

_CHINESE = frozenset({"zh", "yue"})
_WITHOUT_BLANKS = _CHINESE | {"ja", "km", "lo", "my", "th"}
"""Languages written without blanks between words: what stands between blanks there is no word."""


class CountsAnnotator(Annotator[Speed]):
    """Rates over the time from the first word to the last, less every silence of `min_pause_s` or more.

    Against 80 hand-marked TIMIT sentences, with the text given, the median bias at 0.1 s is -0.2 % for
    words, -0.7 % for syllables (at 0.2 s: -0.7 and -1.1 %) and +3.6 % for phones, of which people drop
    some that the dictionary has. Rates are null where nothing was said in a measurable time.
    """

    row = Speed
    version = 1
    needs = (Words,)
    wants = (Language,)

    def __init__(
        self,
        *,
        min_pause_s: Annotated[
            float, Option("silence between words from this length on is a pause", "s", 0.0, 2.0)
        ] = 0.1,
    ) -> None:
        self._min_pause_s = min_pause_s

    def annotate(self, clips: Sequence[Clip]) -> list[Speed]:
        """One row per clip; needs no sound."""
        return [self._rates(clip) for clip in clips]

    def _rates(self, clip: Clip) -> Speed:
        words = clip.of(Words).words
        language = _language(clip, words)
        whole_s = words[-1].end_s - words[0].start_s if words else 0.0
        gaps_s = (after.start_s - before.end_s for before, after in pairwise(words))
        pauses_s = sum(gap for gap in gaps_s if gap >= self._min_pause_s and gap > 0)
        speech_s = max(0.0, whole_s - pauses_s)

        def rate(n: int) -> float | None:
            return n / speech_s if n and speech_s > 0 else None

        phones_known = all(word.n_phones for word in words)
        return Speed(
            words_per_s=None if language in _WITHOUT_BLANKS else rate(len(words)),
            syllables_per_s=rate(sum(word.n_syllables for word in words)),
            phones_per_s=rate(sum(word.n_phones for word in words)) if phones_known else None,
            characters_per_s=rate(sum(_is_character(word) for word in words))
            if language in _CHINESE
            else None,
            speech_s=speech_s,
            pause_share=min(1.0, pauses_s / whole_s) if whole_s > 0 else 0.0,
        )


def _language(clip: Clip, words: Sequence[Word]) -> str | None:
    """The clip's language without its region; where it is not known, Chinese by the script."""
    row = clip.maybe(Language)
    if row is not None and row.language is not None:
        return row.language.lower().partition("-")[0]
    return {"han": "zh", "kana": "ja"}.get(script_of(" ".join(word.word for word in words)) or "")


def _is_character(word: Word) -> bool:
    return len(word.word) == 1 and script_of(word.word) == "han"
