"""An annotator that asks: nobody, with the vices of one that asks somebody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pipeline.annotator import AskingAnnotator, Away, Skip
from pipeline.clip import Clip
from pipeline.errors import ClipError, RunError
from pipeline.journal import Journal
from pipeline.options import Option
from tests.fakes import Said


class FakeAsking(AskingAnnotator[Said]):
    """Each clip's answer is its id; a question is a line in the log."""

    row = Said
    version = 1

    def __init__(
        self,
        *,
        log: Annotated[str, Option("file with a line a question", identity=False)],
        wait_s: Annotated[float, Option("before each answer", "s")] = 0.0,
        beats: Annotated[bool, Option("whether it says that it is alive")] = True,
        die_on: Annotated[str, Option("end the process at such clips, once answered")] = "",
        hang_on: Annotated[str, Option("never come back from them, once answered")] = "",
        raise_on: Annotated[str, Option("raise on them, once answered")] = "",
        gone: Annotated[str, Option("nobody answers while there is this file", identity=False)] = "",
        quit_on: Annotated[str, Option("end the run at them, unless answered", identity=False)] = "",
    ) -> None:
        self._log, self._wait_s, self._beats = log, wait_s, beats
        self._die_on, self._hang_on, self._raise_on = die_on, hang_on, raise_on
        self._quit_on, self._gone, self._left = quit_on, gone, 0

    def ask(
        self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]
    ) -> list[Said | Skip | ClipError]:
        """What is answered."""
        self._left = len(clips)
        while self._gone and Path(self._gone).exists():
            alive()
            time.sleep(0.05)
        return [self._said(clip.id, journal, alive) for clip in clips]

    def away(self) -> list[Away]:
        """The one who is asked, while there is the file."""
        gone = self._gone and Path(self._gone).exists()
        return [Away("http://nobody", "connection refused", 1.5e9, self._left)] if gone else []

    def _said(self, question: str, journal: Journal, alive: Callable[[], None]) -> Said:
        answer = journal.recall(question)
        if answer is None:
            if self._quit_on and self._quit_on in question:
                raise RunError("nobody is there to ask")
            time.sleep(self._wait_s)
            with Path(self._log).open("a") as log:
                log.write(f"{question}\n")
            answer = question
            journal.note(question, answer)
        if self._beats:
            alive()
        if self._die_on and self._die_on in question:
            os._exit(9)
        if self._hang_on and self._hang_on in question:
            time.sleep(3600)
        if self._raise_on and self._raise_on in question:
            raise ZeroDivisionError("this answer divides by zero")
        return Said(answer, "")
