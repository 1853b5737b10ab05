"""`speechcraft`: the command line. Exit codes:

0  done; clips that failed are rows with a reason
1  an error in speechcraft itself
2  the request cannot be carried out: one sentence says why
3  finished, but some shards were given up; their clips are rows with status failed
4  more failed than the job's limits allow, so the run was ended; what is written stays
130  interrupted; the same command goes on from there
141  whoever read the output has closed the pipe, as `head` does
"""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console

from jobs.cli import give, look, models, run, train
from jobs.cli.common import INTERRUPTED, PIPE_CLOSED, TOO_MANY_FAILED
from pipeline.errors import TooManyFailedError, UsageError

app = typer.Typer(
    name="speechcraft",
    help="Speech in, a captioned dataset out.",
    epilog="Exit codes: 0 done (clips that failed are rows with a reason); 1 an error in speechcraft itself; "
    "2 the request cannot be carried out; 3 finished, but some shards were given up; 4 more failed than the "
    "limits allow; 130 interrupted; 141 whoever read the output has closed the pipe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for part in (run, look, give, models):
    app.add_typer(part.app)
app.add_typer(train.app, name="train")


def main() -> None:
    """The entry point: errors in one sentence, a clean end on Ctrl-C and where nobody reads on."""
    try:
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        code = _pipe_closed()
    except SystemExit as error:  # what click and rich make of a closed pipe
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        code = _pipe_closed()
    except UsageError as error:
        _complain(str(error))
        sys.exit(2)
    except TooManyFailedError as error:
        _complain(str(error))
        sys.exit(TOO_MANY_FAILED)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "exit_code"):
            _complain(error.format_message() if hasattr(error, "format_message") else str(error))
            sys.exit(2)
        raise
    if code == INTERRUPTED:
        _complain("Interrupted. What is written stays; the same command goes on from there.")
    sys.exit(code)


def _pipe_closed() -> int:
    """The exit code of a tool that SIGPIPE ends; what is still to be flushed goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _complain(message: str) -> None:
    if message:
        Console(stderr=True, soft_wrap=True).print(message, style="red", markup=False, highlight=False)
