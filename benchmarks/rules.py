"""Rules of SDTM that a study keeps or breaks, computed with formulas of our own, not with those of the library.

Each rule takes the frames of a study by table name and yields, table by table, what is broken and out of how many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

Frames = dict[str, pd.DataFrame]
SUBJECT = "USUBJID"
NAMING = ["RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "RELID", "TESTCD", "CAT", "SCAT", "TERM", "TRT", "DECOD", "ETCD"]
NAMING += ["VISITNUM", "DTC", "STDTC", "TPTNUM", "POS", "LOC"]
"""What names a record, beside the subject: the end of column names."""
TRIAL = ("ta", "te", "ti", "ts", "tv")
"""Tables of the trial's design."""


class Part(NamedTuple):
    """One table's share of a rule: `bad` among `of` rows (or subjects); `examples` are a few bad ones."""

    table: str
    bad: int
    of: int
    examples: list[dict]


def part(table: str, frame: pd.DataFrame, bad: np.ndarray | pd.Series, show: list[str]) -> Part:
    """Count the bad rows of a frame and show the first."""
    bad = np.asarray(bad, dtype=bool)
    columns = [c for c in dict.fromkeys([SUBJECT, *show]) if c in frame]
    return Part(table, int(bad.sum()), len(frame), frame.loc[bad, columns].head(2).to_dict("records"))


def domains(frames: Frames) -> Frames:
    """Tables by domain, the parts of a split domain as one; supplements, relations and trial design left out."""
    parts = defaultdict(list)
    for name, frame in frames.items():
        if "DOMAIN" in frame and SUBJECT in frame and len(frame):
            parts[str(frame["DOMAIN"].iloc[0])].append(frame.assign(table=name))
    return {name: pd.concat(found, ignore_index=True) for name, found in parts.items()}


def days(text: pd.Series) -> np.ndarray:
    """Days since 1970-01-01 of full dates; NaN for partial and missing ones."""
    full = text.where(text.str.len() >= 10).str.slice(0, 10)
    stamps = pd.to_datetime(full, errors="coerce", format="%Y-%m-%d")
    return ((stamps - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)).to_numpy(dtype=float)


def of_subject(frames: Frames, frame: pd.DataFrame, column: str) -> pd.Series:
    """A column of DM for each row."""
    return frame[SUBJECT].map(frames["dm"].set_index(SUBJECT)[column])


def orphans(frames: Frames) -> Iterator[Part]:
    """Rows of a subject that DM does not have."""
    for name, frame in frames.items():
        if SUBJECT in frame and name != "dm":
            yield part(name, frame, ~frame[SUBJECT].isin(frames["dm"][SUBJECT]), [])


def repeated_keys(frames: Frames) -> Iterator[Part]:
    """Records that have the subject, term, test, visit and dates of another one."""
    for name, frame in frames.items():
        prefix = name[:2].upper()
        key = [c for c in [SUBJECT, *NAMING, *(prefix + end for end in NAMING)] if c in frame]
        if SUBJECT in frame:
            yield part(name, frame, frame.duplicated(key), key)


def repeated_numbers(frames: Frames) -> Iterator[Part]:
    """--SEQ is a positive whole number that its subject has once in the domain."""
    for name, frame in domains(frames).items():
        number = name + "SEQ"
        if number in frame:
            bad = frame.duplicated([SUBJECT, number]) | ~(frame[number] >= 1) | (frame[number] % 1 != 0)
            yield part(name, frame, bad, ["table", number])


def study_days(frames: Frames) -> Iterator[Part]:
    """--DY counts from RFSTDTC without a day 0, and is missing where the date is not full."""
    for name, frame in frames.items():
        for target in [c for c in frame if c.endswith("DY") and c[:-2] + "DTC" in frame and c[:2].lower() == name[:2]]:
            day = days(frame[target[:-2] + "DTC"]) - days(of_subject(frames, frame, "RFSTDTC"))
            want = pd.Series(day + (day >= 0), index=frame.index)
            bad = ~((want == frame[target]) | (want.isna() & frame[target].isna()))
            yield part(f"{name}.{target}", frame, bad, [target[:-2] + "DTC", target])


