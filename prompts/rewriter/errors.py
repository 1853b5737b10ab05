"""What goes wrong with a prompt file, and with a model's answer."""

from __future__ import annotations

from pipeline.errors import SpeechcraftError, UsageError


class PromptError(UsageError):
    """A prompt file cannot be used; the message is one sentence that names the file."""


class AnswerError(SpeechcraftError):
    """An answer cannot be read; the message is a sentence that can be fed back to the model.

    It never holds text of the answer or of the clip.
    """
