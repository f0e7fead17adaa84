"""The headers of SAS XPORT files, versions 5 and 8: where members begin, their variables, and the bytes around them.

Source: SAS Institute, TS-140 "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (version 5) and
"Record Layout of a SAS Version 8 or 9 Data Set in SAS Transport Format". Everything is in records of 80 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from datareplicator.errors import Place, SourceError
from datareplicator.formats.sasformats import join_format, split_format

RECORD = 80
_MARK = b"HEADER RECORD*******"
_TAIL = b"HEADER RECORD!!!!!!!"
_STAMP = b"01JAN60:00:00:00"  # a fixed moment: the same study gives the same bytes
_NAMESTR = struct.Struct(">hhhh8s40s8shhh2s8shhi52s")
_V5 = {"library": b"LIBRARY ", "member": b"MEMBER  ", "dataset": b"DSCRPTR ", "names": b"NAMESTR ", "rows": b"OBS     "}
_V8 = {"library": b"LIBV8   ", "member": b"MEMBV8  ", "dataset": b"DSCPTV8 ", "names": b"NAMSTV8 ", "rows": b"OBSV8   "}
_WORDS = {5: _V5, 8: _V8}
_HINT = "The file is damaged or was cut; export it again."


@dataclass
class Variable:
    """A column of a member: `offset` and `width` are bytes within the record."""

    name: str
    numeric: bool
    width: int
    offset: int = 0
    label: str = ""
    format: str = ""
    informat: str = ""


@dataclass
class Member:
    """A data set of an XPORT file. `start` is the first byte of its rows, `rows` their number where it is said."""

    name: str
    label: str
    version: int
    variables: list[Variable] = field(default_factory=list)
    start: int = 0
    rows: int | None = None

    @property
    def width(self) -> int:
        """Bytes of one row."""
        return sum(variable.width for variable in self.variables)


def decode(raw: bytes) -> tuple[str, bool]:
    """Text of a header or cell without its padding, and whether it had to be read as Windows-1252.

    SAS writes whatever the session's encoding was, and says nowhere which: UTF-8 first, then Windows-1252.

    >>> decode(b"5 \\xb5g  "), decode("5 µg".encode())
    (('5 µg', True), ('5 µg', False))
    """
    raw = raw.rstrip(b" \0")
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        try:
            return raw.decode("windows-1252"), True
        except UnicodeDecodeError:
            return raw.decode("latin-1"), True


def looks_like_xport(start: bytes) -> bool:
    """Whether the first bytes are those of an XPORT library of version 5 or 8."""
    return any(start.startswith(_MARK + words["library"]) for words in _WORDS.values())


class _Cursor:
    """Reads records one after the other, and says where the file was cut."""

    def __init__(self, data: bytes, at: int, place: Place) -> None:
        self.data, self.at, self.place = data, at, place

    def take(self, size: int, what: str) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) < size:
            raise SourceError(f"the file ends within the {what}.", place=self.place, hint=_HINT)
        self.at += size
        return part

    def header(self, word: bytes, what: str) -> bytes:
        part = self.take(RECORD, what)
        if not part.startswith(_MARK + word + _TAIL):
            raise SourceError(f"expected the {what} at byte {self.at - RECORD}.", place=self.place, hint=_HINT)
        return part

    def align(self) -> None:
        self.at += -self.at % RECORD


def read_members(data: bytes, place: Place) -> list[Member]:
    """All members of an XPORT file, in order.

    Raises `SourceError` where the file is no XPORT file, was cut, or contradicts itself.
    """
    version = next((v for v, words in _WORDS.items() if data.startswith(_MARK + words["library"])), None)
    if version is None:
        raise SourceError("the file is no SAS XPORT file of version 5 or 8.", place=place, hint=_HINT)
    words = _WORDS[version]
    members: list[Member] = []
    at = _next_member(data, 0, words)
    while at is not None:
        member = _read_member(_Cursor(data, at, place), version)
        members.append(member)
        at = _next_member(data, member.start, words)
    if not members:
        raise SourceError("the XPORT file holds no data set.", place=place, hint=_HINT)
    return members


def _next_member(data: bytes, at: int, words: dict[str, bytes]) -> int | None:
    """The next member header on a record boundary, since rows may hold the same bytes elsewhere."""
    mark = _MARK + words["member"] + _TAIL
    at = data.find(mark, at)
    while at != -1 and at % RECORD:
        at = data.find(mark, at + 1)
    return None if at == -1 else at


def member_end(data: bytes, member: Member) -> int:
    """The byte after the last row's padding: the next member, or the end of the file."""
    after = _next_member(data, member.start, _WORDS[member.version])
    return len(data) if after is None else after


