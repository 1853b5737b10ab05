"""Answers to what was asked, as an annotator sees them; pipeline/journal_store.py makes them last."""

from __future__ import annotations

import json


class Journal:
    """Answers by what was asked. By itself it is kept in memory only."""

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}

    def recall(self, question: str) -> str | None:
        """What was answered, if it was asked before."""
        return self._answers.get(question)

    def note(self, question: str, answer: str) -> None:
        """Keep an answer."""
        self._answers[question] = answer
        self._write(b"%b\n" % json.dumps([question, answer]).encode())

    def _write(self, line: bytes) -> None:
        """Make the line last."""
