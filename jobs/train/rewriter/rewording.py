"""Pairs in other words, by a language model: paraphrased again and again, and translated there and back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Literal

from annotators._chat.asker import Asker, seed_of
from annotators._chat.body import Form, Question, Sampling
from annotators._chat.errors import RequestError
from annotators._chat.served import check as check_served
from annotators._chat.served import default_model
from jobs.calls import waiting
from jobs.captions.captioned import Language
from jobs.output import notice
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.pairs import Pair
from pipeline.journal import Journal
from pipeline.journal_store import opened
from pipeline.storage import Store
from prompts.rewriter import AnswerError
from prompts.rewriter.reword import reword_messages

TEMPERATURE, TOP_P, MAX_TOKENS = 0.9, 0.95, 768
IN_FLIGHT, TIMEOUT_S, WAIT_S, SAY_S = 64, 120.0, 5.0, 60.0
OTHER: dict[Language, Language] = {"en": "zh", "zh": "en"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to ask; model None: the first adapter that is served, else the first model."""

    address: str
    model: str | None = None
    api_key_env: str | None = None


class Reworder:
    """Asks for pairs in other words; what cannot be read counts under `failed`, by why."""

    def __init__(self, asker: Asker, model: str, journal: Journal, prompts: Prompts, seed: int) -> None:
        self._asker, self._journal, self._prompts, self._seed = asker, journal, prompts, seed
        self._sampling = Sampling(model, TEMPERATURE, TOP_P, MAX_TOKENS)
        self._forms: dict[Language, Form] = {}
        self.asked = 0
        self.failed: Counter[str] = Counter()
        self._said_s = -SAY_S

    def round(
        self, pairs: Sequence[Pair], made: Literal["paraphrased", "translated"], number: int
    ) -> list[Pair]:
        """Each pair said anew once, in its own language or the other; those that failed are missing."""
        self.asked += len(pairs)

        async def work(pair: Pair) -> Pair | None:
            return await self._reworded(pair, made, number)

        found = self._asker.each(pairs, work, self._say)
        return [pair for pair in found if pair is not None]

    def _say(self) -> None:
        """Tell of an endpoint that does not answer, at most once a minute."""
        if time.monotonic() - self._said_s > SAY_S and (services := self._asker.away()):
            self._said_s = time.monotonic()
            for one in services:
                notice(waiting(asdict(one)))

    async def _reworded(
        self, pair: Pair, made: Literal["paraphrased", "translated"], number: int
    ) -> Pair | None:
        language = OTHER[pair.language] if made == "translated" else pair.language
        prompt = self._prompts.full(language)
        form = self._forms.setdefault(language, Form(self._sampling, prompt.schema))
        key = f"{pair.id} {pair.origin} {made} {number}"
        messages = reword_messages(
            prompt, pair.attributes, pair.captions, of=pair.language, key=key, seed=self._seed
        )
        question = Question(form, messages, seed_of(self._seed, key, 1))
        try:
            answer = await self._asker.ask(key, question, self._journal)
            if answer.fault is not None or answer.truncated:
                raise AnswerError(answer.fault or "cut off")
            captions = prompt.read(answer.text, pair.attributes)
        except RequestError:
            self.failed["refused"] += 1
        except AnswerError:
            self.failed["unreadable"] += 1
        else:
            return replace(pair, language=language, captions=captions, made=made)
        return None


@contextmanager
def reworder(endpoint: Endpoint, folder: str, prompts: Prompts, seed: int) -> Iterator[Reworder]:
    """One that keeps every answer under `folder`: the same command asks for none twice.

    EndpointError if the endpoint cannot be used.
    """
    model = endpoint.model or default_model(endpoint.address, endpoint.api_key_env, WAIT_S)
    check_served(endpoint.address, model, endpoint.api_key_env, WAIT_S)
    asker = Asker(
        endpoint.address,
        model=model,
        api_key_env=endpoint.api_key_env,
        timeout_s=TIMEOUT_S,
        in_flight=IN_FLIGHT,
    )
    try:
        with opened(Store(folder), "answers") as journal:
            yield Reworder(asker, model, journal, prompts, seed)
    finally:
        asker.close()
