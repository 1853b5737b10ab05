"""Ways to fill the family `words`."""
