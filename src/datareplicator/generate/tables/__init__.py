"""The tables of a block that are neither the root nor findings, a module a layout."""
