"""Adverse events: seriousness, outcome, dates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

CRITERIA = ("AESCAN", "AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESOD", "AESMIE")


def _serious(view: SdtmView) -> tuple[Part, tuple[str, ...], np.ndarray] | None:
    """AE, its columns of criteria, and bool a row: any of them is Y."""
    ae = view.get("AE", "AESER")
    names = tuple(name for name in CRITERIA if ae is not None and ae.has(name))
    if ae is None or not names:
        return None
    return ae, names, np.any([ae.equals(name, "Y") for name in names], axis=0)


@SDTM_RULES.rule("DR0701", "A serious adverse event meets no criterion.", core="000266", p21="SD0009")
def serious_without_reason(view: SdtmView) -> Iterator[Hits]:
    found = _serious(view)
    if found:
        ae, names, met = found
        serious = ae.equals("AESER", "Y")
        yield Hits(ae, serious & ~met, ("AETERM", "AESER", *names), int(serious.sum()))


@SDTM_RULES.rule("DR0702", "An adverse event that is not serious meets a criterion.", core="000022", p21="SD0091")
def reason_without_serious(view: SdtmView) -> Iterator[Hits]:
    found = _serious(view)
    if found:
        ae, names, met = found
        yield Hits(ae, met & ~ae.equals("AESER", "Y"), ("AETERM", "AESER", *names), int(met.sum()))


@SDTM_RULES.rule("DR0703", "An adverse event that is not resolved has an end.", core="000657")
def unresolved_with_end(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", "AEOUT", "AEENDTC")
    if ae is not None:
        going = ae.equals("AEOUT", "NOT RECOVERED/NOT RESOLVED", "RECOVERING/RESOLVING")
        yield Hits(ae, going & ae.present("AEENDTC"), ("AETERM", "AEOUT", "AEENDTC"), int(going.sum()))


@SDTM_RULES.rule("DR0704", "A resolved adverse event has no end.", core="000659")
def resolved_without_end(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", "AEOUT", "AEENDTC")
    if ae is not None:
        over = ae.equals("AEOUT", "RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE")
        yield Hits(ae, over & ~ae.present("AEENDTC"), ("AETERM", "AEOUT", "AEENDTC"), int(over.sum()))


@SDTM_RULES.rule("DR0705", "An adverse event begins after the subject's last disposition.", core="000717", p21="SD0080")
def after_disposition(view: SdtmView) -> Iterator[Hits]:
    ae, ds = view.get("AE", SUBJECT, "AESTDTC"), view.get("DS", SUBJECT, "DSSTDTC")
    if ae is None or ds is None:
        return
    last = pd.Series(ds.moments("DSSTDTC").day).groupby(ds.frame[SUBJECT].to_numpy(dtype=object)).max()
    end = ae.frame[SUBJECT].astype(object).map(last).to_numpy(dtype=float)
    start = ae.moments("AESTDTC").day
    both = np.isfinite(start) & np.isfinite(end)
    yield Hits(ae, both & (start > end), ("AETERM", "AESTDTC"), int(both.sum()))


@SDTM_RULES.rule(
    "DR0706", "The drug was withdrawn for an adverse event, but no disposition says so.", severity=Severity.WARNING
)
def withdrawn_without_disposition(view: SdtmView) -> Iterator[Hits]:
    ae, ds = view.get("AE", SUBJECT, "AEACN"), view.get("DS", SUBJECT, "DSDECOD")
    if ae is not None and ds is not None:
        withdrawn = ae.equals("AEACN", "DRUG WITHDRAWN")
        told = (
            ae.frame[SUBJECT]
            .isin(ds.frame[SUBJECT][ds.equals("DSDECOD", "ADVERSE EVENT", "DEATH")])
            .to_numpy(dtype=bool)
        )
        yield Hits(ae, withdrawn & ~told, ("AETERM", "AEACN"), int(withdrawn.sum()))
