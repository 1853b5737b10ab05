"""Ways to fill the family `quality`."""
