"""How a model is asked to say a pair of captions in other words, or in the other language."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from prompts.realiser.attributes import Attributes, Captions
from prompts.rewriter.caption import Prompt
from prompts.rewriter.fence import defused
from prompts.rewriter.file import Language

_TEXTS = "{texts}"


def reword_messages(
    prompt: Prompt, attributes: Attributes, captions: Captions, *, of: Language, key: str, seed: int = 0
) -> list[dict[str, str]]:
    """The chat messages that ask for `captions`, which are in the language `of`, in that of the prompt.

    They are those for the clip, with the pair behind it: what the prompt rules holds for the answer, and
    `prompt.read` reads it.
    """
    *fixed, last = prompt.messages(attributes, key=key, seed=seed)
    pair = json.loads(prompt.answer(captions, attributes))
    mark = prompt.file.mark
    shown = {name: mark.join(map(defused, text.split(mark))) for name, text in pair.items()}
    wanted: str = _requests()[prompt.language]["same" if of == prompt.language else "other"]
    request = wanted.replace(_TEXTS, json.dumps(shown, ensure_ascii=False))
    return [*fixed, {"role": last["role"], "content": f"{last['content']}\n{request}"}]


@cache
def _requests() -> dict[str, Any]:
    text = Path(__file__).with_name("reword.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)  # type: ignore[no-any-return]
