"""Prompt files: text that a person edits, read and checked before anything is asked.

A file is a header in YAML between two lines of `---`, the system text, and under a heading `# Examples` one
YAML block per example. Nothing in it is a template: the same bytes go out for every clip, and what is
known of the clip follows them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from prompts.rewriter.errors import PromptError

Language = Literal["en", "zh"]
FOLDER = Path(__file__).parent
_BUILT_IN = re.compile(r"[A-Za-z][\w-]*")
_FILE = re.compile(r"---\n(?P<header>.*?)\n---\n(?P<text>.*)", re.DOTALL)
_EXAMPLES = re.compile(r"^# (?:Examples|示例)[ \t]*$", re.MULTILINE)
_BLOCK = re.compile(r"^```ya?ml\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"\{[^\W\d_]+\}")
_HEADER = frozenset({"name", "version", "language", "inputs", "limits", "request", "rejected"})
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Kind:
    """What a sort of prompt must say: the values of each input (none: free text), and its limits in
    characters with their ranges."""

    inputs: Mapping[str, Sequence[str]]
    optional: frozenset[str]
    limits: Mapping[str, tuple[int, int]]
    marked: bool
    example: frozenset[str]


@dataclass(frozen=True, slots=True)
class Input:
    """How a fact is shown: under which name, and by which words for each of its values."""

    called: str
    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt file as it stands, checked."""

    path: Path
    name: str
    version: int
    language: Language
    digest: str
    inputs: Mapping[str, Input]
    limits: Mapping[str, int]
    mark: str
    request: str
    rejected: str
    system: str
    examples: Sequence[Mapping[str, Any]]

    def fail(self, what: str) -> NoReturn:
        """PromptError: the prompt and what is wrong with it."""
        raise _error(self.path, what)


class _UniqueKeys(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, "a key stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read(name_or_path: str, language: Language, kind: Kind) -> PromptFile:
    """The prompt of that name or path; PromptError, in one sentence, if it cannot be used.

    A path may hold `{language}`, or lack its ending `.en.md`: then one setting serves both languages.
    """
    path = _path(name_or_path, language)
    text = _text(path)
    found = _FILE.fullmatch(text)
    if not found:
        raise _error(path, "must begin with a header between two lines of ---")
    header = _yaml(path, found["header"], "header")
    system, *rest = _EXAMPLES.split(found["text"], maxsplit=1)
    examples = [_yaml(path, block, "example") for block in _BLOCK.findall(rest[0] if rest else "")]
    return _checked(path, text, header, system.strip(), examples, language, kind)


def _error(path: Path, what: str) -> PromptError:
    return PromptError(f"The prompt file {path.name!r} {what}.")


def _path(name: str, language: Language) -> Path:
    if _BUILT_IN.fullmatch(name):
        path = FOLDER / f"{name}.{language}.md"
        if path.is_file():
            return path
        names = sorted({p.name.split(".")[0] for p in FOLDER.glob(f"*.{language}.md")})
        if not Path(name).is_file():
            raise PromptError(f"There is no prompt {name!r}: give one of {', '.join(names)}, or a path.")
    path = Path(name.replace("{language}", language))
    ended = path.with_name(f"{path.name}.{language}.md") if path.name else path
    return ended if ended.is_file() and not path.is_file() else path


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            raise _error(path, f"has {len(data)} bytes; at most {_LARGEST} are read")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _error(path, "is not in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PromptError(f"The prompt file {str(path)!r} cannot be read: {reason}.") from None


def _yaml(path: Path, text: str, part: str) -> dict[str, Any]:
    try:
        data = yaml.load(text, _UniqueKeys)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        at = getattr(error, "problem", None) or "it cannot be read"
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1} of it" if mark else ""
        raise _error(path, f"has a mistake in the YAML of its {part}: {at}{where}") from None
    if not isinstance(data, dict):
        raise _error(path, f"must have key: value lines in its {part}")
    return data


def _checked(
    path: Path,
    text: str,
    header: Mapping[str, Any],
    system: str,
    examples: Sequence[Mapping[str, Any]],
    language: Language,
    kind: Kind,
) -> PromptFile:
    wanted = _HEADER | {"mark"} if kind.marked else _HEADER
    _same_names(path, "header", header, wanted)
    version, mark = header["version"], header.get("mark", "")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _error(path, f"must have a whole number from 1 as its version, not {version!r}")
    if header["language"] != language:
        raise _error(path, f"is for the language {header['language']!r}, and {language!r} was asked for")
    for name in ("name", "request", "rejected"):
        if not isinstance(header[name], str) or not header[name].strip():
            raise _error(path, f"must have text as its {name}")
    if not system:
        raise _error(path, "has no text after its header")
    if kind.marked and not (isinstance(mark, str) and _MARK.fullmatch(mark) and mark in system):
        raise _error(path, "must have a word in braces as its mark, and must tell the model of it")
    for example in examples:
        _same_names(path, "example", example, kind.example)
    digest = hashlib.sha256(text.encode()).hexdigest()
    inputs, limits = _inputs(path, header["inputs"], kind), _limits(path, header["limits"], kind)
    request, rejected = header["request"].strip(), header["rejected"].strip()
    return PromptFile(
        path=path,
        name=header["name"],
        version=version,
        language=language,
        digest=digest,
        inputs=inputs,
        limits=limits,
        mark=mark,
        request=request,
        rejected=rejected,
        system=system,
        examples=examples,
    )


def _same_names(path: Path, part: str, found: Mapping[str, Any], wanted: frozenset[str]) -> None:
    if missing := sorted(wanted - set(found)):
        raise _error(path, f"lacks {missing[0]!r} in its {part}")
    if extra := sorted(map(str, set(found) - wanted)):
        names = ", ".join(sorted(wanted))
        raise _error(path, f"has {extra[0]!r} in its {part}, which knows only: {names}")


def _inputs(path: Path, given: Any, kind: Kind) -> dict[str, Input]:
    if not isinstance(given, dict):
        raise _error(path, "must name its inputs, each with what it is called")
    _same_names(path, "inputs", given, frozenset(kind.inputs) - (kind.optional - set(given)))
    inputs = {name: _input(path, name, how, kind.inputs[name]) for name, how in given.items()}
    names = [one.called for one in inputs.values()]
    if len(set(names)) < len(names):
        raise _error(path, "calls two of its inputs the same")
    return inputs


def _input(path: Path, name: str, how: Any, values: Sequence[str]) -> Input:
    how = {"called": how} if isinstance(how, str) else how
    if not isinstance(how, dict) or not isinstance(how.get("called"), str):
        raise _error(path, f"must say what its input {name!r} is called")
    words = how.get("values", {})
    if not isinstance(words, dict) or set(words) != set(values) or not all(map(_is_words, words.values())):
        what = f"a list of words for each of {', '.join(values)}" if values else "no values"
        raise _error(path, f"must have {what} under its input {name!r}")
    return Input(how["called"], {value: tuple(words[value]) for value in values})


def _is_words(words: object) -> bool:
    return isinstance(words, list) and bool(words) and all(isinstance(w, str) and w.strip() for w in words)


def _limits(path: Path, given: Any, kind: Kind) -> dict[str, int]:
    if not isinstance(given, dict):
        raise _error(path, "must have its limits as name: characters")
    _same_names(path, "limits", given, frozenset(kind.limits))
    for name, (low, high) in kind.limits.items():
        if type(given[name]) is not int or not low <= given[name] <= high:
            raise _error(path, f"must have a limit {name!r} of {low} to {high} characters")
    return dict(given)
