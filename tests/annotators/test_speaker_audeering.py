"""Age and gender: as the plain model gives them; what the source gives stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

from annotators.speaker.audeering import GENDERS, AudeeringAnnotator, _recognised
from pipeline.clip import Given, Samples
from pipeline.errors import ClipError
from pipeline.models import ModelError
from pipeline.options import resolve
from pipeline.rows import Speaker
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.audeering import make

pytestmark = pytest.mark.usefixtures("one_thread")

FEMALE, MALE, CHILD = [3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 1.0, 3.0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("speaker"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> AudeeringAnnotator:
    return AudeeringAnnotator(model=str(folder), device="cpu")


def options(folder: Path, **given: object) -> dict[str, object]:
    return resolve(AudeeringAnnotator, "speaker=audeering", {"model": str(folder), **given})


def speaker_of(annotator: AudeeringAnnotator, sound: Samples, **given: object) -> Speaker:
    row = annotator.annotate([clip_of(sound, given=Given(**given))])[0]  # type: ignore[arg-type]
    assert isinstance(row, Speaker)
    return row


def numbers(row: Speaker) -> list[float | None]:
    return [row.age_years, row.gender_confidence, row.child_probability]


def test_the_order_of_the_genders_is_the_published_one() -> None:
    assert GENDERS == ("female", "male", "child")


def test_the_numbers_are_those_of_the_plain_model(folder: Path, annotator: AudeeringAnnotator) -> None:
    sound = buzz(140, 1.3) + noise(1.3)
    tensors = load_file(folder / "model.safetensors")
    backbone = Wav2Vec2Model.from_pretrained(folder).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    with torch.inference_mode():
        values = extractor(sound, sampling_rate=16_000, return_tensors="pt").input_values
        mean = backbone(values)[0].mean(dim=1)

        def head(name: str) -> torch.Tensor:
            inner = nn.functional.linear(mean, tensors[f"{name}.dense.weight"], tensors[f"{name}.dense.bias"])
            return nn.functional.linear(
                torch.tanh(inner), tensors[f"{name}.out_proj.weight"], tensors[f"{name}.out_proj.bias"]
            )

        age = head("age").item()
        chances = torch.softmax(head("gender"), -1)[0].tolist()
    found = annotator._recogniser.numbers(annotator.prepare([clip_of(sound)]))[0]
    assert isinstance(found, dict)
    assert found["age"] == pytest.approx([age], abs=1e-5)
    assert found["gender"] == pytest.approx(head("gender")[0].tolist(), abs=1e-5)
    assert speaker_of(annotator, sound).child_probability == pytest.approx(chances[2], abs=1e-5)


def test_a_batch_gives_what_each_clip_gives_alone(annotator: AudeeringAnnotator) -> None:
    sounds = [buzz(100, 2.0), noise(0.7), buzz(230, 0.05), buzz(180, 1.234) + noise(1.234)]
    together = annotator.annotate([clip_of(sound) for sound in sounds])
    for one, sound in zip(together, sounds, strict=True):
        assert isinstance(one, Speaker)
        alone = speaker_of(annotator, sound)
        assert one.gender == alone.gender
        assert numbers(one) == pytest.approx(numbers(alone), abs=1e-5, rel=1e-5)


@pytest.mark.parametrize(("scores", "gender"), [(FEMALE, "female"), (MALE, "male")])
def test_the_gender_is_the_likeliest(scores: list[float], gender: str) -> None:
    row = _recognised(0.3, scores)
    assert (row.gender, row.gender_source) == (gender, "audeering")
    assert row.gender_confidence == pytest.approx(0.8438, abs=1e-4)
    assert row.child_probability == pytest.approx(0.0420, abs=1e-4)


def test_a_child_has_no_gender_but_an_age() -> None:
    row = _recognised(0.07, CHILD)
    assert (row.gender, row.gender_source, row.gender_confidence) == (None, None, None)
    assert row.age_years == pytest.approx(7)
    assert row.child_probability == pytest.approx(0.8438, abs=1e-4)


@pytest.mark.parametrize(("age", "years"), [(-0.02, 0), (0.425, 42.5), (1.1, 100)])
def test_the_age_lies_in_a_human_life(age: float, years: float) -> None:
    assert _recognised(age, FEMALE).age_years == pytest.approx(years)


def test_what_is_given_stands_and_the_rest_is_recognised(annotator: AudeeringAnnotator) -> None:
    sound = buzz(140, 1.0)
    heard = speaker_of(annotator, sound)
    row = speaker_of(annotator, sound, gender="female")
    assert (row.gender, row.gender_source, row.gender_confidence) == ("female", "given", None)
    assert (row.age_years, row.age_source) == (heard.age_years, "audeering")
    row = speaker_of(annotator, sound, age_years=31.0)
    assert (row.age_years, row.age_source) == (31.0, "given")
    assert (row.gender, row.gender_confidence) == (heard.gender, heard.gender_confidence)


def test_where_both_are_given_nothing_is_recognised() -> None:
    row = AudeeringAnnotator.from_given(clip_of(given=Given(gender="male", age_years=50.0)))
    assert row == Speaker("male", "given", None, 50.0, "given", None)
    assert AudeeringAnnotator.from_given(clip_of(given=Given(gender="male"))) is None
    assert AudeeringAnnotator.sees == {"gender", "age_years"}


@pytest.mark.parametrize(("sound", "code"), [(silence(1), "silent"), (noise(0.02), "too_short")])
def test_what_cannot_be_heard_keeps_what_is_given(
    annotator: AudeeringAnnotator, sound: Samples, code: str
) -> None:
    clips = [clip_of(sound), clip_of(sound, given=Given(gender="male")), clip_of(buzz(150, 0.5))]
    nothing, given, heard = annotator.annotate(clips)
    assert isinstance(nothing, ClipError)
    assert nothing.code == code
    assert given == Speaker("male", "given", None, None, None, None)
    assert isinstance(heard, Speaker)


def test_of_a_long_clip_the_middle_is_heard(annotator: AudeeringAnnotator) -> None:
    sound = noise(40)
    assert speaker_of(annotator, sound) == speaker_of(annotator, sound[10 * 16_000 : 30 * 16_000])


def test_either_file_of_weights_gives_the_same(tmp_path: Path, annotator: AudeeringAnnotator) -> None:
    folder = make(tmp_path, weights="pytorch_model.bin")
    AudeeringAnnotator.check(options(folder, weights="pytorch_model.bin"))
    other = AudeeringAnnotator(model=str(folder), weights="pytorch_model.bin", device="cpu")
    assert speaker_of(other, buzz(140, 1.0)) == speaker_of(annotator, buzz(140, 1.0))
    with pytest.raises(ModelError, match=r"lacks model\.safetensors"):
        AudeeringAnnotator.check(options(folder))


def test_todays_keys_are_read_too(tmp_path: Path, annotator: AudeeringAnnotator) -> None:
    folder = make(tmp_path)
    save_file(annotator._recogniser._network.state_dict(), folder / "model.safetensors")
    AudeeringAnnotator.check(options(folder))
    other = AudeeringAnnotator(model=str(folder), device="cpu")
    assert speaker_of(other, buzz(140, 1.0)) == speaker_of(annotator, buzz(140, 1.0))


def refused(folder: Path, what: str) -> None:
    """Before any worker starts, and again where it is loaded."""
    with pytest.raises(ModelError, match=what):
        AudeeringAnnotator.check(options(folder))
    with pytest.raises(ModelError, match=what):
        AudeeringAnnotator(model=str(folder), device="cpu")


def test_a_missing_or_surplus_tensor_is_named(tmp_path: Path) -> None:
    file = make(tmp_path) / "model.safetensors"
    tensors = load_file(file)
    tensors["age.extra.bias"] = tensors.pop("gender.out_proj.bias")
    save_file(tensors, file)
    refused(tmp_path, r"1 missing \(gender\.out_proj\.bias\) and 1 unexpected \(age\.extra\.bias\)")


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    refused(tmp_path, r"intermediate_dense\.\w+ is \(64,.*not \(96,")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_a_truncated_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    file = make(tmp_path) / name
    file.write_bytes(file.read_bytes()[:-20])
    refused(tmp_path, f"{name}.*cut short")
    file.unlink()
    refused(tmp_path, f"lacks {name}")


def test_a_truncated_pickle_is_refused(tmp_path: Path) -> None:
    file = make(tmp_path, weights="pytorch_model.bin") / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(ModelError, match=r"pytorch_model\.bin cannot be read"):
        AudeeringAnnotator.check(options(tmp_path, weights="pytorch_model.bin"))


def test_its_licence_forbids_commercial_use() -> None:
    published = AudeeringAnnotator.published(resolve(AudeeringAnnotator, "speaker=audeering", {}))[0]
    assert not published.commercial
    assert published.files[0] == "model.safetensors"
