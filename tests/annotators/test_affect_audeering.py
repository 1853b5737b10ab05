"""Arousal, dominance and valence: as the plain model gives them, whatever else is in the batch."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model, Wav2Vec2PreTrainedModel

from annotators.affect.audeering import SCALES, AudeeringAnnotator
from pipeline.clip import Samples
from pipeline.errors import ClipError
from pipeline.models import ModelError
from pipeline.options import resolve
from pipeline.rows import Affect
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.audeering import AFFECT, make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("affect"), AFFECT)


@pytest.fixture(scope="module")
def annotator(folder: Path) -> AudeeringAnnotator:
    return AudeeringAnnotator(model=str(folder), device="cpu")


def options(folder: Path, **given: object) -> dict[str, object]:
    return resolve(AudeeringAnnotator, "affect=audeering", {"model": str(folder), **given})


def scales(annotator: AudeeringAnnotator, *sounds: Samples) -> list[tuple[float, ...]]:
    rows = annotator.annotate([clip_of(sound) for sound in sounds])
    assert all(isinstance(row, Affect) for row in rows)
    return [astuple(row) for row in rows if isinstance(row, Affect)]


class PublishedHead(nn.Module):
    """As on the model's card."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.final_dropout)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, features: Any) -> Any:
        return self.out_proj(self.dropout(torch.tanh(self.dense(self.dropout(features)))))


class PublishedModel(Wav2Vec2PreTrainedModel):
    """As on the model's card: one clip at a time, no mask."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.classifier = PublishedHead(config)
        self.post_init()

    def forward(self, values: Any) -> Any:
        return self.classifier(self.wav2vec2(values)[0].mean(dim=1))


def test_the_order_of_the_scales_is_the_published_one() -> None:
    assert SCALES == ("arousal", "dominance", "valence")


def test_the_numbers_are_those_of_the_plain_model(annotator: AudeeringAnnotator, folder: Path) -> None:
    config = Wav2Vec2Config.from_pretrained(folder, num_labels=3)
    plain = PublishedModel.from_pretrained(folder, config=config).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    sound = buzz(140, 1.3) + noise(1.3)
    with torch.inference_mode():
        values = extractor(sound, sampling_rate=16_000, return_tensors="pt").input_values
        expected = plain(values)[0].tolist()
    assert scales(annotator, sound)[0] == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) == 3


def test_a_batch_gives_what_each_clip_gives_alone(annotator: AudeeringAnnotator) -> None:
    sounds = [buzz(100, 2.0), noise(0.7), buzz(230, 0.05), buzz(180, 1.234) + noise(1.234)]
    together = scales(annotator, *sounds)
    alone = [scales(annotator, sound)[0] for sound in sounds]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert abs(together[0][0] - together[1][0]) > 1e-3


def test_level_changes_nothing(annotator: AudeeringAnnotator) -> None:
    sound = buzz(140, 1.0)
    assert scales(annotator, sound)[0] == pytest.approx(scales(annotator, sound * 0.1)[0], abs=1e-3)


def test_of_a_long_clip_the_middle_is_heard(annotator: AudeeringAnnotator) -> None:
    sound = noise(40)
    assert scales(annotator, sound)[0] == scales(annotator, sound[10 * 16_000 : 30 * 16_000])[0]


@pytest.mark.parametrize(("sound", "code"), [(silence(1), "silent"), (noise(0.02), "too_short")])
def test_what_cannot_be_heard_is_an_error_of_its_clip_alone(
    annotator: AudeeringAnnotator, sound: Samples, code: str
) -> None:
    alone = annotator.annotate([clip_of(sound)])
    first, second = annotator.annotate([clip_of(sound), clip_of(buzz(150, 0.5))])
    for outcome in (alone[0], first):
        assert isinstance(outcome, ClipError)
        assert outcome.code == code
    assert isinstance(second, Affect)


def test_every_tensor_of_the_file_is_loaded(annotator: AudeeringAnnotator, folder: Path) -> None:
    AudeeringAnnotator.check(options(folder))
    network = annotator._recogniser._network.state_dict()
    from safetensors.torch import load_file

    published = load_file(folder / "model.safetensors")
    assert len(network) == len(published)
    held = [value.sum().item() for value in network.values()]
    assert sorted(held) == pytest.approx(sorted(v.sum().item() for v in published.values()))


def test_a_checkpoint_of_the_other_model_is_refused(tmp_path: Path) -> None:
    age_gender = make(tmp_path)
    with pytest.raises(ModelError, match=r"4 missing \(classifier\.dense\.bias.*8 unexpected \(age\."):
        AudeeringAnnotator.check(options(age_gender))
    with pytest.raises(ModelError, match="missing"):
        AudeeringAnnotator(model=str(age_gender), device="cpu")


def test_its_licence_forbids_commercial_use() -> None:
    published = AudeeringAnnotator.published(resolve(AudeeringAnnotator, "affect=audeering", {}))[0]
    assert not published.commercial
    assert published.files[0] == "model.safetensors"
