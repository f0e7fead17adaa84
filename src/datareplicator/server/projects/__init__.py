"""Projects: the rooms in which people work together, and who is in them."""
