"""Same options, same fingerprint: a short digest of everything a value depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def fingerprint(facts: Mapping[str, object]) -> str:
    """Twelve hex digits over the facts.

    Raises TypeError for what has no stable bytes (a callable, a set, an object) and ValueError for NaN.
    """
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
