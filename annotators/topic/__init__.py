"""Ways to fill the family `topic`."""
