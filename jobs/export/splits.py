"""Which clip goes to which split: whole groups, so that no speaker is heard on both sides.

spec = SplitSpec.parse("by=speaker,test=0.05,validation=0.05")
split = assign(spec, groups)          # group -> split
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import UsageError, unknown

TRAIN = "train"
BY = ("speaker", "recording", "clip")
"""What stays together: a speaker's clips, those cut from one recording, or nothing."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """`shares` are of the clips, by split, train left out: it gets what remains."""

    by: str = "speaker"
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> SplitSpec:
        """`by=speaker,test=0.05`; UsageError for what is unknown or leaves nothing to train on."""
        by, seed, shares = "speaker", 0, dict[str, float]()
        for part in filter(None, (p.strip() for p in text.split(","))):
            name, _, value = (p.strip() for p in part.partition("="))
            if name == "by":
                if value not in BY:
                    raise unknown("split by", value, BY)
                by = value
            elif name == "seed":
                seed = int(_number(part, value))
            elif not _NAME.fullmatch(name) or name == TRAIN:
                raise UsageError(f"A split is given as NAME=SHARE, as in test=0.05, not as {part[:60]!r}.")
            else:
                shares[name] = _number(part, value)
        if not all(0 < share < 1 for share in shares.values()) or sum(shares.values()) >= 1:
            raise UsageError(
                f"The shares of splits lie between 0 and 1 and leave some for train: {text[:80]!r}."
            )
        return cls(by, shares, seed)

    @property
    def names(self) -> tuple[str, ...]:
        """Every split, train first."""
        return (TRAIN, *self.shares)


def assign(spec: SplitSpec, sizes: Mapping[str, int]) -> dict[str, str]:
    """A split for every group of `sizes` (its clips); the same whatever the order of groups.

    Groups are drawn in an order made from their names and the seed; each goes to the split that is
    furthest below its share, so that a share is missed by less than the largest group. Every split gets
    at least one group where there are enough.
    """
    order = sorted(sizes, key=lambda group: _draw(spec.seed, group))
    total = sum(sizes.values())
    wanted = {name: share * total for name, share in spec.shares.items()}
    wanted[TRAIN] = total - sum(wanted.values())
    have = dict.fromkeys(wanted, 0)
    found: dict[str, str] = {}
    for group in order:
        empty = [name for name in wanted if not have[name]]
        left = len(order) - len(found)
        names = empty if empty and left <= len(empty) else list(wanted)
        split = max(names, key=lambda name: wanted[name] - have[name])
        found[group] = split
        have[split] += sizes[group]
    return found


def _draw(seed: int, group: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=16).digest()


def _number(part: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(f"A split is given as NAME=SHARE, as in test=0.05, not as {part[:60]!r}.") from error
