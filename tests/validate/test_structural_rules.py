"""The rules that discovery finds: silent on the study that they come from, loud on broken copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datareplicator.structure.spec import (
    ColumnSpec,
    Derivation,
    ForeignKey,
    Kind,
    Layout,
    Link,
    Order,
    Ref,
    Structure,
    Supplement,
    TableSpec,
)
from datareplicator.study import Column, Study, Table
from datareplicator.validate.structural import STRUCTURAL_RULES, StructuralView


def table(name: str, /, **columns: list) -> Table:
    frame = pd.DataFrame({c: pd.Series(v, dtype="str" if isinstance(v[0], str) else None) for c, v in columns.items()})
    return Table(name, frame, {c: Column(c, "text") for c in frame})


def study() -> Study:
    """Customers with orders in two tables and remarks on orders: no SDTM at all."""
    tables = [
        table(
            "people",
            person=["a", "b", "c"],
            gone=["Y", None, None],
            gone_on=["2024-03-05", None, None],
            kind=["full", "full", "guest"],
        ),
        table(
            "orders_east",
            person=["a", "b", "a"],
            number=[1.0, 1.0, 2.0],
            opened=["2024-01-01", "2024-01-02", "2024-03-05"],
            closed=["2024-01-03", "2024-01-02", "2024-03-05"],
            code=["X", "Y", "Z"],
            text=["ex", "why", "leave"],
            price=[10.0, 20.0, 30.0],
            pieces=[1.0, 2.0, 3.0],
            total=[10.0, 40.0, 90.0],
        ),
        table(
            "orders_west",
            person=["b", "b"],
            number=[2.0, 3.0],
            opened=["2024-01", "2024-02-02"],
            closed=["2024-01-03", "2024-02-02"],
            code=["X", "X"],
            text=["ex", "ex"],
            price=[5.0, 7.0],
            pieces=[2.0, 2.0],
            total=[10.0, 14.0],
        ),
        table(
            "remarks", person=["a", "b"], pointer=["number"] * 2, at=["2", "3"], name=["R"] * 2, value=["late", "soon"]
        ),
    ]
    return Study({t.name: t for t in tables})


def specs(source: Table, kinds: dict[str, Kind]) -> tuple[ColumnSpec, ...]:
    return tuple(
        ColumnSpec(
            name=c,
            kind=kinds.get(c, Kind.INTEGER),
            encoding="text" if pd.api.types.is_string_dtype(source.frame[c].dtype) else "float",
            distinct=int(source.frame[c].nunique()),
            missing=0.0,
        )
        for c in source.frame
    )


def structure() -> Structure:
    source = study()
    order_kinds = {"code": Kind.CATEGORY, "opened": Kind.DATE, "closed": Kind.DATE, "text": Kind.CATEGORY}
    tables = {
        "people": TableSpec(
            name="people",
            members=("people",),
            layout=Layout.SUBJECT,
            rows=3,
            subjects=3,
            columns=specs(source["people"], {}),
            subject="person",
            key=("person",),
        ),
        "orders": TableSpec(
            name="orders",
            members=("orders_east", "orders_west"),
            layout=Layout.EVENTS,
            rows=5,
            subjects=2,
            columns=specs(source["orders_east"], order_kinds),
            subject="person",
            key=("person", "number"),
            sequence="number",
            value="price",
        ),
        "remarks": TableSpec(
            name="remarks",
            members=("remarks",),
            layout=Layout.SUPPLEMENT,
            rows=2,
            subjects=2,
            columns=specs(source["remarks"], {}),
            subject="person",
        ),
    }
    total = Derivation(
        table="orders",
        target="total",
        template="arithmetic",
        sources=(Ref(table="orders", column="price"), Ref(table="orders", column="pieces")),
        params={"op": "product", "decimals": None},
    )
    text = Derivation(
        table="orders",
        target="text",
        template="lookup",
        sources=(Ref(table="orders", column="code"),),
        params={"keys": [["X", "Y", "Z"]], "values": ["ex", "why", "leave"]},
    )
    kind = Derivation(table="remarks", target="name", template="constant", params={"value": "R"})
    pointer = Derivation(
        table="people", target="person", template="same", sources=(Ref(table="people", column="person"),)
    )
    roles = {"subject": "person", "pointer": "pointer", "value_of_pointer": "at", "name": "name", "value": "value"}
    return Structure(
        subject="person",
        root="people",
        tables=tables,
        derivations=(text, total, kind, pointer),
        foreign_keys=(ForeignKey(table="orders", columns=("person",), parent="people", parent_columns=("person",)),),
        supplements=(
            Supplement(
                table="remarks",
                members=("remarks",),
                parent="orders",
                pointer="number",
                columns=roles,
                qualifiers=("R",),
                attributes={},
                member_of={"orders_east": "remarks", "orders_west": "remarks"},
            ),
        ),
        links=(
            Link(kind="flag", root="gone", value="Y", table="orders", column="text", code="leave", subjects=1),
            Link(kind="date", root="gone_on", table="orders", column="text", code="leave", date="closed", subjects=1),
            Link(kind="presence", root="kind", value="guest", table="orders", subjects=1),
        ),
        orders=(Order(table="orders", low="opened", high="closed"),),
    )


def with_cell(source: Study, name: str, row: int, column: str, value: object) -> Study:
    frame = source[name].frame.copy()
    frame.loc[row, column] = value
    return Study(source.tables | {name: replace(source[name], frame=frame)})


def broken(rule: str, study: Study, baseline: Study | None = None) -> set[tuple[str, int]]:
    """Tables and 0-based rows with findings."""
    before = StructuralView(baseline, structure()) if baseline is not None else None
    view = StructuralView(study, structure(), before)
    return {
        (hit.part.tables[hit.part.table[row]], int(hit.part.row[row]))
        for hit in STRUCTURAL_RULES[rule].check(view)
        for row in np.flatnonzero(hit.bad)
    }


BREAKS = {
    "DR1101": ("orders_west", 1, "number", 2.0),
    "DR1102": ("orders_west", 1, "number", 2.0),
    "DR1103": ("people", 2, "person", "a"),
    "DR1104": ("orders_west", 1, "person", None),
    "DR1201": ("orders_west", 0, "person", "nobody"),
    "DR1202": ("remarks", 1, "at", "9"),
    "DR1301": ("orders_east", 1, "text", "ex"),
    "DR1303": ("orders_west", 1, "total", 15.0),
    "DR1401": ("orders_west", 1, "closed", "2024-01"),
    "DR1501": ("people", 1, "gone", "Y"),
    "DR1502": ("people", 0, "gone_on", "2024-03-06"),
    "DR1503": ("people", 1, "kind", "guest"),
    "DR1601": ("orders_west", 0, "code", "Q"),
    "DR1602": ("orders_west", 1, "price", 999.0),
}


@pytest.mark.parametrize("rule", BREAKS)
def test_a_rule_speaks_at_the_broken_row_only(rule):
    source = study()
    name, row, column, value = BREAKS[rule]
    assert broken(rule, source, source) == set()
    assert broken(rule, with_cell(source, name, row, column, value), source) == {(name, row)}


def test_every_rule_is_broken_somewhere():
    assert set(BREAKS) | {"DR1001", "DR1002", "DR1003", "DR1302"} == {rule.id for rule in STRUCTURAL_RULES}


def test_absent_tables_and_columns_are_named():
    source = study()
    assert broken("DR1001", source) == set()
    less = {name: t for name, t in source.tables.items() if name != "orders_west"}
    less["people"] = replace(source["people"], frame=source["people"].frame.drop(columns="kind"))
    assert broken("DR1001", Study(less)) == {("orders_west", -1), ("people", -1)}


@pytest.mark.parametrize("column", ["price", "opened"])
def test_a_column_that_one_of_two_tables_of_a_kind_lacks_is_named(column):
    source = study()
    west = source["orders_west"]
    less = replace(west, frame=west.frame.drop(columns=column))
    assert broken("DR1001", Study(source.tables | {"orders_west": less}), source) == {("orders_west", -1)}


def test_tables_columns_and_metadata_are_compared_with_the_baseline():
    source = study()
    assert broken("DR1002", source, source) == broken("DR1003", source, source) == set()
    people = source["people"]
    extra = Table("people", people.frame.assign(shoe=1.0), people.columns | {"shoe": Column("shoe", "float")})
    more = Study(source.tables | {"people": extra, "cats": replace(people, name="cats")})
    assert broken("DR1002", more, source) == {("people", -1), ("cats", -1)}
    for change in ({"type": "float"}, {"length": 3}, {"label": "Other"}):
        column = replace(people.columns["kind"], **({"label": "L", "length": 2} | change))
        held = [replace(people, columns=people.columns | {"kind": c}) for c in
                (replace(people.columns["kind"], label="L", length=2), column)]  # fmt: skip
        before, after = (Study(source.tables | {"people": table}) for table in held)
        assert broken("DR1003", after, before) == {("people", -1)}
        assert broken("DR1003", before, source) == set()


def test_a_value_that_should_repeat_the_root():
    source = study()
    copied = Derivation(
        table="orders",
        target="code",
        template="copy_subject",
        sources=(Ref(table="people", column="kind"),),
        params={"keys": [["person", "person"]]},
    )
    held = structure().model_copy(update={"derivations": (copied,)})
    good = Study(
        source.tables
        | {n: replace(source[n], frame=source[n].frame.assign(code="full")) for n in ("orders_east", "orders_west")}
    )

    def bad_rows(study: Study) -> int:
        hits = STRUCTURAL_RULES["DR1302"].check(StructuralView(study, held))
        return sum(int(hit.bad.sum()) for hit in hits)

    assert bad_rows(good) == 0
    assert bad_rows(with_cell(good, "orders_west", 0, "code", "guest")) == 1


def test_a_guess_that_rarely_held_is_no_rule():
    source = with_cell(study(), "orders_west", 1, "total", 15.0)
    weak = tuple(d.model_copy(update={"agreement": 0.6}) for d in structure().derivations)
    view = StructuralView(source, structure().model_copy(update={"derivations": weak}))
    assert not list(STRUCTURAL_RULES["DR1303"].check(view))
