"""The detector learns from a sliver which word stands out, and what is exported is what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from annotators._small import Network, card_of
from annotators.emphasis._features import BANDS, FRAMES, N_NUMBERS
from jobs.train.emphasis.command import found_of, split
from jobs.train.emphasis.examples import Example
from jobs.train.emphasis.export import TOLERANCE, Judge, export
from jobs.train.emphasis.figures import Judgement, against_listeners, against_truth, calibration_error
from jobs.train.emphasis.learning import Scale, Settings, batched, learn, loss
from jobs.train.emphasis.network import Detector
from tests.command import example, speechcraft, write_manifest


def made_up(n: int, *, marked: bool = False, seed: int = 0) -> list[Example]:
    """Sentences in which the stressed word has a higher first number and a brighter picture."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        k = int(rng.integers(3, 9))
        pictures = 0.3 * rng.standard_normal((k, FRAMES, BANDS)).astype(np.float32)
        numbers = 0.3 * rng.standard_normal((k, N_NUMBERS)).astype(np.float32)
        place = int(rng.integers(k)) if marked or i % 4 else -1
        if place >= 0:
            numbers[place, 0] += 2
            pictures[place] += 1
        marks = np.zeros(k, np.float32)
        marks[place] = 2.5
        known = {"marks": marks} if marked else {"stressed": place}
        found.append(Example(f"{seed}-{i}", "made up", f"s{i % 40}", "", pictures, numbers, **known))
    return found


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def judge() -> Judge:
    told, heard = made_up(160), made_up(96, marked=True, seed=1)
    scale = Scale.of([*told, *heard])
    return Judge([learn(told, scale, 6, Settings(), 0)], [learn(heard, scale, 6, Settings(), 0)], scale)


def test_it_learns_from_a_sliver_which_word_is_stressed_and_that_none_is(judge: Judge) -> None:
    kept_back = made_up(60, seed=2)
    found = [found_of(judge, e) for e in kept_back]
    pairs = list(zip(kept_back, found, strict=True))
    assert np.mean([f[0].argmax() == e.stressed for e, f in pairs if e.stressed != -1]) > 0.9
    calm, stressed = ([f[1] for e, f in pairs if (e.stressed == -1) == is_calm] for is_calm in (True, False))
    assert np.mean(calm) < np.mean(stressed)


def test_the_same_seed_gives_the_same_network() -> None:
    sliver = made_up(32)
    scale = Scale.of(sliver)
    one, two, other = (learn(sliver, scale, 1, Settings(), seed) for seed in (3, 3, 4))
    same = [
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    ]
    assert all(same)
    assert not torch.equal(one.prominence.weight, other.prominence.weight)


def test_padding_changes_nothing() -> None:
    short, long = sorted(made_up(12), key=lambda e: len(e.numbers))[::11]
    scale, detector = Scale.of([short, long]), Detector().eval()
    with torch.no_grad():
        alone = detector(*_inputs([short], scale))
        beside = detector(*_inputs([short, long], scale))
    n = len(short.numbers)
    assert torch.allclose(alone[0][0], beside[0][0, :n], atol=1e-5)
    assert torch.allclose(alone[1][0, :n], beside[1][0, :n], atol=1e-5)
    assert torch.allclose(alone[1][0, -1], beside[1][0, -1], atol=1e-5)


def _inputs(examples: list[Example], scale: Scale) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    batch = batched(examples, scale)
    return batch.pictures, batch.numbers, batch.there


def test_a_batch_of_nothing_known_costs_nothing() -> None:
    silent = [Example("a", "", "", "", e.pictures, e.numbers) for e in made_up(2)]
    assert float(loss(Detector(), batched(silent, Scale.of(silent)))) == 0.0


def test_onnx_says_what_torch_says(judge: Judge, tmp_path: Path) -> None:
    assert export(judge, tmp_path / "a.onnx") <= TOLERANCE


def test_no_speaker_is_in_two_parts() -> None:
    parts = split(made_up(200))
    speakers = [{e.speaker for e in part} for part in (parts.learn, parts.validate, parts.test)]
    assert all(speakers)
    assert sum(map(len, speakers)) == len(set().union(*speakers))


def test_figures_are_those_counted_by_hand() -> None:
    words = np.zeros((2, FRAMES, BANDS), np.float32), np.zeros((2, N_NUMBERS), np.float32)
    examples = [Example(str(i), "", f"s{i}", "", *words, stressed=s) for i, s in enumerate((0, 1, -1, -1))]
    chances = [(0.9, 0.1), (0.9, 0.1), (0.9, 0.0), (0.1, 0.1)]
    found = [Judgement(np.array(c), np.array(c)) for c in chances]
    told = against_truth(examples, found, 0.5)
    assert told["sentences_right"].value == 0.5
    assert told["stressed_word_found"].value == 0.5
    assert told["false_alarms"].value == 0.5
    assert told["words_right"].value == pytest.approx((1 + 0 + 0.5 + 1) / 4)
    marked = [Example("a", "", "s", "", *words, marks=np.array([2.0, 1.0], np.float32))]
    heard = against_listeners(marked, found[:1], 0.5)
    assert str(heard["top1"]).startswith("1.000")
    assert calibration_error(np.array([1.0, 0.0]), np.array([0.95, 0.05])) == pytest.approx(0.05)


def test_the_command_trains_on_a_run_and_on_what_was_made_of_it(tmp_path: Path) -> None:
    lines = [example(id) for id in ("brother", "meeting", "red-book")]
    for line in lines:
        tokens = str(line["text"]).replace(".", "").replace(",", "").split()
        line["emphasis"] = [{"word": w, "prominence": float(len(w))} for w in tokens]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    run, made, out = tmp_path / "run", tmp_path / "made", tmp_path / "out"
    (tmp_path / "job.yaml").write_text(
        "annotators: {sound: decode, language: script, transcript: pocketsphinx, "
        "words: pocketsphinx, pitch: dio}"
    )
    job = tmp_path / "job.yaml"
    assert speechcraft("annotate", source, "--out", run, "--job", job, "--engine", "inline").code == 0
    assert speechcraft("train", "emphasis-data", run, made, "--per-clip", 1, "--engine", "inline").code == 0
    ended = speechcraft(
        "train", "emphasis", out, "--regenerated", made, "--run", run, "--labels", source, "--members", 1,
        "--regenerated-epochs", 1, "--listened-epochs", 1, "--json",
    )  # fmt: skip
    assert ended.code in (0, None), ended.err
    told = json.loads(ended.out)
    assert told["listened_clips"] == 3
    assert told["figures"]["listened"]["top1"]["n"] == 3
    assert card_of(out / "small.onnx")["facts"]["min_probability"] == told["min_probability"]
    pictures, numbers = np.zeros((4, FRAMES, BANDS)), np.zeros((4, N_NUMBERS))
    assert Network(out / "small.onnx")(pictures=pictures, numbers=numbers)["scores"].shape == (4,)


def test_without_anything_to_learn_from_it_says_so(tmp_path: Path) -> None:
    ended = speechcraft("train", "emphasis", tmp_path)
    assert (ended.code, "--regenerated" in ended.err) == (2, True)
