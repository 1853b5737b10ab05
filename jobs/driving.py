"""A call that computes, from its first line of log to its exit code."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from types import FrameType

from rich.console import Console

from jobs.calls import CallRecord, costs_of, new_call_id, read_calls
from jobs.cli.common import GIVEN_UP
from jobs.costs import costs, keys_of
from jobs.logs import LogWatcher, logging_to, say
from jobs.output import emit, shown
from jobs.progress import RichWatcher
from jobs.summary import print_summary, summary
from pipeline.engine.base import Engine
from pipeline.engine.flow import Outcome
from pipeline.engine.watcher import Watcher, Watchers
from pipeline.errors import OptionError, SpeechcraftError
from pipeline.storage import Store

Work = Callable[[Store, Engine, Watcher], Outcome]


def drive(
    command: str,
    out: str,
    make: Callable[[Console], tuple[Engine, Work]],
    *,
    metered: bool = False,
    log_json: str | None = None,
    as_json: bool = False,
) -> int:
    """Make the engine and the work, do it in the run directory, say what came of it; the exit code.

    `metered`: the engine is on Ray, whose exporter tells metrics.
    """
    if as_json and log_json == "-":
        raise OptionError("Give --json or --log-json -, not both: both want standard output.")
    call = new_call_id()
    console = Console(stderr=True)
    with logging_to(log_json, call):
        started = time.monotonic()
        engine, work = make(console)
        store = Store(out)
        record = CallRecord(store, call, command)
        watchers = [RichWatcher(console), record, LogWatcher(), *(_meters(store) if metered else [])]
        outcome = _watched(record, store, engine, work, Watchers(watchers))
        spent = costs(costs_of(read_calls(store)), keys_of(outcome.job))
        facts = summary(outcome, out, time.monotonic() - started) | {"costs": spent}
        told = {name: value for name, value in facts.items() if name not in ("run", "annotators")}
        say(logging.INFO, f"{command} ends", **told)
    if as_json:
        emit(facts)
    else:
        print_summary(facts, Console(stderr=log_json == "-"))
    return GIVEN_UP if outcome.given_up else 0


def tell(console: Console, text: str) -> None:
    """One line for whoever watches, and for the log."""
    console.print(shown(text), style="yellow", highlight=False, soft_wrap=True)
    say(logging.WARNING, text)


def _meters(store: Store) -> list[Watcher]:
    from pipeline.engine.meter import DriverMeter

    return [DriverMeter(store)]


def _watched(record: CallRecord, store: Store, engine: Engine, work: Work, watcher: Watcher) -> Outcome:
    signal.signal(signal.SIGTERM, interrupt)
    state = "broken"
    try:
        with redirect_stdout(sys.stderr):  # Ray prints there when a worker dies
            try:
                outcome = work(store, engine, watcher)
            finally:
                engine.stop()
        state = "given up" if outcome.given_up else "done"
    except KeyboardInterrupt:
        state = "interrupted"
        raise
    except SpeechcraftError as error:
        state = f"ended: {error}"
        say(logging.ERROR, str(error))
        raise
    finally:
        record.close(state)
    return outcome


def interrupt(number: int, frame: FrameType | None) -> None:
    """A signal is answered as Ctrl-C is."""
    raise KeyboardInterrupt