def _read_member(cursor: _Cursor, version: int) -> Member:
    words = _WORDS[version]
    head = cursor.header(words["member"], "member header")
    size = _digits(head[74:78]) or 140
    if size not in (136, 140):
        raise SourceError(f"variable descriptors of {size} bytes are unknown.", place=cursor.place, hint=_HINT)
    cursor.header(words["dataset"], "data set header")
    first = cursor.take(RECORD, "data set header")
    name = decode(first[8 : 16 if version == 5 else 40])[0]
    label = decode(cursor.take(RECORD, "data set header")[32:72])[0]
    place = Place(cursor.place.file, name or None)
    count = _digits(cursor.header(words["names"], "variable header")[48:58]) or 0
    member = Member(name, label, version)
    for _ in range(count):
        member.variables.append(_read_variable(cursor.take(size, "variable descriptors"), size, version, place))
    cursor.align()
    _check(member, place)
    if version == 8:
        _read_long_labels(cursor, member)
    head = cursor.header(words["rows"], "observation header")
    member.rows = _digits(head[48:63]) if version == 8 else None
    member.start = cursor.at
    return member


def _digits(raw: bytes) -> int | None:
    text = raw.strip()
    return int(text) if text.isdigit() else None


def _read_variable(raw: bytes, size: int, version: int, place: Place) -> Variable:
    if size == 136:
        raw += b"\0" * 4
    (
        kind,
        _,
        width,
        _,
        name,
        label,
        form,
        form_width,
        form_decimals,
        _,
        _,
        inform,
        in_width,
        in_decimals,
        offset,
        rest,
    ) = _NAMESTR.unpack(raw)
    long_name = decode(rest[:32])[0] if version == 8 else ""
    text = decode(name)[0]
    if kind not in (1, 2):
        raise SourceError("the variable is neither number nor text.", place=place, hint=_HINT)
    return Variable(
        long_name or text,
        kind == 1,
        width,
        offset,
        decode(label)[0],
        join_format(decode(form)[0], form_width, form_decimals),
        join_format(decode(inform)[0], in_width, in_decimals),
    )


def _check(member: Member, place: Place) -> None:
    if not member.variables:
        raise SourceError("the data set has no variables.", place=place, hint=_HINT)
    at = 0
    for variable in sorted(member.variables, key=lambda v: v.offset):
        valid = 2 <= variable.width <= 8 if variable.numeric else variable.width >= 1
        if not valid or variable.offset != at or not variable.name:
            raise SourceError(
                f"the variable's width {variable.width} at byte {variable.offset} cannot be.",
                place=Place(place.file, place.table, variable.name or None),
                hint=_HINT,
            )
        at += variable.width


