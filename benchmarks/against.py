"""What only shows beside the source: the same form, nothing of its subjects, and no code pair that it lacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.rules import SUBJECT, TRIAL, Frames, Part, days, domains, part
from datareplicator.study import Study

PAIRS = (
    "TESTCD TEST, TESTCD CAT SCAT, TESTCD STRESU, TESTCD ORRESU STRESU, TERM LLT DECOD, DECOD HLT HLGT BODSYS SOC,"
    "TRT DECOD CLAS, TPTNUM TPT ELTM TPTREF, DECOD CAT, ARMCD ARM, ACTARMCD ACTARM, VISITNUM VISIT,"
    "VISITNUM VISITDY, ETCD ELEMENT EPOCH, QNAM QLABEL QORIG"
)
"""Columns (or their ends, behind the domain's letters) whose values go together."""
LONG = 4
"""Values from which on a sequence of results is a person's own."""
VERBATIM = ("TERM", "TRT")
EVENT = ["AEDECOD", "AESTDY", "AEENDY", "AESEV"]
IDENTIFIERS = (SUBJECT, "SUBJID")


def form(source: Study, made: Study) -> Iterator[Part]:
    """Every table has the columns of the source in its order, with type, label, length and format."""
    for name, table in source.tables.items():
        theirs = list(made[name].columns.values()) if name in made else []
        mine = list(table.columns.values())
        wrong = [c for c in mine if c not in theirs] or [c for c, d in zip(mine, theirs, strict=False) if c != d]
        same = not wrong and len(mine) == len(theirs) and made[name].label == table.label
        yield Part(name, int(not same), 1, [{"column": str(c)} for c in wrong[:2]])


def trial_design(source: Frames, made: Frames) -> Iterator[Part]:
    """Trial design tables are those of the source."""
    for name in TRIAL:
        yield Part(name, int(not source[name].equals(made[name])), 1, [])


def identifiers(source: Frames, made: Frames) -> Iterator[Part]:
    """No subject of the source occurs, in any column of any table."""
    ids = set(source["dm"][SUBJECT])
    for name, frame in made.items():
        for column in frame.select_dtypes(["str", "object"]) if name not in TRIAL else ():
            values = frame[column].dropna().unique()
            bad = [v for v in values if v in ids]
            if bad or column == SUBJECT:
                yield Part(f"{name}.{column}", len(bad), len(values), [{column: v} for v in bad[:2]])


def persons(source: Frames, made: Frames) -> Iterator[Part]:
    """No demographic row equals one of the source but for the identifiers."""
    columns = [c for c in source["dm"] if c not in IDENTIFIERS]
    yield part("dm", made["dm"], _rows(made["dm"], columns).isin(_rows(source["dm"], columns)), columns)


def event_sets(source: Frames, made: Frames) -> Iterator[Part]:
    """No subject has exactly the adverse events of one of the source: terms, days, severities."""

    def sets(frame: pd.DataFrame) -> pd.Series:
        rows = frame[EVENT].astype(str).fillna("").agg("|".join, axis=1)
        return rows.groupby(frame[SUBJECT]).agg(lambda events: tuple(sorted(events)))

    mine = sets(made["ae"])
    bad = mine.isin(set(sets(source["ae"])))
    yield Part("ae", int(bad.sum()), len(mine), [{SUBJECT: k, "events": v} for k, v in mine[bad].head(2).items()])


def result_sequences(source: Frames, made: Frames) -> Iterator[Part]:
    """No varied sequence of at least four results of a test equals one of the source."""

    def sequences(frame: pd.DataFrame) -> pd.Series:
        rows = frame.dropna(subset=["LBSTRESN"]).sort_values(["LBDTC", "VISITNUM"], kind="stable")
        return rows["LBSTRESN"].groupby([rows[SUBJECT], rows["LBTESTCD"]]).agg(tuple)

    known = sequences(domains(source)["LB"])
    mine = sequences(domains(made)["LB"])
    mine = mine[[len(v) >= LONG and len(set(v)) > 2 for v in mine]]
    held = set(zip(known.index.get_level_values(1), known, strict=True))
    bad = np.array([pair in held for pair in zip(mine.index.get_level_values(1), mine, strict=True)], dtype=bool)
    yield Part("lb", int(bad.sum()), len(mine), [{"key": k, "values": v} for k, v in mine[bad].head(2).items()])


def code_pairs(source: Frames, made: Frames) -> Iterator[Part]:
    """Values that go together somewhere in the source, and no others. A rare verbatim term may have given way to one of
    its codes."""
    for name, frame in made.items():
        for words in PAIRS.split(","):
            columns = [c for w in words.split() if (c := w) in frame or (c := name[:2].upper() + w) in frame]
            if len(columns) > 1 and name not in TRIAL:
                known = [_rows(f, columns) for f in source.values() if set(columns) <= set(f)]
                bad = ~_rows(frame, columns).isin(known[0].append(known[1:]))
                if columns[0].endswith(VERBATIM):
                    bad &= ~_stands_in(frame[columns], source[name][columns[0]])
                yield part(f"{name} {'-'.join(columns)}", frame, bad, columns)


def _stands_in(frame: pd.DataFrame, reported: pd.Series) -> np.ndarray:
    """Where the first column is one of the others, in any case and as far as the source's column reaches."""
    text = frame.astype(str).apply(lambda values: values.str.casefold())
    most = int(reported.astype(str).str.len().max())
    codes = text[text.columns[1:]].apply(lambda values: values.str[:most].str.rstrip())
    return codes.eq(text[text.columns[0]], axis=0).any(axis=1).to_numpy()


def _rows(frame: pd.DataFrame, columns: list[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame[columns].astype(str).fillna(""))


def units(source: Frames, made: Frames) -> Iterator[Part]:
    """Results follow from the collected ones by one line for each test and pair of units, as in the source."""
    for name, frame in made.items():
        p = name[:2].upper()
        if f"{p}STRESN" not in frame or f"{p}ORRES" not in frame:
            continue
        key = [f"{p}TESTCD", f"{p}ORRESU", f"{p}STRESU"]
        real, mine = (_numbers(f, p, key) for f in (source[name], frame))
        lines = {k: _line(rows) for k, rows in real.groupby(key, dropna=False)}
        bad = np.zeros(len(mine), dtype=bool)
        for k, at in mine.groupby(key, dropna=False).indices.items():
            slope, level, error = lines.get(k, (np.nan, np.nan, np.nan))
            rows = mine.iloc[at]
            bad[at] = ~(np.abs(rows["to"] - (slope * rows["from"] + level)) <= error)
        yield part(name, mine, bad, [*key, "from", "to"])


def _numbers(frame: pd.DataFrame, p: str, key: list[str]) -> pd.DataFrame:
    rows = frame[[SUBJECT, *key]].fillna(dict.fromkeys(key, ""))
    numbers = {"from": pd.to_numeric(frame[f"{p}ORRES"], errors="coerce"), "to": frame[f"{p}STRESN"]}
    return rows.assign(**numbers).dropna(subset=["from", "to"])


def _line(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Slope, intercept, and the largest distance from the line with a little room for rounding."""
    x, y = rows["from"].to_numpy(), rows["to"].to_numpy()
    slope, level = np.polyfit(x, y, 1) if np.ptp(x) > 0 else (1.0, y[0] - x[0])
    return slope, level, 1.1 * np.abs(y - slope * x - level).max() + 1e-6


def epochs(source: Frames, made: Frames) -> Iterator[Part]:
    """EPOCH by the rule that the source keeps: that of an element in which the date lies, or else of the visit."""
    for name, frame in made.items():
        date = next((c for e in ("STDTC", "DTC") if (c := name[:2].upper() + e) in frame), None)
        if name == "se" or date is None or "EPOCH" not in frame:
            continue
        of_date, of_visit = _epoch_by_date(source, name, date), _epoch_by_visit(source[name], source[name])
        by_visit = of_date.any() and of_visit is not None and not of_visit.any()
        wrong = _epoch_by_visit(source[name], frame) if by_visit else _epoch_by_date(made, name, date)
        yield part(name, frame, wrong, [date, "VISIT", "EPOCH"])


def _epoch_by_visit(source: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray | None:
    """Rows whose EPOCH the source never shows with their visit; None without visits."""
    if "VISITNUM" not in source:
        return None
    first = source.groupby("VISITNUM")["EPOCH"].first()
    return (frame["VISITNUM"].map(first) != frame["EPOCH"]).to_numpy()


def _epoch_by_date(frames: Frames, name: str, date: str) -> np.ndarray:
    """Rows that lie within elements, none of which has their EPOCH."""
    frame, elements = frames[name], frames["se"]
    elements = elements.assign(start=days(elements["SESTDTC"]), end=days(elements["SEENDTC"]), of=elements["EPOCH"])
    rows = frame[[SUBJECT, "EPOCH"]].assign(row=np.arange(len(frame)), day=days(frame[date]))
    inside = rows.merge(elements[[SUBJECT, "start", "end", "of"]], on=SUBJECT)
    inside = inside[(inside["day"] >= inside["start"]) & ~(inside["day"] > inside["end"])]
    good = np.unique(inside.loc[inside["EPOCH"] == inside["of"], "row"])
    wrong = np.zeros(len(frame), dtype=bool)
    wrong[np.setdiff1d(inside["row"], good)] = True
    return wrong


AGAINST = {
    "no source USUBJID": identifiers,
    "no source subject (DM row)": persons,
    "no source AE row set": event_sets,
    "no source lab sequence": result_sequences,
    "no code pair that the source lacks": code_pairs,
    "units by the source's line": units,
    "trial design unchanged": trial_design,
}
