"""The client of language models, against a server that does what it is told, over loopback."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotators._chat.address import addresses
from annotators._chat.body import Form, Question, Sampling
from annotators._chat.chat import MOST_BLAMED, Chat
from annotators._chat.errors import EndpointError, RequestError
from annotators._chat.loop import Loop, each
from annotators._chat.reply import LONGEST_WAIT_S, Answer, Failure, read
from annotators._chat.served import check, default_model
from tests.dying import dying
from tests.endpoint.fake import Fake, fake

SCHEMA = {"type": "object", "properties": {"description": {"type": "string"}}}
FORM = Form(Sampling("rewriter", 0.7, 0.9, 100), SCHEMA)
KEY = "sk-very-secret-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with fake(tmp_path_factory.mktemp("fake")) as one:
        yield one


@pytest.fixture
def endpoint(server: Fake) -> Fake:
    server.follow()
    return server


def question(number: int, text: str = "") -> Question:
    data = f'<clip>\n{{"gender": "female", "topic": "number {number} {text}"}}\n</clip>\nAnswer.'
    return Question(FORM, ({"role": "system", "content": "write"}, {"role": "user", "content": data}), number)


def ask(
    url: str | tuple[str, ...], *questions: Question, model: str = "rewriter", **options: object
) -> list[Answer]:
    loop = Loop()
    chat = Chat(url, model=model, **options)  # type: ignore[arg-type]
    try:
        return loop.run(each(questions, chat.ask, 64))
    finally:
        loop.close(chat.close)


def test_every_question_has_its_own_answer_in_order(endpoint: Fake) -> None:
    endpoint.follow(latency_s=0.01)
    answers = ask(endpoint.url, *(question(n) for n in range(200)))
    assert all(f"number {n}" in answer.text for n, answer in enumerate(answers))
    assert len(endpoint.seen) == 200


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_a_server_that_fails_for_a_while_costs_nothing(endpoint: Fake, status: int) -> None:
    endpoint.follow(failing=7, status=status, retry_after="0.1")
    answers = ask(endpoint.url, *(question(n) for n in range(20)))
    assert all(answer.text for answer in answers)
    assert sum(seen.status == 200 for seen in endpoint.seen if seen.clip) >= 20


def test_a_server_that_fails_now_and_then_gets_every_question_answered(endpoint: Fake) -> None:
    endpoint.follow(every=5, status=500)
    answers = ask(endpoint.url, *(question(n) for n in range(60)))
    assert all(answer.text for answer in answers)


def test_retry_after_is_waited_for(endpoint: Fake) -> None:
    endpoint.follow(failing=1, status=429, retry_after="1.5")
    started = time.monotonic()
    ask(endpoint.url, question(1))
    assert time.monotonic() - started >= 1.5


@pytest.mark.parametrize(
    "value", ["-3", "nan", "soon", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 99 Foo"]
)
def test_no_retry_after_makes_us_wait_for_ever(value: str) -> None:
    found = read(429, {"Retry-After": value}, b"")
    assert isinstance(found, Failure)
    assert found.wait_s is None or 0 <= found.wait_s <= LONGEST_WAIT_S


@pytest.mark.parametrize("others", [600, 0])
def test_a_question_that_breaks_the_server_is_given_up_and_the_others_are_answered(
    endpoint: Fake, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotators._chat.endpoint.LONGEST_WAIT_S", 0.3)
    endpoint.follow(poison="number 3 ", latency_s=0.05)
    questions = [question(3), *(question(n) for n in range(10, 10 + others))]

    async def one(asked: Question) -> Answer | RequestError:
        try:
            return await chat.ask(asked)
        except RequestError as error:
            return error

    loop, chat = Loop(), Chat(endpoint.url, model="rewriter")
    found = loop.run(each(questions, one, 8))
    loop.close(chat.close)
    assert [n for n, answer in enumerate(found) if isinstance(answer, RequestError)] == [0]
    assert "HTTP 500: this prompt breaks the engine" in str(found[0])
    assert MOST_BLAMED < sum(seen.status == 500 for seen in endpoint.seen) <= 2 * MOST_BLAMED


def test_a_prompt_too_long_is_refused_with_the_reason_of_the_server(endpoint: Fake) -> None:
    endpoint.follow(longest=500)
    with pytest.raises(RequestError, match="HTTP 400: This model's maximum context length is 2048 tokens"):
        ask(endpoint.url, question(1, "long " * 200))
    assert len(endpoint.seen) == 1


@pytest.mark.parametrize("formats", [["json_object"], []])
def test_a_server_without_json_schema_is_asked_for_less_and_only_once(
    endpoint: Fake, formats: list[str]
) -> None:
    endpoint.follow(formats=formats)
    loop, chat = Loop(), Chat(endpoint.url, model="rewriter")
    for n in range(5):
        assert loop.run(chat.ask(question(n))).text
    loop.close(chat.close)
    assert sum(seen.status == 400 for seen in endpoint.seen) == 2 - len(formats)


def test_an_unknown_model_is_named_with_those_that_are_served(endpoint: Fake) -> None:
    for attempt in (
        lambda: ask(endpoint.url, question(1), model="rewriter"),
        lambda: check(endpoint.url + "/", "rewriter", None, 0.0),
    ):
        endpoint.follow(models=[["base", None], ["poet", "base"]])
        with pytest.raises(EndpointError, match=r"not serve the model 'rewriter'.*It serves: base, poet"):
            attempt()


def test_the_default_model_is_the_first_adapter_else_the_first(tmp_path: Path) -> None:
    with fake(tmp_path, models=[["base", None], ["one", "base"], ["two", "base"]]) as one:
        assert default_model(one.url, None, 0.0) == "one"
        one.follow(models=[["large", None], ["small", None]])
        assert default_model(one.url + "/v1", None, 0.5) == "large"


def test_a_key_opens_the_endpoint_and_is_never_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake(tmp_path, key=KEY) as one:
        monkeypatch.setenv("MY_KEY", KEY)
        check(one.url, "rewriter", "MY_KEY", 0.0)
        assert ask(one.url, question(1), api_key_env="MY_KEY")[0].text
        with pytest.raises(EndpointError, match="lets us not in: HTTP 401"):
            ask(one.url, question(1))
        monkeypatch.setenv("MY_KEY", KEY + "-old")
        with pytest.raises(EndpointError) as caught:
            ask(one.url, question(1), api_key_env="MY_KEY")
        assert one.url in str(caught.value)
        assert KEY not in str(caught.value)


def test_a_key_that_is_not_set_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(EndpointError, match="The environment variable MY_KEY"):
        check("http://127.0.0.1:9", "any", "MY_KEY", 0.0)


def test_nobody_at_the_address_is_one_sentence_at_once() -> None:
    with pytest.raises(EndpointError) as caught:
        check("http://127.0.0.1:9", "any", None, 0.0)
    assert str(caught.value).startswith("The endpoint does not answer: http://127.0.0.1:9/v1 (")


@pytest.mark.parametrize(
    "said", [b"", b"HT", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_who_dies_in_the_middle_of_an_answer_is_away_and_it_is_said_in_words(said: bytes) -> None:
    with dying(said) as address, pytest.raises(EndpointError, match="The endpoint does not answer") as caught:
        check(address, "any", None, 0.0)
    assert "Message(" not in str(caught.value)


def test_a_server_that_is_still_loading_is_waited_for(tmp_path: Path) -> None:
    with fake(tmp_path, loading_s=3600.0) as one:
        with pytest.raises(EndpointError, match="HTTP 503: the model is loading"):
            check(one.url, "rewriter", None, 0.0)
        loaded = threading.Timer(0.7, one.follow)
        loaded.start()
        check(one.url, "rewriter", None, 120.0)
        loaded.join()


def test_one_of_a_pool_that_is_away_is_done_without(endpoint: Fake) -> None:
    pool = (endpoint.url, "http://127.0.0.1:9")
    check(pool, "rewriter", None, 0.0)
    answers = ask(pool, *(question(n) for n in range(50)))
    assert all(answer.text for answer in answers)


def test_the_least_busy_endpoint_is_asked(endpoint: Fake, tmp_path: Path) -> None:
    with fake(tmp_path, latency_s=0.2) as slow:
        endpoint.follow(latency_s=0.01)
        ask((slow.url, endpoint.url), *(question(n) for n in range(300)))
        assert len(slow.seen) + len(endpoint.seen) == 300
        assert 0 < len(slow.seen) < len(endpoint.seen)


def test_an_endpoint_that_dies_and_comes_back_answers_everything(tmp_path: Path) -> None:
    with fake(tmp_path, latency_s=0.02, die_after=100) as one:

        def revive() -> None:
            one.wait()
            time.sleep(1.0)
            one.start()

        helper = threading.Thread(target=revive)
        helper.start()
        answers = ask(one.url, *(question(n) for n in range(300)))
        helper.join()
        assert all(f"number {n}" in answer.text for n, answer in enumerate(answers))
        assert one.asked_again() == 0


def test_it_can_be_told_which_endpoint_is_away_since_when_and_how_many_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotators._chat.chat.AWAY_S", 0.0)
    with fake(tmp_path) as one:
        one.kill()
        started, loop, pool = time.time(), Loop(), Chat(one.url, model="rewriter")
        five = [question(n) for n in range(5)]
        answers: list[Answer] = []
        asked = threading.Thread(target=lambda: answers.extend(loop.run(each(five, pool.ask, 5))))
        asked.start()
        while [away.clips for away in pool.away()] != [5]:
            time.sleep(0.05)
        (away,) = pool.away()
        assert away.service == f"{one.url}/v1"
        assert started <= away.since <= time.time()
        one.start()
        asked.join()
        assert len(answers) == 5
        assert pool.away() == []
        loop.close(pool.close)


def test_a_request_that_takes_too_long_is_sent_again(endpoint: Fake) -> None:
    endpoint.follow(latency_s=5.0)
    timer = threading.Timer(1.5, endpoint.follow)
    timer.start()
    assert ask(endpoint.url, question(1), timeout_s=0.5)[0].text
    timer.join()


def test_waiting_can_be_interrupted() -> None:
    loop, chat = Loop(), Chat("http://127.0.0.1:9", model="any")
    ended = threading.Event()

    async def wait() -> None:
        try:
            await chat.ask(question(1))
        finally:
            ended.set()

    with pytest.raises(asyncio.TimeoutError):
        loop.run(asyncio.wait_for(wait(), 1.0))
    assert ended.is_set()
    loop.close(chat.close)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"<html>", Answer("", fault="The reply is not one of the chat protocol.")),
        (b"{}", Answer("", fault="The reply is not one of the chat protocol.")),
        (b"[" * 100_000, Answer("", fault="The reply is not one of the chat protocol.")),
        (b'{"choices": [{"message": {"content": null}}]}', Answer("", fault="The reply holds no text.")),
        (b'{"choices": [{"message": {"content": "a"}, "finish_reason": "length"}]}', Answer("a", True)),
        (b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}', Answer("a")),
    ],
)
def test_a_reply_is_an_answer_or_says_what_it_is_not(data: bytes, answer: Answer) -> None:
    assert read(200, {}, data) == answer


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("http://host:8000", ("http://host:8000/v1",)),
        ("http://host:8000/v1/", ("http://host:8000/v1",)),
        ("https://api.example.com/openai/v3/chat/completions", ("https://api.example.com/openai/v3",)),
        ("http://a:1, http://b:2/v1,http://a:1", ("http://a:1/v1", "http://b:2/v1")),
        (["http://[::1]:8000"], ("http://[::1]:8000/v1",)),
    ],
)
def test_an_address_is_taken_as_people_write_it(written: str | list[str], found: tuple[str, ...]) -> None:
    assert addresses(written) == found


@pytest.mark.parametrize(
    "written",
    ["", " , ", "localhost:8000", "ftp://host", "http://", "http://h:99999", "http://h/?key=1", "//h"],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(EndpointError, match="address such as http://127"):
        addresses(written)


def test_an_address_with_a_key_in_it_is_refused_without_repeating_it() -> None:
    with pytest.raises(EndpointError) as caught:
        addresses(f"https://user:{KEY}@host/v1")
    assert KEY not in str(caught.value)
