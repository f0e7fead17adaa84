"""Results of work, content-addressed: equal requests find them again."""