def _read_long_labels(cursor: _Cursor, member: Member) -> None:
    """Labels over 40 and formats over 8 characters stand in a section of their own."""
    for word, parts in ((b"LABELV8 ", 1), (b"LABELV9 ", 3)):
        if not cursor.data.startswith(_MARK + word, cursor.at):
            continue
        count = _digits(cursor.take(RECORD, "label header")[48:78]) or 0
        for _ in range(count):
            sizes = struct.unpack(f">{2 + parts}h", cursor.take(2 * (2 + parts), "label header"))
            if not 1 <= sizes[0] <= len(member.variables) or min(sizes[1:]) < 0:
                raise SourceError(f"a label names variable {sizes[0]}.", place=cursor.place, hint=_HINT)
            texts = [decode(cursor.take(size, "label header"))[0] for size in sizes[1:]]
            variable = member.variables[sizes[0] - 1]
            variable.name, variable.label = texts[0] or variable.name, texts[1]
            if parts == 3:
                variable.format, variable.informat = (join_format(*split_format(text)) for text in texts[2:])
        cursor.align()


def write_header(member: Member, encoding: str) -> bytes:
    """All bytes before the first row. Its size depends on the variables' number and labels, not on their widths."""
    version, words = member.version, _WORDS[member.version]
    long = version == 8
    name = _fixed(member.name, 32 if long else 8, encoding)
    system = b"SAS     "
    release = b"9.4     " if long else b"6.06    "
    parts = [
        _MARK + words["library"] + _TAIL + b"0" * 30 + b"  ",
        (system * 2 + b"SASLIB  " + release + _fixed("", 8, encoding)).ljust(64) + _STAMP,
        _STAMP.ljust(RECORD),
        _MARK + words["member"] + _TAIL + b"0" * 17 + b"1600000000140  ",
        _MARK + words["dataset"] + _TAIL + b"0" * 30 + b"  ",
        (system + name + b"SASDATA " + release).ljust(64) + _STAMP,
        _STAMP + b" " * 16 + _fixed(member.label, 40, encoding) + b" " * 8,
        _MARK + words["names"] + _TAIL + b"%010d" % len(member.variables) + b"0" * 20 + b"  ",
        _padded(b"".join(_descriptor(v, i, long, encoding) for i, v in enumerate(member.variables, start=1))),
    ]
    if long:
        parts.append(_long_labels(member.variables, encoding))
    count = (b"%15d" % (member.rows or 0)).ljust(30) if long else b"0" * 30
    parts.append(_MARK + words["rows"] + _TAIL + count + b"  ")
    return b"".join(parts)


def _fixed(text: str, size: int, encoding: str) -> bytes:
    return text.encode(encoding, errors="replace")[:size].ljust(size)


def _padded(raw: bytes) -> bytes:
    return raw + b" " * (-len(raw) % RECORD)


def _descriptor(variable: Variable, number: int, long: bool, encoding: str) -> bytes:
    form, informat = split_format(variable.format), split_format(variable.informat)
    rest = (
        _fixed(variable.name, 32, encoding)
        + struct.pack(">h", len(variable.label.encode(encoding, "replace")))
        + b"\0" * 18
    )
    return _NAMESTR.pack(
        1 if variable.numeric else 2,
        0,
        variable.width,
        number,
        _fixed(variable.name, 8, encoding),
        _fixed(variable.label, 40, encoding),
        _fixed(form[0], 8, encoding),
        form[1],
        form[2],
        0,
        b"\0\0",
        _fixed(informat[0], 8, encoding),
        informat[1],
        informat[2],
        variable.offset,
        rest if long else b"\0" * 52,
    )


def _long_labels(variables: Iterable[Variable], encoding: str) -> bytes:
    """The LABELV9 section: every variable whose label or formats do not fit the descriptor."""
    entries = []
    for number, variable in enumerate(variables, start=1):
        texts = [
            part.encode(encoding, "replace")
            for part in (variable.name, variable.label, variable.format, variable.informat)
        ]
        too_long = any(len(split_format(part)[0]) > 8 for part in (variable.format, variable.informat))
        if len(texts[1]) > 40 or too_long:
            entries.append(struct.pack(">5h", number, *map(len, texts)) + b"".join(texts))
    if not entries:
        return b""
    return _MARK + b"LABELV9 " + _TAIL + (b"%-30d" % len(entries)) + b"  " + _padded(b"".join(entries))