def indicators(frames: Frames) -> Iterator[Part]:
    """NRIND says where the result lies to its range, in standard units or as collected (at a limit they may differ)."""
    for name, frame in frames.items():
        p = name[:2].upper()
        if f"{p}NRIND" not in frame:
            continue
        columns = [f"{p}STRESN", f"{p}STNRLO", f"{p}STNRHI", f"{p}NRIND"]
        known = frame[frame[columns].notna().all(axis=1) & frame[columns[3]].isin(["LOW", "NORMAL", "HIGH"])]
        collected = known.reindex(columns=[f"{p}ORRES", f"{p}ORNRLO", f"{p}ORNRHI"]).apply(
            pd.to_numeric, errors="coerce"
        )
        bad = (_side(known[columns[:3]]) != known[columns[3]]) & (_side(collected) != known[columns[3]])
        yield part(name, known, bad, [f"{p}TESTCD", *columns])


def _side(results: pd.DataFrame) -> np.ndarray:
    """Where results (first column) lie to their limits."""
    value, low, high = (results.iloc[:, k] for k in range(3))
    side = np.where(value < low, "LOW", np.where(value > high, "HIGH", "NORMAL"))
    return np.where(results.notna().all(axis=1), side, "")


def numeric_results(frames: Frames) -> Iterator[Part]:
    """STRESN is the number that STRESC writes, and is missing where STRESC is no number."""
    for name, frame in frames.items():
        p = name[:2].upper()
        if f"{p}STRESN" in frame:
            want = pd.to_numeric(frame[f"{p}STRESC"], errors="coerce")
            number = frame[f"{p}STRESN"]
            same = np.isclose(want, number, rtol=1e-9, atol=1e-12) | (want.isna() & number.isna())
            yield part(name, frame, ~same, [f"{p}TESTCD", f"{p}STRESC", f"{p}STRESN"])


def baselines(frames: Frames) -> Iterator[Part]:
    """A test and time point with results up to the reference start date has one baseline flag, on one of these.

    Which of them is the study's own convention (the last one, or that of a named visit).
    """
    for name, frame in domains(frames).items():
        flag, result = f"{name}BLFL", f"{name}STRESC"
        if flag not in frame:
            continue
        key = ["table", SUBJECT, *(c for e in ("CAT", "TESTCD", "TPTNUM", "POS") if (c := name + e) in frame)]
        marked = frame[flag].notna()
        after = days(frame[f"{name}DTC"]) > days(of_subject(frames, frame, "RFSTDTC"))
        counts = frame[key].assign(
            measured=~after & frame[result].notna(), once=marked & ~after, wrong=marked & (after | frame[result].isna())
        )
        counts = counts[counts["table"].isin(frame.loc[marked, "table"])]
        groups = counts.groupby(key, dropna=False, as_index=False).sum()
        for table, rows in groups[(groups["measured"] > 0) | (groups["wrong"] > 0)].groupby("table"):
            yield part(str(table), rows, (rows["once"] != 1) | (rows["wrong"] > 0), [*key, "once", "wrong"])


def pointers(frames: Frames) -> Iterator[Part]:
    """Supplements and relations name records that exist."""
    numbers = {
        domain: set(zip(frame[SUBJECT], frame[f"{domain}SEQ"], strict=True))
        for domain, frame in domains(frames).items()
        if f"{domain}SEQ" in frame
    }
    subjects = set(frames["dm"][SUBJECT])
    for name, frame in frames.items():
        if "IDVAR" in frame:
            value = pd.to_numeric(frame["IDVARVAL"], errors="coerce")
            points = frame["IDVAR"].isna()
            found = [
                who in subjects if direct else (who, number) in numbers.get(domain, ())
                for who, direct, number, domain in zip(frame[SUBJECT], points, value, frame["RDOMAIN"], strict=True)
            ]
            yield part(name, frame, ~np.array(found, dtype=bool), ["RDOMAIN", "IDVAR", "IDVARVAL"])


