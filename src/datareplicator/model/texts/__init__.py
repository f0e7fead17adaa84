"""Texts that could name a person: found in what is learned, and replaced before anything is learned from it."""
