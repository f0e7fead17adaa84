"""Rules that hold for any study in the form of CDISC SDTM, by the names that the standard gives."""

from datareplicator.validate.sdtm import (
    arms,
    baselines,
    conditions,
    dates,
    deaths,
    events,
    keys,
    metadata,
    pointers,
    results,
    terms,
    visits,
)
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

__all__ = [
    "SDTM_RULES",
    "SdtmView",
    "arms",
    "baselines",
    "conditions",
    "dates",
    "deaths",
    "events",
    "keys",
    "metadata",
    "pointers",
    "results",
    "terms",
    "visits",
]
