"""Learning the tables that are neither the root nor findings, a module a layout."""
