"""Ways to fill the family `sound`."""
