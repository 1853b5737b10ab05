"""What is known of a mood before anyone listens: the source gives it, or its domain implies it."""

from __future__ import annotations

import re

from pipeline.clip import Clip
from pipeline.rows import Emotion, Emotions

NEUTRAL_DOMAINS: tuple[str, ...] = ("audiobook", "studio")
"""Domains read without acting: the SpeechCraft paper takes their clips as neutral, unheard."""

_WORDS: dict[Emotions, str] = {  # as corpora of emotional speech spell their classes, IEMOCAP's codes too
    "neutral": "neutral neutrality calm calmness default neu normal 中立 中性 平静",
    "happy": "happy happiness joy joyful joyous excited excitement amused amusement hap exc 开心 高兴 快乐",
    "sad": "sad sadness sorrow sorrowful grief depressed melancholy 难过 悲伤 伤心",
    "angry": "angry anger rage furious annoyed annoyance irritated ang 生气 愤怒",
    "fearful": "fearful fear afraid scared anxious anxiety fea 恐惧 害怕",
    "disgusted": "disgusted disgust dis 厌恶",
    "surprised": "surprised surprise sur 吃惊 惊讶 惊喜",
    "other": (
        "other oth others boredom bored contempt contemptuous confused confusion frustrated frustration fru "
        "proud pride ashamed shame embarrassed embarrassment guilty guilt disappointed disappointment "
        "sarcastic sarcasm sleepy sleepiness 其他 无聊 轻蔑"
    ),
}
_CLASSES = {word: emotion for emotion, words in _WORDS.items() for word in words.split()}


def emotion_class(named: str) -> Emotions | None:
    """The class that a corpus' word stands for; None for a word that is not known.

    Nouns, codes and Chinese words count (`anger`, `hap`, `高兴`), and of `生气/angry` either half.
    """
    parts = re.split("[/|]", named.casefold())
    return next((_CLASSES[w] for part in parts if (w := part.strip()) in _CLASSES), None)


def given_emotion(clip: Clip) -> Emotion | None:
    """The given mood as a class; None where none is given or the word is not known."""
    found = emotion_class(clip.given.emotion or "")
    return None if found is None else Emotion(found, "given", None, None)


def neutral_by_domain(clip: Clip, domains: tuple[str, ...]) -> Emotion | None:
    """A neutral row where the clip's domain is one of `domains`, in any case; else None."""
    domain = (clip.given.domain or "").casefold()
    if domain not in {name.casefold() for name in domains}:
        return None
    return Emotion("neutral", "domain", None, None)
