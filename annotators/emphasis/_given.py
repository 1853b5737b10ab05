"""The stressed word as the source says it, and where it stands."""

from __future__ import annotations

from pipeline.clip import Clip
from pipeline.rows import Emphasis, Language, Transcript
from pipeline.text import words


def given_emphasis(clip: Clip) -> Emphasis | None:
    """The given word; its place where the transcript has it exactly once. None where none is given."""
    given = (clip.given.emphasis_word or "").strip()
    if not given:
        return None
    transcript, language = clip.maybe(Transcript), clip.maybe(Language)
    spoken = words(transcript.transcript, language.language if language else None) if transcript else []
    places = [i for i, word in enumerate(spoken) if word.casefold() == given.casefold()]
    if len(places) != 1:
        return Emphasis(given, None, "given", None)
    return Emphasis(spoken[places[0]], places[0], "given", None)
