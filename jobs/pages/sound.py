"""Sound inside a page: MP3, which every browser plays, small enough to embed."""

from __future__ import annotations

import base64
import io

import soundfile

from pipeline.clip import SAMPLE_RATE_HZ, Samples

_COMPRESSION = 0.8
"""Of libsndfile, 0..1: 40 kbit/s at 16 kHz mono, 5 kB a second."""


def data_url(samples: Samples) -> str:
    """The sound, mono 16 kHz, [n_samples], as a `data:` URL of MP3."""
    file = io.BytesIO()
    soundfile.write(
        file,
        samples.clip(-1.0, 1.0),
        SAMPLE_RATE_HZ,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_COMPRESSION,
    )
    return f"data:audio/mpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
