"""Ways to fill the family `speaker`."""
