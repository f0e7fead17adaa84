"""Files and folders to the client: ranges, streamed zips."""
