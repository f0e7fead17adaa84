"""Rows tied to rows in a block: drivers are chosen, then partners, then the relation table is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.model.identity import sample_identifier
from datareplicator.model.relations import RelationModel, RelationType
from datareplicator.seeds import Streams
from datareplicator.structure.encode import plain_text


@dataclass
class Pairs:
    """Groups of one type: `driver` row, `partner` row (one entry a partner), `group` index."""

    kind: RelationType
    driver: np.ndarray
    partner: np.ndarray


def draw_drivers(kind: RelationType, frame: pd.DataFrame, streams: Streams) -> np.ndarray:
    """Which rows of the driver table take part: bool a row."""
    u = streams.get("driver").random(len(frame))
    if kind.column is None or kind.column not in frame:
        return u < kind.share.get("", 0.0)
    value = frame[kind.column].astype("str").fillna("")
    return u < value.map(kind.share).fillna(0.0).to_numpy(dtype=float)


def draw_partners(
    kind: RelationType,
    drivers: np.ndarray,
    driver_subject: np.ndarray,
    frame: pd.DataFrame,
    subject: np.ndarray,
    marked: np.ndarray | None,
    streams: Streams,
) -> Pairs:
    """Give every driver row its partners among the rows of the same subject, marked rows before all others.

    A partner row serves one driver at most; drivers whose subject has no row left stay alone and are dropped.
    """
    n = len(frame)
    weight = np.zeros(n)
    for column, table in kind.weight.items():
        if column in frame:
            weight += frame[column].astype("str").fillna("").map(table).fillna(0.0).to_numpy(dtype=float)
    score = weight + streams.get("partner").gumbel(size=n)
    if marked is not None:
        score = np.where(marked, score + 1e6, score)
    rows = np.flatnonzero(drivers)
    counts = np.cumsum(kind.partners)
    wanted = (
        1 + np.searchsorted(counts, streams.get("count").random(len(rows)) * counts[-1])
        if len(counts)
        else np.ones(len(rows), int)
    )
    slots = pd.DataFrame({"driver": np.repeat(rows, wanted)})
    slots["subject"] = driver_subject[slots["driver"].to_numpy()]
    slots["place"] = slots.groupby("subject").cumcount()
    offers = pd.DataFrame({"partner": np.arange(n), "subject": subject, "score": -score}).sort_values(
        ["subject", "score"]
    )
    offers["place"] = offers.groupby("subject").cumcount()
    made = slots.merge(offers, on=["subject", "place"], how="inner")
    return Pairs(kind, made["driver"].to_numpy(), made["partner"].to_numpy())


def write_relations(
    model: RelationModel,
    pairs: list[Pairs],
    frames: dict[str, pd.DataFrame],
    subject: dict[str, np.ndarray],
    keys: pd.DataFrame,
    columns: list[str],
) -> tuple[pd.DataFrame, np.ndarray]:
    """The relation table's rows and their subjects. `keys`: the subject key column, one row a subject."""
    parts = []
    base = 0
    for pair in pairs:
        kind = pair.kind
        drivers = pd.unique(pair.driver)
        group = base + pd.Index(drivers).get_indexer(pair.driver)
        base += len(drivers)
        parts.append(
            _side(
                kind.driver,
                kind.driver_pointer,
                kind.driver_domain,
                drivers,
                group=np.arange(len(drivers)) + base - len(drivers),
            )
        )
        parts.append(_side(kind.partner, kind.partner_pointer, kind.partner_domain, pair.partner, group=group))
    if not parts or not sum(len(p) for p in parts):
        return pd.DataFrame({c: pd.Series(dtype="str") for c in columns}), np.empty(0, dtype=np.int64)
    rows = pd.concat(parts, ignore_index=True)
    rows["subject"] = -1
    rows["text"] = ""
    for (table, pointer), at in rows.groupby(["table", "pointer"], sort=False).indices.items():
        target = rows["row"].to_numpy()[at]
        rows.loc[at, "subject"] = subject[table][target]
        rows.loc[at, "text"] = np.array([plain_text(v) for v in frames[table][pointer].iloc[target]], dtype=object)
    rows = rows.sort_values(["subject", "group"], kind="stable", ignore_index=True)
    owner = rows["subject"].to_numpy(dtype=np.int64)
    roles = model.roles
    out = keys.iloc[owner].reset_index(drop=True)
    number = rows.groupby("subject")["group"].transform(lambda g: pd.factorize(g)[0]).to_numpy(dtype=np.int64)
    out[roles.group] = sample_identifier(model.group, number, out)
    out[roles.domain], out[roles.pointer], out[roles.value] = (
        rows["domain"],
        rows["pointer"],
        rows["text"].astype("str"),
    )
    return out.assign(**model.constants).reindex(columns=columns), owner


def _side(table: str, pointer: str, domain: str, rows: np.ndarray, group: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"table": table, "pointer": pointer, "domain": domain, "row": rows, "group": group})
