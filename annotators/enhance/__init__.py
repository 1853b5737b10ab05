"""Ways to fill the family `enhance`."""
