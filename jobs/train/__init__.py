"""How the project's own models are made: data, training, export. PyTorch is imported here alone."""
