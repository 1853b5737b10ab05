"""Ways to fill the family `labels`."""
