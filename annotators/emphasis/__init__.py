"""Ways to fill the family `emphasis`."""
