"""The language as given; else what VoxLingua107's ECAPA-TDNN of SpeechBrain hears, of 107.

The network is convolutions that mirror the sound at its ends, and pooling over time. In a batch every
clip is mirrored at its own end and pooled over its own frames, so that it is heard as it is alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.Xvector import Classifier
from speechbrain.nnet.CNN import Conv1d
from speechbrain.processing.features import InputNormalization
from torch import nn

from annotators._speechbrain import load, shape, tensors
from annotators._torch import Device, device_of, inference, padded
from annotators.language.script import ScriptAnnotator
from pipeline.annotator import BatchedAnnotator, Skip
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.languages import language_code
from pipeline.models import Located, ModelError, Published, locate
from pipeline.options import Option
from pipeline.rows import Language
from pipeline.vad import speech_frames

PUBLISHED = "speechbrain/lang-id-voxlingua107-ecapa"
_ORDER = """
ab af am ar as az ba be bg bn bo br bs ca ceb cs cy da de el en eo es et eu fa fi fo fr gl gn gu gv ha haw hi
hr ht hu hy ia id is it iw ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa
pl ps pt ro ru sa sco sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi war yi yo zh
"""
LABELS = tuple(_ORDER.split())
"""The classes in the order of the network's outputs, as the model spells them."""
CODES = tuple(language_code(label) or label for label in LABELS)

_FILES = ("embedding_model.ckpt", "classifier.ckpt", "label_encoder.txt")
_MOST_S = 30.0
_LEAST_S = 0.1  # under 0.04 s there is nothing to mirror
_HOP = 160
_EDGE = 4  # frames: the widest convolution reaches so far
_BLOCKS = ("blocks.0", *(f"blocks.{i}.tdnn2" for i in (1, 2, 3)), "mfa")  # what tells the widths


@dataclass(frozen=True, slots=True)
class Batch:
    """The sounds, [n_clips, n_samples], and their lengths; the places of their clips; the other clips."""

    sounds: torch.Tensor
    lengths: torch.Tensor
    places: tuple[int, ...]
    settled: Mapping[int, Language | Skip]


