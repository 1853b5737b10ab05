"""Ways to fill the family `pitch`."""
