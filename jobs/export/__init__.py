"""A run's dataset in the forms people load: chosen, split, with its sound, and with what it came from."""
