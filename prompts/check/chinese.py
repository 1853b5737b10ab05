"""Chinese as the check reads it: the longest phrases of the lexicon, character by character, no segmenter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from prompts.check.chinese_frames import Frames
from prompts.check.chinese_turns import put_plainly
from prompts.check.lexicon import Entry, Lexicon, Node, Sense, compile_lexicon, phrases, source
from prompts.check.units import MEASURED, OTHER, Unit, units_of

_PUNCTUATION = str.maketrans("，。！？；：…—!?（）", ",...;:.;..,,", '“”「」『』" \u3000')
_TWICE = re.compile(r"([\u3400-\u9fff])\1([\u3400-\u9fff])\2")
_HYPERBOLE = re.compile(
    r"([慢快响轻低高大小尖沉])得(?:(?:叫|让|令|使|教)人[^,.;:]*|出人意料|出乎意料|不可思议|难以置信|可怕|怕人|恐怖|要命|离奇|意外)"
)
_AS_IF = "(?:就|都|简直|活)?(?:像|如同|仿佛|好像|好似|好比|宛如|犹如|恰似)"
_COMPARED = re.compile(
    rf"(?P<adj>[快慢响轻高低大小尖沉急缓细])得{_AS_IF}[^,.;:\ue000-\ue003]{{1,14}}?(?:似的|一样|一般|那样|那般|那么|般(?!配)|(?=[,.;:]|$))"
    r"|(?P<so>[快慢响轻高低大小尖沉急缓])得[^,.;:\ue000-\ue003]{1,8}?[都也](?:[追赶跟撵比听看数反]|来)不[上及过清见到应]"
    rf"|{_AS_IF}[^,.;:\ue000-\ue003像人男女孩他她姐妹爷奶叔姨翁婆汉娘妈爸生童娃辈头伙叟妪者员师客]{{1,12}}?(?:那样|一样|那么|那般|般|一般|似的)(?:地|的)?(?=(?P<as>[快慢响轻高低大小尖沉急缓细]))"
)
"""What a measure is compared with, which tells nothing else: "快得像怕谁追上来", "像绣花那样慢"."""
_ANGRY_CHILD = re.compile("孩子(?=气[愤恼冲呼鼓])")
"""The child of "孩子气愤地讲话", who is not 孩子气."""
_TOLD_AFTER = re.compile(
    r"(?:要说|若说|说到|论起?|至于)(?:有)?(?:多么?|什么)?([^，,。；;]{1,6}?)(?:这回事|这种事)?[，,]\s*"
    r"(?:那|这)?(?:倒|可|却|还)?(?:真|也|真是|是)?(?:没有|没|半点没有|一点没有|谈不上|说不上|算不上|不见得|无从谈起)(?=[，,。；;]|$)"
)
"""What is denied after it: "要说有多反感，那倒真没有"."""
_OUT_OF_REACH = re.compile(
    r"(?:(?<=[，,。；;,.])|^)(?P<a>[^，,。；;,.的]{1,4}?)(?:二字|两个字|这两个字|之情|之意)?"
    r"(?:是|一点儿?[也都]|半点[也都]|丝毫也?|根本|压根儿?|可)*"
    r"(?:(?:谈不上|说不上|无处可寻|无从谈起|荡然无存|无迹可寻|遍寻不着|不见踪影|无影无踪|全无|皆无|尽无|也无|欠奉|为零|归零|绝迹|缺席|不在场|不存在"
    r"|消失殆尽|一扫而空|一概没有|(?:别|不要|不许|不|莫)(?:带上?|掺上?|沾上?|流露|露出来|露|显露|显|放进去|掺进去)|没有)(?=的?(?:[，,。；;.：:]|$))|[与和跟][他她]无缘)的?"
    r"|[与和跟同](?P<b>[^，,。；;,.他她]{1,6}?)(?:二字|两个字|两字|这个词|字)?(?:一点[也都]?|半点[也都]?|丝毫|完全|根本|毫|向来|从来)?"
    r"(?:沾不上边|搭不上边|挨不着边|不着边|不沾边|无缘|[别要许不莫](?:带|掺|沾|流露|露|显|放进)|绝缘|无涉|不搭界|不相干|没关系|毫无关系)"
)
"""What is denied around it: "喜悦一点也没有", "跟高兴二字沾不上边"."""
_REACHES = re.compile(
    "谈不上|说不上|无处|无从|荡然|无迹|遍寻|不见踪影|无缘|没有的?[，,。；;.]|不上边|不着边"
    "|无影|[全皆尽也]无|欠奉|[为归]零|绝迹|缺席|不在场|不存在|殆尽|一扫|一概|[别要许不莫](?:带|掺|沾|流露|露|显|放进)|绝缘|无涉|沾边|搭界|相干|关系"
)
_AND = frozenset({"和", "与", "且", "又", "并", "并且", "同时", "以及", "、", "跟", "及", "兼"})
_OR = frozenset({"或", "或者", "也无", "也没有"})


def _one_level_each(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The lexicon, in which a phrase of two levels is of the first."""
    levels: dict[str, str] = {}
    seen: set[str] = set()
    for level, text in raw["levels"].items():
        own = [phrase for phrase in phrases(text) if phrase not in seen]
        seen.update(own)
        levels[level] = ", ".join(own)
    return {**raw, "levels": levels}


