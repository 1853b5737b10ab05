"""Recorded speech regenerated with one word stressed: what the detector of emphasis is trained on."""
