"""A study seen as SDTM: domains with their split parts joined, supplements, relations, and the way to DM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from datareplicator.dates import Moments
from datareplicator.standards import sdtmig
from datareplicator.standards.define import Define
from datareplicator.study import Study
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Register, Scope

SDTM_RULES = Register(Scope.SDTM)
SUBJECT = "USUBJID"
TRIAL_DESIGN = sdtmig.TRIAL_DESIGN
SPECIAL_ARMS = frozenset({"SCRNFAIL", "NOTASSGN", "NOTTRT", "UNPLAN"})
"""Codes of subjects without treatment in SDTMIG up to 3.2 (3.3 leaves the arm empty and gives ARMNRS)."""


class SdtmView:
    """The tables of a study that look like SDTM. Column names are read as they are (SDTM's are upper case).

    `define`: what the study's Define-XML says, where there is one.
    """

    def __init__(self, study: Study, define: Define | None = None) -> None:
        self.study, self.define = study, define
        frames = study.frames()
        groups: dict[str, dict[str, pd.DataFrame]] = {}
        for name, frame in frames.items():
            domain = _domain(name, frame)
            if domain:
                groups.setdefault(domain, {})[name] = frame
        self.domains = {domain: _part(domain, members) for domain, members in groups.items()}
        self.supplements = [
            _part(name, {name: f}) for name, f in frames.items() if {"RDOMAIN", "QNAM", "QVAL"} <= set(f)
        ]
        self.relations = [
            _part(name, {name: f}) for name, f in frames.items() if {"RDOMAIN", "RELID", "IDVAR"} <= set(f)
        ]
        self._rows_in_dm: dict[str, np.ndarray] = {}

    def __bool__(self) -> bool:
        return bool(self.domains)

    def tables(self) -> list[str]:
        """Source tables in the form of the standard: domains, supplements, relations."""
        parts = (*self.domains.values(), *self.supplements, *self.relations)
        return [table for part in parts for table in part.tables]

    def required(self) -> dict[str, tuple[str, ...]]:
        """The required variables of each source table."""
        found = {t: sdtmig.SUPPLEMENT for part in self.supplements for t in part.tables}
        found |= {t: sdtmig.RELATION for part in self.relations for t in part.tables}
        for part in self.domains.values():
            found |= dict.fromkeys(part.tables, sdtmig.required(part.name, set(part.frame)))
        return found

    def get(self, domain: str, *needed: str) -> Part | None:
        """A domain, if it is there with these columns."""
        part = self.domains.get(domain)
        return part if part is not None and part.has(*needed) else None

    def of_subjects(self, *suffixes: str) -> Iterator[Part]:
        """Domains with a subject that have all of the domain's variables of these suffixes."""
        for part in self.domains.values():
            if part.subject and part.has(*(part.var(suffix) for suffix in suffixes)):
                yield part

    @cached_property
    def dm(self) -> Part | None:
        return self.get("DM", SUBJECT)

    def in_dm(self, part: Part) -> np.ndarray:
        """int64 a row: the first row of the subject in DM, -1 where it is not there."""
        if part.name not in self._rows_in_dm:
            assert self.dm is not None
            index = pd.Index(self.dm.frame[SUBJECT])
            first = ~index.duplicated()
            found = index[first].get_indexer(part.frame[SUBJECT])
            self._rows_in_dm[part.name] = np.append(np.flatnonzero(first), -1)[found]
        return self._rows_in_dm[part.name]

    def from_dm(self, part: Part, name: str) -> Moments | None:
        """A date of DM on the rows of another domain; None where DM has no such column."""
        if self.dm is None or not self.dm.has(name):
            return None
        rows, held = self.in_dm(part), self.dm.moments(name)
        fill = {"day": np.nan, "second": 0.0, "precision": 0, "year": np.nan, "month": np.nan, "valid": True}
        return Moments(**{key: np.append(getattr(held, key), missing)[rows] for key, missing in fill.items()})

    def subjects_where(self, part: Part, mask: np.ndarray) -> np.ndarray:
        """bool a row of DM: the subject has such a row in the domain."""
        assert self.dm is not None
        return self.dm.frame[SUBJECT].isin(part.frame[SUBJECT][mask]).to_numpy(dtype=bool)


def _domain(name: str, frame: pd.DataFrame) -> str | None:
    """The domain of a table: what most rows say in DOMAIN, if the table's name begins with it."""
    if "DOMAIN" not in frame or (SUBJECT not in frame and name[:2].upper() not in TRIAL_DESIGN):
        return name.upper() if re.fullmatch(r"[A-Za-z][A-Za-z0-9]", name) and SUBJECT in frame else None
    said = frame["DOMAIN"].mode()
    domain = str(said.iloc[0]) if len(said) else name[:2].upper()
    return domain if re.fullmatch(r"[A-Z][A-Z0-9]", domain) and name.upper().startswith(domain) else None


def _part(name: str, members: dict[str, pd.DataFrame]) -> Part:
    subject = SUBJECT if all(SUBJECT in frame for frame in members.values()) else None
    return Part.of(name, members, subject)
