"""Captions by a language model, each checked before it is kept; what fails the check is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from annotators._chat import options as chat
from annotators._chat.asker import Asker, seed_of
from annotators._chat.body import Form, Question, Sampling
from annotators._chat.errors import EndpointError, RequestError
from annotators._chat.reply import Answer
from annotators.caption._attributes import READS, attributes_of, language_of
from pipeline.annotator import AskingAnnotator, Away, Model
from pipeline.clip import Clip
from pipeline.journal import Journal
from pipeline.options import Option
from pipeline.rows import Caption, Row, Sound
from prompts import check
from prompts.realiser import Attributes, Captions, digest, realise
from prompts.realiser.facts import values_of
from prompts.rewriter import AnswerError, Prompt, load

MOST_REASONS = 8
"""Of one answer, in the row and fed back: one that is all wrong is not better understood by forty."""
Language = Literal["en", "zh"]


class LlmAnnotator(AskingAnnotator[Caption]):
    """What the model writes, where it tells all that is known and nothing else; else what the realiser does.

    An answer that fails the check is asked for again, with the reasons, at most `tries` times in all. A
    request that the server refuses (too long, say) goes to the realiser at once.
    """

    row: ClassVar[type[Row]] = Caption
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[type[Row], ...]] = (Sound,)
    wants: ClassVar[tuple[type[Row], ...]] = READS
    exact: ClassVar[bool] = False
    tolerance: ClassVar[str] = "the wording, which a server does not repeat; every caption passes the check"

    def __init__(
        self,
        *,
        endpoint: chat.Endpoint = chat.HERE,
        model: chat.Model = None,
        api_key_env: chat.ApiKeyEnv = None,
        language: Annotated[
            Literal["auto", "en", "zh"],
            Option("language of the captions; auto: Chinese for Chinese clips, English for all others"),
        ] = "auto",
        prompt: Annotated[
            str, Option("name of a prompt, or the path of one of your own; {language} in it is en or zh")
        ] = "caption",
        examples: Annotated[
            bool, Option("whether the prompt's examples are sent; a model tuned to it needs none")
        ] = True,
        tries: chat.Tries = 3,
        temperature: chat.Temperature = 0.7,
        top_p: chat.TopP = 0.95,
        max_tokens: chat.MaxTokens = 768,
        seed: chat.Seed = 0,
        in_flight: chat.InFlight = 128,
        timeout_s: chat.TimeoutS = 120.0,
        wait_s: chat.WaitS = 5.0,
    ) -> None:
        if model is None:
            raise EndpointError("The model has no name: a job finds it out where it is made.")
        sampling = Sampling(model, temperature, top_p, max_tokens)
        self._prompts = _prompts(language, prompt, examples)
        self._forms = {one.language: Form(sampling, one.schema) for one in self._prompts.values()}
        self._source = f"llm:{model}"
        self._language: Literal["auto", "en", "zh"] = language
        self._tries, self._seed = tries, seed
        self._asker = Asker(
            endpoint, model=model, api_key_env=api_key_env, timeout_s=timeout_s, in_flight=in_flight
        )

    @classmethod
    def complete(cls, options: Mapping[str, object]) -> Mapping[str, object]:
        """The model by its name, as the endpoint tells it."""
        return chat.completed(dict(options))

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The model as the endpoint calls it; its licence is not known here."""
        return chat.models(options)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """EndpointError unless an endpoint is there and serves the model."""
        chat.check(options)

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The text of the prompts, the rules of the check, and the grammar of the realiser."""
        language, name = options["language"], str(options["prompt"])
        assert language in ("auto", "en", "zh")
        prompts = _prompts(language, name, bool(options["examples"])).values()
        return " ".join([*(prompt.digest for prompt in prompts), check.digest(), digest()])

    def ask(self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]) -> list[Caption]:
        """A caption for every clip, whatever the model answers."""
        return self._asker.each(clips, lambda clip: self._caption(clip, journal), alive)

    def away(self) -> list[Away]:
        """The endpoints that do not answer now."""
        return self._asker.away()

    def waited_s(self) -> float:
        """Seconds in which its questions waited and no endpoint was there."""
        return self._asker.waited_s()

    async def _caption(self, clip: Clip, journal: Journal) -> Caption:
        language = language_of(clip, self._language)
        prompt, attributes = self._prompts[language], attributes_of(clip)
        rejected: list[str] = []
        reasons: list[str] = []
        attempt = 0
        while attempt < self._tries and values_of(attributes, language):  # of nothing, it would invent
            attempt += 1
            messages = prompt.messages(attributes, key=clip.id, seed=self._seed, faults=reasons)
            question = Question(self._forms[language], messages, seed_of(self._seed, clip.id, attempt))
            try:
                answer = await self._asker.ask(f"{clip.id} {attempt}", question, journal)
            except RequestError as error:
                rejected.append(str(error))
                break
            captions, told, reasons = _judged(answer, prompt, attributes, language)
            if captions is not None:
                return _row(captions, language, self._source, told, attempt, rejected)
            rejected += reasons
        captions = realise(attributes, language=language, key=clip.id, seed=self._seed)
        return _row(captions, language, "realiser", captions.conveyed, attempt, rejected)


def _prompts(language: Literal["auto", "en", "zh"], name: str, examples: bool) -> dict[Language, Prompt]:
    """The prompts that may be needed, by language."""
    languages: tuple[Language, ...] = ("en", "zh") if language == "auto" else (language,)
    loaded = {one: load(name, one) for one in languages}
    return loaded if examples else {one: prompt.bare() for one, prompt in loaded.items()}


def _judged(
    answer: Answer, prompt: Prompt, attributes: Attributes, language: Language
) -> tuple[Captions | None, tuple[str, ...], list[str]]:
    """The captions in an answer if they are sound, and what they tell; else why they are not."""
    if answer.fault is not None:
        return None, (), [answer.fault]
    if answer.truncated:
        return None, (), ["The answer was cut off because it was too long."]
    try:
        captions = prompt.read(answer.text, attributes)
    except AnswerError as error:
        return None, (), [str(error)]
    faults, told = check.judged(captions, attributes, language=language, prompt=prompt.fixed)
    return (None if faults else captions), told, [str(fault) for fault in faults[:MOST_REASONS]]


def _row(
    captions: Captions,
    language: Language,
    source: str,
    told: tuple[str, ...],
    attempts: int,
    rejected: Sequence[str],
) -> Caption:
    instruction = captions.instruction
    return Caption(captions.description, instruction, language, source, told, attempts, tuple(rejected))
