"""The Training Replicator over HTTP."""
