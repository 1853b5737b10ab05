"""The check of one caption: what is foreign in it is masked, claims are read and compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prompts.check import free, surface
from prompts.check.faults import Fault, Language, Which, excerpt
from prompts.check.free import MOOD, TOPIC
from prompts.check.hearing import hear, lexicon_of
from prompts.check.known import Known
from prompts.check.naming import ENOUGH, cues_of, name
from prompts.check.verdict import WHAT, Verdict, judge, reasons
from prompts.check.words import has_more, quoted_words

_LONG_TEXT = {"en": 640, "zh": 240}
"""Characters beyond which a caption is refused for its length and nobody can say what its clauses hang on."""


@dataclass(slots=True)
class Masked:
    """A caption whose foreign text is masked."""

    text: str
    verbatim: bool
    mood_told: bool


def mask(text: str, known: Known, which: Which) -> Masked:
    """The caption with the words to say, the phrase of emotion, the topic and the stressed word masked."""
    verbatim = True
    if known.words and (which == "instruction" or known.words in text):
        text, verbatim = free.cut_words(text, known.words, (known.topic, known.stress))
    else:
        text = free.clean(text)
    mood_told = False
    if known.mood:
        text, mood_told = free.mask_phrase(text, known.mood, MOOD)
    if known.topic:
        text, found = free.mask_phrase(text, known.topic, TOPIC)
        if not found and known.listed != known.topic:
            text, _ = free.mask_phrase(text, known.listed, TOPIC)
    if known.stress:
        text = free.mask_stress(text, known.stress)
    return Masked(text, verbatim, mood_told)


def examine(text: str, which: Which, known: Known, language: Language, prompt: str) -> Iterator[Fault]:
    """The faults of one caption."""
    told_words = False
    if which == "description" and known.words:
        quoted = quoted_words(text, known)
        if quoted:
            told_words = True
            yield Fault("transcript", which, None, quoted)
    masked = mask(text, known, which)
    if which == "instruction" and (not masked.verbatim or has_more(masked.text)):
        told_words = True
        yield Fault("transcript", which, None, "does not have the words to say exactly as they were given.")
    plain = masked.text
    wrong = surface.language_fault(plain, language)
    if wrong:
        yield Fault(
            "language",
            which,
            None,
            f"{wrong}; it must be all in {'English' if language == 'en' else 'Chinese'}.",
        )
    form = surface.form_fault(plain, text, language)
    listed = form == surface.LISTED
    for kind, why in (
        ("form", form),
        ("length", surface.length_fault(plain, language) if not wrong else None),
        ("echo", surface.echo_fault(plain, language, prompt)),
    ):
        if why:
            told_words = told_words or kind != "length"
            yield Fault(kind, which, None, f"{why}.")  # type: ignore[arg-type]
    verdict, inventions = weigh(masked, known, language, other=bool(wrong), told_words=told_words)
    long = len(plain) > _LONG_TEXT[language]
    for kind, attribute, why in reasons(verdict, known.values, exempt=bool(wrong) or listed):
        if kind == "distortion" and (long or wrong):
            continue
        yield Fault(kind, which, attribute, why)  # type: ignore[arg-type]
    for why in () if long else inventions:
        yield Fault("invention", which, None, why)


def weigh(
    masked: Masked, known: Known, language: Language, *, other: bool = False, told_words: bool = False
) -> tuple[Verdict, list[str]]:
    """The verdict on a masked caption, and the reasons of its inventions.

    `other`: it has words of the other language in it. `told_words`: it has foreign sentences in it (words
    to say, the prompt, chat), whose thoughts and stories are no faults of their own.
    """
    plain = masked.text
    topic_share, topic_words = (1.0, frozenset[str]()) if TOPIC in plain else (0.0, frozenset[str]())
    if known.topic and TOPIC not in plain:
        topic_share, topic_words = free.told_share(plain, known.topic)
    hidden = _hide(plain, topic_words) if topic_words and topic_share >= ENOUGH else plain
    told, forms = hear(hidden, language)
    if other:
        more, _ = hear(hidden, "zh" if language == "en" else "en")
        told.claims += more.claims
    lexicon = lexicon_of(language)
    verdict = judge(told, known.values, lexicon.opposites)
    if known.mood:
        share = 1.0 if masked.mood_told else free.told_share(plain, known.mood)[0]
        if share >= ENOUGH:
            verdict.tell("emotion", max(0, plain.find(MOOD)))
            if not masked.mood_told or known.values["emotion"] == {"?"}:
                verdict.contradicted.pop("emotion", None)
    cues = cues_of(forms, lexicon.cues)
    inventions = [
        f"makes up {WHAT[kind]}: {excerpt(phrase)}."
        for _, kind, phrase in told.inventions[:3]
        if not (told_words and (kind in ("mind", "story") or phrase in known.words.lower()))
    ]
    inventions += [f"tells what is not known: {excerpt(phrase)}." for phrase in verdict.invented[:3]]
    inventions += name(verdict, known, forms, cues, topic_share, hidden, language)
    return verdict, inventions


def _hide(text: str, words: frozenset[str]) -> str:
    for word in words:
        text, _ = free.replace_word(text, word, TOPIC)
    return text
