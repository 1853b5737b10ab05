"""Ways to fill the family `energy`."""
