"""The rewriter: a language model tuned to write captions, from captions that passed the check."""
