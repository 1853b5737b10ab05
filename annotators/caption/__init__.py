"""Ways to fill the family `caption`."""
