"""Tables that tie rows to rows (RELREC): which rows take part, and which partner they get.

A group of related rows is read as a star: one row of the *driver* table and its partners. The driver's part is learned
as a share by the value of its most telling column (a disposition for an adverse event is always tied to the event),
the partner's as weights of its columns' values among the subject's rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.model.identity import IdentifierModel, fit_identifier
from datareplicator.model.prepare import Prepared
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Kind, Layout, TableSpec

PRIOR = 2.0
MOST_VALUES = 40


class Roles(Document):
    """The columns of a relation table by what they hold."""

    domain: str
    pointer: str
    value: str
    group: str


class RelationType(Document):
    """Driver rows tied to partner rows. `share[v]`: probability that a driver row whose `column` is `v` takes part;
    `weight[c][v]`: log weight of a partner row whose column `c` is `v`; `partners[k]`: share of groups with k + 1."""

    driver: str
    driver_pointer: str
    driver_domain: str
    partner: str
    partner_pointer: str
    partner_domain: str
    column: str | None
    share: dict[str, float]
    weight: dict[str, dict[str, float]]
    partners: tuple[float, ...]


class RelationModel(Document):
    """One relation table. `group`: the pattern of the group's identifier, numbered within the subject; `constants`:
    columns with one value throughout."""

    table: str
    roles: Roles
    types: tuple[RelationType, ...]
    group: IdentifierModel
    constants: dict[str, str]


@dataclass
class Resolved:
    """Rows of a relation table and what they point at: `table` (name or ""), `row` there (-1 unresolved)."""

    table: np.ndarray
    row: np.ndarray


def domain_names(prepared: Prepared) -> dict[str, str]:
    """How relation tables may name each logical table: its own name in capitals and its DOMAIN value."""
    names = {name.upper(): name for name in prepared.structure.tables}
    for name, frame in prepared.frames.items():
        if "DOMAIN" in frame and frame["DOMAIN"].nunique() == 1:
            names.setdefault(str(frame["DOMAIN"].dropna().iloc[0]), name)
    return names


def find_roles(spec: TableSpec, frame: pd.DataFrame, names: dict[str, str], columns: set[str]) -> Roles | None:
    """Find by content the columns that name a table, a column, a value and the group."""
    text = {c.name: set(frame[c.name].dropna().astype(str)) for c in spec.columns if c.kind != Kind.EMPTY}
    free = [c for c in text if c != spec.subject]
    domain = next((c for c in free if text[c] and text[c] <= set(names) and not c.upper().startswith("DOMAIN")), None)
    pointer = next((c for c in free if text[c] and text[c] <= columns), None)
    rest = [c for c in free if c not in (domain, pointer)]
    value = next((c for c in rest if c.upper().endswith("IDVARVAL")), None) or (rest[0] if rest else None)
    group = next((c for c in rest if c.upper().endswith("RELID")), None) or (rest[-1] if rest else None)
    if domain is None or pointer is None or value is None or group is None or value == group:
        return None
    return Roles(domain=domain, pointer=pointer, value=value, group=group)


def resolve(prepared: Prepared, table: str, roles: Roles, names: dict[str, str]) -> Resolved:
    """Find the row that each row of a relation table points at, by subject and the pointer's value as text."""
    frame, subject = prepared.frames[table], prepared.subject[table]
    target = frame[roles.domain].map(names).fillna("").to_numpy(dtype=object)
    row = np.full(len(frame), -1)
    pairs = pd.DataFrame({"t": target, "p": frame[roles.pointer].astype(object)}).drop_duplicates()
    for name, column in pairs.itertuples(index=False):
        if name not in prepared.frames or column not in prepared.frames[name] or not len(prepared.frames[name]):
            continue
        rows = np.flatnonzero((target == name) & (frame[roles.pointer] == column).to_numpy(dtype=bool))
        keys = pd.MultiIndex.from_arrays([prepared.subject[name], _texts(prepared.frames[name][column])])
        first = np.flatnonzero(~keys.duplicated())
        wanted = pd.MultiIndex.from_arrays([subject[rows], _texts(frame[roles.value].iloc[rows])])
        found = keys[first].get_indexer(wanted)
        row[rows] = np.where(found >= 0, first[found], -1)
    return Resolved(target, row)


def _texts(values: pd.Series) -> np.ndarray:
    codes, distinct = pd.factorize(values)
    text = np.array([*(_without_zeros(plain_text(v)) for v in distinct), ""], dtype=object)
    return text[codes]


def _without_zeros(text: str) -> str:
    head, point, tail = text.partition(".")
    return head if point and not tail.strip("0") else text


def fit_relations(prepared: Prepared) -> tuple[list[RelationModel], dict[str, np.ndarray]]:
    """Learn every relation table that can be resolved.

    Returns the models and, for each type (named by `mark_name`), which rows of the partner table take part.
    """
    names = domain_names(prepared)
    columns = {str(c) for frame in prepared.frames.values() for c in frame.columns}
    models, marks = [], {}
    for spec in prepared.structure.tables.values():
        if spec.layout != Layout.RELATION or not len(prepared.frames[spec.name]):
            continue
        frame = prepared.frames[spec.name]
        roles = find_roles(spec, frame, names, columns)
        if roles is None or not (prepared.subject[spec.name] >= 0).any():
            continue
        resolved = resolve(prepared, spec.name, roles, names)
        model, own = _fit_table(prepared, spec, roles, resolved)
        if model.types:
            models.append(model)
            marks.update(own)
    return models, marks


def mark_name(model: RelationModel, k: int) -> str:
    """The name of a relation type as a mark on rows of its partner table."""
    return f"relation:{model.table}:{k}"


