"""Ways to fill the family `transcript`."""
