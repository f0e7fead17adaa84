"""What functions and aggregates there are, what they take and give: data for parser, checker and reference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What a value is. A date is known to some precision; ANY is a column without values, which fits everywhere."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    TRUTH = "truth value"
    ANY = "missing values only"


@dataclass(frozen=True)
class Signature:
    """`takes` are the types of the arguments (None: any type); the last `optional` ones may be left out, `repeated`
    says that the last one may come any number of times. `gives` None is the type of the arguments of any type."""

    takes: tuple[Type | None, ...]
    gives: Type | None
    says: str
    optional: int = 0
    repeated: bool = False

    @property
    def least(self) -> int:
        """Arguments at least."""
        return len(self.takes) - self.optional

    def takes_at(self, index: int) -> Type | None:
        """The type of one argument."""
        return self.takes[min(index, len(self.takes) - 1)]


_N, _T, _D, _B = Type.NUMBER, Type.TEXT, Type.DATE, Type.TRUTH

FUNCTIONS = {
    "abs": Signature((_N,), _N, "the number without its sign"),
    "round": Signature((_N, _N), _N, "rounded to so many decimals (0 unless given), halves away from zero", optional=1),
    "floor": Signature((_N,), _N, "the next whole number below"),
    "ceil": Signature((_N,), _N, "the next whole number above"),
    "sqrt": Signature((_N,), _N, "the square root; missing below zero"),
    "log": Signature((_N,), _N, "the natural logarithm; missing at zero and below"),
    "exp": Signature((_N,), _N, "e to that power"),
    "mod": Signature((_N, _N), _N, "the rest of a division, with the sign of the divisor"),
    "min": Signature((_N, _N), _N, "the least of two or more numbers in the row", repeated=True),
    "max": Signature((_N, _N), _N, "the greatest of two or more numbers in the row", repeated=True),
    "coalesce": Signature((None, None), None, "the first of them that is not missing", repeated=True),
    "if": Signature((_B, None, None), None, "the second where the condition holds, the third where it does not"),
    "length": Signature((_T,), _N, "how many characters a text has"),
    "upper": Signature((_T,), _T, "the text in capitals"),
    "lower": Signature((_T,), _T, "the text in small letters"),
    "trim": Signature((_T,), _T, "the text without blanks at its ends"),
    "substring": Signature((_T, _N, _N), _T, "from a position (1 is the first), so many characters", optional=1),
    "concat": Signature((_T,), _T, "the texts after each other", repeated=True),
    "text": Signature((_N,), _T, "the number in its shortest form, 38 rather than 38.0"),
    "number": Signature((_T,), _N, "the number that a text writes; missing where it is none"),
    "date": Signature((_T,), _D, "the ISO 8601 date that a text writes; missing where it is none"),
    "time": Signature((_T,), _N, "seconds since midnight of a text hh:mm or hh:mm:ss; missing where it is none"),
    "year": Signature((_D,), _N, "the year of a date"),
    "month": Signature((_D,), _N, "the month of a date, 1 to 12; missing where unknown"),
    "day": Signature((_D,), _N, "the day of the month; missing where unknown"),
    "weekday": Signature((_D,), _N, "1 Monday to 7 Sunday; missing where unknown"),
    "day_of": Signature((_D,), _D, "the date without its time of day"),
    "days_between": Signature((_D, _D), _N, "whole days from the first date to the second, without the times of day"),
}
"""Functions of values in one row. Missing in, missing out, save for coalesce."""

AGGREGATES = {
    "count": Signature((None,), _N, "how many rows, or how many rows where the value is not missing", optional=1),
    "distinct": Signature((None,), _N, "how many different values, missing ones left out"),
    "sum": Signature((_N,), _N, "the sum of the values that are not missing; missing where there are none"),
    "mean": Signature((_N,), _N, "their mean"),
    "min": Signature((None,), None, "the least value; of dates, of those known to the day"),
    "max": Signature((None,), None, "the greatest value; of dates, of those known to the day"),
    "first": Signature((None,), None, "the first value that is not missing, in the order of `by` or of the rows"),
    "last": Signature((None,), None, "the last value that is not missing, in the order of `by` or of the rows"),
    "any": Signature((_B,), _B, "whether the condition holds in one row or more"),
    "all": Signature((_B,), _B, "whether the condition holds in each row"),
    "previous": Signature((None,), None, "the value in the row before, in the order of `by` or of the rows"),
    "unique": Signature((None,), _B, "whether no other row has the same values", repeated=True),
}
"""Functions over rows."""

BY_ROW = frozenset({"previous", "unique"})
"""Aggregates that give each row its own value: of the table at hand only."""