def _fit_table(
    prepared: Prepared, spec: TableSpec, roles: Roles, resolved: Resolved
) -> tuple[RelationModel, dict[str, np.ndarray]]:
    frame, subject = prepared.frames[spec.name], prepared.subject[spec.name]
    good = (resolved.row >= 0) & (subject >= 0)
    rows = pd.DataFrame(
        {
            "group": pd.MultiIndex.from_arrays([subject, frame[roles.group].astype(object)]).factorize()[0],
            "table": resolved.table,
            "row": resolved.row,
            "pointer": frame[roles.pointer].astype(object),
            "domain": frame[roles.domain].astype(object),
        }
    )[good].reset_index(drop=True)
    sizes = rows.groupby("table").size()
    rank = {name: k for k, name in enumerate(sorted(sizes.index, key=lambda t: _driver_rank(prepared, t)))}
    rows["rank"] = rows["table"].map(rank)
    rows = rows.sort_values(["group", "rank"], kind="stable")
    head = rows.drop_duplicates("group").set_index("group")
    tail = rows[rows.duplicated("group")].merge(head, left_on="group", right_index=True, suffixes=("", "_d"))
    types, marks = [], {}
    for key, pairs in tail.groupby(["table_d", "pointer_d", "domain_d", "table", "pointer", "domain"], sort=True):
        made = _fit_type(prepared, pairs, key)  # type: ignore[arg-type]
        marks[f"relation:{spec.name}:{len(types)}"] = _mask(len(prepared.frames[made.partner]), pairs["row"])
        types.append(made)
    known = prepared.frames[spec.name][[c for c in (spec.subject,) if c]]
    group = fit_identifier(frame[roles.group], known)
    fixed = {
        c.name: str(frame[c.name].iloc[0]) for c in spec.columns if c.distinct == 1 and not frame[c.name].isna().any()
    }
    taken = {roles.domain, roles.pointer, roles.value, roles.group, spec.subject}
    constants = {name: value for name, value in fixed.items() if name not in taken}
    return RelationModel(table=spec.name, roles=roles, types=tuple(types), group=group, constants=constants), marks


def _driver_rank(prepared: Prepared, table: str) -> tuple[int, int]:
    """The table with a settled, short course drives: its rows are there before the events are drawn."""
    layout = prepared.structure.tables[table].layout
    return (
        0 if layout in (Layout.SUBJECT, Layout.ONCE, Layout.SETS, Layout.INTERVALS) else 1,
        len(prepared.frames[table]),
    )


def _mask(n: int, rows: pd.Series) -> np.ndarray:
    mask = np.zeros(n, dtype=bool)
    mask[rows.to_numpy()] = True
    return mask


def _fit_type(prepared: Prepared, pairs: pd.DataFrame, key: tuple[str, ...]) -> RelationType:
    driver, driver_pointer, driver_domain, partner, partner_pointer, partner_domain = key
    linked = _mask(len(prepared.frames[driver]), pairs["row_d"])
    column, share = _telling(prepared, driver, linked)
    weight = _weights(prepared, partner, _mask(len(prepared.frames[partner]), pairs["row"]))
    sizes = np.bincount(pairs.groupby("group").size().to_numpy())[1:]
    return RelationType(
        driver=driver,
        driver_pointer=driver_pointer,
        driver_domain=driver_domain,
        partner=partner,
        partner_pointer=partner_pointer,
        partner_domain=partner_domain,
        column=column,
        share=share,
        weight=weight,
        partners=tuple((sizes / sizes.sum()).tolist()),
    )


def _categories(prepared: Prepared, table: str) -> list[str]:
    spec = prepared.structure.tables[table]
    kinds = (Kind.CATEGORY, Kind.FLAG)
    return [c.name for c in spec.columns if c.kind in kinds and 1 < c.distinct <= MOST_VALUES]


def _telling(prepared: Prepared, table: str, linked: np.ndarray) -> tuple[str | None, dict[str, float]]:
    """The column whose values separate linked from other rows best (least deviance), and the shares by value.

    Computed columns are not there yet when drivers are chosen.
    """
    base = linked.mean()
    free = set(prepared.structure.free(table))
    best: tuple[float, str | None, dict[str, float]] = (np.inf, None, {"": float(base)})
    for name in (c for c in _categories(prepared, table) if c in free):
        value = prepared.frames[table][name].astype("str").fillna("").astype(object)
        counts = pd.DataFrame({"v": value, "l": linked}).groupby("v").l.agg(["sum", "size"])
        p = counts["sum"] / counts["size"]
        deviance = -2 * float(
            (counts["sum"] * np.log(p.clip(1e-9)) + (counts["size"] - counts["sum"]) * np.log((1 - p).clip(1e-9))).sum()
        )
        cost = deviance + np.log(len(linked)) * len(counts)
        if cost < best[0]:
            best = (cost, name, {str(v): float(x) for v, x in p.items()})
    return best[1], best[2]


def _weights(prepared: Prepared, table: str, linked: np.ndarray) -> dict[str, dict[str, float]]:
    out = {}
    for name in _categories(prepared, table):
        value = prepared.frames[table][name].astype("str").fillna("").astype(object)
        counts = pd.DataFrame({"v": value, "l": linked}).groupby("v").l.agg(["sum", "size"])
        expected = counts["size"] * linked.mean()
        weight = np.log((counts["sum"] + PRIOR * linked.mean() + 1e-3) / (expected + PRIOR * linked.mean() + 1e-3))
        out[name] = {str(v): float(round(x, 4)) for v, x in weight.items()}
    return out
