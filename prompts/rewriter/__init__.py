"""The rewriter: prompts for a language model, and how its answers are read; it asks nobody itself.

prompt = load("caption", "en")
messages = prompt.messages(attributes, key=clip.id)
captions = prompt.read(answer, attributes)
"""

from prompts.rewriter.caption import Prompt, load
from prompts.rewriter.errors import AnswerError, PromptError
from prompts.rewriter.examples import Example
from prompts.rewriter.topic import TopicPrompt, load_topic

__all__ = ["AnswerError", "Example", "Prompt", "PromptError", "TopicPrompt", "load", "load_topic"]
