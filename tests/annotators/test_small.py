"""Shipped weights: pinned by their card, and one clip's numbers depend on that clip alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from annotators._small import Network, card_of, facts, model, write_card
from pipeline.models import ModelError


def doubling(folder: Path) -> Path:
    """Weights that add their input to itself."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    doubled = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", [given], [doubled])
    path = folder / "small.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.save(made, path)
    write_card(path, name="doubling", licence="Apache-2.0", about="twice", facts={"threshold": 0.5})
    return path


def test_the_outputs_come_by_name_and_the_inputs_in_any_type(tmp_path: Path) -> None:
    network = Network(doubling(tmp_path))
    assert network(x=np.array([1, 2], np.int16))["y"].tolist() == [2.0, 4.0]


def test_the_card_tells_the_facts_and_the_identity_is_the_hash_of_the_weights(tmp_path: Path) -> None:
    path = doubling(tmp_path)
    found = model(path)
    assert facts(path) == {"threshold": 0.5}
    assert (found.name, found.licence, found.commercial) == ("doubling", "Apache-2.0", True)
    assert card_of(path)["sha256"].startswith(found.identity)


def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path: Path) -> None:
    path = doubling(tmp_path)
    path.write_bytes(path.read_bytes() + b" ")
    for use in (Network, model):
        with pytest.raises(ModelError, match="are not those of their card"):
            use(path)


def test_a_missing_file_a_broken_card_and_a_broken_network_are_named(tmp_path: Path) -> None:
    path = doubling(tmp_path)
    path.write_bytes(b"no network")
    write_card(path, name="n", licence="l", about="a", facts={})
    with pytest.raises(ModelError, match=r"small\.onnx cannot be loaded"):
        Network(path)
    path.unlink()
    with pytest.raises(ModelError, match="missing from the package"):
        model(path)
    card_of.cache_clear()
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(ModelError, match="lacks about, facts, licence, name, sha256"):
        card_of(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        card_of(path)
