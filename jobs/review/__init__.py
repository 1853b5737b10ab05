"""People's spot checks of a run: the page they work on, and what becomes of what they say."""
