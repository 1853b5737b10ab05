"""Ages told in Chinese numbers: "七十来岁", "二十五六岁", "年过四旬", "不到十岁"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_D = "[一二三四五六七八九两]"
_NUMBER = rf"(?P<n>\d{{1,3}}|{_D}{_D}?十{_D}?{_D}?|十{_D}?{_D}?|{_D}{{1,2}}|百)"
_AGE = re.compile(
    r"(?P<before>不到|不满|未满|未到|没到|没满|尚未满|还没满|还不到|至多|顶多|不超过|不足|年近|将近|接近|快|奔|往"
    r"|年过|年逾|年届|刚过|刚满|早过|过了|已过|约莫|大约|大概|约)?"
    + _NUMBER
    + r"(?P<more>好几|多|来|几|余|出头|冒头|郎当)?(?P<unit>周?岁|旬|虚岁)?"
    r"(?P<after>出头|上下|左右|开外|往上|以上|有余|挂零|光景|好几|郎当|露头|不到|冒头|的人)?"
)
_LESS = frozenset({"不到", "不满", "未满", "未到", "没到", "没满", "尚未满", "还没满", "还不到", "不足"})
_NEAR = frozenset({"年近", "将近", "接近", "快", "奔", "往"})
_PAST = frozenset({"年过", "年逾", "年届", "刚过", "刚满", "早过", "过了", "已过"})
_AFTER = frozenset({"出头", "上下", "左右", "开外", "往上", "好几", "郎当", "冒头", "挂零", "露头", "光景"})
_NOT = ("不是", "并非", "而非", "既非")
_WORDS = frozenset("岁旬十0123456789")


def years(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Place, least and greatest age in years, and the words, of each age that a text tells."""
    if _WORDS.isdisjoint(text):
        return
    for match in _AGE.finditer(text):
        told = _years(match)
        if told and not text[max(0, match.start() - 3) : match.start()].endswith(_NOT):
            yield match.start(), *told, match[0]


def _years(match: re.Match[str]) -> tuple[int, int] | None:
    before, unit = match["before"] or "", match["unit"]
    tens = "十" in match["n"] or match["n"].isdigit()
    named = before in _PAST | _LESS | {"年近", "奔"} or not _AFTER.isdisjoint((match["after"], match["more"]))
    if not unit and not (tens and named):
        return None
    low, high = _number(match["n"])
    if unit == "旬":
        low, high = 10 * low, 10 * high
    if match["n"] == "十" and match["more"]:
        low, high = 13, 19
    elif match["more"] or match["after"] in ("好几", "开外", "往上", "以上", "有余"):
        low, high = (
            low + 1,
            max(high + 1, low + (3 if match["after"] == "出头" or match["more"] == "出头" else 8)),
        )
    if before in _LESS:
        return low - 1, low - 1
    if before in _NEAR:
        return low - 2, high
    return low, high


def _number(word: str) -> tuple[int, int]:
    """The least and the greatest number of "二十五六", "七八十", "十七"."""
    if word.isdigit():
        return int(word), int(word)
    if word == "百":
        return 100, 100
    if "十" not in word:
        return _DIGITS[word[0]], _DIGITS[word[-1]]
    tens, _, ones = word.partition("十")
    first, last = (_DIGITS[tens[0]], _DIGITS[tens[-1]]) if tens else (1, 1)
    return 10 * first + (_DIGITS[ones[0]] if ones else 0), 10 * last + (_DIGITS[ones[-1]] if ones else 0)
