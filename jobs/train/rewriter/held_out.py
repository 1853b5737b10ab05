"""What is set apart for the test: whole combinations of labels, so that none of them is ever trained on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.train.rewriter.pairs import Pair
from pipeline.errors import UsageError

FEWEST = 5
"""Combinations of labels below which clips are set apart instead: a test on one combination tells little."""
MOST = 2000
"""Pairs that are set apart at most: a tenth of a large corpus would take longer to test than to learn."""
_OVERSHOT = 1.5


@dataclass(frozen=True, slots=True)
class Split:
    """`by` says what the two parts have none of in common; `dropped` pairs are in neither, because their
    clip is held out under other labels."""

    training: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    by: Literal["combination", "clip"]
    groups: int
    dropped: int


def split(pairs: Sequence[Pair], share: float, seed: int) -> Split:
    """About `share` of the pairs held out, by a hash of the seed; the prompt's own examples never are.

    UsageError where there are not two groups to part.
    """
    shown = {pair.combination for pair in pairs if pair.origin == "prompt"}
    free = [pair for pair in pairs if pair.origin != "prompt" and pair.combination not in shown]
    if len({pair.combination for pair in free}) >= FEWEST:
        return _parted(pairs, free, lambda pair: pair.combination, "combination", share, seed)
    free = [pair for pair in pairs if pair.origin != "prompt"]
    return _parted(pairs, free, lambda pair: pair.id, "clip", share, seed)


def _parted(
    pairs: Sequence[Pair],
    free: Sequence[Pair],
    group_of: Callable[[Pair], Hashable],
    by: Literal["combination", "clip"],
    share: float,
    seed: int,
) -> Split:
    groups: dict[Hashable, int] = defaultdict(int)
    for pair in free:
        groups[group_of(pair)] += 1
    held = _chosen(groups, min(MOST, max(1, round(share * len(free)))), seed)
    apart = [pair for pair in free if group_of(pair) in held]
    ids = {pair.id for pair in apart}
    rest = [pair for pair in pairs if pair.origin == "prompt" or group_of(pair) not in held]
    training = [pair for pair in rest if pair.id not in ids]
    if not apart or all(pair.origin == "prompt" for pair in training):
        raise UsageError(
            f"{len(free)} sound examples of {len(groups)} clips are too few to hold any out for the test: "
            f"at least two clips are needed."
        )
    return Split(tuple(training), tuple(apart), by, len(held), len(rest) - len(training))


def _chosen(groups: dict[Hashable, int], wanted: int, seed: int) -> set[Hashable]:
    """Groups in an order drawn from the seed, until they hold as many pairs as wanted, and not many more."""
    found: set[Hashable] = set()
    total = 0
    ordered = sorted(groups, key=lambda group: _drawn(seed, group))
    for group in ordered:
        if total < wanted and total + groups[group] <= max(wanted * _OVERSHOT, wanted + 1):
            found.add(group)
            total += groups[group]
    if not found and len(ordered) > 1:
        found.add(min(ordered, key=lambda group: groups[group]))
    return found


def _drawn(seed: int, group: Hashable) -> bytes:
    return hashlib.blake2b(f"{seed}\0{group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
