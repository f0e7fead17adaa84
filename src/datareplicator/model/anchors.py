"""Names of the candidate days of a row that its dates may be counted from."""

AT_VISIT = "visit"
"""The row's own visit."""
AT_END = "visit end"
"""The last day of the row's own visit, where visits last."""
AT_NEXT = "next visit"
"""The visit after."""
