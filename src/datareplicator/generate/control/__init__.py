"""What a caller may ask of the subjects beyond their number: exact counts, clones, dates, names, and other spreads."""
