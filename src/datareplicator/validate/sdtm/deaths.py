"""Death as DM, AE and DS tell it, and nothing after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datareplicator.validate.part import Part, later
from datareplicator.validate.rule import Hits
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView


@SDTM_RULES.rule("DR0601", "DTHFL and DTHDTC do not go together.", core="000006 000007")
def flag_without_date(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", "DTHFL", "DTHDTC")
    if dm is not None:
        yield Hits(dm, dm.equals("DTHFL", "Y") != dm.present("DTHDTC"), ("DTHFL", "DTHDTC"), len(dm))


def _of_living(view: SdtmView, part: Part | None, death: np.ndarray, names: tuple[str, ...]) -> Iterator[Hits]:
    """Rows that speak of a death whose subject has no DTHFL = Y."""
    dm = view.get("DM", "DTHFL")
    if part is None or dm is None:
        return
    dead = np.append(dm.equals("DTHFL", "Y"), True)[view.in_dm(part)]
    yield Hits(part, death & ~dead, names, int(death.sum()))


@SDTM_RULES.rule("DR0602", "A fatal adverse event of a subject without death flag.", core="000254", p21="SD0090")
def fatal_without_flag(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", SUBJECT, "AEOUT")
    if ae is not None:
        yield from _of_living(view, ae, ae.equals("AEOUT", "FATAL"), ("AETERM", "AEOUT"))


@SDTM_RULES.rule(
    "DR0603", "An adverse event results in death (AESDTH), but the subject has no death flag.", core="000253"
)
def lethal_without_flag(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", SUBJECT, "AESDTH")
    if ae is not None:
        yield from _of_living(view, ae, ae.equals("AESDTH", "Y"), ("AETERM", "AESDTH"))


@SDTM_RULES.rule("DR0604", "Disposition is death, but the subject has no death flag.", core="000252")
def disposition_without_flag(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT, "DSDECOD")
    if ds is not None:
        yield from _of_living(view, ds, ds.equals("DSDECOD", "DEATH"), ("DSDECOD", "DSSTDTC"))


def _date_of_death(view: SdtmView, part: Part, death: np.ndarray, name: str) -> Iterator[Hits]:
    died = view.from_dm(part, "DTHDTC")
    if died is not None:
        held = part.moments(name)
        asked = death & (died.precision > 0) & part.present(name)
        yield Hits(part, asked & (later(held, died) | later(died, held)), (name,), int(asked.sum()))


@SDTM_RULES.rule("DR0605", "The disposition of death does not carry the date of death.", core="000034")
def disposition_on_other_day(view: SdtmView) -> Iterator[Hits]:
    ds = view.get("DS", SUBJECT, "DSDECOD", "DSSTDTC")
    if ds is not None:
        yield from _date_of_death(view, ds, ds.equals("DSDECOD", "DEATH"), "DSSTDTC")


@SDTM_RULES.rule("DR0606", "A fatal adverse event does not end on the date of death.")
def fatal_on_other_day(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", SUBJECT, "AEOUT", "AEENDTC")
    if ae is not None:
        yield from _date_of_death(view, ae, ae.equals("AEOUT", "FATAL"), "AEENDTC")


@SDTM_RULES.rule("DR0607", "The subject has a death flag, but no disposition of death.")
def flag_without_disposition(view: SdtmView) -> Iterator[Hits]:
    dm, ds = view.get("DM", "DTHFL", SUBJECT), view.get("DS", SUBJECT, "DSDECOD")
    if dm is not None and ds is not None:
        dead = dm.equals("DTHFL", "Y")
        told = view.subjects_where(ds, ds.equals("DSDECOD", "DEATH"))
        yield Hits(dm, dead & ~told, (SUBJECT, "DTHFL", "DTHDTC"), int(dead.sum()))


@SDTM_RULES.rule("DR0608", "The date lies after the subject's death.")
def after_death(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        died = view.from_dm(part, "DTHDTC")
        if died is None or part.name == "DM":
            continue
        for name in part.vars("DTC", "STDTC"):
            if name in part.date_names:
                asked = (died.precision > 0) & part.present(name)
                yield Hits(part, later(part.moments(name), died), (name,), int(asked.sum()))


@SDTM_RULES.rule("DR0609", "AEOUT and AESDTH do not agree on a death.")
def outcome_against_criterion(view: SdtmView) -> Iterator[Hits]:
    ae = view.get("AE", "AEOUT", "AESDTH")
    if ae is not None:
        fatal, lethal = ae.equals("AEOUT", "FATAL"), ae.equals("AESDTH", "Y")
        yield Hits(ae, fatal != lethal, ("AETERM", "AEOUT", "AESDTH"), int((fatal | lethal).sum()))


@SDTM_RULES.rule("DR0610", "The end lies after the subject's death.")
def ends_after_death(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("ENDTC"):
        died, name = view.from_dm(part, "DTHDTC"), part.var("ENDTC")
        if died is not None and name in part.date_names:
            asked = (died.precision > 0) & part.present(name)
            yield Hits(part, later(part.moments(name), died), (name,), int(asked.sum()))


@SDTM_RULES.rule("DR0611", "The subject has details of death (DD), but no death flag.", core="000108")
def details_without_flag(view: SdtmView) -> Iterator[Hits]:
    dd = view.get("DD", SUBJECT)
    if dd is not None:
        yield from _of_living(view, dd, dd.present(SUBJECT), ("DDTESTCD", "DDORRES"))


@SDTM_RULES.rule("DR0612", "The subject has died, but no event, disposition or detail tells of it.")
def death_without_trace(view: SdtmView) -> Iterator[Hits]:
    dm = view.get("DM", SUBJECT, "DTHFL")
    sources = [("AE", "AEOUT", "FATAL"), ("AE", "AESDTH", "Y"), ("DS", "DSDECOD", "DEATH")]
    known = [(part, name, word) for domain, name, word in sources if (part := view.get(domain, SUBJECT, name))]
    if dm is not None and known:
        told = np.any([view.subjects_where(part, part.equals(name, word)) for part, name, word in known], axis=0)
        dead = dm.equals("DTHFL", "Y")
        yield Hits(dm, dead & ~told, (SUBJECT, "DTHFL", "DTHDTC"), int(dead.sum()))
