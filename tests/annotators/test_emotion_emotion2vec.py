"""emotion2vec: what FunASR gives clip by clip, given in batches; what is given or implied stands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from annotators._torch import shapes
from annotators.emotion._domains import NEUTRAL_DOMAINS, given_emotion, neutral_by_domain
from annotators.emotion._emotion2vec import FILES, built, mean_features
from annotators.emotion.emotion2vec import CLASSES, Emotion2vecAnnotator, Prepared, _emotion
from pipeline.clip import Given, Samples
from pipeline.errors import ClipError
from pipeline.models import Located, ModelError, Published
from pipeline.options import resolve
from pipeline.rows import Emotion
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.emotion2vec import SETTINGS, make

REFERENCE = """
import json, sys
import numpy as np
from funasr import AutoModel
folder, sounds, found = sys.argv[1:]
model = AutoModel(model=folder, device="cpu", disable_update=True, disable_pbar=True, log_level="ERROR")
held = np.load(sounds)
results = [model.generate(held[k], granularity="utterance", extract_embedding=True)[0] for k in held.files]
json.dump([r | {"feats": r["feats"].tolist()} for r in results], open(found, "w"))
"""
SOUNDS = [buzz(140, 1.0), buzz(220, 2.3) + noise(2.3), noise(0.05), 0.3 * buzz(90, 3.1) + 0.1]
PUBLISHED = (
    "生气/angry 厌恶/disgusted 恐惧/fearful 开心/happy 中立/neutral 其他/other 难过/sad 吃惊/surprised <unk>"
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("emotion2vec"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> Emotion2vecAnnotator:
    return Emotion2vecAnnotator(model=str(folder), device="cpu")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


def options(folder: Path) -> dict[str, object]:
    return resolve(Emotion2vecAnnotator, "emotion=emotion2vec", {"model": str(folder)})


def chances(row: object) -> list[float]:
    assert isinstance(row, Emotion)
    return [score.probability for score in row.emotion_scores]


def heard(annotator: Emotion2vecAnnotator, sound: Samples, given: Given | None = None) -> Emotion:
    row = annotator.annotate([clip_of(sound, given=given)])[0]
    assert isinstance(row, Emotion)
    return row


def features(annotator: Emotion2vecAnnotator, batch: Prepared) -> list[list[float]]:
    assert batch.sounds is not None
    assert batch.lengths is not None
    with torch.inference_mode():
        found: list[list[float]] = mean_features(annotator._network, batch.sounds, batch.lengths).tolist()
    return found


def test_a_batch_gives_the_scores_and_features_that_funasr_gives_clip_by_clip(
    folder: Path, annotator: Emotion2vecAnnotator, tmp_path: Path
) -> None:
    np.savez(tmp_path / "sounds.npz", *SOUNDS)
    files = [str(tmp_path / "sounds.npz"), str(tmp_path / "found.json")]
    subprocess.run([sys.executable, "-c", REFERENCE, str(folder), *files], check=True, capture_output=True)
    reference = json.loads((tmp_path / "found.json").read_text())
    batch = annotator.prepare([clip_of(sound) for sound in SOUNDS])
    rows = annotator.infer([], batch)
    for row, feats, expected in zip(rows, features(annotator, batch), reference, strict=True):
        assert isinstance(row, Emotion)
        assert [score.label for score in row.emotion_scores] == expected["labels"]
        assert chances(row) == pytest.approx(expected["scores"], abs=1e-5)
        assert feats == pytest.approx(expected["feats"], abs=1e-5)


def test_a_batch_gives_what_each_clip_gives_alone(annotator: Emotion2vecAnnotator) -> None:
    together = annotator.annotate([clip_of(sound) for sound in SOUNDS])
    for row, sound in zip(together, SOUNDS, strict=True):
        alone = heard(annotator, sound)
        assert chances(row) == pytest.approx(chances(alone), abs=1e-5)


def test_moods_differ_between_sounds(annotator: Emotion2vecAnnotator) -> None:
    quiet, loud = (chances(heard(annotator, sound)) for sound in (SOUNDS[0], SOUNDS[2]))
    assert max(abs(a - b) for a, b in zip(quiet, loud, strict=True)) > 0.01


def test_loudness_does_not_matter(annotator: Emotion2vecAnnotator) -> None:
    quiet, loud = (heard(annotator, gain * noise(1.0, rms=0.1)) for gain in (1.0, 5.0))
    assert chances(quiet) == pytest.approx(chances(loud), abs=1e-3)


def test_the_labels_are_the_published_ones_in_their_order() -> None:
    assert list(CLASSES) == PUBLISHED.split()
    assert list(CLASSES.values()) == (
        "angry disgusted fearful happy neutral other sad surprised other".split()  # noqa: SIM905
    )


@pytest.mark.parametrize("place", range(9))
def test_the_class_is_that_of_the_likeliest_label(place: int) -> None:
    row = _emotion([0.6 if i == place else 0.05 for i in range(9)])
    assert row.emotion == list(CLASSES.values())[place]
    assert (row.emotion_confidence, row.emotion_source, row.emotion_caption) == (0.6, "emotion2vec", None)
    assert len(row.emotion_scores) == 9


def test_the_probabilities_sum_to_one(annotator: Emotion2vecAnnotator) -> None:
    row = heard(annotator, SOUNDS[1])
    assert sum(chances(row)) == pytest.approx(1.0)
    assert row.emotion_confidence == max(chances(row))


@pytest.mark.parametrize("domain", ["audiobook", "studio", "Studio"])
def test_clips_of_a_neutral_domain_are_neutral_unheard(annotator: Emotion2vecAnnotator, domain: str) -> None:
    clip = clip_of(given=Given(domain=domain))  # without sound
    assert annotator.annotate([clip]) == [Emotion("neutral", "domain", None, None)]


def test_the_neutral_domains_are_an_option(folder: Path) -> None:
    annotator = Emotion2vecAnnotator(model=str(folder), device="cpu", neutral_domains=("news",))
    assert heard(annotator, SOUNDS[0], Given(domain="audiobook")).emotion_source == "emotion2vec"
    assert heard(annotator, SOUNDS[0], Given(domain="news")).emotion_source == "domain"


def test_a_given_mood_stands_even_in_a_neutral_domain(annotator: Emotion2vecAnnotator) -> None:
    clip = clip_of(given=Given(emotion="anger", domain="studio"))
    assert Emotion2vecAnnotator.from_given(clip) == Emotion("angry", "given", None, None)
    assert annotator.annotate([clip]) == [Emotion("angry", "given", None, None)]


def test_known_and_heard_clips_keep_their_order(annotator: Emotion2vecAnnotator) -> None:
    clips = [
        clip_of(SOUNDS[0]),
        clip_of(given=Given(emotion="joy")),
        clip_of(noise(0.02)),
        clip_of(SOUNDS[1], given=Given(domain="podcast")),
        clip_of(given=Given(domain="studio")),
    ]
    first, joyful, short, second, studio = annotator.annotate(clips)
    assert chances(first) == pytest.approx(chances(heard(annotator, SOUNDS[0])), abs=1e-5)
    assert isinstance(joyful, Emotion)
    assert joyful.emotion == "happy"
    assert isinstance(short, ClipError)
    assert chances(second) == pytest.approx(chances(heard(annotator, SOUNDS[1])), abs=1e-5)
    assert isinstance(studio, Emotion)
    assert studio.emotion_source == "domain"


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("Happiness", "happy"),
        ("anger", "angry"),
        ("boredom", "other"),
        ("  sad ", "sad"),
        ("fea", "fearful"),
        ("生气/angry", "angry"),
        ("惊讶", "surprised"),
        ("disgust", "disgusted"),
        ("calm", "neutral"),
    ],
)
def test_a_given_mood_counts_as_corpora_spell_it(word: str, emotion: str) -> None:
    row = given_emotion(clip_of(given=Given(emotion=word)))
    assert row == Emotion(emotion, "given", None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", [None, "", "n/a", "unknown", "a voice that trembles", "3", "xxx"])
def test_a_given_mood_nobody_knows_is_none(word: str | None) -> None:
    assert given_emotion(clip_of(given=Given(emotion=word))) is None


@pytest.mark.parametrize("domain", [None, "", "podcast", "audiobooks"])
def test_other_domains_say_nothing_of_the_mood(domain: str | None) -> None:
    assert neutral_by_domain(clip_of(given=Given(domain=domain)), NEUTRAL_DOMAINS) is None


@pytest.mark.parametrize(
    ("sound", "code"), [(silence(1.0), "silent"), (noise(0.0249), "too_short"), (silence(0), "too_short")]
)
def test_sound_without_a_voice_or_a_frame_is_an_error_of_its_clip(
    annotator: Emotion2vecAnnotator, sound: Samples, code: str
) -> None:
    outcome = annotator.annotate([clip_of(sound)])[0]
    assert isinstance(outcome, ClipError)
    assert outcome.code == code


def test_the_shortest_sound_with_a_frame_is_heard(annotator: Emotion2vecAnnotator) -> None:
    assert sum(chances(heard(annotator, noise(0.025)))) == pytest.approx(1.0)


def test_of_a_long_clip_the_middle_is_heard(folder: Path) -> None:
    annotator = Emotion2vecAnnotator(model=str(folder), device="cpu", max_s=2.0)
    core = buzz(150, 2.0) + noise(2.0)
    long = np.concatenate([noise(19.0), core, noise(19.0)]).astype(np.float32)
    assert chances(heard(annotator, long)) == chances(heard(annotator, core))


def test_a_clip_of_40_s_is_heard(annotator: Emotion2vecAnnotator) -> None:
    assert sum(chances(heard(annotator, noise(40.0)))) == pytest.approx(1.0)


def test_every_tensor_of_the_file_is_in_the_network(folder: Path, annotator: Emotion2vecAnnotator) -> None:
    file = torch.load(folder / "model.pt", weights_only=True)["model"]
    held = annotator._network.state_dict()
    assert {key.removeprefix("d2v_model.") for key in file} == set(held)
    assert all(torch.equal(held[key.removeprefix("d2v_model.")], tensor) for key, tensor in file.items())


def test_the_large_network_has_the_185_published_tensors(copy: Path) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    network, audio = settings["model_conf"], settings["model_conf"]["modalities"]["audio"]
    network |= {"embed_dim": 1024, "num_heads": 16, "depth": 8}
    audio |= {"prenet_depth": 4, "num_alibi_heads": 16}
    audio["feature_encoder_spec"] = audio["feature_encoder_spec"].replace("16", "512")
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    published = Published(str(copy), FILES, "", False, 0, "")
    found = shapes(built(Located(published, copy, ""), 9).state_dict())
    assert len(found) == 185
    encoder = "modality_encoders.AUDIO"
    assert found["proj.weight"] == (9, 1024)
    assert found["blocks.7.attn.qkv.weight"] == (3072, 1024)
    assert found["blocks.0.mlp.fc1.weight"] == (4096, 1024)
    assert found[f"{encoder}.alibi_scale"] == (1, 1, 16, 1, 1)
    assert found[f"{encoder}.extra_tokens"] == (1, 10, 1024)
    assert found[f"{encoder}.context_encoder.blocks.3.norm2.bias"] == (1024,)
    assert found[f"{encoder}.local_encoder.conv_layers.6.2.1.bias"] == (512,)
    assert found[f"{encoder}.relative_positional_encoder.5.0.weight"] == (1024, 64, 19)


def test_the_published_layout_passes_the_check(folder: Path) -> None:
    Emotion2vecAnnotator.check(options(folder))
    (model,) = Emotion2vecAnnotator.models(options(folder))
    assert not model.commercial


def rewrite(copy: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save({"model": tensors}, copy / "model.pt")


def tensors_of(copy: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(copy / "model.pt", weights_only=True)["model"]
    return found


def refuses(copy: Path, words: str) -> None:
    """Both the check and the constructor say why."""
    with pytest.raises(ModelError, match=words):
        Emotion2vecAnnotator.check(options(copy))
    with pytest.raises(ModelError, match=words):
        Emotion2vecAnnotator(model=str(copy), device="cpu")


def test_a_missing_and_an_unexpected_key_are_named(copy: Path) -> None:
    tensors = tensors_of(copy)
    tensors["d2v_model.extra"] = tensors.pop("d2v_model.blocks.0.norm1.weight")
    rewrite(copy, tensors)
    refuses(copy, r"1 missing \(d2v_model.blocks.0.norm1.weight\) and 1 unexpected \(d2v_model.extra\)")


def test_keys_without_their_prefix_are_not_the_published_layout(copy: Path) -> None:
    rewrite(copy, {key.removeprefix("d2v_model."): tensor for key, tensor in tensors_of(copy).items()})
    refuses(copy, "missing .* unexpected")


def test_a_checkpoint_without_a_classifier_is_refused(copy: Path) -> None:
    rewrite(copy, {key: t for key, t in tensors_of(copy).items() if not key.startswith("proj.")})
    refuses(copy, r"2 missing \(proj.bias, proj.weight\)")


def test_tensors_of_another_shape_are_refused(copy: Path) -> None:
    tensors = tensors_of(copy)
    tensors["proj.weight"] = torch.zeros(5, 32)
    rewrite(copy, tensors)
    refuses(copy, r"proj.weight is \(5, 32\), not \(9, 32\)")


def test_a_truncated_checkpoint_is_refused(copy: Path) -> None:
    content = (copy / "model.pt").read_bytes()
    (copy / "model.pt").write_bytes(content[: len(content) // 2])
    refuses(copy, "cannot be read")


@pytest.mark.parametrize("held", [{"state": {}}, {"model": None}, [1]])
def test_a_file_that_holds_no_network_is_refused(copy: Path, held: object) -> None:
    torch.save(held, copy / "model.pt")
    refuses(copy, "no part 'model'")


@pytest.mark.parametrize("name", ["model.pt", "config.yaml", "tokens.txt"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    refuses(copy, f"lacks {name}")


def test_the_labels_of_an_older_model_are_refused(copy: Path) -> None:
    (copy / "tokens.txt").write_text("\n".join(f"unuse_{i}" for i in range(4)) + "\n<unk>")
    refuses(copy, "has 5")


def test_labels_in_another_order_are_refused(copy: Path) -> None:
    (copy / "tokens.txt").write_text("\n".join(reversed(PUBLISHED.split())), encoding="utf-8")
    refuses(copy, "labels")


@pytest.mark.parametrize(
    ("audio", "setting"),
    [
        ({"extractor_mode": "default"}, "extractor_mode"),  # normalises over the padding
        ({"feature_encoder_spec": "print('hello')"}, "feature_encoder_spec"),  # FunASR would run it
        ({"num_alibi_heads": 2}, "num_alibi_heads"),
    ],
)
def test_another_kind_of_network_is_refused(copy: Path, audio: dict[str, Any], setting: str) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    settings["model_conf"]["modalities"]["audio"] |= audio
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    refuses(copy, setting)


@pytest.mark.parametrize("text", ["", "a: [", "model_conf: 3", "- 1"])
def test_settings_that_describe_nothing_are_refused(copy: Path, text: str) -> None:
    (copy / "config.yaml").write_text(text or " ")
    refuses(copy, "does not describe")


@pytest.mark.parametrize("setting", ["learned_alibi", "conv_pos_depth", "num_alibi_heads", "conv_pos_groups"])
def test_settings_that_lack_what_the_network_needs_are_refused(copy: Path, setting: str) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    del settings["model_conf"]["modalities"]["audio"][setting]
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    refuses(copy, "does not describe")


def test_fairseq_settings_that_nobody_reads_here_may_be_missing(copy: Path) -> None:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    del settings["model_conf"]["modalities"]["audio"]["decoder"]
    del settings["scope_map"], settings["tokenizer"]
    (copy / "config.yaml").write_text(yaml.safe_dump(settings))
    Emotion2vecAnnotator.check(options(copy))
