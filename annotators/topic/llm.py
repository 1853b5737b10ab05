"""The topic in a few words by a language model, from title, description, category and transcript."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from annotators._chat import options as chat
from annotators._chat.asker import Asker, seed_of
from annotators._chat.body import Form, Question, Sampling
from annotators._chat.errors import EndpointError, RequestError
from annotators._chat.reply import Answer
from annotators.topic.keywords import KeywordsAnnotator
from pipeline.annotator import AskingAnnotator, Away, Model
from pipeline.clip import Clip
from pipeline.journal import Journal
from pipeline.options import Option
from pipeline.rows import Language, Row, Topic, Transcript
from prompts.rewriter import AnswerError, TopicPrompt, load_topic

Spoken = Literal["en", "zh"]


class LlmAnnotator(AskingAnnotator[Topic]):
    """What the model says a clip is about; null where it says that nothing tells, or nothing is known.

    An answer that is no topic is asked for again, with the reason, at most `tries` times in all; after
    that, and where the server refuses the request, the keywords stand.
    """

    row: ClassVar[type[Row]] = Topic
    version: ClassVar[int] = 1
    wants: ClassVar[tuple[type[Row], ...]] = (Transcript, Language)
    sees = KeywordsAnnotator.sees
    exact: ClassVar[bool] = False
    tolerance: ClassVar[str] = "the wording, which a server does not repeat"

    def __init__(
        self,
        *,
        endpoint: chat.Endpoint = chat.HERE,
        model: chat.Model = None,
        api_key_env: chat.ApiKeyEnv = None,
        language: Annotated[
            Literal["auto", "en", "zh"],
            Option("language of the topics; auto: Chinese for Chinese clips, English for all others"),
        ] = "auto",
        prompt: Annotated[
            str, Option("name of a prompt, or the path of one of your own; {language} in it is en or zh")
        ] = "topic",
        tries: chat.Tries = 2,
        temperature: chat.Temperature = 0.0,
        top_p: chat.TopP = 1.0,
        max_tokens: chat.MaxTokens = 64,
        seed: chat.Seed = 0,
        in_flight: chat.InFlight = 128,
        timeout_s: chat.TimeoutS = 120.0,
        wait_s: chat.WaitS = 5.0,
    ) -> None:
        if model is None:
            raise EndpointError("The model has no name: a job finds it out where it is made.")
        sampling = Sampling(model, temperature, top_p, max_tokens)
        self._prompts = _prompts(language, prompt)
        self._forms = {one.language: Form(sampling, one.schema) for one in self._prompts.values()}
        self._source = f"llm:{model}"
        self._language: Literal["auto", "en", "zh"] = language
        self._tries, self._seed = tries, seed
        self._keywords = KeywordsAnnotator()
        self._asker = Asker(
            endpoint, model=model, api_key_env=api_key_env, timeout_s=timeout_s, in_flight=in_flight
        )

    @classmethod
    def complete(cls, options: Mapping[str, object]) -> Mapping[str, object]:
        """The model by its name, as the endpoint tells it."""
        return chat.completed(dict(options))

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The model as the endpoint calls it, and what the keywords need."""
        return (*chat.models(options), *KeywordsAnnotator.models({}))

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """EndpointError unless an endpoint is there and serves the model."""
        chat.check(options)

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The text of the prompts, and what the keywords are made with."""
        language = options["language"]
        assert language in ("auto", "en", "zh")
        prompts = _prompts(language, str(options["prompt"])).values()
        return " ".join([*(prompt.digest for prompt in prompts), KeywordsAnnotator.salt({})])

    def ask(self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]) -> list[Topic]:
        """A row for every clip, whatever the model answers."""
        return self._asker.each(clips, lambda clip: self._topic(clip, journal), alive)

    def away(self) -> list[Away]:
        """The endpoints that do not answer now."""
        return self._asker.away()

    def waited_s(self) -> float:
        """Seconds in which its questions waited and no endpoint was there."""
        return self._asker.waited_s()

    async def _topic(self, clip: Clip, journal: Journal) -> Topic:
        transcript, given = clip.maybe(Transcript), clip.given
        words = None if transcript is None else transcript.transcript
        if not any((words, given.title, given.description, given.category)):
            return Topic(None, None)
        prompt = self._prompts[self._language_of(clip)]
        reasons: list[str] = []
        for attempt in range(1, self._tries + 1):
            messages = prompt.messages(
                title=given.title,
                description=given.description,
                category=given.category,
                transcript=words,
                faults=reasons,
            )
            seed = seed_of(self._seed, clip.id, attempt)
            question = Question(self._forms[prompt.language], messages, seed)
            try:
                answer = await self._asker.ask(f"{clip.id} {attempt}", question, journal)
                topic = _read(answer, prompt, words)
            except RequestError:
                break
            except AnswerError as error:
                reasons = [str(error)]
                continue
            return Topic(topic, None if topic is None else self._source)
        return self._keywords.annotate([clip])[0]

    def _language_of(self, clip: Clip) -> Spoken:
        if self._language != "auto":
            return self._language
        spoken = clip.maybe(Language)
        return "zh" if spoken is not None and spoken.language == "zh" else "en"


def _prompts(language: Literal["auto", "en", "zh"], name: str) -> dict[Spoken, TopicPrompt]:
    """The prompts that may be needed, by language."""
    languages: tuple[Spoken, ...] = ("en", "zh") if language == "auto" else (language,)
    return {one: load_topic(name, one) for one in languages}


def _read(answer: Answer, prompt: TopicPrompt, words: str | None) -> str | None:
    if answer.fault is not None or answer.truncated:
        raise AnswerError(answer.fault or "The answer was cut off because it was too long.")
    return prompt.read(answer.text, transcript=words)
