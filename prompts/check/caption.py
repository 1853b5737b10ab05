"""The check of one caption: what is foreign in it is masked, claims are read and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prompts.check import free, surface
from prompts.check.faults import Fault, Language, Which, excerpt
from prompts.check.free import MOOD, STRESS, TOPIC
from prompts.check.hearing import hear, lexicon_of
from prompts.check.known import Known
from prompts.check.lexicon import source
from prompts.check.naming import ENOUGH, another_stressed, cues_of, name, topics_named
from prompts.check.twice import masked_twice
from prompts.check.units import Claim, Told
from prompts.check.verdict import WHAT, Verdict, judge, reasons
from prompts.check.words import a_piece_of, has_more, quoted_words

_LONG_TEXT = {"en": 640, "zh": 240}
"""Characters beyond which a caption is refused for its length and nobody can say what its clauses hang on."""


_OF_A_PERSON = re.compile(
    r"\b[a-z]+ (?:man|woman|lady|gentleman|boy|girl|person|speaker|voice|lad|guy|male|female|adult|child)\b",
    re.I,
)
_OF_A_TOPIC = 6
"""Words behind "speaks of" that name a wrong topic, which is no scene or story of its own."""
_DENIES_MOOD = re.compile(
    r"\b(?:opposite of|anything but|far from|not|never|no longer|neither|without|nothing)"
    f"(?: being| feeling| sounding| at all| in the least)? {MOOD}"
)
"""Denies the phrase of emotion."""
_LABEL = re.compile(r"\*\*(?=[\w ]{1,20}:)")
"""Begins another line of a list that has lost its lines."""
_TAG = re.compile("</?[A-Za-z][^<>]{0,40}>")
_PERSON = "\ue00f"
"""Stands for "old man": that is nothing of the topic "an old photograph"."""
ASIDE = {"en": 2, "zh": 4}
"""Words (Chinese: characters) that the lexicon does not know, from which on a clause that tells nothing of
the voice is made up. Of 1,170 good English captions that tell all, none has such a clause."""


@dataclass(slots=True)
class Masked:
    """A caption whose foreign text is masked."""

    text: str
    verbatim: bool
    mood_told: bool


def mask(text: str, known: Known, which: Which, *, quoted: bool = False) -> Masked:
    """The caption with the words to say, the phrase of emotion, the topic and the stressed word masked.

    `quoted`: it is a description that has a piece of the words to say in it.
    """
    verbatim = True
    if known.words and (which == "instruction" or known.words in text):
        text, verbatim = free.cut_words(text, known.words, (known.topic, known.stress))
    else:
        text = free.clean(text)
        if quoted:
            text = free.cut_run(text, known.words, a_piece_of(known.words))
    mood_told = False
    if known.mood:
        text, mood_told = free.mask_phrase(text, known.mood, MOOD)
    if known.topic and known.topic.casefold() == known.stress.casefold():
        text = masked_twice(text, known.topic)
    elif known.topic:
        text, found = free.mask_topic(text, known.topic)
        if not found and known.listed != known.topic:
            text, _ = free.mask_phrase(text, known.listed, TOPIC)
    if known.stress and STRESS not in text:
        text = free.mask_stress(text, known.stress)
    return Masked(text, verbatim, mood_told)


def examine(
    text: str, which: Which, known: Known, language: Language, prompt: str
) -> tuple[list[Fault], Verdict]:
    """The faults of one caption, and what it tells."""
    verdict = Verdict()
    return list(_faults(text, which, known, language, prompt, verdict)), verdict


def _faults(
    text: str, which: Which, known: Known, language: Language, prompt: str, told: Verdict
) -> Iterator[Fault]:
    told_words = False
    if which == "description" and known.words:
        quoted = quoted_words(text, known)
        if quoted:
            told_words = True
            yield Fault("transcript", which, None, quoted)
    masked = mask(text, known, which, quoted=told_words)
    if which == "instruction" and (not masked.verbatim or has_more(masked.text)):
        told_words = True
        yield Fault("transcript", which, None, "does not have the words to say exactly as they were given.")
    plain = masked.text
    wrong = surface.language_fault(_TAG.sub("", plain) if "<" in plain else plain, language)
    if wrong:
        yield Fault(
            "language",
            which,
            None,
            f"{wrong}; it must be all in {'English' if language == 'en' else 'Chinese'}.",
        )
    form = surface.form_fault(plain, text, language)
    if not form and not masked.verbatim:
        form = surface.broken_words(text)
    listed = form == surface.LISTED
    length = surface.length_fault(plain, language) if not wrong else None
    if form == surface.NO_STOP and length:
        form = None
    echo = surface.echo_fault(surface.without_frame(plain) if form else plain, language, prompt)
    if echo == surface.REPEATS and (length or "").startswith(surface.TOO_LONG):
        echo = None
    for kind, why in (("form", form), ("length", length), ("echo", echo)):
        if why:
            told_words = told_words or kind != "length"
            yield Fault(kind, which, None, f"{why}.")  # type: ignore[arg-type]
    if form == surface.TALKS or echo == surface.REPEATS:
        masked.text = surface.without_talk(plain)
    masked.text = _LABEL.sub(". ", masked.text)
    verdict, inventions = weigh(masked, known, language, other=bool(wrong), told_words=told_words)
    told.conveyed, told.contradicted = verdict.conveyed, verdict.contradicted
    long = (length or "").startswith(surface.TOO_LONG) or len(plain) > _LONG_TEXT[language]
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
    hidden, topic_share = _hide(masked.text, known.topic, TOPIC, told=TOPIC in masked.text)
    hidden, mood_share = _hide(hidden, known.mood, MOOD, told=masked.mood_told)
    told, forms = hear(another_stressed(hidden, language), language)
    if other:
        more, _ = hear(hidden, "zh" if language == "en" else "en")
        told.claims += more.claims
    lexicon = lexicon_of(language)
    verdict = judge(told, known.values, lexicon.opposites)
    if known.mood and mood_share >= ENOUGH:
        verdict.tell("emotion", max(0, hidden.find(MOOD)))
        if _DENIES_MOOD.search(hidden):
            verdict.contradicted["emotion"] = "it is denied"
        elif not masked.mood_told or known.values["emotion"] == {"?"}:
            verdict.contradicted.pop("emotion", None)
    if known.mood and "emotion" not in verdict.conveyed:
        _another_mood(verdict, told, hidden, known, language)
    cues = cues_of(forms, lexicon.cues)
    named = name(verdict, known, forms, cues, topic_share, hidden, language)
    paraphrased = bool(known.topic) and TOPIC not in masked.text
    subjects = topics_named(forms, cues, language) if paraphrased else []
    inventions = [
        f"makes up {WHAT[kind]}: {excerpt(phrase)}."
        for at, kind, phrase in told.inventions
        if not any(begin <= at < begin + _OF_A_TOPIC for begin in subjects)
        and not (phrase in known.topic or phrase in known.mood)
        and not (told_words and (kind in ("mind", "story", "trait") or phrase in known.words.lower()))
        and not (kind == "trait" and (known.mood or _tells(told, at, known)))
    ][:3]
    inventions += [f"tells what is not known: {excerpt(phrase)}." for phrase in verdict.invented[:3]]
    if not told_words:
        inventions += named
    if not (other or told_words):
        inventions += _unknown(told, verdict, known, language)
    return verdict, inventions


def _another_mood(verdict: Verdict, told: Told, text: str, known: Known, language: Language) -> None:
    """Judges a mood told in words of no class: the contrary of what is known, or perhaps the same."""
    for one, other in source(language).get("contrary_moods", {}).items():
        for own, contrary in ((one.split(), other.split()), (other.split(), one.split())):
            if any(word in known.mood for word in own):
                word = next((word for word in contrary if word in text and word not in known.mood), None)
                if word:
                    verdict.contradicted.setdefault("emotion", word)
    verdict.strange += tuple(word for _, kind, word in told.inventions if kind == "trait")


def _tells(told: Told, at: int, known: Known) -> bool:
    """True if the word at a place tells a mood, or goes with what is known: "weary" of one who is sad."""
    claims = [claim for claim in told.claims if claim.at == at]
    if any(_is_another_mood(claim, known) for claim in claims):
        return True
    readings = [r for claim in claims for r in claim.sense.readings if r[0] != "gender"]
    return any(
        not values.isdisjoint(known.values.get(attribute, ()))
        for attribute, values in (*readings, *told.excused.get(at, ()))
    )


def _is_another_mood(claim: Claim, known: Known) -> bool:
    """True if a claim tells a mood for sure, and not one that may stand beside what is known."""
    sense = claim.sense
    if sense.weak or not sense.readings or sense.readings[0][0] != "emotion":
        return False
    return all(values.isdisjoint(known.values.get(name, ())) for name, values in sense.beside)


def _unknown(told: Told, verdict: Verdict, known: Known, language: Language) -> Iterator[str]:
    """Reasons of unknown words of the speaker, and of clauses of such, where all is told without them."""
    if not verdict.conveyed.keys() >= known.values.keys():
        return
    for word in told.traits:
        yield f"tells what is not known: {excerpt(word)}."
    for kind, phrase in told.images:
        yield f"makes up {WHAT[kind]}: {excerpt(phrase)}."
    for phrase in told.beside:
        yield f"tells of something beside the voice: {excerpt(phrase)}."
    for words in told.asides:
        if len(words) >= ASIDE[language]:
            phrase = (" " if language == "en" else "").join(words)
            yield f"tells of something beside the voice: {excerpt(phrase)}."


def _hide(text: str, phrase: str, mark: str, *, told: bool) -> tuple[str, float]:
    """The text without the words of a phrase it tells in other words, and the share of them that it tells."""
    if told or not phrase:
        return text, float(told)
    persons: list[str] = []
    if not _OF_A_PERSON.search(phrase):
        text = _OF_A_PERSON.sub(lambda m: persons.append(m[0]) or _PERSON, text)  # type: ignore[func-returns-value]
    share, words = free.told_share(text, phrase)
    for word in words if share >= ENOUGH else ():
        text, _ = free.replace_word(text, word, mark)
    for person in persons:
        text = text.replace(_PERSON, person, 1)
    return text, share
