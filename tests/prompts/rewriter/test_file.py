"""A prompt file that cannot be used says why, in a sentence, before anything is asked."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rewriter import PromptError, load, load_topic
from prompts.rewriter.file import FOLDER

CAPTION = (FOLDER / "caption.en.md").read_text("utf-8")
TOPIC = (FOLDER / "topic.en.md").read_text("utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.en.md"


def test_a_copy_of_a_built_in_prompt_is_that_prompt(file: Path) -> None:
    file.write_text(CAPTION, "utf-8")
    mine, own = load(str(file), "en"), load("caption", "en")
    assert mine.digest == own.digest
    assert mine.fixed == own.fixed


def test_line_ends_and_a_byte_order_mark_make_no_other_prompt(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + CAPTION.replace("\n", "\r\n").encode())
    assert load(str(file), "en").digest == load("caption", "en").digest


def test_any_other_byte_does(file: Path) -> None:
    file.write_text(CAPTION.replace("good writer", "fine writer"), "utf-8")
    assert load(str(file), "en").digest != load("caption", "en").digest


def test_one_setting_serves_both_languages(tmp_path: Path) -> None:
    for language in ("en", "zh"):
        text = (FOLDER / f"caption.{language}.md").read_text("utf-8")
        (tmp_path / f"mine.{language}.md").write_text(text, "utf-8")
    for path in (tmp_path / "mine", tmp_path / "mine.{language}.md"):
        assert load(str(path), "en").language == "en"
        assert load(str(path), "zh").language == "zh"


def test_a_prompt_may_do_without_examples_and_without_a_place(file: Path) -> None:
    text = CAPTION.partition("# Examples")[0]
    begin, end = text.index("  place:"), text.index("limits:")
    file.write_text(text[:begin] + text[end:], "utf-8")
    assert load(str(file), "en").examples == ()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("---\nname", "name", "must begin with a header"),
        ("version: 1\n", "", "lacks 'version' in its header"),
        ("version: 1", "version: one", "a whole number from 1 as its version, not 'one'"),
        ("version: 1", "version: 0", "not 0"),
        ("version: 1", "version: true", "not True"),
        ("language: en", "language: zh", "is for the language 'zh', and 'en' was asked for"),
        ("name: caption", "name: [a]", "must have text as its name"),
        ("name: caption", "name: caption\nname: other", "a key stands twice, line 2"),
        ("name: caption", "name: caption\ncolour: red", "has 'colour' in its header"),
        ("name: caption", "name: 'caption", "mistake in the YAML of its header"),
        ("  topic: topic\n", "  topic: topic\n  accent: accent\n", "has 'accent' in its inputs"),
        ("  topic: topic\n", "", "lacks 'topic' in its inputs"),
        ("  topic: topic\n", "  topic: 7\n", "what its input 'topic' is called"),
        ("  topic: topic\n", "  topic: gender\n", "calls two of its inputs the same"),
        (" male: [male]", " man: [male]", "for each of female, male under its input 'gender'"),
        (" male: [male]", " male: []", "for each of female, male"),
        ("  topic: topic\n", "  topic: {called: topic, values: {a: [b]}}\n", "no values under its input"),
        ("transcript: 280", "transcript: 2", "a limit 'transcript' of 40 to 4000"),
        ("transcript: 280", "transcript: many", "a limit 'transcript'"),
        ("transcript: 280, ", "", "lacks 'transcript' in its limits"),
        ('mark: "{words}"', "mark: words", "a word in braces as its mark"),
        ('mark: "{words}"', 'mark: "{text}"', "must tell the model of it"),
        ("  pitch: high\n", "  pitch: shrill\n", "has pitch: 'shrill' in an example, where there is: low"),
        ("  pitch: high\n", "  accent: Welsh\n", "has 'accent' in an example"),
        ("  pitch: high\n", "  emotion_caption: all aglow\n", "gives an emotion twice"),
        ("  topic: moving house\n", "  topic: '?!'\n", "a text with nothing in it"),
        ("The words are: {words}", "The words are here.", "its mark {words} once"),
        ("The words are: {words}", "{words} {words}", "its mark {words} once"),
        ('say {words} in a\n', 'say "{words} in a\n', "would be rejected: The quotes"),
        ("description: Plainly", "text: Plainly", "lacks 'description' in its example"),
        ("description: Plainly", "description: 'Plainly", "mistake in the YAML of its example"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_file(file: Path, old: str, new: str, why: str) -> None:
    assert old in CAPTION
    file.write_text(CAPTION.replace(old, new, 1), "utf-8")
    with pytest.raises(PromptError) as caught:
        load(str(file), "en")
    assert why in str(caught.value)
    assert "'mine.en.md'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("topic: moving house", "topic: [a]", "must have in each example a topic"),
        ("given: {transcript: We", "given: {voice: We", "must have in each example a topic"),
        ("title: title, ", "", "lacks 'title' in its inputs"),
    ],
)
def test_so_is_one_in_a_topic_prompt(file: Path, old: str, new: str, why: str) -> None:
    file.write_text(TOPIC.replace(old, new, 1), "utf-8")
    with pytest.raises(PromptError, match=why):
        load_topic(str(file), "en")


def test_a_prompt_of_another_kind_is_refused() -> None:
    with pytest.raises(PromptError, match=r"topic\.en\.md"):
        load("topic", "en")
    with pytest.raises(PromptError, match=r"caption\.en\.md"):
        load_topic("caption", "en")


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, file: Path) -> None:
    with pytest.raises(
        PromptError, match="There is no prompt 'captoin': give one of caption, topic, or a path"
    ):
        load("captoin", "en")
    with pytest.raises(PromptError, match="cannot be read"):
        load(str(tmp_path / "none.md"), "en")
    with pytest.raises(PromptError, match="cannot be read"):
        load(str(tmp_path), "en")
    with pytest.raises(PromptError, match="cannot be read"):
        load("a\0b/c", "en")
    file.write_bytes(b"---\n\xff")
    with pytest.raises(PromptError, match="not in UTF-8"):
        load(str(file), "en")
    file.write_bytes(b"a" * (1 << 20) + b"a")
    with pytest.raises(PromptError, match="at most 1048576"):
        load(str(file), "en")


@given(st.integers(0, len(CAPTION)), st.integers(0, 200), st.text(max_size=20))
def test_whatever_is_done_to_a_file_it_loads_or_says_why(at: int, cut: int, new: str) -> None:
    text = CAPTION[:at] + new + CAPTION[at + cut :]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mine.en.md"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        why = ""
        try:
            assert load(str(path), "en").fixed
        except PromptError as error:
            why = str(error)
    assert not why or ("mine.en.md" in why and "\n" not in why)
