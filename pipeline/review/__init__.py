"""What people say of the clips of a run, and what follows from it."""
