"""What a kind of fault is, and the register of all kinds."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from datareplicator.document import Document
from datareplicator.errors import RequestError

if TYPE_CHECKING:
    from datareplicator.faults.job import Job


class Severity(StrEnum):
    """How much a fault of the kind can do to an analysis; a plan may say otherwise."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Unit(StrEnum):
    """What one fault is, and so what `rate` and `count` count. It is the blast radius too, unless the kind spreads."""

    CELL = "cell"
    ROW = "row"
    SUBJECT = "subject"
    SITE = "site"
    TABLE = "table"
    FILE = "file"


class Scope(StrEnum):
    """What a kind must see at once: some subjects with all their rows, whole tables, or finished files."""

    SUBJECTS = "subjects"
    STUDY = "study"
    FILES = "files"


class NoParameters(Document):
    """The kind has none."""


Inject = Callable[["Job", Any], None]


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    `spreads`: one edit breaks what hangs on it in other rows or tables, so that rules fire there too. `rules`: those
    of ours of which at least one should fire; `detector`: whether they judge the data as a whole rather than a row.
    `detectable`: whether any rule here can see it.
    """

    name: str
    family: str
    summary: str
    unit: Unit
    severity: Severity
    rules: tuple[str, ...]
    spreads: bool
    scope: Scope
    parameters: type[Document]
    inject: Inject
    detector: bool = False

    @property
    def detectable(self) -> bool:
        return bool(self.rules)


class Family:
    """Registers the kinds of one family."""

    def __init__(self, name: str, scope: Scope = Scope.SUBJECTS) -> None:
        self.name, self.scope = name, scope

    def kind(
        self,
        name: str,
        summary: str,
        *,
        unit: Unit = Unit.CELL,
        severity: Severity = Severity.MINOR,
        rules: str = "",
        spreads: bool = False,
        detector: bool = False,
        parameters: type[Document] = NoParameters,
        scope: Scope | None = None,
    ) -> Callable[[Inject], Inject]:
        """Decorator of the function that injects. `rules`: blank-separated ids."""

        def register(inject: Inject) -> Inject:
            if name in _KINDS:
                raise ValueError(f"two kinds are named {name}")
            _KINDS[name] = Kind(
                name,
                self.name,
                summary,
                unit,
                severity,
                tuple(rules.split()),
                spreads,
                scope or self.scope,
                parameters,
                inject,
                detector,
            )
            return inject

        return register


_KINDS: dict[str, Kind] = {}


def all_kinds() -> Iterator[Kind]:
    """Every kind, family by family.

    >>> sum(1 for _ in all_kinds()) >= 50
    True
    """
    from datareplicator.faults import kinds  # the kinds register themselves when they are imported

    order = {family: k for k, family in enumerate(kinds.FAMILIES)}
    return iter(sorted(_KINDS.values(), key=lambda kind: order[kind.family]))


def kind_named(name: str) -> Kind:
    """The kind of that name. Raises RequestError with the near names.

    >>> kind_named("decimal-shfit")
    Traceback (most recent call last):
    ...
    datareplicator.errors.RequestError: unknown kind of fault 'decimal-shfit'. Did you mean 'decimal-shift'...
    """
    known = {kind.name: kind for kind in all_kinds()}
    if name not in known:
        raise RequestError(f"unknown kind of fault {name!r}.", hint=nearest(name, known))
    return known[name]


def nearest(name: str, known: Any, what: str = "Known are") -> str:
    """A sentence with the names near to one that is unknown, or with all that there are (20 at most)."""
    names = [str(k) for k in known]
    lower = {n.lower(): n for n in reversed(names)}
    near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(repr(lower[n]) for n in near)}?"
    more = ", ..." if len(names) > 20 else ""
    return f"{what} {', '.join(names[:20])}{more}."
