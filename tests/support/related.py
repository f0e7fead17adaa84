"""Studies that are not SDTM whose columns hang together: totals of a shop, a wide table, a register, an analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.studies import day, study_day, study_of

from datareplicator.study import Study


def totals(customers: int = 80, seed: int = 11) -> Study:
    """clients (some referred by others), staff (with managers), orders (status decides which dates are known; totals
    over lines), order_items (number, quantity, price, discount, total)."""
    rng = np.random.default_rng(seed)
    number = np.arange(1, customers + 1)
    referred = np.where(rng.random(customers) < 0.4, np.floor(rng.random(customers) * (number - 1)) + 1, np.nan)
    referred[0] = np.nan
    clients = pd.DataFrame(
        {
            "client_id": number + 1000,
            "segment": rng.choice(["home", "office"], customers, p=[0.7, 0.3]),
            "joined_on": day("2019-01-01", rng.integers(0, 300, customers).astype(float)),
            "referred_by": pd.Series(referred + 1000).astype("Int64"),
        }
    )
    manager = pd.Series([np.nan, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]).astype("Int64")
    staff = pd.DataFrame({"staff_id": np.arange(1, 13), "grade": [1, 2, 2, *[3] * 9], "manager_id": manager})
    owner = np.repeat(number, rng.poisson(3, customers) + 1)
    rows = np.repeat(np.arange(len(owner)), rng.integers(1, 6, len(owner)))
    quantity, price = rng.integers(1, 9, len(rows)), np.round(rng.lognormal(3, 0.7, len(rows)), 2)
    discount = rng.choice([0.0, 0.05, 0.1, 0.2], len(rows), p=[0.6, 0.2, 0.1, 0.1])
    items = pd.DataFrame(
        {
            "order_id": rows + 1,
            "line_no": pd.Series(rows).groupby(rows).cumcount() + 1,
            "quantity": quantity,
            "unit_price": price,
            "discount": discount,
            "line_total": np.round(quantity * price * (1 - discount) + 1e-9, 2),
        }
    )
    return study_of(
        {"clients": clients, "staff": staff, "orders": _orders(rng, owner + 1000, items), "order_items": items}
    )


def _orders(rng: np.random.Generator, client: np.ndarray, items: pd.DataFrame) -> pd.DataFrame:
    n = len(client)
    status = rng.choice(["open", "shipped", "delivered", "cancelled"], n, p=[0.2, 0.2, 0.5, 0.1])
    ordered = rng.integers(0, 300, n).astype(float)
    shipped = np.where(np.isin(status, ["shipped", "delivered"]), ordered + rng.integers(0, 9, n), np.nan)
    delivered = np.where(status == "delivered", shipped + rng.integers(1, 7, n), np.nan)
    by = items.groupby("order_id")
    return pd.DataFrame(
        {
            "order_id": np.arange(1, n + 1),
            "client_id": client,
            "staff_id": rng.integers(4, 13, n),
            "ordered_on": day("2020-01-01", ordered),
            "status": status,
            "shipped_on": day("2020-01-01", shipped),
            "delivered_on": day("2020-01-01", delivered),
            "item_count": by.size().to_numpy(),
            "order_total": np.round(by["line_total"].sum().to_numpy(), 2),
            "dearest": by["unit_price"].max().to_numpy(),
        }
    )


def wide(n: int = 150, seed: int = 12) -> Study:
    """One row a subject: a pressure at four visits until the subject leaves, the last visit, the change to the last
    value, and what only women can be."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    last = rng.choice([1, 2, 3, 4], n, p=[0.1, 0.15, 0.15, 0.6])
    level = rng.normal(135, 12, n)[:, None] + np.array([0.0, -4.0, -7.0, -9.0]) + rng.normal(0, 5, (n, 4))
    value = np.where(np.arange(1, 5) <= last[:, None], level.round(), np.nan)
    at_end = value[np.arange(n), last - 1]
    frame = pd.DataFrame({"patient_id": [f"W{i:04d}" for i in range(1, n + 1)], "sex": sex})
    frame["age"] = rng.integers(18, 80, n)
    frame["pregnant"] = pd.Series(np.where(sex == "F", rng.choice(["N", "Y"], n, p=[0.9, 0.1]), None), dtype="str")
    frame["menopause"] = np.where(sex == "F", rng.choice(["pre", "post"], n), "not applicable")
    frame["arm"] = np.array(["drug", "placebo"])[np.arange(n) % 2]
    for k in range(4):
        frame[f"sbp_v{k + 1}"] = value[:, k]
    frame["last_visit"] = last
    frame["sbp_change"] = at_end - value[:, 0]
    frame["status"] = np.where(last == 4, "completed", "withdrawn")
    return study_of({"patients": frame})


