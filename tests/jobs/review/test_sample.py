"""The same seed shows the same clips, and each way of choosing shows what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.export.dataset import Dataset
from jobs.review.sample import sample
from pipeline.errors import OptionError, RunError


@pytest.fixture(scope="module")
def data(reviewable: Path) -> Dataset:
    return Dataset.open(str(reviewable / "run"))


def test_a_seed_decides_which_clips_and_in_which_order(data: Dataset) -> None:
    first = [clip.id for clip in sample(data, 3, "random", 0)]
    assert first == [clip.id for clip in sample(data, 3, "random", 0)]
    assert len(set(first)) == 3
    assert {tuple(c.id for c in sample(data, 3, "random", seed)) for seed in range(8)} != {tuple(first)}


def test_each_clip_comes_with_its_row_and_place(data: Dataset) -> None:
    for clip in sample(data, 100, "random", 0):
        assert clip.row["id"] == clip.id
        assert data.items(clip.shard, dict(data.by_shard(["id"]))[clip.shard])[clip.number].id == clip.id


def test_by_label_only_those_with_the_label_come(data: Dataset) -> None:
    found = sample(data, 100, "label=language:zh", 0)
    assert [clip.id for clip in found] == ["zh-neighbour"]
    found = sample(data, 100, "label=gender:female", 0)
    assert {clip.row["gender"] for clip in found} == {"female"}


def test_by_low_confidence_the_least_sure_come_first_and_say_of_what(data: Dataset) -> None:
    found = sample(data, 100, "low-confidence", 0)
    assert found
    assert all("confidence 0." in clip.why or "confidence 1." in clip.why for clip in found)
    assert found[:2] == sample(data, 2, "low-confidence", 0)


def test_by_failed_check_what_is_sound_does_not_come(data: Dataset) -> None:
    with pytest.raises(RunError, match="failed-check"):
        sample(data, 100, "failed-check", 0)


@pytest.mark.parametrize("by", ["luck", "label", "label=emotion", "label=mood:sad", "label="])
def test_a_way_that_does_not_exist_says_what_does(data: Dataset, by: str) -> None:
    with pytest.raises(OptionError, match=r"--by takes|There is no column"):
        sample(data, 1, by, 0)
