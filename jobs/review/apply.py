"""The dataset of a run brought up to what people said of it."""

from __future__ import annotations

import json
from collections.abc import Callable

from rich.console import Console

from annotators._chat.address import LATER
from jobs.progress import RichWatcher
from jobs.recorded import job_as_ran
from jobs.runs import Run
from pipeline.engine.flow import amended
from pipeline.engine.inline import InlineEngine
from pipeline.errors import RunError, UsageError
from pipeline.join import INDEX
from pipeline.review.judgements import REVIEWS
from pipeline.review.reviewed import Reviewed
from pipeline.storage import Store


def pending(store: Store) -> bool:
    """Whether people said something that the dataset does not know yet; False where there is no dataset."""
    if not store.exists(INDEX):
        return False
    known = str(json.loads(store.read(INDEX)).get("reviews", ""))
    return bool(known or store.names(REVIEWS)) and Reviewed.read(store).digest() != known


def apply(url: str, say: Callable[[str], None]) -> bool:
    """Annotate again what corrections reach, and join; whether there was anything to do.

    Raises RunError in one sentence where it cannot be done here: a model or a service is not at hand.
    """
    if not pending(Store(url)):
        return False
    say("What people said in review is brought into the dataset.")
    run = Run.open(url)
    try:
        job = job_as_ran(run)
        if any(way.options.get("endpoint") == LATER for way in job.ways):
            raise RunError("The job serves its language model itself.")
        amended(job, run.store, InlineEngine(), RichWatcher(Console(stderr=True)))
    except UsageError as error:
        raise RunError(
            f"What people corrected in {url} is kept, but cannot be brought into its dataset here: {error} "
            "The annotate command that made the run does it, too."
        ) from error
    return True
