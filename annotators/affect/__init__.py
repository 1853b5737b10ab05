"""Ways to fill the family `affect`."""
