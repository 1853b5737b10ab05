"""Ways to fill the family `language`."""
