"""Relations in plain words."""

from __future__ import annotations

from datareplicator.structure.spec import Derivation, ForeignKey, Link, Order, Supplement

PHRASES = {
    "same": "equals {0}",
    "constant": "always the same",
    "same_day": "is the day of {0}",
    "study_day": "study day of {0} from {1}",
    "date_difference": "days from {1} to {0}",
    "age": "age at {1} from {0}",
    "date_parts": "date from {all}",
    "row_number": "numbers the rows by {all}",
    "concat": "text made of {all}",
    "parse": "number read from {0}",
    "text_of_number": "text of {0}",
    "offset": "{0} plus a constant",
    "linear": "{0} converted",
    "arithmetic": "calculated from {all}",
    "round": "{0} rounded",
    "limits": "result against its limits ({all})",
    "cuts": "class of {0}",
    "baseline_flag": "marks the baseline, by {all}",
    "baseline_value": "value at baseline ({all})",
    "aggregate": "the {how} {0} in {table}",
    "exists": "whether {table} has certain rows ({all})",
    "present": "whether {0} is present",
    "interval": "the period of the day of {0}, from {table}",
    "items": "totals of items, by {all}",
    "copy_subject": "copied from {0} of {table}",
    "copy_by_key": "copied from {0} of {table}, by key",
}

HOW = {"min": "earliest or smallest", "max": "latest or largest", "count": "number of"}


def derivation(found: Derivation) -> str:
    """A computed column and how, as one phrase.

    >>> from datareplicator.structure.spec import Ref
    >>> refs = (Ref(table="ae", column="AESTDTC"), Ref(table="dm", column="RFSTDTC"))
    >>> derivation(Derivation(table="ae", target="AESTDY", template="study_day", sources=refs, agreement=0.99))
    'AESTDY: study day of AESTDTC from RFSTDTC (99.0 % of rows)'
    """
    names = [s.column for s in found.sources]
    how = HOW.get(str(found.params.get("how")), str(found.params.get("how", "value of")))
    others = [s.table for s in found.sources if s.table != found.table] or [found.table]
    if found.template == "formula":
        names, phrase = [], found.params["formula"].replace("{", "{{").replace("}", "}}")
    else:
        phrase = PHRASES.get(found.template, f"{found.template.replace('_', ' ')} of {{all}}")
    if phrase.count("{1}") and len(names) < 2:
        phrase = f"{found.template.replace('_', ' ')} of {{all}}"
    text = phrase.format(*(names or [""]), all=", ".join(names), table=others[0], how=how)
    share = "" if found.agreement >= 1 else f" ({min(found.agreement, 0.999):.1%} of rows)".replace("%", " %")
    return f"{found.target}: {text}{' (some rows)' if found.params.get('partial') else ''}{share}"


def reference(key: ForeignKey) -> str:
    """A reference to another table."""
    return f"{key.table} ({', '.join(key.columns)}) -> {key.parent} ({', '.join(key.parent_columns)})"


def link(found: Link, root: str) -> str:
    """A fact that ties the subject to rows of a table."""
    tail = " (known from the standard)" if found.prior else ""
    if found.kind == "call":
        called = f"{found.table} with {found.column} = {found.code}"
        return f"{found.by}.{found.root} = {found.value} asks for a row of {called}"
    if found.kind == "flag":
        return f"{root}.{found.root} = {found.value} exactly with {found.table}.{found.column} = {found.code}{tail}"
    if found.kind == "date":
        return f"{root}.{found.root} is {found.table}.{found.date} where {found.column} = {found.code}{tail}"
    return f"subjects with {root}.{found.root} = {found.value} have no rows in {found.table}{tail}"


def order(found: Order) -> str:
    """An order that the values of each row keep."""
    share = f" (but for {found.exceptions:.1%} of rows)".replace("%", " %") if found.exceptions else ""
    return f"{found.table}: {found.low} <= {found.high}{share}"


def supplement(found: Supplement) -> str:
    """Supplemental qualifiers and what they belong to."""
    by = f"by {found.pointer}" if found.pointer else "by subject"
    return f"{', '.join(found.members)} -> {found.parent} {by}: {', '.join(found.qualifiers)}"
