"""Names of the candidate days of a row that its dates may be counted from."""

AT_VISIT = "visit"
"""The row's own visit."""
AT_NEXT = "next visit"
"""The visit after."""
