"""An export from request to checksums: plan, write, describe, seal. To resume is to run it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jobs.export import ledger
from jobs.export.card import CARD, Facts, write_card
from jobs.export.choose import chooser
from jobs.export.columns import classes, columns_to_export
from jobs.export.dataset import Dataset
from jobs.export.forms.base import Fact, Form, Layout
from jobs.export.models import noncommercial
from jobs.export.plan import DROPPED, Plan, make_plan
from jobs.export.recorded import record
from jobs.export.request import Request
from jobs.export.statistics import gather
from jobs.export.write import write_parts
from jobs.review.apply import apply
from pipeline.errors import UsageError
from pipeline.lease import held
from pipeline.storage import Store


@dataclass(slots=True)
class Exported:
    """What an export holds. `silent` counts clips without sound by the code of the reason, `bytes` are those
    of the data and its sound."""

    path: str
    clips: int
    parts: int
    splits: dict[str, int]
    dropped: dict[str, int]
    silent: dict[str, int]
    examples: dict[str, str]
    bytes: int
    promise: str | None = None
    notes: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def export(
    directory: str, path: str, request: Request, say: Callable[[str], None], *, anew: bool = False
) -> Exported:
    """Export the run in `directory` to `path`; what is finished there already stays.

    `anew`: the export that is there gives way, of whatever state of the run it is; what others put beside
    it stays. Raises UsageError for what cannot be done, one sentence.
    """
    request.check()
    apply(directory, say)
    dataset = Dataset.open(directory)
    out = Store(path)
    left_out = noncommercial(dataset.record) if request.commercial_only else {}
    schema = columns_to_export(dataset, request, tuple(left_out))
    choose = chooser(dataset, request)
    _apart(dataset.store, out)
    digest = request.digest(dataset.digest)
    asked = {"request": asdict(request)}
    if anew and ledger.digest_of(out) != digest:
        with held(out):
            _recorded(dataset, out, digest, request, say)  # first: the run knows it wherever a kill falls
            ledger.replace(out, digest, asked)
    new = ledger.begin(out, digest, asked) or anew
    with held(out):
        ledger.sweep(out)
        if (facts := ledger.whole(out, digest)) is not None:
            _recorded(dataset, out, digest, request, say)
            ledger.put_away(out)
            return Exported(path, **facts)
        try:
            plan = make_plan(dataset, request, choose, out)
        except UsageError:
            if new:
                ledger.put_away(out)
            raise
        _recorded(dataset, out, digest, request, say)
        if (promise := plan.promise()) is not None:
            say(promise)
        form = _form(request, Layout(out, schema, request.audio, _classes(dataset, request, schema)))
        write_parts(dataset, request, plan, form, schema.names, out)
        silent, examples = ledger.silent(out, (part.number for part in plan.parts))
        numbers = gather(dataset, plan, schema)
        card = write_card(Facts(dataset, request, plan, schema, numbers, silent, left_out))
        out.write(CARD, card.encode())
        splits = {s: sum(p.rows for p in plan.parts if p.split == s) for s in plan.splits}
        notes = (
            [f"left out: {', '.join(left_out)} (models under non-commercial licences)"] if left_out else []
        )
        size = ledger.size(out, [part.number for part in plan.parts])
        done = Exported(
            path,
            plan.rows,
            len(plan.parts),
            splits,
            plan.dropped,
            dict(silent),
            examples,
            size,
            promise,
            notes,
        )
        _seal(out, plan, digest, request, done)
        ledger.put_away(out)
    return done


def _recorded(
    dataset: Dataset, out: Store, digest: str, request: Request, say: Callable[[str], None]
) -> None:
    if not record(dataset.store, out, digest, request):
        say("The run cannot be written: `speechcraft forget` will not know of this export.")


def _apart(run: Store, out: Store) -> None:
    """Neither folder holds the other: a run's files are its own."""
    if run.is_local and out.is_local:
        a, b = Path(run.full("")).resolve(), Path(out.full("")).resolve()
        if a == b or a in b.parents or b in a.parents:
            raise UsageError(f"An export lies outside of the run it is made from: {out.url} does not.")


def _classes(dataset: Dataset, request: Request, schema: Any) -> dict[str, tuple[str, ...]]:
    return classes(dataset, schema) if request.to == "hf" else {}


def _form(request: Request, layout: Layout) -> Form:
    if request.to == "hf":
        from jobs.export.forms.hf import HfForm

        return HfForm(layout)
    if request.to == "parquet":
        from jobs.export.forms.parquet import ParquetForm

        return ParquetForm(layout)
    if request.to == "webdataset":
        from jobs.export.forms.webdataset import WebDatasetForm

        return WebDatasetForm(layout)
    if request.to == "jsonl":
        from jobs.export.forms.jsonl import JsonlForm

        return JsonlForm(layout)
    if request.to == "lhotse":
        from jobs.export.forms.lhotse import LhotseForm

        return LhotseForm(layout)
    from jobs.export.forms.paper import PaperForm

    return PaperForm(layout)


def _seal(out: Store, plan: Plan, digest: str, request: Request, done: Exported) -> None:
    """What was asked for and what came of it, and the checksums of all."""
    facts = {name: value for name, value in done.facts().items() if name != "path"}
    made = {"digest": digest, "request": asdict(request), "facts": facts}
    out.write(ledger.MADE, json.dumps(made, ensure_ascii=False, indent=1).encode())
    rest = []
    for name in (CARD, DROPPED, ledger.MADE):
        data = out.read(name)
        rest.append(Fact(name, len(data), hashlib.sha256(data).hexdigest()))
    ledger.seal(out, [part.number for part in plan.parts], rest)
