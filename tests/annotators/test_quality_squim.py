"""STOI, PESQ and SI-SDR: as torchaudio's own network gives them, whatever else is in the batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchaudio.models import squim_objective_base, squim_objective_model

from annotators.quality.measured import quality_of
from annotators.quality.squim import SCORES, SquimAnnotator
from pipeline.clip import Samples
from pipeline.models import ModelError
from pipeline.options import resolve
from pipeline.rows import Quality
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.squim import FILE, SIZES, make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("squim"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> SquimAnnotator:
    return SquimAnnotator(model=str(folder), device="cpu")


def options(model: Path) -> dict[str, object]:
    return resolve(SquimAnnotator, "quality=squim", {"model": str(model)})


def scores(row: Quality) -> list[float | None]:
    return [row.stoi, row.pesq_mos, row.si_sdr_db]


def rows_of(annotator: SquimAnnotator, *sounds: Samples) -> list[Quality]:
    rows = annotator.annotate([clip_of(sound) for sound in sounds])
    return [row for row in rows if isinstance(row, Quality)]


def scores_of(annotator: SquimAnnotator, sound: Samples) -> list[float | None]:
    return scores(rows_of(annotator, sound)[0])


def test_the_order_of_the_scores_is_that_of_the_published_network() -> None:
    assert SCORES == ("stoi", "pesq_mos", "si_sdr_db")


def test_the_scores_are_those_of_torchaudios_network(annotator: SquimAnnotator, folder: Path) -> None:
    plain = squim_objective_model(**SIZES, nhead=4, rnn_type="LSTM", chunk_size=71).eval()
    plain.load_state_dict(torch.load(folder / FILE, weights_only=True))
    sound = buzz(140, 1.5) + noise(1.5)
    with torch.inference_mode():
        expected = [score.item() for score in plain(torch.from_numpy(sound)[None])]
    assert scores_of(annotator, sound) == pytest.approx(expected, abs=1e-4)
    assert 0 <= expected[0] <= 1 <= expected[1] <= 4.65


def test_the_published_sizes_are_read_from_the_checkpoint(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        plain = squim_objective_base().eval()
    torch.save(plain.state_dict(), tmp_path / FILE)
    SquimAnnotator.check(options(tmp_path))
    sound = buzz(140, 0.5) + noise(0.5)
    with torch.inference_mode():
        expected = [score.item() for score in plain(torch.from_numpy(sound)[None])]
    annotator = SquimAnnotator(model=str(tmp_path / FILE), device="cpu")
    assert scores_of(annotator, sound) == pytest.approx(expected, abs=1e-4)


def test_a_batch_gives_what_each_clip_gives_alone(annotator: SquimAnnotator) -> None:
    sounds = [buzz(100, 1.0), noise(0.8), buzz(230, 1.1), noise(0.5), silence(1), noise(0.1), buzz(90, 1.1)]
    together = rows_of(annotator, *sounds)
    for one, sound in zip(together, sounds, strict=True):
        assert scores(one) == pytest.approx(scores_of(annotator, sound), abs=1e-4)
    assert together[0].stoi != pytest.approx(together[1].stoi, abs=1e-3)


def test_what_is_measured_stays_as_it_is(annotator: SquimAnnotator) -> None:
    sound = buzz(140, 1.0) + noise(1.0)
    row = rows_of(annotator, sound)[0]
    assert replace(row, stoi=None, pesq_mos=None, si_sdr_db=None) == quality_of(sound)


def test_level_changes_no_estimate(annotator: SquimAnnotator) -> None:
    sound = buzz(140, 1.0) + noise(1.0)
    assert scores_of(annotator, sound) == pytest.approx(scores_of(annotator, sound * 0.1), abs=1e-4)


def test_of_a_long_clip_the_middle_is_heard(annotator: SquimAnnotator) -> None:
    sound = noise(40)
    assert scores_of(annotator, sound) == scores_of(annotator, sound[15 * 16_000 : 25 * 16_000])


@pytest.mark.parametrize("sound", [silence(1), noise(0.05), noise(0.49)], ids=len)
def test_silence_and_snippets_have_no_estimates(annotator: SquimAnnotator, sound: Samples) -> None:
    assert scores_of(annotator, sound) == [None, None, None]


def refused(model: Path, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        SquimAnnotator.check(options(model))
    with pytest.raises(ModelError, match=what):
        SquimAnnotator(model=str(model), device="cpu")


@pytest.mark.parametrize("key", ["encoder.conv1d.weight", "branches.1.2.2.bias"])
def test_a_missing_or_surplus_tensor_is_named(tmp_path: Path, key: str) -> None:
    file = make(tmp_path) / FILE
    state = torch.load(file, weights_only=True)
    state["other.bias"] = state.pop(key)
    torch.save(state, file)
    refused(tmp_path, rf"1 missing \({key}\) and 1 unexpected \(other\.bias\)")


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path) -> None:
    file = make(tmp_path) / FILE
    state = torch.load(file, weights_only=True)
    state["branches.2.0.linear1.weight"] = torch.zeros(60, 16)
    torch.save(state, file)
    refused(tmp_path, r"branches\.2\.0\.linear1\.weight is \(60, 16\), not \(64, 16\)")


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    file = make(tmp_path) / FILE
    file.write_bytes(file.read_bytes()[:-3000])
    refused(tmp_path, "cannot be read")
    file.unlink()
    refused(tmp_path, f"lacks {FILE}")
