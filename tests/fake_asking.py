"""An annotator that asks: nobody, with the vices of one that asks somebody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pipeline.annotator import AskingAnnotator, Skip
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
        quit_on: Annotated[str, Option("end the run at them, unless answered", identity=False)] = "",
    ) -> None:
        self._log, self._wait_s, self._beats = log, wait_s, beats
        self._die_on, self._hang_on, self._raise_on = die_on, hang_on, raise_on
        self._quit_on = quit_on

    def ask(
        self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]
    ) -> list[Said | Skip | ClipError]:
        """What is answered."""
        return [self._said(clip.id, journal, alive) for clip in clips]

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
