"""Systems that generated data are pushed to."""
