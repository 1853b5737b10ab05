"""What a source says and what is not taken as given, in sentences."""

from __future__ import annotations

from collections import Counter

from pipeline.counting import counted
from pipeline.source.base import shown
from pipeline.source.untaken import Tally

PAGE = "docs/sources.md"
_INSTEAD = {"language": ", so it is told from the clip, and null where nothing tells it"}


def sentences(tally: Tally) -> list[str]:
    """One for each label that cannot be understood, one for all that annotators found."""
    told = [
        f"The {name} of {counted(clips, 'clip')} is not understood and counts as not given "
        f"({', '.join(map(shown, tally.examples[name]))}){_INSTEAD.get(name, '')}: {PAGE} has what is."
        for (name, by), clips in sorted(tally.clips.items(), key=str)
        if by is None
    ]
    found = Counter[str]()
    for (name, by), clips in tally.clips.items():
        if by is not None:
            found[name] += clips
    if found:
        each = ", ".join(f"{name} of {counted(clips, 'clip')}" for name, clips in sorted(found.items()))
        told.append(f"The source says that annotators found these, so they do not count as given: {each}.")
    return told
