"""Looking at tables of any size, page by page."""
