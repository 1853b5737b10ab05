"""Each model twice over the same weights: our annotator, and the call its own library offers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import whisper
from torch import nn
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model, Wav2Vec2PreTrainedModel

from annotators import load
from benchmarks._models_weights import Size, audeering_folder, emotion2vec_folder, whisper_file
from pipeline.clip import SAMPLE_RATE_HZ
from pipeline.engine.work import Clips, run_way
from pipeline.errors import ClipError
from pipeline.job import make_job
from pipeline.rows import Emotion, Speaker, Transcript
from pipeline.way import SOUND, WaySpec

Answer = str | tuple[float, ...]
"""What is compared of a clip: its text, or its scores, each 0..1."""
Contestant = Callable[[Clips], list[Answer]]


@dataclass(frozen=True, slots=True)
class Contest:
    """A model as both sides run it. `precision` is of the arithmetic: ours, theirs."""

    name: str
    n_parameters: int
    precision: str
    ours: Contestant
    naive: Contestant


def whisper_contest(name: str, folder: Path, size: Size, device: torch.device) -> Contest:
    """Our `transcript=whisper` and `model.transcribe`, both greedy, without timestamps or fallback.

    Both tell the language. Clips are handed to `transcribe` with silence up to 30 s: it would itself
    append zeros to the logarithm of the spectrum, which sound otherwise.
    """
    file, n_parameters = whisper_file(folder, name, size, device)
    half = device.type == "cuda"
    network = whisper.load_model(str(file), device=device)

    def naive(clips: Clips) -> list[Answer]:
        return [
            network.transcribe(
                whisper.pad_or_trim(sound), temperature=0.0, without_timestamps=True, fp16=half
            )["text"].strip()
            for sound in _sounds(clips)
        ]

    options = {"model": str(file), "device": device.type, "temperatures": (0.0,)}
    ours = _annotator("transcript", "whisper", options, _as_text)
    precision = "float16, float16" if half else "float32, float32"
    return Contest(name, n_parameters, precision, ours, naive)


def audeering_contest(folder: Path, size: Size, device: torch.device, half: bool) -> Contest:
    """Our `speaker=audeering`, and the forward pass of its model card, clip by clip."""
    _, n_parameters = audeering_folder(folder, size, device)
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
    network = _AgeGender.from_pretrained(folder, local_files_only=True).to(device).eval()

    def naive(clips: Clips) -> list[Answer]:
        answers: list[Answer] = []
        for sound in _sounds(clips):
            values = extractor(sound, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_values
            with torch.inference_mode():
                age, chances = network(values.to(device))
            answers.append((min(max(age.item(), 0.0), 1.0), chances[0, 2].item()))
        return answers

    options = {"model": str(folder), "device": device.type, "half": half}
    ours = _annotator("speaker", "audeering", options, _as_speaker)
    name = "wav2vec2-large-robust-24-ft-age-gender"
    return Contest(name, n_parameters, _precision(half), ours, naive)


def emotion2vec_contest(folder: Path, size: Size, device: torch.device, half: bool) -> Contest:
    """Our `emotion=emotion2vec`, and FunASR's `AutoModel.generate`, clip by clip."""
    _, n_parameters = emotion2vec_folder(folder, size)
    options = {"model": str(folder), "device": device.type, "half": half}
    ours = _annotator("emotion", "emotion2vec", options, _as_emotion)
    with redirect_stdout(sys.stderr):
        from funasr import AutoModel

        model = AutoModel(
            model=str(folder),
            device=str(device),
            ncpu=torch.get_num_threads(),
            disable_update=True,
            disable_pbar=True,
            log_level="ERROR",
        )

    def naive(clips: Clips) -> list[Answer]:
        with redirect_stdout(sys.stderr):
            found = [
                model.generate(s, granularity="utterance", extract_embedding=False) for s in _sounds(clips)
            ]
        return [tuple(float(score) for score in result[0]["scores"]) for result in found]

    return Contest("emotion2vec_plus_large", n_parameters, _precision(half), ours, naive)


class _AgeGender(Wav2Vec2PreTrainedModel):
    """As on the model card."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.age = _Head(config.hidden_size, 1)
        self.gender = _Head(config.hidden_size, 3)
        self.post_init()

    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = self.wav2vec2(values)[0].mean(dim=1)
        return self.age(mean), torch.softmax(self.gender(mean), dim=1)


class _Head(nn.Module):
    def __init__(self, n_hidden: int, n_outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(n_hidden, n_hidden)
        self.out_proj = nn.Linear(n_hidden, n_outputs)

    def forward(self, mean: torch.Tensor) -> torch.Tensor:
        return self.out_proj(torch.tanh(self.dense(mean)))


def _annotator(
    family: str, name: str, options: Mapping[str, object], answer: Callable[[Any], Answer]
) -> Contestant:
    """An annotator as the engine runs it, batches and all. What fails ends the measurement."""
    decode = WaySpec(SOUND, "decode", load(SOUND, "decode"))
    way = make_job([decode, WaySpec(family, name, load(family, name), options)]).of(family)[0]
    annotator = way.build()

    def run(clips: Clips) -> list[Answer]:
        outcomes = run_way(annotator, way, clips).outcomes
        failed = next((outcome for outcome in outcomes if isinstance(outcome, ClipError)), None)
        if failed is not None:
            raise RuntimeError(f"{way.key} failed on a clip") from failed
        return [answer(outcome) for outcome in outcomes]

    return run


def _as_text(outcome: object) -> str:
    return outcome.transcript_verbatim.strip() if isinstance(outcome, Transcript) else ""


def _as_speaker(row: Speaker) -> tuple[float, ...]:
    return (row.age_years or 0.0) / 100, row.child_probability or 0.0


def _as_emotion(row: Emotion) -> tuple[float, ...]:
    return tuple(score.probability for score in row.emotion_scores or ())


def _sounds(clips: Clips) -> list[Any]:
    return [sound.samples() for sound in clips.sounds[SOUND] if sound is not None]


def _precision(half: bool) -> str:
    return "bfloat16, float32" if half else "float32, float32"
