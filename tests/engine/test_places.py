"""Every pool gets processes that fit, and a missing GPU is said before anything starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.places import counts, cpus_for
from pipeline.errors import UsageError
from pipeline.job import Pool
from tests.fakes import job_of

CPU, GPU = Pool("cpu"), Pool("gpu", gpus=0.5, families=frozenset({"peak"}))


def test_pools_with_gpus_are_served_first_and_leave_the_rest() -> None:
    job = replace(job_of(), pools=(CPU, GPU))
    assert counts(job, cpus=8, gpus=1) == {"gpu": 2, "cpu": 6}


def test_every_pool_gets_a_process_however_few_cores_there_are() -> None:
    job = replace(job_of(), pools=(CPU, GPU))
    found = counts(job, cpus=1, gpus=1)
    assert found == {"gpu": 2, "cpu": 1}
    assert cpus_for(job, found) == 3


def test_a_pool_that_says_how_many_gets_as_many() -> None:
    job = replace(job_of(), pools=(replace(CPU, actors=3),))
    assert counts(job, cpus=2, gpus=0, actors=5) == {"cpu": 3}


def test_a_missing_gpu_is_named_with_what_needs_it() -> None:
    job = replace(job_of(), pools=(CPU, GPU))
    with pytest.raises(UsageError, match=r"'gpu' \(peak\) asks for 0.5 GPU .* --cpu"):
        counts(job, cpus=8, gpus=0)
