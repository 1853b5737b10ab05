"""What a run has cost is told in one way everywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.costs import costs, loading
from pipeline.engine.tally import Tally

seconds = st.floats(0.01, 1e4)


@given(st.lists(st.tuples(seconds, seconds, seconds), min_size=1, max_size=5))
def test_a_share_is_of_the_time_at_work_and_loading_is_told_apart(spent: list[tuple[float, ...]]) -> None:
    tallies = {
        f"way-{i}@0": Tally(compute_s=work, load_s=load, waited_s=wait, speech_s=1.0)
        for i, (work, load, wait) in enumerate(spent)
    }
    lines = costs(tallies, tallies)
    total = sum(work for work, _, _ in spent)
    for line, (work, _, _) in zip(lines, spent, strict=True):
        assert abs(line["share"] - work / total) <= 1e-4
    assert f"{sum(line['load_s'] for line in lines):,.1f} s of loading are not in it" in loading(lines)
