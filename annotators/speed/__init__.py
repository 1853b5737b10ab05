"""Ways to fill the family `speed`."""
