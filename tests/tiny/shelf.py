"""A shelf of tiny checkpoints under the names of the published models of the speechcraft profile."""

from __future__ import annotations

from pathlib import Path

from tests.tiny import audeering, emotion2vec, metricgan, mms, secap, squim, whisper, whistress


def make(folder: Path) -> Path:
    """Set $SPEECHCRAFT_MODELS to this folder, and the profile finds its models."""
    whisper.make(folder / "openai" / "whisper-large-v3")
    mms.make(folder / "torchaudio" / "mms_fa")
    squim.make(folder / "torchaudio" / "squim_objective_dns2020")
    audeering.make(folder / "audeering" / "wav2vec2-large-robust-24-ft-age-gender")
    affect = folder / "audeering" / "wav2vec2-large-robust-12-ft-emotion-msp-dim"
    audeering.make(affect, audeering.AFFECT)
    emotion2vec.make(folder / "emotion2vec" / "emotion2vec_plus_large")
    whistress.make(folder / "slprl" / "WhiStress")
    (folder / "openai" / "whisper-small.en").symlink_to(folder / "slprl" / "WhiStress" / "backbone")
    secap.make(folder / "yaoxunxu" / "SECaps")
    metricgan.make(folder / "speechbrain" / "metricgan-plus-voicebank")
    return folder
