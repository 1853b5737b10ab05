"""The text as given, in any language; else what pocketsphinx hears in English, at demonstration grade."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import pocketsphinx

from annotators.transcript._given import given_transcript
from pipeline.annotator import Annotator, Model, Skip
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.rows import Language, Transcript
from pipeline.text import clean

_FULL_SCALE = 32_768  # int16
_PEAK = 0.5  # sound is brought here, so that a quiet clip is heard as a loud one is
_VAD_FRAME_S = 0.03
_LEAST_SPEECH_S = (
    0.1  # a beep has 0.09 s that pass for speech; the least of 502 short clips of speech, 0.93 s
)
_NO_WORD = re.compile(r"<.*|\[.*|\+\+.*")  # <s>, <sil>, [NOISE], [SPEECH]
_VARIANT = re.compile(r"\(\d+\)$")  # the second pronunciation in the dictionary: read(2)


class PocketsphinxAnnotator(Annotator[Transcript]):
    """Given text with a word in it is the transcript; else English speech is recognised.

    A clip in which no word is heard is skipped: an empty transcript would say that nothing was said,
    and the decoder hears words in digital silence and in beeps, so sound without speech never reaches
    it. `transcript_confidence` is the mean posterior of the words in the decoder's lattice: it ranks
    clips, and is not the share of words that are right.
    """

    row = Transcript
    version = 1
    wants = (Language,)
    hears = "speech"
    sees = frozenset({"text"})
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self._decoder = pocketsphinx.Decoder(samprate=SAMPLE_RATE_HZ, cmn="batch", loglevel="FATAL")

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The acoustic model, language model and dictionary in the wheel."""
        wheel = f"pocketsphinx {version('pocketsphinx')}"
        return (Model("en-us", wheel, "BSD-2-Clause", source="package pocketsphinx"),)

    @classmethod
    def from_given(cls, clip: Clip) -> Transcript | None:
        """The given text, cleaned; None where it has no letter or digit."""
        return given_transcript(clip)

    def annotate(self, clips: Sequence[Clip]) -> list[Transcript | Skip]:
        """The given text of a clip, else what is heard in it."""
        return [self.from_given(clip) or self._recognised(clip) for clip in clips]

    def _recognised(self, clip: Clip) -> Transcript | Skip:
        language = clip.maybe(Language)
        if language is None or language.language not in self.languages:
            spoken = None if language is None else language.language
            return Skip(f"Only English is recognised, not {spoken or 'an unknown language'}.")
        pcm = _levelled(clip.speech)
        if _speech_s(pcm) < _LEAST_SPEECH_S:
            return Skip("No speech was found in the sound.")
        heard = self._decode(pcm)
        if not heard:
            return Skip("No word was recognised.")
        verbatim = " ".join(word for word, _ in heard)
        confidence = float(np.mean([posterior for _, posterior in heard]))
        return Transcript(clean(verbatim.upper()), verbatim, "pocketsphinx", confidence)

    def _decode(self, pcm: bytes) -> list[tuple[str, float]]:
        """The words with their posteriors, 0..1.

        The front end is made anew (0.1 ms): else what it learned of the last clip changes the scores of
        this one, also with batch means.
        """
        decoder = self._decoder
        decoder.reinit_feat()
        decoder.start_utt()
        try:
            decoder.process_raw(pcm, no_search=False, full_utt=True)
        finally:
            decoder.end_utt()
        if decoder.hyp() is None:
            return []
        found = [(_VARIANT.sub("", s.word), min(s.prob, 1.0)) for s in decoder.seg()]
        return [(word, posterior) for word, posterior in found if not _NO_WORD.match(word)]


def _levelled(speech: Samples) -> bytes:
    """16-bit sound at a peak of -6 dBFS; no bytes for digital silence."""
    peak = float(np.max(np.abs(speech), initial=0.0))
    if peak == 0.0:
        return b""
    return np.round(speech * (_PEAK / peak * _FULL_SCALE)).astype("<i2").tobytes()


def _speech_s(pcm: bytes) -> float:
    """Seconds in which WebRTC's detector, at its strictest, finds speech."""
    vad = pocketsphinx.Vad(mode=3, sample_rate=SAMPLE_RATE_HZ, frame_length=_VAD_FRAME_S)
    size = vad.frame_bytes
    frames = range(0, len(pcm) - size + 1, size)
    return _VAD_FRAME_S * sum(bool(vad.is_speech(pcm[start : start + size])) for start in frames)
