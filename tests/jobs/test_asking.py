"""A command that asks before it removes anything ends well whatever the answer is, or if there is none."""

from __future__ import annotations

import io
from typing import NoReturn

import pytest
import typer

from jobs.cli.common import asking
from pipeline.errors import UsageError


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_the_answer_is_what_was_typed(answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert asking("Nothing was removed", yes=False)("Remove it?") is agreed


def test_where_nobody_can_answer_it_says_what_was_not_done_and_how_to_answer_beforehand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(
        UsageError, match=r"^Nothing was removed: nobody answered. --yes answers beforehand.$"
    ):
        asking("Nothing was removed", yes=False)("Remove it?")
    assert asking("Nothing was removed", yes=True)("Remove it?") is True


class Interrupted(io.StringIO):
    def readline(self, *_: object) -> NoReturn:
        raise KeyboardInterrupt


def test_ctrl_c_at_the_question_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Interrupted())
    with pytest.raises(typer.Abort):
        asking("Nothing was removed", yes=False)("Remove it?")
