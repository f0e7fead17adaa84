"""API keys: programs with the rights of a person, or fewer."""
