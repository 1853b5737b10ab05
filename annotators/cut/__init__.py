"""Ways to fill the family `cut`."""
