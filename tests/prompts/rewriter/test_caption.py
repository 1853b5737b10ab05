"""A caption prompt: the same for every clip but for the clip, which is data."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.check import check
from prompts.realiser import CONVEYABLE, Attributes, Captions, realise
from prompts.realiser.facts import values_of
from prompts.rewriter import AnswerError, Prompt, load
from prompts.rewriter.fence import CLOSE, OPEN
from prompts.rewriter.words import place_of
from tests.prompts.rewriter.hostile import ATTACKS, BLANK, TEXTS, carrying, without_words

LANGUAGES = ("en", "zh")
PROMPTS = {"en": load("caption", "en"), "zh": load("caption", "zh")}
languages = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)

CLIP = Attributes(
    gender="female",
    age_group="elderly",
    pitch_label="low",
    energy_label="normal",
    speed_label="slow",
    emotion="sad",
    emphasis_word="roses",
    topic="gardening",
    transcript="The roses came late this year.",
)


def shown(messages: list[dict[str, str]]) -> dict[str, str]:
    """What the last message shows between its tags."""
    last = messages[-1]["content"]
    assert last.count(OPEN) == last.count(CLOSE) == 1
    inside = last.partition(OPEN)[2].partition(CLOSE)[0].strip()
    assert "\n" not in inside
    data: dict[str, str] = json.loads(inside)
    return data


def told(prompt: Prompt, data: dict[str, str]) -> list[str]:
    """The attributes shown, in their order."""
    names = {how.called: name for name, how in prompt.file.inputs.items()}
    return [names[called] for called in data if names[called] in CONVEYABLE]


@languages
def test_all_but_the_last_message_is_the_same_for_every_clip(prompt: Prompt) -> None:
    clips = [CLIP, BLANK, *map(carrying, ATTACKS)]
    asked = [prompt.messages(clip, key=str(i), faults=["x"] * (i % 3)) for i, clip in enumerate(clips)]
    assert len({json.dumps(messages[:-1]) for messages in asked}) == 1
    assert len({messages[-1]["content"].partition("\n")[0] for messages in asked}) == 1
    for messages in asked:
        assert [m["role"] for m in messages] == ["system", *["user", "assistant"] * 8, "user"]
        for message in messages[:-1]:
            assert message["content"] in prompt.fixed
        assert messages[-1]["content"].endswith(prompt.file.request)


@settings(max_examples=200)
@given(TEXTS, TEXTS, st.sampled_from(LANGUAGES))
def test_no_text_of_a_clip_leaves_its_fence_or_its_clip(text: str, key: str, language: str) -> None:
    prompt = PROMPTS[language]
    clip = carrying(text)
    messages = prompt.messages(clip, key=key, faults=[text])
    data = shown(messages)
    assert set(told(prompt, data)) == set(values_of(clip, language))
    assert prompt.file.mark not in "".join(data.values())
    assert len(json.dumps(messages[-1], ensure_ascii=False).encode()) < 12_000
    plain = prompt.messages(CLIP, key=key)
    assert messages[:-1] == plain[:-1]
    outside = messages[-1]["content"].replace(json.dumps(data, ensure_ascii=False), "", 1)
    kept = plain[-1]["content"].replace(json.dumps(shown(plain), ensure_ascii=False), "", 1)
    lines = [line for line in outside.split("\n") if line not in kept.split("\n")]
    assert lines[0] == prompt.file.rejected
    assert len(lines) == 2
    json.loads(lines[1])


@languages
def test_the_key_of_a_clip_is_not_shown(prompt: Prompt) -> None:
    assert "secret" not in json.dumps(prompt.messages(CLIP, key="../secret/<clip>"))


@languages
def test_what_is_known_is_shown_and_nothing_else(prompt: Prompt) -> None:
    assert set(told(prompt, shown(prompt.messages(CLIP, key="a")))) == set(CONVEYABLE)
    assert shown(prompt.messages(BLANK, key="a")) == {}
    data = shown(prompt.messages(without_words(CLIP), key="a"))
    assert prompt.file.inputs["transcript"].called not in data
    assert prompt.file.inputs["place"].called not in data
    assert shown(prompt.messages(Attributes(emotion="other", transcript=" \n"), key="a")) == {}


@languages
def test_each_value_is_shown_by_words_of_its_own(prompt: Prompt) -> None:
    for name, how in prompt.file.inputs.items():
        words = [word for words in how.values.values() for word in words]
        assert len(words) == len(set(words)), name


@languages
def test_chance_is_of_the_key_and_the_seed(prompt: Prompt) -> None:
    def orders(seed: int) -> list[tuple[str, ...]]:
        return [tuple(told(prompt, shown(prompt.messages(CLIP, key=str(i), seed=seed)))) for i in range(400)]

    assert prompt.messages(CLIP, key="a") == prompt.messages(CLIP, key="a")
    first = orders(0)
    assert first == orders(0)
    assert first != orders(1)
    assert len(set(first)) > 390
    assert all(25 < n < 80 for n in Counter(order[0] for order in first).values())


@languages
def test_faults_change_nothing_but_what_follows_the_clip(prompt: Prompt) -> None:
    once = prompt.messages(CLIP, key="a")[-1]["content"]
    again = prompt.messages(CLIP, key="a", faults=["The speed is missing."])[-1]["content"]
    assert again.startswith(once.removesuffix(prompt.file.request))
    assert '["The speed is missing."]' in again


@languages
def test_the_words_are_asked_for_where_the_paper_has_them(prompt: Prompt) -> None:
    called = prompt.file.inputs["place"]
    places = {words[0]: place for place, words in called.values.items()}
    n = 4_000
    found = Counter(
        places[shown(prompt.messages(CLIP, key=str(i)))[called.called]] for i in range(n)
    )  # standard error of a share below 0.8 %
    for place, share in {"start": 0.0555, "middle": 0.3305, "end": 0.614}.items():
        assert abs(found[place] / n - share) < 0.03
        assert places[shown(prompt.messages(CLIP, key="a", place=place))[called.called]] == place  # type: ignore[arg-type]


def test_a_long_transcript_costs_no_more_than_a_short_one_and_comes_back_whole() -> None:
    words = " ".join(f"word{i}" for i in range(10_000))
    clip = Attributes(gender="male", transcript=words)
    assert len(PROMPTS["en"].messages(clip, key="a")[-1]["content"]) < 800
    answer = json.dumps({"description": "A man.", "instruction": "Let a man say {words} now."})
    assert PROMPTS["en"].read(answer, clip).instruction == f'Let a man say "{words}" now.'


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
@languages
def test_a_hostile_transcript_comes_back_verbatim(prompt: Prompt, attack: str) -> None:
    answer = json.dumps({"description": "A voice.", "instruction": "Say {words}"})
    captions = prompt.read(answer, Attributes(transcript=attack))
    assert attack.strip() in (captions.instruction or "")
    assert captions.description == "A voice."


@languages
def test_captions_are_on_one_line_and_can_be_written_down(prompt: Prompt) -> None:
    answer = (
        '{"description": " A\\ud800 voice\\n\\u0000\tspeaks. ", "instruction": "Say\\n{words}\\ud800 low."}'
    )
    captions = prompt.read(answer, Attributes(transcript="Go"))
    assert captions.description == "A voice speaks."
    assert captions.instruction in ('Say "Go" low.', "Say “Go” low.")


@languages
def test_a_clip_without_words_has_no_instruction(prompt: Prompt) -> None:
    answer = json.dumps({"description": "A voice.", "instruction": "Say {words} {words}"})
    assert prompt.read(answer, Attributes(gender="male")) == Captions("A voice.", None, ("gender",))


@languages
def test_an_answer_beyond_the_schema_is_refused(prompt: Prompt) -> None:
    properties: Any = prompt.schema["properties"]
    for name, other in (("description", "instruction"), ("instruction", "description")):
        longest = properties[name]["maxLength"]
        prompt.read(json.dumps({name: "a" * longest, other: ""}), CLIP)
        with pytest.raises(AnswerError, match=f'"{name}" is longer than {longest}'):
            prompt.read(json.dumps({name: "a" * (longest + 1), other: ""}), CLIP)


@languages
def test_examples_are_sound_captions(prompt: Prompt) -> None:
    for example in prompt.examples:
        faults = check(example.captions, example.attributes, language=prompt.language)
        assert not faults, (example.captions, faults)
        assert prompt.read(example.answer, example.attributes) == example.captions
        assert prompt.answer(example.captions, example.attributes) == example.answer


@languages
def test_examples_show_every_attribute_known_and_unknown_and_every_place(prompt: Prompt) -> None:
    for name in CONVEYABLE:
        assert {name in example.order for example in prompt.examples} == {True, False}, name
    values = {(n, v) for e in prompt.examples for n, v in values_of(e.attributes, prompt.language).items()}
    for name in ("pitch", "energy", "speed"):
        assert len({v for n, v in values if n == name}) == 3, name
    assert len({v for n, v in values if n == "emotion"}) == 7  # six classes and a phrase
    assert Counter(e.place for e in prompt.examples) == {"start": 1, "middle": 2, "end": 4, None: 1}
    assert len({e.order[0] for e in prompt.examples}) >= 5
    openings = [e.captions.description.split()[0] for e in prompt.examples]
    assert len(set(openings)) == len(openings)


@languages
def test_examples_stand_in_the_prompt_as_clips_do(prompt: Prompt) -> None:
    turns = prompt.messages(CLIP, key="a")[1:-1]
    for example, user, assistant in zip(prompt.examples, turns[::2], turns[1::2], strict=True):
        data = shown([user])
        assert tuple(told(prompt, data)) == example.order
        assert assistant["content"] == example.answer
        if example.place:
            called = prompt.file.inputs["place"]
            assert data[called.called] in called.values[example.place]


@languages
def test_a_bare_prompt_is_the_same_without_examples_and_another(prompt: Prompt) -> None:
    bare = prompt.bare()
    assert [m["role"] for m in bare.messages(CLIP, key="a")] == ["system", "user"]
    assert bare.messages(CLIP, key="a")[-1] == prompt.messages(CLIP, key="a")[-1]
    assert bare.digest != prompt.digest
    assert len(bare.fixed) < len(prompt.fixed) / 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "words", ["The roses came late.", "no", 'He said "yes"', "“走吧”，他说", *ATTACKS[:6]]
)
def test_the_answer_to_train_on_reads_as_its_captions(language: Any, words: str) -> None:
    prompt = PROMPTS[language]
    for i in range(40):
        clip = Attributes(gender="male", speed_label="slow", emotion="happy", transcript=words)
        captions = realise(clip, language=language, key=str(i))
        read = prompt.read(prompt.answer(captions, clip), clip)
        assert (read.description, read.instruction) == (captions.description, captions.instruction)
        assert captions.instruction is not None
        assert place_of(captions.instruction, words) in ("start", "middle", "end")
