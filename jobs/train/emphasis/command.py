"""`speechcraft train emphasis`: learn, measure on speakers left out, export, and say what it reaches."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from annotators._small import write_card
from jobs.output import emit
from jobs.train.emphasis.examples import Example, listened, regenerated
from jobs.train.emphasis.export import Judge, export
from jobs.train.emphasis.figures import Judgement, Share, against_listeners, against_truth
from jobs.train.emphasis.learning import Scale, Settings, learn
from jobs.train.emphasis.network import Detector
from pipeline.errors import SourceError

WEIGHTS = "small.onnx"
_KEPT = 10  # of the speakers of regenerated clips one part in this many tests, and one validates
_FALSE_ALARMS = 0.10
"""Share of unstressed sentences that may be given a word; the threshold is set so on validation."""
_SHARPNESSES = np.geomspace(0.1, 3.0, 35)


Found = tuple[np.ndarray, float]
"""Of a clip: the score of every word, and the chance that any is stressed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for. `marked` pairs runs with manifests of listeners' marks."""

    out: str
    regenerated: tuple[str, ...]
    run: str | None
    labels: Path | None
    seed: int = 0
    members: int = 2
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Parts:
    """Regenerated clips by their speakers: no speaker is in two parts."""

    learn: list[Example]
    validate: list[Example]
    test: list[Example]


def run(request: Request, *, as_json: bool) -> None:
    """Train and write OUT/small.onnx with its card."""
    started = time.monotonic()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # sums in one order, whatever the machine
    parts = split([e for folder in request.regenerated for e in _named(regenerated(folder))])
    heard = listened(request.run, request.labels) if request.run and request.labels else []
    if not parts.learn and not heard:
        raise SourceError("Nothing to learn from: give --regenerated, or --run with --labels.")
    scale = Scale.of([*parts.learn, *heard])
    told = _members(parts.learn, scale, request, request.settings.regenerated_epochs, 1)
    left_out = _left_out(told, heard, scale, request)
    kept = _members(heard, scale, request, request.settings.listened_epochs, request.members)
    judge = Judge(told, kept, scale)
    judge.sharpness = sharpness(judge, parts.validate, left_out, heard)
    threshold = named_from(judge, parts.validate)
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    difference = export(judge, out / WEIGHTS)
    figures: dict[str, Mapping[str, Any]] = {
        "listened": against_listeners(heard, [_at(f, judge.sharpness) for f in left_out], threshold)
        if heard
        else {},
        "regenerated": against_truth(parts.test, judged(judge, parts.test), threshold) if parts.test else {},
    }
    facts = _facts(request, parts, heard, threshold, judge.sharpness)
    write_card(
        out / WEIGHTS,
        name="speechcraft-emphasis-small",
        licence="Apache-2.0",
        about="the stressed word; trained on regenerated clips and on listeners' marks",
        facts=facts | {"figures": _plain(figures)},
    )
    ended = {
        "weights": str(out / WEIGHTS),
        "onnx_difference": difference,
        "seconds": time.monotonic() - started,
    }
    if as_json:
        emit(ended | facts | {"figures": _plain(figures)})
    else:
        sys.stdout.write(table(figures, ended, threshold))


def split(examples: Sequence[Example]) -> Parts:
    """By a hash of the speaker, so that more data moves nobody; a corpus of one speaker is learnt from."""
    parts = Parts([], [], [])
    speakers: dict[str, set[str]] = {}
    for example in examples:
        speakers.setdefault(example.corpus, set()).add(example.speaker)
    for example in examples:
        place = int(blake2b(example.speaker.encode(), digest_size=4).hexdigest(), 16) % _KEPT
        alone = len(speakers[example.corpus]) == 1
        (parts.learn if alone or place > 1 else parts.validate if place else parts.test).append(example)
    return parts


def _named(examples: Sequence[Example]) -> list[Example]:
    return [replace(e, speaker=f"{e.corpus}/{e.speaker}") for e in examples]


def _members(
    examples: Sequence[Example], scale: Scale, request: Request, epochs: int, count: int
) -> list[Detector]:
    """So many detectors, each from a seed of its own; none where there is nothing to learn from."""
    seeds = range(request.seed, request.seed + count)
    return [learn(examples, scale, epochs, request.settings, seed) for seed in seeds if examples]


