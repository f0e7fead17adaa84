"""Local ways to write dates and numbers: read as ISO 8601 text and numbers, written again letter by letter.

A layout of dates is spelled in letters (``DD.MM.YYYY``, ``M/D/YYYY hh:mm``, ``DDMONYYYY``), one of numbers by an
example (``0,00`` two digits after a decimal comma, ``0,#`` as many as there are, ``0%`` whole percentages). A column
is taken for one only where each value that is read comes back as it was.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from datareplicator.formats.inference import plain_number

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DIGITS = "YYYYMMDD"
_NUMERIC = ("DD.MM.YYYY", "D.M.YYYY", "MM/DD/YYYY", "DD/MM/YYYY", "M/D/YYYY", "D/M/YYYY", "DD-MM-YYYY", "MM-DD-YYYY")
_NAMED = tuple(f"DD{mark}{month}{mark}YYYY" for mark in ("", "-", " ") for month in ("MON", "Mon", "mon"))
_CLOCKS = ("", " hh:mm", " hh:mm:ss", ":hh:mm", ":hh:mm:ss", "Thh:mm", "Thh:mm:ss")
DATES = (
    *(day + clock for clock in _CLOCKS for day in (*_NUMERIC, "YYYY/MM/DD", "YYYY.MM.DD", *_NAMED)),
    *("YYYY-MM-DD" + clock for clock in (" hh:mm", " hh:mm:ss")),
)
_TOKENS = {
    "YYYY": r"(?P<Y>(?:1[89]|2[01])\d{2})",
    "MM": r"(?P<M>\d{2})",
    "DD": r"(?P<D>\d{2})",
    "MON": r"(?P<N>[A-Z]{3})",
    "Mon": r"(?P<N>[A-Z][a-z]{2})",
    "mon": r"(?P<N>[a-z]{3})",
    "M": r"(?P<M>[1-9]\d?)",
    "D": r"(?P<D>[1-9]\d?)",
    "hh": r"(?P<h>\d{2})",
    "mm": r"(?P<m>\d{2})",
    "ss": r"(?P<s>\d{2})",
}
_TOKEN = re.compile("YYYY|MON|Mon|mon|MM|DD|M|D|hh|mm|ss")
_ISO = re.compile(
    r"(?P<Y>\d{4})-(?P<M>0[1-9]|1[0-2])-(?P<D>\d{2})(?:T(?P<h>\d{2})(?::(?P<m>\d{2})(?::(?P<s>\d{2}))?)?)?"
)
_FORM = re.compile(r"0(?:(?P<mark>[.,])(?P<digits>0+|#))?(?P<percent> ?%)?")
_LOCAL_NUMBER = re.compile(r"[+-]?\d+(?:(?P<mark>[.,])(?P<digits>\d+))?(?P<percent> ?%)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_SAMPLE = 50
_VALID = 0.95
_FEWEST = 5  # eight digits may be a day, and codes with a comma a number, by chance: so many different ones are not


@cache
def _pattern(layout: str) -> re.Pattern[str]:
    return re.compile(_TOKEN.sub(lambda token: _TOKENS[token[0]], layout.replace(".", r"\.")))


def read_date(layout: str, text: str) -> str | None:
    """ISO 8601 text of a date in a layout, None where it is none.

    >>> read_date("DD.MM.YYYY", "19.01.2023"), read_date("DDMONYYYY:hh:mm", "25AUG2023:14:05")
    ('2023-01-19', '2023-08-25T14:05')
    >>> read_date("DD.MM.YYYY", "31.02.2023") is None
    True
    """
    found = _pattern(layout).fullmatch(text)
    if found is None:
        return None
    part = found.groupdict()
    name = part.get("N")
    if name is not None and name.upper() not in MONTHS:
        return None
    month = MONTHS.index(name.upper()) + 1 if name is not None else int(part["M"])
    try:
        day = date(int(part["Y"]), month, int(part["D"])).isoformat()
    except ValueError:
        return None
    clock = [part[key] for key in "hms" if part.get(key) is not None]
    if any(int(t) >= limit for t, limit in zip(clock, (24, 60, 60), strict=False)):
        return None
    return f"{day}T{':'.join(clock)}" if clock else day


def write_date(layout: str, text: str) -> str:
    """A date of ISO 8601 text in a layout; a day without its time is at midnight. What is no whole date stays.

    >>> write_date("M/D/YYYY hh:mm", "2023-08-05T14:05"), write_date("M/D/YYYY hh:mm", "2023-08-05")
    ('8/5/2023 14:05', '8/5/2023 00:00')
    >>> write_date("DD-Mon-YYYY", "2023-08-05"), write_date("DD.MM.YYYY", "2023")
    ('05-Aug-2023', '2023')
    """
    found = _ISO.fullmatch(text)
    if found is None:
        return text
    part = found.groupdict()
    name = MONTHS[int(part["M"]) - 1]
    values = {
        "YYYY": part["Y"],
        "MM": part["M"],
        "DD": part["D"],
        "MON": name,
        "Mon": name.title(),
        "mon": name.lower(),
        "M": part["M"].lstrip("0"),
        "D": part["D"].lstrip("0"),
        "hh": part["h"] or "00",
        "mm": part["m"] or "00",
        "ss": part["s"] or "00",
    }
    return _TOKEN.sub(lambda token: values[token[0]], layout)


def read_number(text: str) -> float:
    """The number in a local form; percentages stay percentages.

    >>> read_number("60,9"), read_number("10 %")
    (60.9, 10.0)
    """
    return float(text.rstrip("% ").replace(",", "."))


def write_number(form: str, value: float) -> str:
    """A number in a local form.

    >>> write_number("0,00", 60.9), write_number("0,#", 5.25), write_number("0 %", 10.0)
    ('60,90', '5,25', '10 %')
    """
    found = _FORM.fullmatch(form)
    if found is None:
        raise ValueError(f"{form} is no form of numbers")
    mark, digits, percent = found["mark"], found["digits"], found["percent"] or ""
    text = plain_number(value) if digits == "#" else f"{value:.{len(digits or '')}f}"
    return (text.replace(".", mark) if mark else text) + percent


def is_number_form(written: str) -> bool:
    """Whether a layout is one of numbers."""
    return _FORM.fullmatch(written) is not None


def number_form(texts: list[str]) -> str | None:
    """The form in which all of the distinct texts are numbers with a decimal comma, or percentages.

    Thousands that a comma may mark (``1,234``) are not taken for fractions, nor are a few codes listed (``1,3``).

    >>> number_form(["60,9", "82,7", "71,0", "64,4", "90,1"]), number_form(["10%", "7.5%"]), number_form(["1,3"])
    ('0,0', '0.#%', None)
    """
    found = [_LOCAL_NUMBER.fullmatch(text) for text in texts[:_SAMPLE]]
    if not all(found):
        return None
    matches = [m for m in map(_LOCAL_NUMBER.fullmatch, texts) if m is not None]
    marks = {m["mark"] for m in matches} - {None}
    percents = {m["percent"] or "" for m in matches}
    if len(matches) < len(texts) or len(marks) > 1 or len(percents) > 1:
        return None
    percent = percents.pop()
    grouped = marks == {","} and all(_THOUSANDS.fullmatch(m[0].rstrip("% ")) for m in matches if m["mark"])
    if not percent and (marks != {","} or grouped or len(texts) < _FEWEST):
        return None
    widths = {len(m["digits"] or "") for m in matches}
    mark = marks.pop() if marks else None
    forms = ["0" + (f"{mark}{'0' * k}" if mark and k else "") + percent for k in widths] if len(widths) == 1 else []
    forms += [f"0{mark}#{percent}"] if mark else []
    return next((f for f in forms if all(write_number(f, read_number(text)) == text for text in texts)), None)


def date_layouts(texts: list[str]) -> tuple[str, ...]:
    """The layouts in which most of the distinct texts are days of the calendar: none, one, or day and month either
    way round.

    A column that holds ISO 8601 dates as well has no layout of its own: they could not be told apart afterwards.

    >>> date_layouts(["25/08/2023", "03/04/2023"]), date_layouts(["03/04/2023"])
    (('DD/MM/YYYY',), ('MM/DD/YYYY', 'DD/MM/YYYY'))
    """
    sample = texts[:_SAMPLE]
    fitting = [layout for layout in (*DATES, DIGITS) if _share(layout, sample) >= 0.5]
    if DIGITS in fitting and len(texts) < _FEWEST:
        return ()
    shares = {layout: _share(layout, texts) for layout in fitting}
    most = max(shares.values(), default=0.0)
    if most < _VALID or any(_ISO.fullmatch(text) for text in texts):
        return ()
    return _padded_first([layout for layout, share in shares.items() if share == most])


def _padded_first(layouts: list[str]) -> tuple[str, ...]:
    """Without the unpadded layouts where padded ones do as well."""
    padded = [layout for layout in layouts if re.search(r"DD", layout)]
    return tuple(padded or layouts)


def _share(layout: str, texts: list[str]) -> float:
    return sum(read_date(layout, text) is not None for text in texts) / len(texts) if texts else 0.0
