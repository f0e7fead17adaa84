"""Small studies made up for tests: an SDTM-like one, a relational one, an ADaM-like one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.structure.encode import encoding_of
from datareplicator.study import Column, Study, Table


def study_of(frames: Mapping[str, pd.DataFrame]) -> Study:
    """Frames as a study, with types taken from the dtypes."""
    tables = {}
    for name, frame in frames.items():
        frame = frame.reset_index(drop=True)
        for column in [c for c in frame if pd.api.types.is_object_dtype(frame[c].dtype)]:
            frame[column] = frame[column].astype("str")
        columns = {c: Column(c, encoding_of(frame[c])) for c in frame.columns}
        tables[name] = Table(name, frame, columns)
    return Study(tables)


def day(start: str, days: np.ndarray) -> np.ndarray:
    """ISO 8601 text of days after a start (an object array; NaN stays missing)."""
    stamps = pd.Timestamp(start) + pd.to_timedelta(pd.Series(days), unit="D")
    return stamps.dt.strftime("%Y-%m-%d").to_numpy(dtype=object)


def study_day(days: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """Study day without a day 0."""
    difference = days - anchor
    return difference + (difference >= 0)


TESTS = {
    "ALB": ("Albumin", "g/dL", "g/L", 10.0, 4.2, 0.4, "CHEMISTRY", "lbch"),
    "ALT": ("Alanine Aminotransferase", "U/L", "U/L", 1.0, 25.0, 8.0, "CHEMISTRY", "lbch"),
    "HGB": ("Hemoglobin", "g/dL", "g/L", 10.0, 14.0, 1.2, "HEMATOLOGY", "lbhe"),
}
VISITS = {1.0: ("SCREENING", -7), 2.0: ("BASELINE", 0), 3.0: ("WEEK 2", 14), 4.0: ("WEEK 4", 28)}
TERMS = {
    "HEADACHE": "NERVOUS SYSTEM DISORDERS", "DIZZINESS": "NERVOUS SYSTEM DISORDERS",
    "NAUSEA": "GASTROINTESTINAL DISORDERS", "VOMITING": "GASTROINTESTINAL DISORDERS",
    "RASH": "SKIN DISORDERS", "PRURITUS": "SKIN DISORDERS",
}  # fmt: skip


def sdtm(subjects: int = 30, seed: int = 1) -> Study:
    """dm, sv, ae, a split lb (lbch, lbhe), suppae, suppdm, relrec and te, with the usual derived columns."""
    rng = np.random.default_rng(seed)
    site = rng.choice(["001", "002", "003"], subjects)
    number = np.array([f"{i:04d}" for i in range(1, subjects + 1)], dtype=object)
    usubjid = np.array([f"ST1-{s}-{n}" for s, n in zip(site, number, strict=True)], dtype=object)
    anchor = rng.integers(0, 200, subjects).astype(float)
    arm = np.arange(subjects) % 2
    dm = pd.DataFrame(
        {
            "STUDYID": "ST1", "DOMAIN": "DM", "USUBJID": usubjid, "SUBJID": number, "SITEID": site,
            "RFSTDTC": day("2020-01-01", anchor), "AGE": rng.integers(20, 80, subjects),
            "SEX": rng.choice(["F", "M"], subjects), "ARMCD": np.array(["PBO", "ACT"])[arm],
            "ARM": np.array(["Placebo", "Active 10 mg"])[arm],
        }
    )  # fmt: skip
    frames = {"dm": dm, **_visits(rng, usubjid, anchor)}
    frames |= _events(rng, usubjid, anchor)
    flags = rng.random(subjects) < 0.6
    frames["suppdm"] = _supplement("DM", usubjid[flags], None, None, "PPFL", "Per Protocol", np.full(flags.sum(), "Y"))
    frames["te"] = pd.DataFrame(
        {"STUDYID": "ST1", "DOMAIN": "TE", "ETCD": ["SCRN", "TRT"], "ELEMENT": ["Screening", "Treatment"]}
    )
    return study_of(frames)


def _visits(rng: np.random.Generator, usubjid: np.ndarray, anchor: np.ndarray) -> dict[str, pd.DataFrame]:
    n, visits = len(usubjid), list(VISITS)
    who, which = np.repeat(np.arange(n), len(visits)), np.tile(np.arange(len(visits)), n)
    planned = np.array([VISITS[v][1] for v in visits])[which]
    date = anchor[who] + planned + np.where(planned == 0, 0, rng.integers(-2, 3, len(who)))
    sv = pd.DataFrame(
        {
            "STUDYID": "ST1", "DOMAIN": "SV", "USUBJID": usubjid[who], "VISITNUM": np.array(visits)[which],
            "VISIT": np.array([VISITS[v][0] for v in visits], dtype=object)[which],
            "SVSTDTC": day("2020-01-01", date), "SVSTDY": study_day(date, anchor[who]),
        }
    )  # fmt: skip
    keep = (rng.random(len(sv)) < 0.9) | (which < 2)
    sv, date, who = sv[keep].reset_index(drop=True), date[keep], who[keep]
    return {"sv": sv, **_labs(rng, sv, date, anchor[who])}


def _labs(rng: np.random.Generator, sv: pd.DataFrame, date: np.ndarray, anchor: np.ndarray) -> dict[str, pd.DataFrame]:
    rows = np.repeat(np.arange(len(sv)), len(TESTS))
    code = np.tile(np.array(list(TESTS), dtype=object), len(sv))
    spec = [TESTS[c] for c in code]
    value = np.round(rng.normal([s[4] for s in spec], [s[5] for s in spec]), 1)
    standard = np.round(value * np.array([s[3] for s in spec]), 1)
    subject = pd.factorize(sv["USUBJID"])[0][rows]
    lb = pd.DataFrame(
        {
            "STUDYID": "ST1", "DOMAIN": "LB", "USUBJID": sv["USUBJID"].to_numpy()[rows],
            "LBSEQ": (pd.Series(subject).groupby(subject).cumcount() + 1).to_numpy(dtype=float),
            "LBTESTCD": code, "LBTEST": [s[0] for s in spec], "LBCAT": [s[6] for s in spec],
            "LBORRES": [f"{v:g}" for v in value], "LBORRESU": [s[1] for s in spec],
            "LBSTRESC": [f"{v:g}" for v in standard], "LBSTRESN": standard, "LBSTRESU": [s[2] for s in spec],
            "VISITNUM": sv["VISITNUM"].to_numpy()[rows], "VISIT": sv["VISIT"].to_numpy()[rows],
            "LBDTC": sv["SVSTDTC"].to_numpy()[rows], "LBDY": study_day(date, anchor)[rows],
        }
    )  # fmt: skip
    part = np.array([s[7] for s in spec])
    return {name: lb[part == name].reset_index(drop=True) for name in ("lbch", "lbhe")}


def _events(rng: np.random.Generator, usubjid: np.ndarray, anchor: np.ndarray) -> dict[str, pd.DataFrame]:
    count = rng.poisson(3, len(usubjid)) + 1
    who = np.repeat(np.arange(len(usubjid)), count)
    start = anchor[who] + rng.integers(0, 30, len(who))
    end = np.where(rng.random(len(who)) < 0.7, start + rng.integers(0, 10, len(who)), np.nan)
    term = rng.choice(list(TERMS), len(who))
    ae = pd.DataFrame(
        {
            "STUDYID": "ST1", "DOMAIN": "AE", "USUBJID": usubjid[who],
            "AESEQ": (pd.Series(who).groupby(who).cumcount() + 1).to_numpy(dtype=float),
            "AETERM": [f"{t.lower()} {i}" for t, i in zip(term, rng.integers(0, 4, len(who)), strict=True)],
            "AEDECOD": term, "AEBODSYS": [TERMS[t] for t in term],
            "AESEV": rng.choice(["MILD", "MODERATE", "SEVERE"], len(who)),
            "AESTDTC": day("2020-01-01", start), "AEENDTC": day("2020-01-01", end),
            "AESTDY": study_day(start, anchor[who]), "AEENDY": study_day(end, anchor[who]),
        }
    )  # fmt: skip
    some = rng.random(len(ae)) < 0.5
    told = np.where(rng.random(some.sum()) < 0.5, "Y", "N")
    supp = _supplement("AE", usubjid[who][some], "AESEQ", ae["AESEQ"][some], "AETRTEM", "Treatment Emergent", told)
    first = np.flatnonzero(ae["AESEQ"] == 1)[:6]
    relrec = pd.DataFrame(
        {
            "STUDYID": "ST1", "RDOMAIN": np.tile(["AE", "DM"], len(first)),
            "USUBJID": np.repeat(usubjid[who[first]], 2),
            "IDVAR": np.tile(["AESEQ", None], len(first)), "IDVARVAL": np.tile(["1", None], len(first)),
            "RELTYPE": None, "RELID": "R1",
        }
    )  # fmt: skip
    return {"ae": ae, "suppae": supp, "relrec": relrec}


def _supplement(
    domain: str, subject: np.ndarray, pointer: str | None, number: object, name: str, label: str, value: np.ndarray
) -> pd.DataFrame:
    pointed = None if number is None else [str(int(n)) for n in number]
    return pd.DataFrame(
        {
            "STUDYID": "ST1", "RDOMAIN": domain, "USUBJID": subject, "IDVAR": pointer, "IDVARVAL": pointed,
            "QNAM": name, "QLABEL": label, "QVAL": value, "QORIG": "CRF", "QEVAL": None,
        }
    )  # fmt: skip


def shop(customers: int = 60, seed: int = 3, plain: bool = True) -> Study:
    """customers, orders, order_lines, products: whole-number ids that start at 1 in every table.

    With `plain` every table's own id is called ``id``.
    """
    rng = np.random.default_rng(seed)
    buyer = np.repeat(np.arange(1, customers + 1), rng.poisson(3, customers) + 1)
    order = np.repeat(np.arange(1, len(buyer) + 1), rng.integers(1, 5, len(buyer)))
    price = np.round(rng.uniform(2, 90, 12), 2)
    product, quantity = rng.integers(1, 13, len(order)), rng.integers(1, 6, len(order))
    name = (lambda table: "id") if plain else (lambda table: f"{table}_id")
    frames = {
        "customers": pd.DataFrame(
            {
                name("customer"): np.arange(1, customers + 1),
                "email": [f"someone{i}@example.org" for i in range(customers)],
                "country": rng.choice(["DE", "FR", "US"], customers),
                "signup_date": day("2020-01-01", rng.integers(0, 300, customers).astype(float)),
            }
        ),
        "orders": pd.DataFrame(
            {
                name("order"): np.arange(1, len(buyer) + 1), "customer_id": buyer,
                "order_date": day("2021-01-01", rng.integers(0, 300, len(buyer)).astype(float)),
                "status": rng.choice(["open", "paid", "sent"], len(buyer)),
            }
        ),
        "order_lines": pd.DataFrame(
            {
                name("order_line"): np.arange(1, len(order) + 1), "order_id": order,
                "line_no": (pd.Series(order).groupby(order).cumcount() + 1).to_numpy(),
                "product_id": product, "quantity": quantity, "unit_price": price[product - 1],
                "amount": np.round(quantity * price[product - 1], 2),
            }
        ),
        "products": pd.DataFrame(
            {name("product"): np.arange(1, 13), "label": [f"Product {c}" for c in "ABCDEFGHIJKL"], "price": price}
        ),
    }  # fmt: skip
    return study_of(frames)


def adam(subjects: int = 40, seed: int = 5) -> Study:
    """adsl and a basic data structure (advs) with repeated subject columns, baseline, change and analysis visit."""
    rng = np.random.default_rng(seed)
    usubjid = np.array([f"AD-{i:03d}" for i in range(subjects)], dtype=object)
    start = rng.integers(0, 300, subjects).astype(float)
    adsl = pd.DataFrame(
        {
            "STUDYID": "AD", "USUBJID": usubjid, "TRTSDT": day("2021-01-01", start),
            "AGE": rng.integers(20, 80, subjects),
            "SEX": rng.choice(["F", "M"], subjects), "TRT01P": np.array(["Placebo", "Active"])[np.arange(subjects) % 2],
            "TRT01PN": (np.arange(subjects) % 2).astype(float),
        }
    )  # fmt: skip
    params, visits = ["SYSBP", "DIABP"], [0.0, 2.0, 4.0]
    who = np.repeat(np.arange(subjects), 6)
    param, visit = np.tile(np.repeat(params, 3), subjects), np.tile(visits, 2 * subjects)
    value = np.round(rng.normal(np.where(param == "SYSBP", 120, 80), 8), 0)
    base = np.repeat(value[visit == 0], 3)
    date = start[who] + visit * 7
    advs = pd.DataFrame(
        {
            "STUDYID": "AD", "USUBJID": usubjid[who], "TRT01P": adsl["TRT01P"].to_numpy()[who],
            "AGE": adsl["AGE"].to_numpy()[who], "PARAMCD": param,
            "PARAM": np.where(param == "SYSBP", "Systolic (mmHg)", "Diastolic (mmHg)"), "AVISITN": visit,
            "AVISIT": np.array(["Baseline", "Week 2", "Week 4"], dtype=object)[(visit / 2).astype(int)],
            "ADT": day("2021-01-01", date), "ADY": study_day(date, start[who]), "AVAL": value,
            "ABLFL": np.where(visit == 0, "Y", None), "BASE": base, "CHG": np.where(visit == 0, np.nan, value - base),
        }
    )  # fmt: skip
    return study_of({"adsl": adsl, "advs": advs})
