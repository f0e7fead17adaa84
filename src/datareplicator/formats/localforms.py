"""Local ways to write dates and numbers: read as ISO 8601 text and numbers, written again letter by letter.

A layout of dates is spelled in letters (``DD.MM.YYYY``, ``M/D/YYYY hh:mm``, ``DDMONYYYY``), followed by what stands for
an unknown day and month (``DD MON YYYY|UN|UNK``); one of numbers by an example (``0,00`` two digits after a decimal
comma, ``0,#`` as many as there are, ``0%`` whole percentages). A column is taken for one only where each value that is
read comes back as it was.
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
_MARK = r"UNK?|UK|NK|ND|XX|--|\?\?"
PARTIAL = re.compile(
    rf"({_MARK})(?P<between>[-/. ]?)({_MARK}|XXX|---|\?\?\?|[A-Za-z]{{3}}|\d\d)(?P=between)(?:1[89]|2[01])\d\d",
    re.IGNORECASE,
)
"""A date without its day, or without day and month, as clinical databases export it (``UN UNK 2021``)."""
_UNKNOWN = re.compile(rf"(?:{_MARK}|XXX|---|\?\?\?)", re.IGNORECASE)
_ISO_PARTIAL = re.compile(r"(?P<Y>\d{4})(?:-(?P<M>0[1-9]|1[0-2]))?")
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
def _pattern(layout: str, day: str | None = None, month: str | None = None) -> re.Pattern[str]:
    """How dates in a layout look; `day` and `month`: what stands in place of unknown ones."""
    marks = {"D": day, "M": month, "m": month if "mon" in layout else None}
    pieces, at = [], 0
    for token in _TOKEN.finditer(layout):
        mark = marks.get(token[0][0])
        pieces += [re.escape(layout[at : token.start()]), _TOKENS[token[0]] if mark is None else re.escape(mark)]
        at = token.end()
    return re.compile("".join(pieces) + re.escape(layout[at:]))


def read_date(layout: str, text: str) -> str | None:
    """ISO 8601 text of a date in a layout, None where it is none.

    >>> read_date("DD.MM.YYYY", "19.01.2023"), read_date("DDMONYYYY:hh:mm", "25AUG2023:14:05")
    ('2023-01-19', '2023-08-25T14:05')
    >>> read_date("DD.MM.YYYY", "31.02.2023") is None, read_date("DD MON YYYY|UN|UNK", "UN JAN 2021")
    (True, '2021-01')
    """
    layout, *marks = layout.split("|")
    found = _pattern(layout).fullmatch(text)
    if found is None:
        return _read_partial(layout, marks[0], marks[1], text) if marks else None
    part = found.groupdict()
    month = _month(part)
    if month is None:
        return None
    try:
        day = date(int(part["Y"]), month, int(part["D"])).isoformat()
    except ValueError:
        return None
    clock = [part[key] for key in "hms" if part.get(key) is not None]
    if any(int(t) >= limit for t, limit in zip(clock, (24, 60, 60), strict=False)):
        return None
    return f"{day}T{':'.join(clock)}" if clock else day


def _month(part: dict[str, str | None]) -> int | None:
    """The month of what was found; None where it is none."""
    name = part.get("N")
    if name is not None:
        return MONTHS.index(name.upper()) + 1 if name.upper() in MONTHS else None
    month = int(part["M"] or 0)
    return month if 1 <= month <= 12 else None


def _read_partial(layout: str, day: str, month: str, text: str) -> str | None:
    found = _pattern(layout, day).fullmatch(text)
    number = None if found is None else _month(found.groupdict())
    if found is not None and number is not None:
        return f"{found['Y']}-{number:02}"
    found = _pattern(layout, day, month).fullmatch(text)
    return found["Y"] if found is not None else None


def write_date(layout: str, text: str) -> str:
    """A date of ISO 8601 text in a layout; a day without its time is at midnight. What is no whole date stays.

    >>> write_date("M/D/YYYY hh:mm", "2023-08-05T14:05"), write_date("M/D/YYYY hh:mm", "2023-08-05")
    ('8/5/2023 14:05', '8/5/2023 00:00')
    >>> write_date("DD-Mon-YYYY", "2023-08-05"), write_date("DD.MM.YYYY", "2023")
    ('05-Aug-2023', '2023')
    >>> write_date("DD-Mon-YYYY|UN|UNK", "2023")
    'UN-UNK-2023'
    """
    layout, *marks = layout.split("|")
    found = _ISO.fullmatch(text) or (_ISO_PARTIAL.fullmatch(text) if marks else None)
    if found is None:
        return text
    part = found.groupdict()
    values = {"YYYY": part["Y"], "hh": part.get("h") or "00", "mm": part.get("m") or "00", "ss": part.get("s") or "00"}
    if part.get("D") is None:
        values |= dict.fromkeys(("DD", "D"), marks[0])
    else:
        values |= {"DD": part["D"], "D": part["D"].lstrip("0")}
    if part["M"] is None:
        values |= dict.fromkeys(("MM", "M", "MON", "Mon", "mon"), marks[1])
    else:
        name = MONTHS[int(part["M"]) - 1]
        values |= {"MM": part["M"], "M": part["M"].lstrip("0"), "MON": name, "Mon": name.title(), "mon": name.lower()}
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
    marks = _marks(texts)
    known = (*DATES, DIGITS) if marks is None else tuple(f"{layout}|{marks}" for layout in (*_NUMERIC, *_NAMED))
    fitting = [layout for layout in known if _share(layout, sample) >= 0.5]
    if DIGITS in fitting and len(texts) < _FEWEST:
        return ()
    shares = {layout: _share(layout, texts) for layout in fitting}
    most = max(shares.values(), default=0.0)
    if most < _VALID or any(_ISO.fullmatch(text) for text in texts):
        return ()
    return _padded_first([layout for layout, share in shares.items() if share == most])


def _marks(texts: list[str]) -> str | None:
    """What stands for unknown days and months, where there are such dates."""
    found = [m for m in map(PARTIAL.fullmatch, texts) if m is not None]
    if not found:
        return None
    days = [m[1] for m in found]
    months = [m[3] for m in found if _UNKNOWN.fullmatch(m[3])] or ["UNK"]
    return "|".join(max(sorted(set(some)), key=some.count) for some in (days, months))


def _padded_first(layouts: list[str]) -> tuple[str, ...]:
    """Without the unpadded layouts where padded ones do as well."""
    padded = [layout for layout in layouts if re.search(r"DD", layout)]
    return tuple(padded or layouts)


def _share(layout: str, texts: list[str]) -> float:
    return sum(read_date(layout, text) is not None for text in texts) / len(texts) if texts else 0.0
