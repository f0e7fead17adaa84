"""Personal data in a column, recognised by the shape of its distinct values or, with care, by the column's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

PATTERNS = {
    "email": r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    "national_id": r"\d{3}-\d{2}-\d{4}",
    "ip": r"(?:\d{1,3}\.){3}\d{1,3}",
    "phone": r"(?:\+\d[\d\s().-]{6,18}\d|\(\d{3}\)\s?\d{3}-\d{4})",
}
"""Shapes that are personal data whatever the column is called. All distinct values must match."""

NAMED = (
    ("email", r"e_?mail(_?addr(ess)?)?"),
    ("phone", r"(tele?)?phone(_?(no|num|number))?|mobile(_?(no|num|number))?|fax|cell_?phone"),
    ("first_name", r"(first|given|fore|middle)_?name|f_?name"),
    ("last_name", r"(last|family|sur|maiden)_?name|surname|l_?name"),
    ("name", r"(full|patient|subject|customer|person|contact|doctor|physician|guardian|inv(estigator)?)_?nam(e)?"),
    ("initials", r"(subject|patient)?_?initials?|subjinit"),
    ("address", r"(home|street|mail(ing)?|billing|shipping)?_?address(_?(line)?_?\d)?|street(_?name)?|addr\d?"),
    ("postcode", r"zip(_?code)?|post(al)?_?code"),
    ("national_id", r"ssn|(social_security|passport|nhs)(_?(no|num|number))?|national_?id|tax_?id"),
    ("mrn", r"mrn|medical_record(_?(no|num|number))?|hospital_?(no|num|number)"),
    ("card", r"(credit_?)?card_?(no|num|number)|iban|account_?(no|num|number)"),
)
"""Names that say personal data when the whole name (without its table's prefix) matches and the values are texts."""

_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in PATTERNS.items())
_NAMED = tuple((kind, re.compile(f"(?:.*_)?(?:{pattern})", re.IGNORECASE)) for kind, pattern in NAMED)


def personal(name: str, values: Sequence[str]) -> str | None:
    """The kind of personal data that a text column holds, or None.

    `values` are the distinct values, stripped. A name alone decides only where the values are no short code list: three
    or more of them, and not all of one or two letters unless the name says initials.

    >>> personal("contact", ["a.b@example.org", "c@example.com", "d@e.net"])
    'email'
    >>> personal("USUBJID", ["01-701-1015", "01-701-1023"]) is None
    True
    """
    if not values:
        return None
    for kind, pattern in _PATTERNS:
        if len(values) >= 2 and all(map(pattern.fullmatch, values)):
            return kind
    if len(values) >= 3:
        typical = sorted(len(v) for v in values)[len(values) // 2]
        for kind, pattern in _NAMED:
            if (kind == "initials" or typical > 2) and pattern.fullmatch(name):
                return kind
    return "card" if len(values) >= 5 and all(map(_card, values)) else None


def _card(text: str) -> bool:
    return 13 <= len(text) <= 19 and text.isascii() and text.isdigit() and _luhn(text)


def _luhn(digits: str) -> bool:
    """Check digit of payment cards (ISO/IEC 7812-1)."""
    odd = [int(d) for d in digits[-1::-2]]
    even = [sum(divmod(2 * int(d), 10)) for d in digits[-2::-2]]
    return (sum(odd) + sum(even)) % 10 == 0