def register(persons: int = 120, seed: int = 13) -> Study:
    """An OMOP-like register: date of birth beside its parts, visits of one or several days by kind, deaths."""
    rng = np.random.default_rng(seed)
    number = np.arange(1, persons + 1)
    born = (pd.Timestamp("1930-01-01") + pd.to_timedelta(rng.integers(0, 22_000, persons), unit="D")).to_series()
    person = pd.DataFrame(
        {
            "person_id": number,
            "gender_concept_id": rng.choice([8507, 8532], persons),
            "year_of_birth": born.dt.year.to_numpy(),
            "month_of_birth": born.dt.month.to_numpy(),
            "day_of_birth": born.dt.day.to_numpy(),
            "birth_datetime": born.to_numpy(),
        }
    )
    dead = rng.random(persons) < 0.2
    end = rng.integers(400, 1500, persons)
    who = np.repeat(number, rng.poisson(4, persons) + 1)
    start = np.floor(rng.random(len(who)) * end[who - 1]).astype(int)
    inside = rng.random(len(who)) < 0.25
    stay = np.where(inside, np.minimum(rng.integers(1, 12, len(who)), end[who - 1] - start), 0)
    at = pd.Timestamp("2012-01-01") + pd.to_timedelta(np.arange(2000), unit="D")
    visit = pd.DataFrame(
        {
            "visit_occurrence_id": np.arange(1, len(who) + 1),
            "person_id": who,
            "visit_concept_id": np.where(inside, 9201, 9202),
            "visit_start_date": at[start],
            "visit_end_date": at[start + stay],
        }
    ).sort_values(["person_id", "visit_start_date"], ignore_index=True)
    visit["visit_occurrence_id"] = np.arange(1, len(who) + 1)
    death = pd.DataFrame({"person_id": number[dead], "death_date": at[end[dead]], "death_type_concept_id": 32817})
    return study_of({"person": person, "visit_occurrence": visit, "death": death})


def analysis(subjects: int = 60, seed: int = 14, later: int = 0) -> Study:
    """An ADaM study: adsl, adlb (percent change, a parameter without visits), adae (treatment-emergent and first
    occurrences), adtte. The dates of adlb lie `later` days after those of adsl."""
    rng = np.random.default_rng(seed)
    usubjid = np.array([f"AN-{i:03d}" for i in range(subjects)], dtype=object)
    arm = np.arange(subjects) % 3
    start = rng.integers(0, 300, subjects).astype(float)
    last = rng.choice([1, 2, 3, 4], subjects, p=[0.15, 0.15, 0.1, 0.6])
    stay = np.where(last == 4, 84 + rng.integers(-3, 4, subjects), last * 21.0 + rng.integers(0, 8, subjects))
    dose = np.array([0, 54, 81])[arm]
    reason = np.where(last == 4, "COMPLETED", rng.choice(["ADVERSE EVENT", "LOST TO FOLLOW-UP"], subjects))
    adsl = pd.DataFrame(
        {
            "STUDYID": "AN", "USUBJID": usubjid, "TRTSDT": day("2021-01-01", start),
            "TRTEDT": day("2021-01-01", start + stay - 1), "TRTDURD": stay, "AGE": rng.integers(20, 80, subjects),
            "SEX": rng.choice(["F", "M"], subjects), "TRT01P": np.array(["Placebo", "Low", "High"])[arm],
            "TRT01PN": arm.astype(float), "CUMDOSE": dose * stay, "VISNUMEN": last.astype(float), "DCDECOD": reason,
            "COMP4FL": np.where(last == 4, "Y", "N"), "EOSSTT": np.where(last == 4, "COMPLETED", "DISCONTINUED"),
        }
    )  # fmt: skip
    above = adsl[["STUDYID", "USUBJID", "TRTSDT", "TRTEDT", "TRT01P"]]
    adlb = _laboratory(rng, above, start, last, later)
    adae = _events(rng, above, start, stay)
    return study_of({"adsl": adsl, "adlb": adlb, "adae": adae, "adtte": _first_events(above, adae, start, stay)})


