"""Who trains and who tests: whole speakers, by the hash of their name, so that more data moves nobody."""

from __future__ import annotations

import hashlib

from jobs.train._corpora import Utterance

N_TEST = 6  # one speaker of so many is kept for the end


def place_of(speaker: str, n: int) -> int:
    """The part, 0..n-1, that a speaker falls into."""
    return int.from_bytes(hashlib.blake2b(speaker.encode(), digest_size=8).digest(), "big") % n


def is_test(utterance: Utterance) -> bool:
    """Whether the speaker is kept for the end."""
    return place_of(f"test {utterance.speaker}", N_TEST) == 0


def fold_of(utterance: Utterance, n: int) -> int:
    """The fold of cross-validation."""
    return place_of(f"fold {utterance.speaker}", n)
