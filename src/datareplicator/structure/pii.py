"""Personal data in a column, recognised by the shape of its distinct values or, with care, by the column's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from datareplicator.structure.lexicon import share_of_names

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

    `values` are the distinct values, stripped, were it only one: a study of one subject has personal data as well. A
    column's name decides only where the values look like it, and are no codes of one or two letters unless the name
    says initials.

    >>> personal("contact", ["a.b@example.org", "c@example.com", "d@e.net"])
    'email'
    >>> personal("USUBJID", ["01-701-1015", "01-701-1023"]) is None
    True
    """
    if not values:
        return None
    for kind, pattern in _PATTERNS:
        if all(map(pattern.fullmatch, values)):
            return kind
    typical = sorted(len(v) for v in values)[len(values) // 2]
    for kind, pattern in _NAMED:
        if (kind == "initials" or typical > 2) and pattern.fullmatch(name) and _plausible(kind, values):
            return kind
    found = _person(name, values)
    if found is not None:
        return found
    return "card" if len(values) >= 5 and all(map(_card, values)) else None


def _plausible(kind: str, values: Sequence[str]) -> bool:
    """Whether few values look like a kind; three values under its name are believed whatever they look like."""
    plain = _PLAIN.get(kind)
    return len(values) >= 3 or plain is None or all(map(plain.fullmatch, values))


_NAMING = re.compile(
    r"(?:.*_)?names?|.*(?:_by|_rep|person|author|contact|monitor|physician|investigator|owner|manager|staff|user|doctor"
    r"|nurse|entered|signed|reviewer|rater|assessor).*|(?:..)?(?:evalint|rater)",
    re.IGNORECASE,
)


def _person(name: str, values: Sequence[str]) -> str | None:
    """Names of persons by the words that they are made of: half of the values under a name that leads to expect them,
    else nearly all of three or more."""
    if any(_PLAIN["name"].fullmatch(v) is None and _PLAIN["first_name"].fullmatch(v) is None for v in values[:20]):
        return None
    if _NAMING.fullmatch(name) and not NO_PERSON.fullmatch(name):
        if share_of_names(values[:500]) >= 0.5:
            return "name"
        if len(values) >= 5 and " " not in "".join(values) and share_of_names(values[:500], single=True) >= 0.8:
            return "first_name"
    return "name" if len(values) >= 3 and share_of_names(values[:500]) >= TOLERANCE else None


def _card(text: str) -> bool:
    return 13 <= len(text) <= 19 and text.isascii() and text.isdigit() and _luhn(text)


def _luhn(digits: str) -> bool:
    """Check digit of payment cards (ISO/IEC 7812-1)."""
    odd = [int(d) for d in digits[-1::-2]]
    even = [sum(divmod(2 * int(d), 10)) for d in digits[-2::-2]]
    return (sum(odd) + sum(even)) % 10 == 0


SHAPES = {
    "email": PATTERNS["email"],
    "national_id": PATTERNS["national_id"],
    "iban": r"[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?",
    "url": r"(?:https?://|www\.)[^\s]+\.[^\s]+",
    "uuid": r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    "ip": PATTERNS["ip"] + r"|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}",
    "card": r"(?:\d{4}[ -]?){3}\d{1,7}|\d{4}[ -]?\d{6}[ -]?\d{5}",
    "phone": PATTERNS["phone"] + r"|(?:\d{1,2}[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}",
}
"""Shapes of single values, the more particular first. A share of the values may fail (typing errors)."""

PLAIN = {
    "phone": r"[\d\s().+/x-]{7,24}",
    "initials": r"[^\W\d_](?:[. -]?[^\W\d_]){1,3}\.?",
    "card": r"[\d -]{12,23}",
    "national_id": r"[A-Za-z0-9 -]{6,15}",
    "iban": r"[A-Za-z0-9 ]{12,42}",
    "postcode": r"[A-Za-z]{0,2}\d[A-Za-z0-9 -]{2,9}",
    "first_name": r"[^\W\d_][\w'’. -]*",
    "last_name": r"[^\W\d_][\w'’. -]*",
    "name": r"(?:[^\W\d_][\w'’.-]*,? ){1,4}[^\W\d_][\w'’.-]*",
    "address": r".*\d.*[^\W\d_]{2}.*|.*[^\W\d_]{2}.*\d.*",
    "date_of_birth": r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*",
}
"""What values must look like where only the column's name says what they are."""

NAMED_MORE = (
    ("iban", r"iban"),
    ("national_id", r"(national|passport|driver_?licen[cs]e|tax|nhs|nin)_?(no|num|number|id)?|ssn"),
    ("card", r"(credit|debit|payment)_?card|cc_?(no|num|number)"),
    ("date_of_birth", r"dob|birth_?date|date_?of_?birth|birthday|brthdtc|brthdt"),
    ("name", r"name|(full|client|employee|owner|holder|card_?holder|member|author|passenger|guest|student)_?name"),
    ("url", r"url|website|homepage"),
    ("ip", r"ip(v4|v6)?_?(addr(ess)?)?"),
    ("phone", r"contact_?(no|num|number)|phone_?\d|tel"),
)
NO_PERSON = re.compile(
    r".*(product|company|city|brand|item|file|school|hospital|site|store|event|category|department|table|column|host"
    r"|domain|team|project|test|drug|campaign|country|state|region|model|plan|class|group|status|type|channel).*",
    re.IGNORECASE,
)
"""Names of columns that end in "name" and name no person."""
_SHAPES = tuple((kind, re.compile(pattern)) for kind, pattern in SHAPES.items())
_PLAIN = {kind: re.compile(pattern) for kind, pattern in PLAIN.items()}
_ALL_NAMED = (
    *((kind, re.compile(f"(?:.*_)?(?:{pattern})", re.IGNORECASE)) for kind, pattern in NAMED_MORE),
    *(entry for entry in _NAMED if entry[0] not in ("mrn", "initials")),
)
TOLERANCE = 0.9
"""Share of values that must have a shape."""


def recognise(name: str, values: Sequence[str]) -> tuple[str, float] | None:
    """Kind of personal data of a text column and how sure that is (0 to 1), or None.

    `values`: a sample of the distinct values. The shape of the values alone gives up to 0.9, shape and name together
    up to 1, a name whose values are merely plausible 0.6.

    >>> recognise("contact", ["a.b@example.org", "c@example.com"])
    ('email', 0.9)
    >>> recognise("product_name", ["Red Chair", "Blue Table"]) is None
    True
    """
    if not values:
        return None
    said = [kind for kind, pattern in _ALL_NAMED if pattern.fullmatch(name)]
    for kind, pattern in _SHAPES:
        share = _share(pattern, values)
        if share >= TOLERANCE and (kind != "card" or _checked(values)):
            return kind, round(min(1.0, share * (1.0 if kind in said else 0.9)), 3)
    for kind in said:
        if kind in ("name", "first_name", "last_name") and (NO_PERSON.fullmatch(name) or len(values) < 3):
            continue
        plain = _PLAIN.get(kind)
        if plain is not None and _share(plain, values) >= TOLERANCE:
            return kind, 0.6
    return None


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    """Share of the values that match; 0 at once where few of the first do."""
    few = values[:10]
    if sum(pattern.fullmatch(v) is not None for v in few) < TOLERANCE * len(few) - 1:
        return 0.0
    return sum(pattern.fullmatch(v) is not None for v in values) / len(values)


def _checked(values: Sequence[str]) -> bool:
    digits = [re.sub(r"[ -]", "", v) for v in values]
    return sum(13 <= len(d) <= 19 and _luhn(d) for d in digits) >= 0.5 * len(digits)