def _laboratory(
    rng: np.random.Generator, above: pd.DataFrame, start: np.ndarray, last: np.ndarray, later: int
) -> pd.DataFrame:
    who = np.repeat(np.arange(len(above)), last + 1)
    visit = pd.Series(who).groupby(who).cumcount().to_numpy()
    date = start[who] + np.where(visit == 0, -5, visit * 21) + rng.integers(0, 3, len(who))
    parts = []
    level = {"ALT": 25.0, "AST": 30.0}
    for code, mean in level.items():
        value = np.round(mean * np.exp(rng.normal(0, 0.3, len(above)))[who] * np.exp(rng.normal(0, 0.1, len(who))), 1)
        parts.append(pd.DataFrame({"PARAMCD": code, "who": who, "visit": visit, "AVAL": value, "date": date}))
    both = parts[0]["AVAL"].to_numpy() + parts[1]["AVAL"].to_numpy()
    flag = pd.DataFrame({"PARAMCD": "HIGH", "who": who, "visit": visit, "AVAL": (both > 75) * 1.0, "date": np.nan})
    rows = pd.concat([*parts, flag]).sort_values(["who", "PARAMCD", "visit"], ignore_index=True)
    base = rows[rows["visit"] == 0].set_index(["who", "PARAMCD"])["AVAL"]
    base = base.reindex(pd.MultiIndex.from_frame(rows[["who", "PARAMCD"]])).to_numpy()
    made = above.iloc[rows["who"]].reset_index(drop=True)
    for column in ("TRTSDT", "TRTEDT"):
        made[column] = (pd.to_datetime(made[column]) + pd.Timedelta(days=later)).dt.strftime("%Y-%m-%d")
    change = np.where(rows["visit"] > 0, np.round(rows["AVAL"] - base, 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = np.where(base != 0, 100 * change / base, np.nan)
    dated = rows["date"].notna()
    more = {
        "PARAMCD": rows["PARAMCD"],
        "AVISIT": np.where(rows["visit"] == 0, "Baseline", "Week " + (3 * rows["visit"]).astype(str)),
        "AVISITN": rows["visit"] * 3.0, "VISITNUM": np.where(dated, rows["visit"] + 1.0, np.nan),
        "ADT": day("2021-01-01", (rows["date"] + later).to_numpy()),
        "ADY": study_day(rows["date"].to_numpy(), start[rows["who"]]), "AVAL": rows["AVAL"], "BASE": base,
        "ABLFL": np.where(rows["visit"] == 0, "Y", None), "CHG": change, "PCHG": percent,
    }  # fmt: skip
    return made.assign(**more).assign(ADY=lambda t: t["ADY"].where(t["ADT"].notna()))


def _events(rng: np.random.Generator, above: pd.DataFrame, start: np.ndarray, stay: np.ndarray) -> pd.DataFrame:
    who = np.repeat(np.arange(len(above)), rng.poisson(3.5, len(above)))
    onset = start[who] + np.floor(rng.uniform(-8, stay[who], len(who)))
    terms = np.array(["HEADACHE", "DIZZINESS", "NAUSEA", "VOMITING", "RASH", "PRURITUS"])
    system = np.array(["NERVOUS", "NERVOUS", "GASTRIC", "GASTRIC", "SKIN", "SKIN"])
    code = rng.choice(6, len(who), p=[0.3, 0.15, 0.2, 0.1, 0.15, 0.1])
    order = np.lexsort((code, onset, who))
    who, onset, code = who[order], onset[order], code[order]
    rows = pd.DataFrame({"who": who, "body": system[code], "term": terms[code], "on": onset >= start[who]})

    def first(keys: list[str]) -> np.ndarray:
        return np.where(rows["on"] & ~rows[rows["on"]].duplicated(keys).reindex(rows.index, fill_value=True), "Y", None)

    made = above.iloc[who].reset_index(drop=True)
    return made.assign(
        AESEQ=pd.Series(who).groupby(who).cumcount().to_numpy() + 1.0, AEDECOD=rows["term"], AEBODSYS=rows["body"],
        AESEV=rng.choice(["MILD", "MODERATE", "SEVERE"], len(who), p=[0.6, 0.3, 0.1]),
        ASTDT=day("2021-01-01", onset), ASTDY=study_day(onset, start[who]), TRTEMFL=np.where(rows["on"], "Y", None),
        AOCCFL=first(["who"]), AOCCSFL=first(["who", "body"]), AOCCPFL=first(["who", "term"]),
    )  # fmt: skip


def _first_events(above: pd.DataFrame, adae: pd.DataFrame, start: np.ndarray, stay: np.ndarray) -> pd.DataFrame:
    skin = adae[(adae["AEBODSYS"] == "SKIN") & adae["TRTEMFL"].notna()].groupby("USUBJID")["ASTDT"].min()
    event = skin.reindex(above["USUBJID"]).to_numpy(dtype=object)
    known = pd.notna(event)
    date = np.where(known, event, day("2021-01-01", start + stay - 1))
    time = (pd.to_datetime(date) - pd.to_datetime(above["TRTSDT"])).dt.days + 1
    return above.assign(
        PARAMCD="TTSKIN", PARAM="Time to first skin event", STARTDT=above["TRTSDT"], ADT=date, AVAL=time * 1.0,
        CNSR=np.where(known, 0.0, 1.0), EVNTDESC=np.where(known, "SKIN EVENT", "END OF TREATMENT"),
    )  # fmt: skip
