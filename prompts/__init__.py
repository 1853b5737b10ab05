"""The words: lexicons and the grammar that turns labels into captions."""
