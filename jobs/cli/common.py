"""What commands share: the run directory, JSON, exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from pipeline.errors import UsageError


def asking(what: str, *, yes: bool) -> Callable[[str], bool]:
    """Puts a question to whoever typed the command, unless `yes` answers it.

    UsageError, that `what`, where nobody is there to answer.
    """

    def ask(question: str) -> bool:
        try:
            return yes or typer.confirm(question, err=True)
        except typer.Abort as error:
            if not isinstance(error.__context__, EOFError):  # Ctrl-C is the other way out
                raise
            typer.echo(err=True)
            raise UsageError(f"{what}: nobody answered. --yes answers beforehand.") from error

    return ask


GIVEN_UP = 3
TOO_MANY_FAILED = 4
INTERRUPTED = 130
PIPE_CLOSED = 141
"""128 and the number of SIGPIPE."""

RunDir = Annotated[
    str, typer.Argument(help="A run directory: a folder or any fsspec URL.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