class Chinese:
    """Reads Chinese text into phrases."""

    def __init__(self) -> None:
        raw = _one_level_each(source("zh"))
        self.lexicon: Lexicon = compile_lexicon(raw, list, frozenset())
        self._frames = Frames(raw["frames"])
        self._drop = frozenset(phrases(raw["drop"]))
        self._plain = frozenset(raw["plain_characters"]) | self._drop
        for word in (*self._drop, *_AND, *_OR):
            node = self.lexicon.trie
            for character in word:
                node = node.setdefault(character, {})
            node.setdefault("", Entry(word))
        for word in phrases(raw["inventions"]["idiom"]):
            self._no_gender(word)
        self._gendered(self.lexicon.trie)
        _milder(self.lexicon.trie)

    def is_plain(self, character: str) -> bool:
        """True if a character can tell nothing of a voice."""
        return character in self._plain or not "\u3400" <= character <= "\u9fff"

    def _no_gender(self, word: str) -> None:
        """The 他 of 其他 is nobody."""
        node = self.lexicon.trie
        for character in word:
            node = node[character]
        entry = node[""]
        entry.senses = tuple(s for s in entry.senses if not s.readings or s.readings[0][0] != "gender")

    def _gendered(self, node: Node) -> None:
        """A phrase of age with a word in it that tells a gender tells it too: "年轻小伙"."""
        for key, below in node.items():
            if key:
                self._gendered(below)
            else:
                told = {name for s in below.senses for name, _ in s.readings}
                if len(below.text) > 1 and "age" in told and "gender" not in told:
                    below.senses += self._genders(below.text)

    def _genders(self, word: str) -> tuple[Sense, ...]:
        found: list[Sense] = []
        for begin in range(len(word)):
            node = self.lexicon.trie
            for character in word[begin:]:
                node = node.get(character, {})
                entry = node.get("")
                if entry and entry.text != word:
                    found += [
                        s
                        for s in entry.senses
                        if s.readings and s.readings[0][0] == "gender" and s not in found
                    ]
        if len({s.readings for s in found}) == 1:
            return (min(found, key=lambda s: s.weak),)
        return ()

    def _once(self, match: re.Match[str]) -> str:
        """高高兴兴 is 高兴, if the lexicon has only that."""
        return match[0] if self._has(match[0]) or not self._has(match[1] + match[2]) else match[1] + match[2]

    def _has(self, word: str) -> bool:
        node = self.lexicon.trie
        for character in word:
            if character not in node:
                return False
            node = node[character]
        return "" in node

    def units(self, text: str) -> tuple[list[Unit], Sequence[str]]:
        """Phrases without the words that are seen through, and the characters they are of."""
        text = put_plainly(text)
        text = _TOLD_AFTER.sub(r"没有\1", text) if "要说" in text or "论" in text else text
        if _REACHES.search(text):
            text = _OUT_OF_REACH.sub(lambda m: f"没有{m['a']}" if m["a"] else f"一点也不{m['b']}", text)
        text, framed = self._frames.put(text)
        text = _HYPERBOLE.sub(r"\1", text.translate(_PUNCTUATION))
        text = _COMPARED.sub(lambda m: m["adj"] or m["so"] or "", text)
        text = _ANGRY_CHILD.sub("孩子 ", text)
        characters = _TWICE.sub(self._once, text)
        units: list[Unit] = []
        drop = self._drop
        for unit in units_of(characters, characters, self.lexicon.trie):
            unit.entry = framed.get(unit.word, unit.entry)
            word = unit.entry.text or unit.word
            if word == "地" and units and (units[-1].entry.senses or units[-1].entry.carrier):
                units.append(unit)  # ends the reach of a negation: "不带情绪地"
                continue
            if word in drop and not unit.entry.senses and not unit.entry.level and not unit.entry.negation:
                continue
            if _is_noun(unit) and units and _is_noun(units[-1]):
                units.append(Unit(unit.at, "and", OTHER, ""))  # 音量语速 are two nouns
            unit.word = "and" if word in _AND else "or" if word in _OR else word
            units.append(unit)
        return units, characters


def _milder(node: Node) -> None:
    """Of two equal senses of a phrase that which something may stand beside."""
    for key, below in node.items():
        if key:
            _milder(below)
        else:
            mild = {s.readings for s in below.senses if s.beside}
            below.senses = tuple(s for s in below.senses if s.beside or s.weak or s.readings not in mild)


def _is_noun(unit: Unit) -> bool:
    return unit.entry.carrier in MEASURED and not unit.entry.senses and not unit.entry.level


@cache
def chinese() -> Chinese:
    """The Chinese reader of this process."""
    return Chinese()
