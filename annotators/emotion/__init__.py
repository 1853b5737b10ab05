"""Ways to fill the family `emotion`."""
