"""A pair is learnt in the very form in which `caption=llm` asks, and only its answer is."""

from __future__ import annotations

import json
from math import factorial
from pathlib import Path
from typing import Any

import pytest

from annotators.caption import llm
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.chats import Chat, chats
from jobs.train.rewriter.pairs import Gate, Pair
from jobs.train.rewriter.tokens import IGNORED, PLAIN, prompt_of, tokenised, tokens_of
from pipeline.errors import UsageError
from prompts.rewriter import load
from tests.jobs.train.rewriting import pairs
from tests.tiny import llama


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return llama.tokenizer()


@pytest.fixture
def sound() -> list[Pair]:
    return Gate(Prompts("caption")).all_of(pairs(6))


@pytest.mark.parametrize("few_shot", [False, True])
def test_messages_are_those_of_the_annotator(few_shot: bool, sound: list[Pair]) -> None:
    for pair, chat in zip(
        sound, chats(sound, Prompts("caption", few_shot=few_shot), orders=1, seed=3), strict=True
    ):
        prompt = llm._prompts("auto", "caption", few_shot)[pair.language]
        *fixed, last = chat.messages
        *theirs, asked = prompt.messages(pair.attributes, key="any", seed=3)
        assert fixed == theirs
        assert last["role"] == asked["role"] == "user"
        assert sorted(_shown(last)) == sorted(_shown(asked))


def test_the_answer_reads_back_as_the_captions(sound: list[Pair]) -> None:
    for pair, chat in zip(sound, chats(sound, Prompts("caption"), orders=1, seed=0), strict=True):
        read = load("caption", pair.language).read(chat.answer, pair.attributes)
        assert (read.description, read.instruction) == (pair.captions.description, pair.captions.instruction)
        assert "{words}" in json.loads(chat.answer)["instruction"]


def test_orders_differ_and_each_begins_with_what_the_caption_tells_first(sound: list[Pair]) -> None:
    prompts = Prompts("caption")
    for pair in sound:
        found = [_shown(chat.messages[-1]) for chat in chats([pair], prompts, orders=3, seed=0)]
        possible = factorial(len(pair.captions.conveyed) - 1)
        assert len({tuple(one) for one in found}) == len(found) == min(3, possible)
        called = prompts.full(pair.language).file.inputs[pair.captions.conveyed[0]].called
        assert {next(iter(one)) for one in found} == {called}


def test_the_place_asked_for_is_the_one_the_words_have(sound: list[Pair]) -> None:
    words = {"first": 0, "in the middle": 1, "last": 2, "开头": 0, "中间": 1, "末尾": 2}
    for pair, chat in zip(sound, chats(sound, Prompts("caption"), orders=1, seed=0), strict=True):
        shown = _shown(chat.messages[-1])
        before, _, after = str(pair.captions.instruction).partition(str(pair.attributes.transcript))
        place = 2 if not any(map(str.isalnum, after)) else int(any(map(str.isalnum, before)))
        assert [words[text] for text in shown.values() if text in words] == [place]


def test_only_the_answer_and_its_end_are_learnt(sound: list[Pair], tokenizer: Any) -> None:
    for chat in chats(sound, Prompts("caption"), orders=1, seed=0):
        tokens = tokens_of(chat, tokenizer)
        assert tokenizer.decode(tokens.ids[: tokens.prompt]) == prompt_of(chat, tokenizer)
        assert tokenizer.decode(tokens.ids[tokens.prompt :]) == chat.answer + llama.END
        assert tokens.labels[: tokens.prompt] == [IGNORED] * tokens.prompt
        assert tokens.labels[tokens.prompt :] == list(tokens.ids[tokens.prompt :])


def test_what_a_template_thinks_before_the_answer_is_left_out(tokenizer: Any) -> None:
    class Thinking:
        """Puts an empty thought before answers, and a line after them."""

        eos_token = llama.END

        def __call__(self, text: str, **_: object) -> Any:
            return tokenizer(text, add_special_tokens=False)

        def apply_chat_template(self, messages: Any, *, add_generation_prompt: bool, **_: object) -> str:
            text = "".join(f"<{m['role']}>{m['content']}" for m in messages[:1])
            answer = f"<think></think>{messages[-1]['content']}{llama.END}\n" if len(messages) > 1 else ""
            return text + "<assistant>" + answer

    tokens = tokens_of(Chat(({"role": "user", "content": "Write."},), '{"a": 1}'), Thinking())
    assert tokenizer.decode(tokens.ids) == '<user>Write.<assistant>{"a": 1}' + llama.END


def test_a_model_without_a_template_gets_a_plain_one(tokenizer: Any) -> None:
    plain = llama.tokenizer()
    plain.chat_template = PLAIN
    chat = Chat(({"role": "system", "content": "S"}, {"role": "user", "content": "U"}), "A")
    assert prompt_of(chat, plain) == "### system\nS\n\n### user\nU\n\n### assistant\n"
    tokens = tokens_of(chat, plain)
    assert plain.decode(tokens.ids[tokens.prompt :]) == "A" + llama.END


def test_a_template_that_refuses_our_messages_is_one_sentence() -> None:
    strict = llama.tokenizer()
    strict.chat_template = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(UsageError, match="does not take our messages: System role not supported"):
        tokens_of(Chat(({"role": "system", "content": "S"},), "A"), strict)


def test_what_is_too_long_is_left_out_whole_and_counted(sound: list[Pair], tokenizer: Any) -> None:
    some = list(chats(sound, Prompts("caption"), orders=1, seed=0))
    sizes = sorted(len(tokens_of(chat, tokenizer).ids) for chat in some)
    found, too_long = tokenised(some, tokenizer, sizes[2])
    assert (len(found), too_long) == (3, 3)
    assert max(len(tokens.ids) for tokens in found) == sizes[2]


def _shown(message: dict[str, str]) -> dict[str, str]:
    line = message["content"].split("<clip>\n")[1].split("\n</clip>")[0]
    found: dict[str, str] = json.loads(line)
    return found


def test_a_prompt_of_ones_own_is_taken(tmp_path: Path, sound: list[Pair]) -> None:
    for language in ("en", "zh"):
        text = Path(load("caption", language).file.path).read_text("utf-8")
        (tmp_path / f"mine.{language}.md").write_text(text.replace("{words}", "{speech}"), "utf-8")
    prompts = Prompts(str(tmp_path / "mine.{language}.md"))
    assert all("{speech}" in chat.answer for chat in chats(sound, prompts, orders=1, seed=0))
    assert set(prompts.digests) <= {"en", "zh"}
    assert all(digest.endswith("-bare") for digest in prompts.digests.values())
