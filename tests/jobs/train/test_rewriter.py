"""`speechcraft train rewriter` on a tiny Llama: it learns, counts, repeats itself, goes on after a kill."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from jobs.serving.adapters import check_adapter
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.command import NEEDS
from jobs.train.rewriter.pairs import Gate
from jobs.train.rewriter.report import PAPER, terminal
from tests.command import Ended, speechcraft
from tests.jobs.train.rewriting import lines, pairs, short_prompts, write, wrong
from tests.tiny import llama

QUICK = ("--epochs", 1, "--batch", 4, "--accumulate", 1, "--lr", 0.005, "--rank", 4, "--held-out", 0.2)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    """Others share the processor, and two threads may add in another order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model, short prompts, and 24 sound examples with 4 that are not."""
    folder = tmp_path_factory.mktemp("rewriter")
    llama.make(folder / "base")
    short_prompts(folder)
    good = pairs(24)
    write(folder / "examples.jsonl", [*lines(good), *lines(map(wrong, good[:4]))])
    return folder


def train(folder: Path, out: str, *more: object) -> Ended:
    prompt = folder / "short.{language}.md"
    return speechcraft(
        "train", "rewriter", folder / "base", folder / out, "--examples", folder / "examples.jsonl",
        "--prompt", prompt, *QUICK, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(folder: Path) -> Any:
    ended = train(folder, "first", "--generate", 2, "--json")
    assert ended.code == 0, ended.err
    return ended.json


def test_the_held_out_loss_falls_below_that_of_the_base(trained: Any) -> None:
    assert trained["loss"]["adapter"] < trained["loss"]["base"] - 0.2
    assert trained["loss"]["tokens"] > 100
    assert 10 < trained["steps"] < 40


def test_the_report_counts_what_was_read_kept_out_and_made(trained: Any, folder: Path) -> None:
    data = trained["data"]
    assert data["read"] == {"examples": 28}
    assert data["rejected"] == {"distortion": 4}
    assert data["held_out"]["by"] == "combination"
    assert data["training"]["synonyms"] > 0
    assert data["rows"] > sum(data["training"].values())
    assert data["training"]["found"] + data["held_out"]["pairs"] <= 24
    assert json.loads((folder / "first" / "report.json").read_text("utf-8")) == trained


def test_answers_of_the_model_are_asked_for_and_judged(trained: Any) -> None:
    generated = trained["generated"]
    assert generated["asked"] == 2
    unreadable, readable = sum(generated["unreadable"].values()), generated["captions"]["clips"]
    assert unreadable + readable == 2


def test_the_adapter_is_one_of_the_base_for_serve_and_peft(folder: Path, trained: Any) -> None:
    assert check_adapter("rewriter", folder / "first", folder / "base") == 4
    config = json.loads((folder / "first" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["bias"], config["use_dora"]) == (4, 8, "none", False)
    assert sorted(config["target_modules"]) == sorted(llama.PROJECTIONS)
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder / "base")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PEFT reads a name that transformers gives up
        tuned = PeftModel.from_pretrained(base, folder / "first")
    assert len(tuned.peft_config) == 1
    weights = load_file(folder / "first" / "adapter_model.safetensors")
    assert all(weight.any() for name, weight in weights.items() if "lora_B" in name)


def test_what_has_ended_is_not_done_again(folder: Path, trained: Any) -> None:
    before = (folder / "first" / "adapter_model.safetensors").stat().st_mtime_ns
    ended = train(folder, "first", "--generate", 2, "--json")
    assert ended.json == trained
    assert "has ended before" in ended.err
    assert (folder / "first" / "adapter_model.safetensors").stat().st_mtime_ns == before


def test_a_folder_of_another_training_is_refused(folder: Path, trained: Any) -> None:
    ended = train(folder, "first", "--seed", 7)
    assert ended.code == 2
    assert "holds a training with other settings (data)" in ended.err


def test_a_training_that_was_cut_off_goes_on_and_ends_with_the_very_bytes_of_one_that_was_not(
    folder: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does one that is done twice with the same seed."""
    from jobs.train.rewriter import tuning

    said = tuning._Watch.on_log

    def cut(self: Any, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        said(self, args, state, control, logs, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tuning._Watch, "on_log", cut)
        assert train(folder, "cut", "--save-steps", 4, "--generate", 0).code == 130
    assert not (folder / "cut" / "report.json").exists()
    ended = train(folder, "cut", "--save-steps", 4, "--generate", 0, "--json").json
    assert ended["resumed_at"] == 8
    assert ended["loss"] == trained["loss"]
    weights = [(folder / out / "adapter_model.safetensors").read_bytes() for out in ("first", "cut")]
    assert weights[0] == weights[1]


def test_captions_that_changed_since_the_start_are_refused(folder: Path, trained: Any) -> None:
    rows = folder / "first" / "work" / "rows"
    report = folder / "first" / "report.json"
    kept = rows.read_text(), report.read_text("utf-8")
    rows.write_text("other")
    report.unlink()
    ended = train(folder, "first", "--generate", 2)
    rows.write_text(kept[0])
    report.write_text(kept[1], "utf-8")
    assert ended.code == 2
    assert "have changed since" in ended.err


def test_the_card_tells_where_the_adapter_comes_from(folder: Path, trained: Any) -> None:
    card = (folder / "first" / "README.md").read_text("utf-8")
    assert card.startswith("---\nbase_model:")
    for fact in (
        "speechcraft serve BASE --lora rewriter=ADAPTER",
        "caption.examples=false",
        trained["prompts"]["en"],
        trained["prompts"]["zh"],
        trained["check"],
        "examples 28",
        f"{trained['loss']['adapter']:.4f}",
    ):
        assert str(fact) in card


def test_people_get_the_figures_of_the_paper_beside_ours(folder: Path, trained: Any) -> None:
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as capture:
        console.print(terminal(trained))
    for word in ("held-out loss", "distortion 4", "1.95 %", "6.14 %", "33.05 %", "unreadable"):
        assert word in capture.get()
    assert PAPER["zh"]["omission"] == 3.88


def test_answers_with_known_faults_are_counted_as_such() -> None:
    from jobs.train.rewriter.training import judged

    prompts = Prompts("caption")
    good = Gate(prompts).all_of(pairs(6, language="en"))
    answers = [prompts.full("en").answer(pair.captions, pair.attributes) for pair in good]
    bad = wrong(good[1])
    answers[1] = prompts.full("en").answer(bad.captions, bad.attributes)
    answers[2] = "Sure! Here it is."
    found = judged(good, answers, prompts, 0)
    assert (found["asked"], found["unreadable"], found["sound"]["en"]) == (6, {"en": 1}, 4)
    english = found["captions"]["languages"]["en"]
    assert english["rates"]["distortion"] == pytest.approx(2 / 10)
    assert sum(english["places"].values()) == 5


def test_mistakes_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    nothing = speechcraft("train", "rewriter", folder / "base", tmp_path / "a")
    assert (nothing.code, "none was found" in nothing.err) == (2, True)
    gone = speechcraft("train", "rewriter", folder / "base", tmp_path / "b", "--run", tmp_path / "run")
    assert (gone.code, "holds no run" in gone.err) == (2, True)
    prompt = speechcraft(
        "train", "rewriter", "x", tmp_path / "c", "--examples", folder / "examples.jsonl", "--prompt", "nil"
    )
    assert (prompt.code, "There is no prompt 'nil'" in prompt.err) == (2, True)
    absent = speechcraft(
        "train", "rewriter", tmp_path / "none", tmp_path / "d", "--examples", folder / "examples.jsonl"
    )
    assert (absent.code, "cannot be loaded from this machine" in absent.err) == (2, True)
    short = train(folder, "short", "--max-length", 64)
    assert (short.code, "No example fits into 64 tokens" in short.err) == (2, True)


def test_without_the_extra_one_sentence_names_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util
    from importlib.machinery import ModuleSpec

    there = importlib.util.find_spec

    def spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in NEEDS[2:] else there(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", spec)
    ended = speechcraft("train", "rewriter", folder / "base", tmp_path / "out")
    assert ended.code == 2
    assert "Training needs peft, trl: install speechcraft[train]." in ended.err
