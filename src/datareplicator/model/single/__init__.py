"""Learning plain tables: one model document of columns, what holds them together, and tables that refer to them."""