def relations(frames: Frames) -> Iterator[Part]:
    """A relation has records of at least two domains."""
    frame = frames["relrec"]
    yield part("relrec", frame, frame.groupby([SUBJECT, "RELID"])["RDOMAIN"].transform("nunique") < 2, ["RELID"])


def visits(frames: Frames) -> Iterator[Part]:
    """A visit that a record names is in SV."""
    known = pd.MultiIndex.from_frame(frames["sv"][[SUBJECT, "VISITNUM"]])
    for name, frame in frames.items():
        if name not in ("sv", *TRIAL) and "VISITNUM" in frame:
            rows = frame[frame["VISITNUM"].notna()]
            yield part(name, rows, ~pd.MultiIndex.from_frame(rows[[SUBJECT, "VISITNUM"]]).isin(known), ["VISITNUM"])


def visit_dates(frames: Frames) -> Iterator[Part]:
    """The date of a finding lies within the dates of its visit in SV."""
    sv = (
        frames["sv"]
        .groupby([SUBJECT, "VISITNUM"], as_index=False)
        .agg(start=("SVSTDTC", "min"), end=("SVENDTC", "max"))
    )
    for name, frame in frames.items():
        date = name[:2].upper() + "DTC"
        if name[:2].upper() + "TESTCD" in frame and "VISITNUM" in frame:
            rows = frame[[SUBJECT, "VISITNUM", date]].merge(sv, on=[SUBJECT, "VISITNUM"])
            day = days(rows[date])
            outside = (day < days(rows["start"])) | (day > days(rows["end"]))
            yield part(name, rows, outside, ["VISITNUM", date, "start", "end"])


def date_order(frames: Frames) -> Iterator[Part]:
    """No end lies before its start; both at the precision that they share."""
    for name, frame in frames.items():
        for start in [c for c in frame if c.endswith("STDTC") and c.replace("STDTC", "ENDTC") in frame]:
            rows = frame.dropna(subset=[start, end := start.replace("STDTC", "ENDTC")])
            pairs = zip(rows[start], rows[end], strict=True)
            bad = np.array([b[: min(len(a), len(b))] < a[: min(len(a), len(b))] for a, b in pairs], dtype=bool)
            yield part(f"{name}.{start}", rows, bad, [start, end])


def deaths(frames: Frames) -> Iterator[Part]:
    """Death flag, disposition, outcome and seriousness name the same subjects, on the same day."""
    dm, ds, ae = frames["dm"], frames["ds"], frames["ae"]
    said = {
        "DTHFL": dm.loc[dm["DTHFL"] == "Y", SUBJECT],
        "DTHDTC": dm.loc[dm["DTHDTC"].notna(), SUBJECT],
        "DSDECOD": ds.loc[ds["DSDECOD"] == "DEATH", SUBJECT],
        "AEOUT": ae.loc[ae["AEOUT"] == "FATAL", SUBJECT],
        "AESDTH": ae.loc[ae["AESDTH"] == "Y", SUBJECT],
    }
    table = pd.DataFrame({SUBJECT: sorted(set().union(*map(set, said.values())))})
    for column, who in said.items():
        table[column] = table[SUBJECT].isin(who)
    yield part("subjects", table, ~table[list(said)].all(axis=1), list(said))
    dates = ds[ds["DSDECOD"] == "DEATH"].assign(died=lambda d: of_subject(frames, d, "DTHDTC"))
    yield part("date", dates, dates["DSSTDTC"].str[:10] != dates["died"].str[:10], ["DSSTDTC", "died"])


RULES = {
    "no orphan": orphans,
    "no repeated natural key": repeated_keys,
    "--SEQ once in a subject and domain": repeated_numbers,
    "--DY": study_days,
    "NRIND": indicators,
    "STRESN": numeric_results,
    "baseline flags": baselines,
    "SUPP-- and RELREC point at rows": pointers,
    "RELREC relates two domains": relations,
    "visits are in SV": visits,
    "findings on the dates of their visit": visit_dates,
    "starts before ends": date_order,
    "death: DM, DS and AE agree": deaths,
}
