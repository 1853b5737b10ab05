"""The stressed word and the topic: whether a caption names them, names others, or makes them up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from prompts.check import free
from prompts.check.ages import NUMBER_WORDS
from prompts.check.english import english
from prompts.check.faults import Language
from prompts.check.free import MOOD, STRESS, TOPIC, WORDS
from prompts.check.known import Known
from prompts.check.lexicon import END, Node, phrases, source
from prompts.check.verdict import Verdict
from prompts.stopwords import stopwords

ENOUGH = 0.5
"""The share of its content words by which a topic or a phrase of emotion is told."""
_OTHER_STRESSED = re.compile(
    r"(?:\b(?:stress(?:es|ed|ing)?|emphas(?:is|i[sz]e[sd]?|i[sz]ing)|accent(?:s|ed|ing)?"
    r"|accentuat(?:es?|ed|ing)|weight)"
    r"(?: (?:falls?|falling|lands?|rests?|sits?|goes|for|is|laid|put|placed|all|main|to))*"
    r"(?: (?:squarely|firmly|only))?"
    r"(?: (?:on|upon|for|to))?(?: the word)? [\"“]"
    r"|(?:重音|重读|强调|突出|着重)(?:却|偏|都|只|全|则)?(?:是|在|落在|放在|压在|落到|给了|给)?[“「])"
    r"(?:the )?(?P<word>[^\ue000-\ue003“”\"「」]{1,20})[\"”」]"
)
_OTHER_STRESSED_ZH = re.compile(
    r"[“「『\"](?P<a>[^\ue000-\ue003“”\"「」『』，,。；;]{1,6})[”」』\"](?:这?[几二两三四]?个?[字词]|一词|一语)?[^，,。；;：:\ue001]{0,8}?"
    r"(?:[说念读咬讲吐放压][^，,。；;]{0,4}[重响狠沉]|重音|重读|强调|突出|加重|着重|用力|使劲|拎|挑出来|最重|顶点|加粗|分量|重锤|砸|钉)"
    r"|(?:重音|重读|强调|着重|加重|力气|力道|劲儿?|分量|重心|咬字|咬得|最重|落脚点|用力)[^，,。；;：:\ue001]{0,10}?"
    r"[“「『\"](?P<b>[^\ue000-\ue003“”\"「」『』，,。；;]{1,6})[”」』\"]"
    r"|[把将给](?P<c>[^\ue000-\ue003“”\"「」『』，,。；;字句话音声词]{1,6}?)(?:二字|两个字|三个字|一词|这个词|几个字)?[说念读咬讲]得[^，,。；;\ue001]{0,4}重"
)
"""Another word stressed, as Chinese says it."""
Cue = tuple[int, int, frozenset[str]]
"""Begin, end and marks of a phrase that introduces a stressed word or a topic."""
_NOT = frozenset({"not", "no", "never", "without", "neither", "不", "没", "未", "别", "无", "nor"})


@cache
def _list(language: Language, name: str) -> frozenset[str]:
    return frozenset(phrases(source(language)[name]))


def cues_of(forms: Sequence[str], cues: Node) -> list[Cue]:
    """Begin, end and marks of the phrases that introduce a stressed word or a topic."""
    found = []
    at, n = 0, len(forms)
    while at < n:
        node = cues.get(forms[at])
        if node is None:
            at += 1
            continue
        entry, end, i = node.get(END), at + 1, at + 1
        while i < n and (node := node.get(forms[i])) is not None:
            i += 1
            if END in node:
                entry, end = node[END], i
        if entry:
            found.append((at, end, entry.marks))
        at = end
    return found


def name(
    verdict: Verdict,
    known: Known,
    forms: Sequence[str],
    cues: list[Cue],
    topic_share: float,
    text: str,
    language: Language,
) -> list[str]:
    """Judges the topic and the stressed word; the reasons of what is made up of them."""
    made_up: list[str] = []
    _stress(verdict, known, forms, cues, text, made_up, language)
    names_topic = [c for c in cues if _says_topic(forms, c, language)]
    if known.topic:
        if topic_share <= ENOUGH and any(_another_of_kind(forms, c) for c in names_topic):
            verdict.contradicted["topic"] = "another topic is named"
        elif topic_share >= ENOUGH:
            at = next((i for i, form in enumerate(forms) if form == TOPIC), 0)
            verdict.tell("topic", at)
        elif names_topic or (language == "zh" and _near_topic(text, known.topic)):
            verdict.contradicted["topic"] = "another topic is named"
    elif names_topic:
        made_up.append("names a topic, and none is known.")
    return made_up


def topics_named(forms: Sequence[str], cues: list[Cue], language: Language) -> list[int]:
    """Where the topics begin that are named."""
    return [cue[1] for cue in cues if _says_topic(forms, cue, language)]


def another_stressed(text: str, language: Language) -> str:
    """The text without what another word than the known one is said to be stressed: it tells nothing else."""
    found = _OTHER_STRESSED.search(text) if "tress" in text or "phasi" in text or "重" in text else None
    if found:
        return text[: found.start("word")] + text[found.end("word") :]
    found = _OTHER_STRESSED_ZH.search(text) if language == "zh" else None
    return text[: found.start(found.lastgroup)] + text[found.end(found.lastgroup) :] if found else text  # type: ignore[arg-type]


def _another_of_kind(forms: Sequence[str], cue: Cue) -> bool:
    """True if half of the topic stands behind another word: "restaurant bookings" for "hotel bookings"."""
    following = forms[cue[1] : cue[1] + 2]
    return len(following) == 2 and following[0] not in (TOPIC, "their") and following[1] == TOPIC


def _near_topic(text: str, topic: str) -> bool:
    """True if another word with a character of the topic stands where it would: "说养蜂" for 养蚕."""
    return any(
        topic[:1] == m["word"][:1] or topic[-1:] == m["word"][-1:] or topic[-1:] == m["next"]
        for m in re.finditer(rf"[说讲聊谈论](?P<word>[\u3400-\u9fff]{{{len(topic)}}})(?P<next>.?)", text)
        if len(topic) > 1
    )


def _says_topic(forms: Sequence[str], cue: Cue, language: Language) -> bool:
    begin, end, marks = cue
    if "about" not in marks or end >= len(forms):
        return False
    if language == "zh":
        told = "".join(forms[begin:end]) in _list("zh", "speaking")
        return (
            told
            and forms[end] not in (*",.;:", STRESS, WORDS, MOOD)
            and forms[end] not in _list("zh", "no_topic")
        )
    phrase = forms[begin:end]
    if phrase == ["about"]:
        return _speaks_about(forms, begin, end)
    following = forms[end]
    if following in (".", ",", ";", ":", STRESS, WORDS, MOOD):
        return False
    if (
        len(phrase) >= 2
        and phrase[-1] in ("about", "of", "on", "concern")
        and (phrase[0] == "on" or phrase[0] in _list("en", "speaking"))
    ):
        return (
            phrase[-2:] != ["word", "on"]
            and not (phrase[-1] == "on" and _tells(following))
            and following not in ("their", "they")
            and following not in _list("en", "no_topic")
        )
    if phrase[-1] in ("topic", "theme", "subject"):  # "the topic is frogs", but "the subject is quiet"
        if _tells(following):
            return False
        told_nothing = following in _list("en", "no_topic") or following in stopwords("en")
        return following.isalpha() and not told_nothing
    return len(phrase) == 1 and phrase[0] in ("discuss", "discusses")


def _tells(form: str) -> bool:
    """True of a word that tells something of a voice, so that it names no topic: "on a high note"."""
    entry = english().lexicon.trie.get(form, {}).get(END)
    return bool(entry and (entry.senses or entry.level or entry.carrier))


def _speaks_about(forms: Sequence[str], begin: int, end: int) -> bool:
    """True if a verb of speaking stands before "about" in its sentence: "speaks slowly about chess"."""
    if (
        forms[end] in _list("en", "no_topic")
        or forms[end] in (".", ",", ";", ":", "their", "them", "they", "it", STRESS, WORDS, MOOD)
        or forms[end] in NUMBER_WORDS
    ):
        return False
    for form in reversed(forms[max(0, begin - 9) : begin]):
        if form in (".", ";", "nothing", "something", "anything", "of", "child", "boy", "girl"):
            return False
        if form in _list("en", "speaking"):
            return True
    return False


def _stress(
    verdict: Verdict,
    known: Known,
    forms: Sequence[str],
    cues: list[Cue],
    text: str,
    made_up: list[str],
    language: Language,
) -> None:
    stressing = [c for c in cues if c[2] & {"stress", "strong_stress"}]
    denying = [c for c in cues if "not_stress" in c[2]]
    if not known.stress:
        strong = [c for c in stressing if "strong_stress" in c[2] and not _negated(forms, c[0])]
        if any(_aims(forms, c) for c in strong) or (stressing and _names_another(text)):
            made_up.append("says which word is stressed, and none is known.")
        return
    if _OTHER_STRESSED.search(text) or (language == "zh" and _OTHER_STRESSED_ZH.search(text)):
        verdict.contradicted["emphasis"] = "another word is stressed"
        return
    mentions = [i for i, form in enumerate(forms) if form == STRESS]
    bounds = [i for i, form in enumerate(forms) if form in ".;"]
    if not mentions:
        if (stressing and _names_another(text)) or any(
            "strong_stress" in c[2] and _aims(forms, c) for c in stressing
        ):
            verdict.contradicted["emphasis"] = "another word is named"
        return
    for at in mentions:
        begin = max((b for b in bounds if b < at), default=-1)
        end = min((b for b in bounds if b > at), default=len(forms))
        near = [c for c in stressing if begin < c[0] < end]
        against = [c for c in denying if begin < c[0] < end]
        negated = [c for c in near if "strong_stress" in c[2] and _negated(forms, c[0])]
        if (against or negated) and len(near) <= len(negated) + len(against) + 1:
            verdict.contradicted.setdefault("emphasis", "it is said not to be stressed")
        elif near or _is_quoted(text):
            verdict.tell("emphasis", at)
            return


def _negated(forms: Sequence[str], at: int) -> bool:
    for form in reversed(forms[max(0, at - 3) : at]):
        if form in _NOT:
            return True
        if form in (",", ".", ";", "and", STRESS):
            return False
    return False


def _aims(forms: Sequence[str], cue: Cue) -> bool:
    """True if the cue is followed by something to be stressed: "on", a quotation, "the word"."""
    following = forms[cue[1] - 1 : cue[1] + 4]
    return any(
        f in ("on", "word", "upon", "to", "在", "了", "“", "「", "词", "字", "出", '"') for f in following
    ) or (len(forms) > cue[1] and forms[cue[1]] not in (",", ".", ";", ":"))


def _names_another(text: str) -> bool:
    """True if a word or two stand in quotation marks that are neither the words to say nor the topic."""
    return any(
        not free.MASKED.search(m[0]) and 1 <= len(free.tokens(m[0])) <= 2 for m in free.QUOTED.finditer(text)
    )


def _is_quoted(text: str) -> bool:
    at = text.find(STRESS)
    return at > 0 and text[at - 1] in free.OPEN
