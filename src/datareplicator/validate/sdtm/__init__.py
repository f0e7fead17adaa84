"""Rules that hold for any study in the form of CDISC SDTM, by the names that the standard gives."""

from datareplicator.validate.sdtm import arms, baselines, dates, deaths, events, keys, pointers, results, terms, visits
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

__all__ = [
    "SDTM_RULES",
    "SdtmView",
    "arms",
    "baselines",
    "dates",
    "deaths",
    "events",
    "keys",
    "pointers",
    "results",
    "terms",
    "visits",
]
