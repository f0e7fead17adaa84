"""What must hold of the subjects of a run: constraints, rare events and scenarios, kept by conditional resampling.

Most of it is done by choosing: more subjects than needed are drawn, and those that do not fit give their place to some
that do, with all their rows in all tables. Where single rows are in the way, these are drawn again from rows that fit.
"""
