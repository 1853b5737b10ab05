"""A model is found offline, named by what it holds, and refused in one sentence where it is not whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.models import (
    ModelError,
    Published,
    compare_keys,
    compare_shapes,
    locate,
    safetensors_shapes,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SPEECHCRAFT_MODELS", raising=False)


def model_at(folder: Path | str, *files: str) -> Published:
    return Published(str(folder), files, "MIT", True, 10, "a model")


def filled(folder: Path, **contents: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_folder_is_found_by_its_path(tmp_path: Path) -> None:
    folder = filled(tmp_path / "m", weights=b"123")
    assert locate(model_at(folder, "weights")).folder == folder


def test_a_hub_id_is_found_on_the_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "shelf" / "org" / "model", weights=b"123")
    monkeypatch.setenv("SPEECHCRAFT_MODELS", str(tmp_path / "shelf"))
    assert locate(model_at("org/model", "weights")).folder.name == "model"


def test_a_copy_elsewhere_has_the_same_identity_and_other_content_another(tmp_path: Path) -> None:
    one = locate(model_at(filled(tmp_path / "a", weights=b"123"), "weights")).identity
    copy = locate(model_at(filled(tmp_path / "b", weights=b"123"), "weights")).identity
    other = locate(model_at(filled(tmp_path / "c", weights=b"124"), "weights")).identity
    assert one == copy != other


def test_changed_content_changes_the_identity_though_digests_are_remembered(tmp_path: Path) -> None:
    folder = filled(tmp_path / "m", weights=b"123")
    before = locate(model_at(folder, "weights")).identity
    filled(folder, weights=b"4567")
    assert locate(model_at(folder, "weights")).identity != before


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("org/nothing-here", ("weights",), "speechcraft models pull"),
        ("{}/none", ("weights",), "There is no model at"),
        ("{}/m", ("weights", "config.json"), "lacks config.json"),
        ("{}/m", ("empty",), "empty is empty"),
    ],
)
def test_what_is_not_whole_is_named(tmp_path: Path, name: str, files: tuple[str, ...], words: str) -> None:
    filled(tmp_path / "m", weights=b"123", empty=b"")
    with pytest.raises(ModelError, match=words):
        locate(model_at(name.format(tmp_path), *files))


def test_keys_that_are_missing_or_unexpected_are_named() -> None:
    with pytest.raises(ModelError, match=r"1 missing \(b\) and 2 unexpected \(c, d\)"):
        compare_keys("m", ["a", "b"], ["a", "c", "d"])
    compare_keys("m", ["a"], ["a"])


def test_a_tensor_of_another_shape_is_named() -> None:
    with pytest.raises(ModelError, match=r"a is \(3,\), not \(2,\)"):
        compare_shapes("m", {"a": (2,)}, {"a": (3,)})


def safetensors_bytes(missing: int = 0) -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(24 - missing)


def test_the_shapes_of_a_safetensors_file_are_read_from_its_header(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(safetensors_bytes())
    assert safetensors_shapes(tmp_path / "m") == {"a": (2, 3)}


@pytest.mark.parametrize("data", [safetensors_bytes(missing=1), b"", b"\xff" * 64, bytes(8) + b"{}"])
def test_a_safetensors_file_that_is_cut_short_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelError, match="cut short"):
        safetensors_shapes(tmp_path / "m")
