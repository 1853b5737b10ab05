"""What holds of patterns behind the text without which they cannot match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.check.gated import Gated
from prompts.check.lexicon import source, spelt_out

NAMES = ("chat", "echo")


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_behind_its_literal_a_pattern_matches_what_it_matches_alone(name: str, data: st.DataObject) -> None:
    patterns = source("form")[name]
    pattern = data.draw(st.sampled_from(patterns))
    text = data.draw(st.from_regex(re.compile(pattern, re.I)))
    alone = any(re.search(one, text, re.I) for one in patterns)
    assert Gated(patterns).found(text) == alone


def test_a_group_stands_for_each_of_its_choices() -> None:
    assert spelt_out("(go|run) like (the wind|)").split(", ") == [
        "go like the wind",
        "run like the wind",
        "go like ",
        "run like ",
    ]
    assert spelt_out("as it is, (a|b)") == "as it is, a, b"
