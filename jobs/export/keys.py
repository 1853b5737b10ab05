"""Names of files for clips: what an id says, harmless in a path, in a tar and in a URL."""

from __future__ import annotations

import hashlib
import re

MOST = 80
"""Characters of a key: a tar header holds 100 with the suffix."""
_HARMLESS = re.compile(r"[A-Za-z0-9_@+-]+")
_HARMFUL = re.compile(r"[^A-Za-z0-9_@+-]+")


def key_of(clip_id: str) -> str:
    """The id itself where it is harmless, else what is left of it and a digest of all of it.

    Different ids have different keys. A key has no dot (WebDataset cuts names there) and no slash.
    """
    if _HARMLESS.fullmatch(clip_id) and len(clip_id) <= MOST and not clip_id.startswith("-"):
        return clip_id
    digest = hashlib.blake2b(clip_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    stem = _HARMFUL.sub("_", clip_id)[: MOST - 17].strip("_-")
    return f"{stem}-{digest}" if stem else digest
