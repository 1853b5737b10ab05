"""emotion2vec: what FunASR gives clip by clip, given in batches; what is given or implied stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from annotators.emotion._domains import NEUTRAL_DOMAINS, given_emotion, neutral_by_domain
from annotators.emotion._emotion2vec import mean_features
from annotators.emotion.emotion2vec import CLASSES, Emotion2vecAnnotator, Prepared, _emotion
from pipeline.clip import Given, Samples
from pipeline.errors import ClipError
from pipeline.rows import Emotion
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.emotion2vec import make

pytestmark = pytest.mark.usefixtures("one_thread")

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("emotion2vec"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> Emotion2vecAnnotator:
    return Emotion2vecAnnotator(model=str(folder), device="cpu")


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
