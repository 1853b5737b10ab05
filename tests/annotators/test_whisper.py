"""Laws of Whisper checkpoints: where they are, whether they are whole, what of them is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import whisper

from annotators import _whisper
from annotators.transcript.whisper import WhisperAnnotator
from pipeline.errors import OptionError
from pipeline.models import ModelError, Published
from tests.tiny.whisper import DIMS, make, syllables

pytestmark = pytest.mark.filterwarnings(  # whisper.tokenizer never closes its vocabulary
    "ignore:Exception ignored in. <_io.FileIO name=.*tiktoken:pytest.PytestUnraisableExceptionWarning"
)

LARGE_V3 = whisper.model.ModelDimensions(128, 1500, 1280, 20, 32, 51866, 448, 1280, 20, 32)
TURBO = replace(LARGE_V3, n_text_layer=4)
TINY = whisper.model.ModelDimensions(80, 1500, 384, 6, 4, 51865, 448, 384, 6, 4)
Held = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def oracle(file: Path) -> whisper.model.Whisper:
    return whisper.load_model(str(file), device="cpu")


@pytest.fixture(scope="module")
def recogniser(file: Path) -> WhisperAnnotator:
    return WhisperAnnotator(model=str(file), device="cpu", temperatures=(0.0,))


def test_every_tensor_of_the_file_is_loaded(file: Path, recogniser: WhisperAnnotator) -> None:
    held = torch.load(file, weights_only=True)["model_state_dict"]
    loaded = recogniser._network.state_dict()
    assert loaded.keys() == held.keys()
    assert all(torch.equal(loaded[key], tensor.float()) for key, tensor in held.items())


def test_what_the_file_does_not_hold_is_made_as_whisper_makes_it(
    recogniser: WhisperAnnotator, oracle: whisper.model.Whisper
) -> None:
    ours = dict(recogniser._network.named_buffers())
    theirs = dict(oracle.named_buffers())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key].to_dense(), theirs[key].to_dense()) for key in theirs)


def test_a_checkpoint_in_half_precision_computes_what_whisper_computes_in_it(
    file: Path, oracle: whisper.model.Whisper
) -> None:
    found = _whisper.located(str(file))
    ours = _whisper._loaded.__wrapped__(file, found, torch.device("cpu"), True)
    mels = _whisper.log_mels(syllables(1.2), 128)
    options = whisper.DecodingOptions(without_timestamps=True, fp16=True)
    mine, reference = ours.decode(mels, options), oracle.decode(mels, options)
    assert (mine.tokens, mine.avg_logprob) == (reference.tokens, reference.avg_logprob)
    assert ours.decoder.blocks[0].mlp[0].weight.dtype == torch.float16


def test_a_checkpoint_as_published_passes(file: Path) -> None:
    WhisperAnnotator.check({"model": str(file)})
    WhisperAnnotator.check({"model": str(file.parent)})


def _without_a_key(held: Held) -> None:
    del held["model_state_dict"]["decoder.blocks.3.cross_attn.value.bias"]


def _with_another_key(held: Held) -> None:
    held["model_state_dict"]["decoder.head.weight"] = torch.zeros(2)


def _of_another_shape(held: Held) -> None:
    held["model_state_dict"]["encoder.conv1.weight"] = torch.zeros(64, 80, 3)


def _without_weights(held: Held) -> None:
    del held["model_state_dict"]


def _without_a_dimension(held: Held) -> None:
    del held["dims"]["n_mels"]


def _of_64_mels(held: Held) -> None:
    held["dims"]["n_mels"] = 64


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_without_a_key, r"1 missing \(decoder\.blocks\.3\.cross_attn\.value\.bias\)"),
        (_with_another_key, r"1 unexpected \(decoder\.head\.weight\)"),
        (_of_another_shape, r"encoder\.conv1\.weight is \(64, 80, 3\), not \(64, 128, 3\)"),
        (_without_weights, "it holds no dims and model_state_dict"),
        (_without_a_dimension, "its dims must be"),
        (_of_64_mels, "its dims are"),
    ],
)
def test_a_wrong_checkpoint_is_one_clear_error(
    file: Path, tmp_path: Path, spoil: Callable[[Held], None], complaint: str
) -> None:
    held = torch.load(file, weights_only=True)
    spoil(held)
    torch.save(held, tmp_path / "wrong.pt")
    with pytest.raises(ModelError, match=complaint):
        WhisperAnnotator.check({"model": str(tmp_path / "wrong.pt")})
    with pytest.raises(ModelError, match=complaint):
        WhisperAnnotator(model=str(tmp_path / "wrong.pt"), device="cpu")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_one_clear_error(file: Path, tmp_path: Path, share: float) -> None:
    whole = file.read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: round(len(whole) * share)])
    with pytest.raises(ModelError, match=r"cut\.pt cannot be read"):
        WhisperAnnotator.check({"model": str(tmp_path / "cut.pt")})


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    torch.save({"dims": asdict(DIMS), "model_state_dict": Path}, tmp_path / "code.pt")
    with pytest.raises(ModelError, match="cannot be read"):
        WhisperAnnotator.check({"model": str(tmp_path / "code.pt")})


@pytest.mark.parametrize("dims", [LARGE_V3, TURBO, TINY])
def test_the_stated_size_is_that_of_the_tensors_at_full_size(dims: Any) -> None:
    name = {32: "large-v3", 4: "large-v3-turbo"}[dims.n_text_layer] if dims.n_mels == 128 else "tiny"
    tensors = _whisper._bare(dims).state_dict().values()
    assert published(name).size_bytes == pytest.approx(2 * sum(t.numel() for t in tensors), rel=2e-3)


@pytest.mark.parametrize(("dims", "name"), [(LARGE_V3, "large-v3"), (TURBO, "large-v3-turbo")])
def test_the_published_sizes_get_the_published_alignment_heads(dims: Any, name: str) -> None:
    ours, theirs = _whisper._bare(dims), _whisper._bare(dims)
    _whisper._aim_heads(ours, torch.device("cpu"))
    theirs.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    assert torch.equal(ours.alignment_heads.to_dense(), theirs.alignment_heads.to_dense())


def published(model: str) -> Published:
    (entry,) = WhisperAnnotator.published({"model": model})
    return entry


@pytest.mark.parametrize("model", ["turbo", "large-v3-turbo", "openai/whisper-large-v3-turbo"])
def test_a_published_name_in_any_spelling_is_one_file_with_its_sha256(model: str) -> None:
    entry = published(model)
    assert (entry.name, entry.files) == ("openai/whisper-large-v3-turbo", ("large-v3-turbo.pt",))
    assert entry.sha256 == "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a"
    assert entry.url.endswith(f"{entry.sha256}/large-v3-turbo.pt")


def test_a_name_nobody_published_lists_those_that_are() -> None:
    with pytest.raises(OptionError, match=r"no Whisper model 'large-v4'.*large-v3-turbo"):
        published("large-v4")


def test_a_folder_of_two_checkpoints_does_not_say_which(file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.pt").symlink_to(file)
    (tmp_path / "b.pt").symlink_to(file)
    with pytest.raises(ModelError, match=r"holds 2 \.pt files"):
        published(str(tmp_path))


@pytest.mark.parametrize("place", ["shelf", "cache"])
def test_a_published_name_is_found_on_the_shelf_and_in_the_cache_of_whisper(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("SPEECHCRAFT_MODELS", str(tmp_path / "shelf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match="openai/whisper-large-v3 is not on this machine"):
        WhisperAnnotator.check({})
    folder = tmp_path / {"shelf": "shelf/openai/whisper-large-v3", "cache": "cache/whisper"}[place]
    folder.mkdir(parents=True)
    (folder / "large-v3.pt").symlink_to(file)
    WhisperAnnotator.check({})
    (model,) = WhisperAnnotator.models({})
    assert (model.name, model.licence) == ("openai/whisper-large-v3", "MIT")


def test_the_identity_of_a_model_is_that_of_its_bytes(file: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "same", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        (folder / file.name).write_bytes(file.read_bytes() + b"\0" * (folder.name == "other"))
    first, same, other = (
        WhisperAnnotator.models({"model": str(path)})[0].identity for path in (file, *folders)
    )
    assert first == same != other
