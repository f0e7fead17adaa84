"""Personal data in a column, recognised by the shape of its distinct values or, with care, by the column's name."""

from __future__ import annotations

import re

import pandas as pd

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
    ("name", r"(full|patient|subject|customer|person|contact|investigator|doctor|physician|guardian)_?name|invnam|pname"),
    ("initials", r"(subject|patient)?_?initials?|subjinit"),
    ("address", r"(home|street|mail(ing)?|billing|shipping)?_?address(_?(line)?_?\d)?|street(_?name)?|addr\d?"),
    ("postcode", r"zip(_?code)?|post(al)?_?code"),
    ("national_id", r"ssn|social_security(_?(no|num|number))?|national_?id|passport(_?(no|num|number))?|nhs_?(no|num|number)|tax_?id"),
    ("mrn", r"mrn|medical_record(_?(no|num|number))?|hospital_?(no|num|number)"),
    ("card", r"(credit_?)?card_?(no|num|number)|iban|account_?(no|num|number)"),
)
"""Names that say personal data when the whole name (without its table's prefix) matches and the values are texts."""

_NAMED = tuple((kind, re.compile(f"(?:.*_)?(?:{pattern})", re.IGNORECASE)) for kind, pattern in NAMED)


def personal(name: str, values: pd.Series) -> str | None:
    """The kind of personal data that a text column holds, or None.

    `values` are the distinct values. A name alone decides only where the values are no short code list: three
    or more of them, and not all of one or two letters unless the name says initials.

    >>> personal("contact", pd.Series(["a.b@example.org", "c@example.com", "d@e.net"]))
    'email'
    >>> personal("USUBJID", pd.Series(["01-701-1015", "01-701-1023"])) is None
    True
    """
    if not len(values):
        return None
    text = values.astype(str).str.strip()
    for kind, pattern in PATTERNS.items():
        if len(text) >= 2 and text.str.fullmatch(pattern).all():
            return kind
    for kind, pattern in _NAMED:
        if pattern.fullmatch(name) and len(text) >= 3 and (kind == "initials" or text.str.len().median() > 2):
            return kind
    if len(text) >= 5 and text.str.fullmatch(r"\d{13,19}").all() and text.map(_luhn).all():
        return "card"
    return None


def _luhn(digits: str) -> bool:
    """Check digit of payment cards (ISO/IEC 7812-1)."""
    odd = [int(d) for d in digits[-1::-2]]
    even = [sum(divmod(2 * int(d), 10)) for d in digits[-2::-2]]
    return (sum(odd) + sum(even)) % 10 == 0
