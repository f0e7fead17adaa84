"""One derivation a target, no circles, sources first."""

from __future__ import annotations

from datareplicator.structure.order import choose, protect
from datareplicator.structure.spec import ColumnSpec, Derivation, Kind, Layout, Ref, TableSpec


def table(name: str, layout: Layout, *columns: str, **roles: object) -> TableSpec:
    specs = tuple(ColumnSpec(name=c, kind=Kind.CATEGORY, encoding="text", distinct=5, missing=0.0) for c in columns)
    return TableSpec(name=name, members=(name,), layout=layout, rows=100, subjects=50, columns=specs, **roles)


def find(
    target: str, template: str, *sources: str, agreement: float = 1.0, rows: int = 100, **params: object
) -> Derivation:
    refs = tuple(Ref(table=s.split(".")[0], column=s.split(".")[1]) for s in sources)
    owner, column = target.split(".")
    return Derivation(
        table=owner, target=column, template=template, sources=refs, params=params, agreement=agreement, rows=rows
    )


TABLES = {
    "dm": table("dm", Layout.SUBJECT, "ID", "A", "B", "ARMCD", subject="ID"),
    "lb": table("lb", Layout.FINDINGS, "ID", "T", "O", "C", "N", "V", "X", subject="ID", test="T", value="N", text="C",
                original="O", visit="V"),
    "ta": table("ta", Layout.REFERENCE, "A", "B"),
}  # fmt: skip
PROTECTED = protect(TABLES, "dm", "ARMCD", None, None)


def chosen(*finds: Derivation) -> list[tuple[str, str]]:
    return [(d.target, d.template) for d in choose(finds, TABLES, PROTECTED)]


def test_one_find_a_target_and_sources_first() -> None:
    found = chosen(
        find("lb.X", "lookup", "lb.N"), find("lb.N", "parse", "lb.C"), find("lb.X", "aggregate", "dm.A", agreement=0.9)
    )
    assert found == [("N", "parse"), ("X", "lookup")]


def test_circles_are_broken() -> None:
    found = chosen(find("dm.A", "lookup", "dm.B"), find("dm.B", "lookup", "dm.A"))
    assert len(found) == 1


def test_results_never_go_backwards() -> None:
    assert chosen(find("lb.O", "linear", "lb.N")) == []
    assert chosen(find("lb.N", "parse", "lb.C")) == [("N", "parse")]
    assert chosen(find("lb.N", "arithmetic", "lb.X")) == []


def test_sampled_columns_and_copied_tables_are_never_computed() -> None:
    assert (
        chosen(find("lb.T", "lookup", "lb.X"), find("lb.V", "copy_by_key", "dm.A"), find("dm.ARMCD", "lookup", "dm.A"))
        == []
    )
    assert chosen(find("ta.A", "lookup", "ta.B")) == []
    assert chosen(find("dm.ID", "concat", "dm.A")) == [("ID", "concat")]


def test_coincidences_need_rows_and_no_exception() -> None:
    assert chosen(find("dm.A", "aggregate", "lb.X", rows=5)) == []
    assert chosen(find("dm.A", "aggregate", "lb.X", agreement=0.99)) == []
    assert chosen(find("dm.A", "aggregate", "lb.X")) == [("A", "aggregate")]


def test_an_exact_lookup_is_better_than_another_table_or_numbers() -> None:
    lookup = find("lb.X", "lookup", "lb.V")
    for template in ("copy_by_key", "limits", "linear"):
        assert chosen(find("lb.X", template, "dm.A"), lookup) == [("X", "lookup")]


def test_partial_finds_stand_beside_others() -> None:
    found = chosen(find("lb.X", "items", "lb.T", partial=True), find("lb.X", "lookup", "lb.V"))
    assert sorted(found) == [("X", "items"), ("X", "lookup")]
    assert found[-1] == ("X", "items")
