"""Models: learned, versioned, compared, exported and imported."""
