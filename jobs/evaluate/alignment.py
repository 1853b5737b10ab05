"""Which words of a reference and of a run are the same, and the errors of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import jiwer

from pipeline.text import words


def tokens(text: str) -> list[str]:
    """The words of a text as they are compared: case folded, without punctuation, apostrophes dropped.

    Hyphens part words; numbers stay as they are written; a Chinese character is a word.
    """
    bare = (word.casefold().replace("'", "").replace("’", "") for word in words(text))
    return [word for word in bare if word]


def key(word: str) -> str:
    """One word of a list as it is compared; empty for punctuation alone."""
    return "".join(tokens(word))


def matches(reference: Sequence[str], found: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index pairs of equal words in an alignment of least edit distance, in order."""
    ours = [(i, k) for i, word in enumerate(reference) if (k := key(word))]
    theirs = [(i, k) for i, word in enumerate(found) if (k := key(word))]
    chunks = _align([k for _, k in ours], [k for _, k in theirs]).alignments[0]
    for chunk in chunks:
        if chunk.type == "equal":
            pairs = zip(
                ours[chunk.ref_start_idx : chunk.ref_end_idx],
                theirs[chunk.hyp_start_idx : chunk.hyp_end_idx],
                strict=True,
            )
            yield from ((i, j) for (i, _), (j, _) in pairs)


def errors(reference: Sequence[str], found: Sequence[str]) -> tuple[int, int, int]:
    """Substitutions, deletions and insertions of an alignment of least edit distance."""
    aligned = _align(reference, found)
    return aligned.substitutions, aligned.deletions, aligned.insertions


def _align(reference: Sequence[str], found: Sequence[str]) -> jiwer.WordOutput:
    return jiwer.process_words(" ".join(reference), " ".join(found))
