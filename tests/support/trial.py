"""A simulated trial in SDTM in which nothing is wrong: levels, noise with heavy tails, sites, visits, events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.study import Column, Study, Table

TESTS = {"SYSBP": (130.0, 14.0, 8.0, 0), "PULSE": (72.0, 9.0, 5.0, 0), "WEIGHT": (75.0, 13.0, 0.8, 1)}
LABS = {"ALT": (24.0, 0.4, 0.22), "GLUC": (5.3, 0.15, 0.1), "CREAT": (78.0, 0.2, 0.08)}
UNITS = {"SYSBP": "mmHg", "PULSE": "beats/min", "WEIGHT": "kg", "ALT": "U/L", "GLUC": "mmol/L", "CREAT": "umol/L"}
VISITS = (0, 14, 28, 56, 84, 112)


def trial(seed: int, sites: int = 8, per_site: int = 15) -> dict[str, pd.DataFrame]:
    """DM, SV, VS, LB and AE as frames. Noise has the tails of a t distribution with 5 degrees of freedom."""
    rng = np.random.default_rng(seed)
    n = sites * per_site
    site = np.repeat(np.arange(sites), per_site)
    subject = np.array([f"T-{s:02d}-{k:03d}" for k, s in enumerate(site)], dtype=object)
    start = np.datetime64("2023-02-01") + rng.integers(0, 300, n)
    dm = pd.DataFrame({"STUDYID": "T", "DOMAIN": "DM", "USUBJID": subject, "SUBJID": [f"{k:03d}" for k in range(n)]})
    dm = dm.assign(SITEID=[f"{s:02d}" for s in site], RFSTDTC=start.astype(str))
    dm = dm.assign(
        RFENDTC=(start + 120).astype(str), SEX=rng.choice(["F", "M"], n), COUNTRY="USA", AGE=55.0, AGEU="YEARS"
    )
    who = np.repeat(np.arange(n), len(VISITS))
    visit = np.tile(np.arange(len(VISITS)), n)
    day = np.repeat(start, len(VISITS)) + np.array(VISITS)[visit] + rng.integers(-3, 4, len(who))
    base = pd.DataFrame({"STUDYID": "T", "USUBJID": subject[who], "VISITNUM": visit + 1.0})
    base = base.assign(VISIT=[f"VISIT {v + 1}" for v in visit], when=day.astype(str))
    sv = base.rename(columns={"when": "SVSTDTC"}).assign(DOMAIN="SV")
    vitals = [_results(base, "VS", code, _measure(rng, who, *how)) for code, how in TESTS.items()]
    labs = [
        _results(base, "LB", code, np.round(middle * np.exp(_measure(rng, who, 0, between, within, 9)), 2))
        for code, (middle, between, within) in LABS.items()
    ]
    events = rng.poisson(rng.gamma(1.0, 3.0, n))
    whose = np.repeat(np.arange(n), events)
    onset = start[whose] + rng.integers(0, 110, len(whose))
    ae = pd.DataFrame({"STUDYID": "T", "DOMAIN": "AE", "USUBJID": subject[whose], "AETERM": "HEADACHE"})
    ae = ae.assign(AESTDTC=onset.astype(str), AEDTC=(onset + rng.geometric(0.15, len(whose))).astype(str))
    tables = {"dm": dm, "sv": sv, "vs": pd.concat(vitals), "lb": pd.concat(labs), "ae": ae}
    return {name: _numbered(name, frame) for name, frame in tables.items()}


def _measure(
    rng: np.random.Generator, who: np.ndarray, middle: float, between: float, within: float, decimals: int
) -> np.ndarray:
    level = middle + between * rng.standard_normal(who.max() + 1)
    return np.round(level[who] + within * rng.standard_t(5, len(who)), decimals)


def _results(base: pd.DataFrame, domain: str, code: str, value: np.ndarray) -> pd.DataFrame:
    text = [f"{v:.10g}" for v in value]
    frame = base.rename(columns={"when": f"{domain}DTC"}).assign(DOMAIN=domain)
    names = ("TESTCD", "TEST", "ORRES", "ORRESU", "STRESC", "STRESN", "STRESU")
    values = (code, code.title(), text, UNITS[code], text, value, UNITS[code])
    return frame.assign(**{f"{domain}{name}": held for name, held in zip(names, values, strict=True)})


def _numbered(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values("USUBJID", kind="stable").reset_index(drop=True)
    if name not in ("dm", "sv"):
        frame[f"{name.upper()}SEQ"] = frame.groupby("USUBJID").cumcount() + 1.0
    return frame.astype({c: "str" for c in frame if frame[c].dtype == object})


def as_study(frames: dict[str, pd.DataFrame]) -> Study:
    """The frames as a study."""
    return Study(
        {
            name: Table(
                name, frame, {c: Column(c, "float" if frame[c].dtype.kind == "f" else "text") for c in frame.columns}
            )
            for name, frame in frames.items()
        }
    )
