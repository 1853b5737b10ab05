"""The transcript a source gives, in whatever way the rest are recognised."""

from __future__ import annotations

from pipeline.clip import Clip
from pipeline.rows import Transcript
from pipeline.text import clean, words


def given_transcript(clip: Clip) -> Transcript | None:
    """The given text, cleaned; None where it has no letter or digit. Lone surrogates become `?`."""
    verbatim = clip.given.text
    if verbatim is None or not words(text := clean(verbatim)):
        return None
    return Transcript(text, verbatim.encode(errors="replace").decode(), "given", None)
