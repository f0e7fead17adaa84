"""Learning: a study and its structure in, the JSON model out."""
