"""VoxLingua107: SpeechBrain's scores, for every clip alone or among others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.utils.fetching import LocalStrategy

from annotators._torch import padded
from annotators.language.voxlingua import CODES, LABELS, EcapaNetwork, VoxlinguaAnnotator
from pipeline.annotator import Skip
from pipeline.clip import Given, Samples
from pipeline.models import ModelError, locate
from pipeline.rows import Language
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.voxlingua import LABELS as PUBLISHED_LABELS
from tests.tiny.voxlingua import make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("voxlingua"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> VoxlinguaAnnotator:
    return VoxlinguaAnnotator(model=str(folder))


@pytest.fixture(scope="module")
def network(folder: Path) -> EcapaNetwork:
    network: EcapaNetwork = EcapaNetwork(locate(VoxlinguaAnnotator.published({"model": str(folder)})[0]))
    return network


@pytest.fixture(scope="module")
def library(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> EncoderClassifier:
    return EncoderClassifier.from_hparams(
        source=str(folder),
        savedir=str(tmp_path_factory.mktemp("saved")),
        overrides={"pretrained_path": str(folder)},
        local_strategy=LocalStrategy.NO_LINK,
    )


def speech(seconds: float, seed: int = 0) -> Samples:
    spoken = [buzz(120 + 40 * seed + 10 * i, 0.2, peak=0.1 + 0.05 * i) for i in range(5)]
    sound = np.concatenate([np.concatenate([voice, silence(0.15)]) for voice in spoken])
    whole = np.tile(sound, int(seconds // 1) + 1)[: round(seconds * 16_000)]
    return np.asarray(whole + noise(seconds, rms=0.002, seed=seed), dtype=np.float32)


SOUNDS = [speech(seconds, seed) for seed, seconds in enumerate((1, 2.345, 0.5, 4.01, 0.12, 3.999))]


def scores(network: EcapaNetwork, sounds: list[Samples]) -> torch.Tensor:
    with torch.inference_mode():
        return network(*padded(sounds))


def expected(library: EncoderClassifier, sound: Samples) -> torch.Tensor:
    with torch.no_grad():
        return library.classify_batch(torch.from_numpy(sound)[None])[0]


def test_the_scores_are_those_of_the_library(network: EcapaNetwork, library: EncoderClassifier) -> None:
    for sound in SOUNDS:
        assert torch.allclose(scores(network, [sound]), expected(library, sound), atol=1e-4)


def test_a_clip_is_heard_alone_as_among_others(network: EcapaNetwork, library: EncoderClassifier) -> None:
    together = scores(network, SOUNDS)
    alone = torch.cat([expected(library, sound) for sound in SOUNDS])
    assert torch.allclose(together, alone, atol=1e-4)
    assert torch.pdist(alone).min() > 1e-2


def test_the_row_holds_the_best_class_and_its_probability(
    annotator: VoxlinguaAnnotator, library: EncoderClassifier
) -> None:
    rows = annotator.annotate([clip_of(sound) for sound in SOUNDS])
    for row, sound in zip(rows, SOUNDS, strict=True):
        with torch.no_grad():
            _, score, _, (label,) = library.classify_batch(torch.from_numpy(sound)[None])
        assert isinstance(row, Language)
        assert row.language == CODES[LABELS.index(label.split(":")[0])]
        assert row.language_source == "voxlingua"
        assert row.language_confidence == pytest.approx(score.exp().item(), abs=1e-4)


def test_the_classes_stand_in_the_published_order() -> None:
    assert list(LABELS) == PUBLISHED_LABELS
    assert len(set(CODES)) == len(LABELS) == 107
    others = {label: code for label, code in zip(LABELS, CODES, strict=True) if label != code}
    assert others == {"iw": "he", "jw": "jv", "tl": "fil"}


def test_a_given_language_wins_and_needs_no_sound(annotator: VoxlinguaAnnotator) -> None:
    given = clip_of(given=Given(language="zh-CN"))
    rows = annotator.annotate([given, clip_of(SOUNDS[0]), given])
    assert rows[0] == rows[2] == Language("zh", "given", None)
    assert isinstance(rows[1], Language)


@pytest.mark.parametrize("sound", [silence(2), silence(0), noise(0.05), speech(0.05), noise(40)], ids=str)
def test_where_nobody_speaks_there_is_no_language(annotator: VoxlinguaAnnotator, sound: Samples) -> None:
    assert annotator.annotate([clip_of(sound)]) == [Skip("Nobody speaks in the sound.")]


def test_only_the_first_half_minute_is_heard(annotator: VoxlinguaAnnotator) -> None:
    long = speech(31)
    whole, part = annotator.annotate([clip_of(long), clip_of(long[: 30 * 16_000])])
    assert whole == part


def lacking_a_tensor(folder: Path) -> None:
    file = folder / "embedding_model.ckpt"
    state = torch.load(file, weights_only=True)
    state["other"] = state.pop("asp_bn.norm.running_mean")
    torch.save(state, file)


def of_another_size(folder: Path) -> None:
    file = folder / "classifier.ckpt"
    torch.save({**torch.load(file, weights_only=True), "out.w.bias": torch.zeros(45)}, file)


def cut_short(folder: Path) -> None:
    file = folder / "embedding_model.ckpt"
    file.write_bytes(file.read_bytes()[:-10_000])


def in_another_order(folder: Path) -> None:
    file = folder / "label_encoder.txt"
    file.write_text(file.read_text().replace("'en:", "'xx:").replace("'zh:", "'en:"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lacking_a_tensor, r"1 missing \(asp_bn.norm.running_mean\) and 1 unexpected \(other\)"),
        (of_another_size, r"out.w.bias is \(45,\), not \(107,\)"),
        (cut_short, "cannot be read"),
        (in_another_order, "labels .* 20 is xx, not en; 106 is en, not zh"),
        (lambda folder: (folder / "classifier.ckpt").unlink(), "lacks classifier.ckpt"),
        (lambda folder: torch.save({}, folder / "embedding_model.ckpt"), "lacks blocks.0"),
    ],
    ids=["keys", "shape", "cut short", "labels", "no file", "other model"],
)
def test_a_model_that_is_not_whole_is_named_before_it_is_used(
    tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    options = {"model": str(make(tmp_path))}
    VoxlinguaAnnotator.check(options)
    spoil(tmp_path)
    with pytest.raises(ModelError, match=complaint):
        VoxlinguaAnnotator.check(options)
