"""Word times by MMS_FA: those of torchaudio's pipeline, in any script, whatever else is in the batch."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchaudio.pipelines import MMS_FA

from annotators.words import mms
from annotators.words._mms import LABELS, windows_of
from annotators.words._romanised import Romaniser
from annotators.words.mms import MmsAnnotator, Text, _aligned
from pipeline import text as texts
from pipeline.clip import Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import ModelError
from pipeline.options import resolve
from pipeline.rows import Language, Transcript, Words
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.mms import FILE, PARAMETERS, make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("mms"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> MmsAnnotator:
    return MmsAnnotator(model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def romanise(annotator: MmsAnnotator) -> Romaniser:
    return annotator._romanise


def options(model: Path) -> dict[str, object]:
    return resolve(MmsAnnotator, "words=mms", {"model": str(model)})


def spoken(sound: Samples, text: str, language: str | None = "en") -> Clip:
    rows = [Transcript(text, text, "given", None), Language(language, "given", None)]
    return clip_of(sound, rows=rows)


def words_of(annotator: MmsAnnotator, *clips: Clip) -> list[Words]:
    rows = annotator.annotate(clips)
    assert all(isinstance(row, Words) for row in rows), rows
    return [row for row in rows if isinstance(row, Words)]


def code_of(annotator: MmsAnnotator, clip: Clip) -> str:
    outcome = annotator.annotate([clip])[0]
    assert isinstance(outcome, ClipError)
    return outcome.code


def test_the_order_of_the_labels_is_the_published_one() -> None:
    assert MMS_FA.get_labels(star=None) == LABELS


def test_words_are_where_torchaudios_pipeline_places_them(annotator: MmsAnnotator, folder: Path) -> None:
    bundle = copy.copy(MMS_FA)
    bundle._params = PARAMETERS
    plain = bundle.get_model(with_star=False, dl_kwargs={"model_dir": str(folder), "file_name": FILE})
    said = ["the", "quick", "brown", "fox", "doesn't", "ebb"]
    sound = buzz(140, 2.03) + noise(2.03)
    with torch.inference_mode():
        emission = torch.log_softmax(plain(torch.from_numpy(sound)[None])[0], dim=-1)[0]
        placed = bundle.get_aligner()(emission, bundle.get_tokenizer()(said))
        heard = annotator._hearing.chances([windows_of(sound)])[0]
    assert torch.allclose(heard, emission, atol=1e-4)
    row = words_of(annotator, spoken(sound, "The quick, brown fox doesn’t ebb!"))[0]
    frame_s = len(sound) / len(emission) / 16_000
    for word, spans in zip(row.words, placed, strict=True):
        assert word.start_s == pytest.approx(spans[0].start * frame_s)
        assert word.end_s == pytest.approx(spans[-1].end * frame_s)
    scores = [span.score for spans in placed for span in spans]
    assert row.words_confidence == pytest.approx(sum(scores) / len(scores), abs=1e-4)
    assert [w.word for w in row.words] == ["The", "quick", "brown", "fox", "doesn’t", "ebb"]


def test_a_batch_gives_what_each_clip_gives_alone(annotator: MmsAnnotator) -> None:
    clips = [
        spoken(buzz(100, 2.0), "a long sentence with words"),
        spoken(noise(0.7), "two words"),
        spoken(buzz(230, 1.234) + noise(1.234), "今天天气很好", "zh"),
        spoken(noise(36, seed=3), "a very long clip"),
    ]
    for one, clip in zip(words_of(annotator, *clips), clips, strict=True):
        alone = words_of(annotator, clip)[0]
        assert one.words == alone.words
        assert one.words_confidence == pytest.approx(alone.words_confidence, abs=1e-4)


def test_a_clip_heard_in_windows_has_every_frame_once(annotator: MmsAnnotator) -> None:
    sound = noise(64.013, seed=1)
    windows = windows_of(sound)
    heard = annotator._hearing.chances([windows])[0]
    assert len(windows) == 3
    assert len(heard) == (len(sound) - 400) // 320 + 1
    whole = torch.from_numpy(sound)[None]
    with torch.inference_mode():
        plain = annotator._hearing._network(torch.nn.functional.layer_norm(whole, whole.shape))[0][0]
    same = (heard.argmax(dim=1) == plain.argmax(dim=1)).float().mean()
    assert same > 0.95  # attention reaches farther than the context, and is all that differs


def test_short_long_and_many_words_keep_within_the_clip_in_order(annotator: MmsAnnotator) -> None:
    clips = [spoken(noise(0.05), "a"), spoken(noise(1), "a b c " * 6), spoken(noise(40), "so long " * 60)]
    for clip, row in zip(clips, words_of(annotator, *clips), strict=True):
        ends = [t for word in row.words for t in (word.start_s, word.end_s)]
        assert ends == sorted(ends)
        assert 0 <= ends[0] <= ends[-1] <= len(clip.speech) / 16_000
        assert all(word.start_s < word.end_s for word in row.words)
        assert row.words_confidence is not None
        assert 0 < row.words_confidence <= 1


@pytest.mark.parametrize(
    ("sound", "text", "code"),
    [
        (silence(1), "hello", "silent"),
        (noise(0.02), "hello", "too_short"),
        (noise(0.1), "incomprehensibilities", "too_many_words"),
        (noise(1), "word " * 200, "too_many_words"),
        (noise(1), "?!", "no_words"),
        (noise(1), "", "no_words"),
    ],
)
def test_what_cannot_be_aligned_is_an_error_of_its_clip_alone(
    annotator: MmsAnnotator, sound: Samples, text: str, code: str
) -> None:
    first, second = annotator.annotate([spoken(sound, text), spoken(noise(1), "hello")])
    assert isinstance(first, ClipError)
    assert first.code == code
    assert isinstance(second, Words)


def test_words_none_of_which_has_a_known_sound_are_refused(annotator: MmsAnnotator) -> None:
    assert code_of(annotator, spoken(noise(1), "1984 20", "fr")) == "not_romanised"


def test_a_search_too_large_for_memory_is_refused(
    annotator: MmsAnnotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mms, "_MAX_CELLS", 100)
    assert code_of(annotator, spoken(noise(1), "hello")) == "too_long"


def heard(*letters: str, frames_each: int = 5) -> torch.Tensor:
    """Log probabilities in which every letter is clearly heard for some frames; `-` is a pause."""
    chances = torch.full((len(letters) * frames_each, len(LABELS)), -10.0)
    for i, letter in enumerate(letters):
        chances[i * frames_each : (i + 1) * frames_each, LABELS.index(letter)] = 0.0
    return chances


def test_words_are_where_their_letters_are_heard() -> None:
    row = _aligned(Text(("No", "way"), ("no", "way"), "en"), heard("-", "n", "o", "-", "w", "a", "y"), 11_200)
    assert isinstance(row, Words)
    assert [(w.word, w.aligned_by) for w in row.words] == [("No", "romanised"), ("way", "romanised")]
    times = [(w.start_s, w.end_s) for w in row.words]
    assert times == [pytest.approx((0.1, 0.3)), pytest.approx((0.4, 0.7))]
    assert row.words_confidence == pytest.approx(1)


def test_a_word_of_unknown_sound_gets_the_time_its_neighbours_leave() -> None:
    chances = heard("n", "o", "q", "x", "q", "-", "w", "e")
    row = _aligned(Text(("no", "77", "we"), ("no", "", "we"), "fr"), chances, 12_800)
    assert isinstance(row, Words)
    assert [w.aligned_by for w in row.words] == ["romanised", "interpolated", "romanised"]
    assert (row.words[1].start_s, row.words[1].end_s) == pytest.approx((0.2, 0.5))
    assert row.words_confidence == pytest.approx(1)


def test_english_words_have_syllables_and_phones_of_the_dictionary_others_syllables_alone() -> None:
    row = _aligned(Text(("hello",), ("hello",), "en"), heard(*"hello"), 8000)
    assert isinstance(row, Words)
    assert (row.words[0].n_syllables, row.words[0].n_phones) == (2, 4)
    row = _aligned(Text(("天", "气"), ("tian", "qi"), "zh"), heard(*"tianqi"), 9600)
    assert isinstance(row, Words)
    assert [(w.n_syllables, w.n_phones) for w in row.words] == [(1, 0), (1, 0)]
    assert row.phones == ()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Don’t naïvely", "en", ["don't", "naively"]),
        ("$5 in 1984", "en", ["fivedollars", "in", "nineteeneightyfour"]),
        ("mp3 21st", "en", ["mpthree", "twentyfirst"]),
        ("三天零五百", "zh", ["san", "tian", "ling", "wu", "bai"]),
        ("привет", "ru", ["privet"]),
        ("Grüße 3,5", "de", ["gruesse", ""]),
        ("안녕", "ko", ["annyeong"]),
        ("مرحبا ٣", "ar", ["mrhba", ""]),
        ("हिन्दी", "hi", ["hindii"]),
        ("ひらがな", "ja", ["hi", "ra", "ga", "na"]),
        ("l'homme", "fr", ["l'", "homme"]),
        ("parola", "xx", ["parola"]),
    ],
)
def test_words_of_any_script_are_romanised(
    romanise: Romaniser, text: str, language: str, expected: list[str]
) -> None:
    assert romanise(text, texts.words(text, language), language) == expected


@given(text=st.text(max_size=30), language=st.sampled_from(["en", "zh", "ar", None]))
def test_whatever_the_text_only_labels_come_out(romanise: Romaniser, text: str, language: str | None) -> None:
    tokens = texts.words(text, language)
    found = romanise(text, tokens, language)
    assert len(found) == len(tokens)
    assert set("".join(found)) <= set(LABELS[1:])


def refused(model: Path, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        MmsAnnotator.check(options(model))
    with pytest.raises(ModelError, match=what):
        MmsAnnotator(model=str(model), device="cpu")


def test_the_published_layout_fits_and_is_loaded_whole(annotator: MmsAnnotator, folder: Path) -> None:
    MmsAnnotator.check(options(folder))
    MmsAnnotator.check(options(folder / FILE))
    published = torch.load(folder / FILE, weights_only=True)
    loaded = annotator._hearing._network.state_dict()
    assert len(loaded) == len(published)
    assert torch.equal(loaded["aux.bias"], published["aux.bias"][[0, *range(4, 31)]])
    position = "encoder.transformer.pos_conv_embed.conv"
    assert torch.equal(
        loaded[f"{position}.parametrizations.weight.original1"], published[f"{position}.weight_v"]
    )


@pytest.mark.parametrize(
    "key",
    ["encoder.transformer.layers.1.final_layer_norm.bias", "encoder.feature_projection.projection.weight"],
)
def test_a_missing_or_surplus_tensor_is_named(tmp_path: Path, key: str) -> None:
    file = make(tmp_path) / FILE
    state = torch.load(file, weights_only=True)
    state["other.bias"] = state.pop(key)
    torch.save(state, file)
    refused(tmp_path, rf"1 missing \({key}\) and 1 unexpected \(other\.bias\)")


def test_other_labels_are_refused(tmp_path: Path) -> None:
    file = make(tmp_path) / FILE
    state = torch.load(file, weights_only=True)
    state["aux.weight"], state["aux.bias"] = torch.zeros(32, 32), torch.zeros(32)
    torch.save(state, file)
    refused(tmp_path, r"aux\.\w+ has 32 rows, not 31")


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path) -> None:
    file = make(tmp_path) / FILE
    state = torch.load(file, weights_only=True)
    state["encoder.transformer.layers.1.attention.k_proj.weight"] = torch.zeros(32, 16)
    torch.save(state, file)
    refused(tmp_path, r"layers\.1\.attention\.k_proj\.weight is \(32, 16\), not \(32, 32\)")


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    file = make(tmp_path) / FILE
    file.write_bytes(file.read_bytes()[:-3000])
    refused(tmp_path, "cannot be read")
    file.unlink()
    refused(tmp_path, f"lacks {FILE}")


def test_its_licence_forbids_commercial_use() -> None:
    published = MmsAnnotator.published(resolve(MmsAnnotator, "words=mms", {}))[0]
    assert not published.commercial
    assert published.files == ("model.pt",)