class VoxlinguaAnnotator(BatchedAnnotator[Language, Batch]):
    """Heard in the first 30 s; `language_confidence` is the probability of the class.

    Clips in which nobody speaks are skipped.
    """

    row = Language
    version = 1
    hears = "speech"
    sees = frozenset({"language"})
    exact = False
    tolerance = "the same language, language_confidence within 1e-4, in full precision"

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder of the model")] = PUBLISHED,
        device: Annotated[Device, Option("where it runs")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
    ) -> None:
        self._device = device_of(device)
        self._half = half
        self._network = EcapaNetwork(locate(self.published({"model": model})[0])).to(self._device).eval()

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """SpeechBrain's ECAPA-TDNN, trained on VoxLingua107."""
        name = str(options.get("model", PUBLISHED))
        return (Published(name, _FILES, "Apache-2.0", True, 85_300_000, "the language, of 107"),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """The network takes every tensor of the checkpoints, and the labels are the published ones."""
        EcapaNetwork(locate(cls.published(options)[0]))

    @classmethod
    def from_given(cls, clip: Clip) -> Language | None:
        """The given language; None where none is given or nobody can read it."""
        return ScriptAnnotator.from_given(clip)

    def prepare(self, clips: Sequence[Clip]) -> Batch:
        """The sounds of the clips whose language is not given."""
        sounds: dict[int, Samples] = {}
        settled: dict[int, Language | Skip] = {}
        for place, clip in enumerate(clips):
            if (row := self.from_given(clip)) is not None:
                settled[place] = row
                continue
            sound = clip.speech[: round(_MOST_S * SAMPLE_RATE_HZ)]
            if len(sound) < _LEAST_S * SAMPLE_RATE_HZ or not speech_frames(sound).any():
                settled[place] = Skip("Nobody speaks in the sound.")
            else:
                sounds[place] = sound
        batch, lengths = padded(list(sounds.values())) if sounds else (torch.zeros(0), torch.zeros(0))
        return Batch(batch, lengths, tuple(sounds), settled)

    def infer(self, clips: Sequence[Clip], batch: Batch) -> list[Language | Skip | ClipError]:
        """One language a clip."""
        rows: dict[int, Language | Skip | ClipError] = dict(batch.settled)
        if batch.places:
            with inference(self._device, self._half):
                scores = self._network(batch.sounds.to(self._device), batch.lengths.to(self._device))
            best, classes = scores.float().cpu().max(dim=1)
            for place, score, index in zip(batch.places, best.exp().tolist(), classes.tolist(), strict=True):
                rows[place] = _row(score, index)
        return [rows[place] for place in range(len(clips))]


def _row(score: float, index: int) -> Language | ClipError:
    if not math.isfinite(score):
        return ClipError("not_finite", "The scores of the languages are no numbers.")
    return Language(CODES[index], "voxlingua", min(1.0, score))


class EcapaNetwork(nn.Module):
    """Sound to log probabilities, [n_clips, 107]; a clip's do not depend on the others'."""

    def __init__(self, model: Located) -> None:
        super().__init__()
        name = model.published.name
        _compare_labels(name, (model.folder / "label_encoder.txt").read_text(encoding="utf-8"))
        state = tensors(model.folder / "embedding_model.ckpt")
        n_mels = shape(state, "blocks.0.conv.conv.weight", name)[1]
        size = shape(state, "fc.conv.weight", name)[0]
        self.features = Fbank(n_mels=n_mels, left_frames=0, right_frames=0, deltas=False)
        self.normalise = InputNormalization(norm_type="sentence", std_norm=False)
        self.embed = ECAPA_TDNN(
            input_size=n_mels,
            channels=[shape(state, f"{block}.conv.conv.weight", name)[0] for block in _BLOCKS],
            kernel_sizes=[5, 3, 3, 3, 1],
            dilations=[1, 2, 3, 4, 1],
            attention_channels=shape(state, "asp.tdnn.conv.conv.weight", name)[0],
            lin_neurons=size,
        )
        self.classify = Classifier(
            input_shape=[None, None, size], lin_blocks=1, lin_neurons=512, out_neurons=len(LABELS)
        )
        load(model, {"embedding_model": self.embed, "classifier": self.classify})

    def forward(self, sounds: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """`sounds` [n_clips, n_samples] with zeros behind `lengths` [n_clips] samples."""
        sounds = nn.functional.pad(sounds, (0, _EDGE * _HOP))  # room for what is mirrored
        features = self.features(sounds)  # [n_clips, n_frames, n_mels]
        n_frames = lengths // _HOP + 1
        share = (n_frames - 0.5) / features.shape[1]  # the networks mask frames from share * n_frames on
        hooks = [conv.register_forward_pre_hook(_Mirror(n_frames)) for conv in _wide(self.embed)]
        try:
            embedding = self.embed(self.normalise(features, share), share)
        finally:
            for hook in hooks:
                hook.remove()
        scores: torch.Tensor = self.classify(embedding).squeeze(1)
        return scores


class _Mirror:
    """Puts the mirror image of each clip's end behind it, where the convolution will look."""

    def __init__(self, n_frames: torch.Tensor) -> None:
        reach = torch.arange(_EDGE, device=n_frames.device)
        self._to = (n_frames[:, None] + reach)[:, None]  # [n_clips, 1, 4]
        self._from = (n_frames[:, None] - 2 - reach)[:, None]

    def __call__(self, conv: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        """`inputs` holds one tensor, [n_clips, n_channels, n_frames]; what lies behind a clip is free."""
        (x,) = inputs
        every = (-1, x.shape[1], -1)
        x.scatter_(2, self._to.expand(every), x.gather(2, self._from.expand(every)))


def _wide(network: nn.Module) -> Iterator[nn.Module]:
    """The convolutions that look further than one frame."""
    return (m for m in network.modules() if isinstance(m, Conv1d) and m.kernel_size > 1)


def _compare_labels(name: str, text: str) -> None:
    """ModelError unless the lines `'ab: Abkhazian' => 0` are the labels in their order."""
    found = {int(m[2]): m[1] for m in re.finditer(r"'(\w+): .*' => (\d+)", text)}
    wrong = [f"{i} is {found.get(i)}, not {label}" for i, label in enumerate(LABELS) if found.get(i) != label]
    if wrong or len(found) != len(LABELS):
        raise ModelError(f"The labels of {name} are not those of VoxLingua107: {'; '.join(wrong[:5])}.")
