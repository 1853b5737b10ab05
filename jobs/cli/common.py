"""What commands share: the run directory, JSON, exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

GIVEN_UP = 3
TOO_MANY_FAILED = 4
INTERRUPTED = 130
PIPE_CLOSED = 141
"""128 and the number of SIGPIPE."""

RunDir = Annotated[
    str, typer.Argument(help="A run directory: a folder or any fsspec URL.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
