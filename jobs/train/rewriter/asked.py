"""The prompts a rewriter is trained for, by language, each read once."""

from __future__ import annotations

from jobs.captions.captioned import Language
from prompts.rewriter import Prompt, load


class Prompts:
    """Those of a name or path. Languages that nothing is written in are never looked for."""

    def __init__(self, name: str, *, few_shot: bool = False) -> None:
        self._name, self._few_shot = name, few_shot
        self._read: dict[Language, Prompt] = {}
        self._sent: dict[Language, Prompt] = {}

    def full(self, language: Language) -> Prompt:
        """The prompt with its examples; PromptError where there is none for the language."""
        if language not in self._read:
            self._read[language] = load(self._name, language)
        return self._read[language]

    def sent(self, language: Language) -> Prompt:
        """The prompt that the tuned model is sent: without its examples, unless it is to have them."""
        if language not in self._sent:
            full = self.full(language)
            self._sent[language] = full if self._few_shot else full.bare()
        return self._sent[language]

    @property
    def digests(self) -> dict[str, str]:
        """What identifies the prompts that were sent."""
        return {language: self._sent[language].digest for language in sorted(self._sent)}
