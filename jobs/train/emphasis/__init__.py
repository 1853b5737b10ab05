"""The detector of the stressed word: what it learns from, how, and how it is measured and exported."""