def _left_out(
    told: Sequence[Detector], heard: Sequence[Example], scale: Scale, request: Request
) -> list[Found]:
    """What is found of every marked clip by detectors that never heard its speaker."""
    found: dict[str, Found] = {}
    for speaker in sorted({e.speaker for e in heard}):
        others = [e for e in heard if e.speaker != speaker]
        fold = _members(others, scale, request, request.settings.listened_epochs, request.members)
        judge = Judge(told, fold, scale)
        found |= {e.id: found_of(judge, e) for e in heard if e.speaker == speaker}
    return [found[e.id] for e in heard]


def found_of(judge: Judge, example: Example) -> Found:
    """The scores of one clip's words, and the chance that any is stressed."""
    with torch.no_grad():
        scores, any_word = judge.found(torch.from_numpy(example.pictures), torch.from_numpy(example.numbers))
    return scores.numpy(), float(any_word)


def _at(found: Found, sharpness: float) -> Judgement:
    scores, any_word = found
    shares = np.exp((scores - scores.max()) / sharpness)
    return Judgement(scores, any_word * shares / shares.sum())


def judged(judge: Judge, examples: Sequence[Example]) -> list[Judgement]:
    """Every clip, alone."""
    return [_at(found_of(judge, example), judge.sharpness) for example in examples]


def sharpness(
    judge: Judge, told: Sequence[Example], left_out: Sequence[Found], heard: Sequence[Example]
) -> float:
    """What scores are divided by, so that the stressed words are likeliest; both kinds count alike."""
    kinds: list[list[tuple[np.ndarray, int]]] = [
        [(found_of(judge, e)[0], e.stressed) for e in told if e.stressed is not None and e.stressed >= 0],
        [
            (f[0], int(np.nanargmax(e.marks)))
            for f, e in zip(left_out, heard, strict=True)
            if e.marks is not None
        ],
    ]

    def surprise(by: float) -> float:
        known = (kind for kind in kinds if kind)
        return sum(float(np.mean([np.logaddexp.reduce(s / by) - s[t] / by for s, t in k])) for k in known)

    return float(min(_SHARPNESSES, key=surprise))


def named_from(judge: Judge, examples: Sequence[Example]) -> float:
    """The chance from which a word is named: above that of all but a few of the unstressed sentences."""
    calm = [
        j.chances.max() for j, e in zip(judged(judge, examples), examples, strict=True) if e.stressed == -1
    ]
    return round(float(np.quantile(calm, 1 - _FALSE_ALARMS)), 3) if calm else 0.5


def _facts(
    request: Request, parts: Parts, heard: Sequence[Example], threshold: float, sharpness: float
) -> dict[str, Any]:
    clips = {"learn": len(parts.learn), "validate": len(parts.validate), "test": len(parts.test)}
    return {
        "min_probability": threshold,
        "sharpness": sharpness,
        "seed": request.seed,
        "members": request.members,
        "settings": asdict(request.settings),
        "corpora": sorted({e.corpus for e in (*parts.learn, *heard)}),
        "regenerated_clips": clips,
        "listened_clips": len(heard),
        "listened_speakers": len({e.speaker for e in heard}),
    }


def _plain(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        part: {name: asdict(f) if isinstance(f, Share) else f for name, f in found.items()}
        for part, found in figures.items()
    }


def table(figures: Mapping[str, Mapping[str, Any]], told: Mapping[str, Any], threshold: float) -> str:
    """What it reaches, for people."""
    lines = [f"{told['weights']}: {told['onnx_difference']:.1e} from PyTorch, {told['seconds']:.0f} s"]
    titles = {
        "listened": "listeners' marks, speakers left out",
        "regenerated": "regenerated, speakers left out",
    }
    for part, found in figures.items():
        lines.append(f"\n{titles[part]} (a word is named from {threshold:.3f})")
        for name, figure in found.items():
            if isinstance(figure, Share):
                lines.append(f"  {name:22s}{figure}")
            else:
                lines += [f"    {speaker:20s}{value:.3f}" for speaker, value in figure.items()]
    return "\n".join(lines) + "\n"
