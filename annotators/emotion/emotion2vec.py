"""Nine classes of emotion by emotion2vec plus; what the source gives stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F

from annotators._torch import Device, clips_at_once, device_of, inference, middle, padded
from annotators.emotion._domains import NEUTRAL_DOMAINS, given_emotion, neutral_by_domain
from annotators.emotion._emotion2vec import FILES, check, load, mean_features
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import Published, locate
from pipeline.options import Option
from pipeline.rows import Emotion, Emotions, EmotionScore

CLASSES: dict[str, Emotions] = {
    "生气/angry": "angry",
    "厌恶/disgusted": "disgusted",
    "恐惧/fearful": "fearful",
    "开心/happy": "happy",
    "中立/neutral": "neutral",
    "其他/other": "other",
    "难过/sad": "sad",
    "吃惊/surprised": "surprised",
    "<unk>": "other",
}
"""The published labels, in the order of the model's outputs, with their class."""
_FEWEST_SAMPLES = 400  # the convolutions make their first frame of 25 ms


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network takes in. `known` has an entry per clip: its outcome, or None where it is heard."""

    known: tuple[Emotion | ClipError | None, ...]
    sounds: torch.Tensor | None  # [n_heard, n_samples], each normalised by itself; None where none is heard
    lengths: torch.Tensor | None  # [n_heard], in samples


class Emotion2vecAnnotator(BatchedAnnotator[Emotion, Prepared]):
    """The likeliest of the model's nine labels as a class, and the probability of each label.

    `<unk>` and `other` both are the class `other`; the confidence is the probability of the likeliest
    label alone. Clips of `neutral_domains` are neutral unheard. Only the middle `max_s` of a longer
    clip are heard, since attention grows with the square of the length.
    """

    row = Emotion
    version = 1
    hears = "speech"
    sees = frozenset({"emotion", "domain"})
    exact = False
    tolerance = "1e-5 of a probability; 2e-2 with half"
    batch_clips = 64
    batch_s = 240.0

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder; there are plus_seed and plus_base, too")] = (
            "emotion2vec/emotion2vec_plus_large"
        ),
        neutral_domains: Annotated[
            tuple[str, ...], Option("domains whose clips are neutral, unheard")
        ] = NEUTRAL_DOMAINS,
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 120.0)] = 30.0,
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
    ) -> None:
        self._neutral_domains, self._max_s, self._half = neutral_domains, max_s, half
        self._device = device_of(device)
        self.batch_clips = clips_at_once(self._device, self.batch_clips)
        self._network = load(locate(_published(model)), tuple(CLASSES)).to(self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The model in the option."""
        return (_published(str(options["model"])),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare the labels, and the file's tensors with the network's, key by key and shape by shape."""
        check(locate(cls.published(options)[0]), tuple(CLASSES))

    @classmethod
    def from_given(cls, clip: Clip) -> Emotion | None:
        """The given mood, where its word is known."""
        return given_emotion(clip)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """The middle of each clip that must be heard, normalised by itself, then padded."""
        known: list[Emotion | ClipError | None] = []
        heard: list[Samples] = []
        for clip in clips:
            outcome = self.from_given(clip) or neutral_by_domain(clip, self._neutral_domains)
            fault = None
            if outcome is None:
                sound = middle(clip.speech, self._max_s)
                fault = _fault(sound)
                if fault is None:
                    heard.append(_normalised(sound))
            known.append(outcome or fault)
        if not heard:
            return Prepared(tuple(known), None, None)
        return Prepared(tuple(known), *padded(heard))

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Emotion | ClipError]:
        """One row per clip, in order."""
        if batch.sounds is None or batch.lengths is None:
            return [outcome for outcome in batch.known if outcome is not None]
        sounds, lengths = batch.sounds.to(self._device), batch.lengths.to(self._device)
        with inference(self._device, self._half):
            mean = mean_features(self._network, sounds, lengths)
        with torch.inference_mode():
            chances = torch.softmax(self._network.proj(mean.float()), dim=-1)
        rows = iter(chances.cpu().tolist())
        return [outcome or _emotion(next(rows)) for outcome in batch.known]


def _published(model: str) -> Published:
    return Published(
        name=model,
        files=FILES,
        licence="FunASR model licence; its terms for this model are not stated",
        commercial=False,
        size_bytes=1_945_790_254,
        about="nine classes of emotion; emotion2vec plus, large",
    )


def _normalised(sound: Samples) -> Samples:
    tensor = torch.from_numpy(sound)
    normalised: Samples = F.layer_norm(tensor, tensor.shape).numpy()
    return normalised


def _fault(sound: Samples) -> ClipError | None:
    if len(sound) < _FEWEST_SAMPLES:
        seconds = len(sound) / SAMPLE_RATE_HZ
        return ClipError("too_short", f"No mood can be recognised in {seconds:.3f} s of sound.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None


def _emotion(chances: Sequence[float]) -> Emotion:
    """The row for the probabilities of CLASSES."""
    scores = tuple(EmotionScore(label, p) for label, p in zip(CLASSES, chances, strict=True))
    likeliest = max(scores, key=lambda score: score.probability)
    return Emotion(CLASSES[likeliest.label], "emotion2vec", likeliest.probability, None, scores)
