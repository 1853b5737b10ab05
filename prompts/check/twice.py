"""One word that is both the topic and stressed: which of its mentions tell which."""

from __future__ import annotations

import re

from prompts.check.free import OPEN, STRESS, TOPIC, replace_word

_ABOUT = re.compile(
    r"\b(?:about|topic|subject|theme|matter|discuss\w*|address\w*|cover\w*|concern\w*|deal\w*|talk\w*|speak\w*)\b"
    r"|谈|聊|讲|说|关于|话题|主题|内容|提|论|围绕|涉及"
)
_STRESSING = re.compile(
    r"\b(?:stress\w*|emphas\w+|accent\w*|weight|word|lean\w*|punch\w*|underlin\w*|highlight\w*|underscor\w*)\b"
    r"|重音|重读|强调|突出|着重|加重|重点|最重|字眼|咬重"
)
_STRESSED_AFTER = re.compile(
    r"\W*(?:(?:is|being|was|gets?|getting|carries|carrying|takes?|receives?|bears?|given|stands?|one|word|the|main"
    r"|most|extra|an?|with)\W+)*(?:stress|emphas|accent|weight|out\b|highlight|underlin)"
    r"|\W*(?:这个词|一词|二字|两字|两个字)?[被得给加是一处上到受获]*(?:重读|重音|强调|突出|读得最重|读得重|加重|最重)",
    re.IGNORECASE,
)
_WINDOW = 40
"""Characters before a mention in which its cue stands: of two cues the nearer."""


def masked_twice(text: str, word: str) -> str:
    """Each mention masked as topic or as stressed word, by the cue nearest before it, or behind it.

    Where none is masked as stressed the last is both: "the topic is home, on which the stress falls". Where
    both stand in quotes, what does not is a word like others: a child's topic may be "child".
    """
    masked, places = replace_word(text, word, TOPIC)
    quoted = [place for place in places if place and masked[place - 1] in OPEN]
    named = quoted if len(quoted) > 1 else places
    masks = {place: STRESS if _is_stressed(masked, place) else TOPIC for place in named}
    if named and STRESS not in masks.values():
        masks[named[-1]] = TOPIC + STRESS
    return "".join(masks.get(i, word) if c == TOPIC else c for i, c in enumerate(masked))


def _is_stressed(masked: str, place: int) -> bool:
    before = masked[max(0, place - _WINDOW) : place].lower()
    about, stressing = (
        max((m.end() for m in cue.finditer(before)), default=-1) for cue in (_ABOUT, _STRESSING)
    )
    if about != stressing and max(about, stressing) > _clause(before):
        return stressing > about
    return _STRESSED_AFTER.match(masked, place + 1) is not None or stressing > about


def _clause(before: str) -> int:
    """Where the clause of the mention begins."""
    return max(before.rfind(mark) for mark in ".,;:。，；：")
