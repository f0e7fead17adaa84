"""Parsing: the canonical text comes back as the same tree, and errors say where and what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datareplicator.errors import RequestError
from datareplicator.expressions import ExpressionError, parse
from datareplicator.expressions.expression import Expression
from datareplicator.expressions.parser import DEEPEST
from datareplicator.expressions.signatures import AGGREGATES, BY_ROW, FUNCTIONS
from datareplicator.expressions.tree import (
    Aggregate,
    Between,
    Binary,
    Call,
    Literal,
    Missing,
    Pattern,
    Unary,
    Variable,
    Within,
)

NAMES = st.one_of(
    st.sampled_from(["AGE", "LBSTRESN", "_x", "and", "subject", "by", "a b", "1st", "Größe", "tick`tick"]),
    st.text(min_size=1, max_size=6),
)
LITERALS = st.one_of(
    st.integers(min_value=0, max_value=10**18),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=8),
).map(Literal)
VARIABLES = st.builds(Variable, NAMES, st.none() | NAMES)


def _trees(inner: st.SearchStrategy) -> st.SearchStrategy:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    operators = st.sampled_from(["and", "or", "implies", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/"])
    rowwise = st.sampled_from(sorted(set(FUNCTIONS) - set(AGGREGATES)))
    rows = st.sampled_from(sorted(set(AGGREGATES) - BY_ROW))
    columns = st.lists(NAMES, min_size=1, max_size=2).map(tuple)
    scope = st.one_of(st.just(("subject", ())), st.just(("table", ())), st.tuples(st.just("columns"), columns))
    aggregate = st.builds(
        lambda name, one, table, where, by, per: Aggregate(name, one, table, where, by, *per),
        rows,
        st.lists(inner, min_size=1, max_size=1).map(tuple),
        st.none() | NAMES,
        st.none() | inner,
        st.none() | inner,
        scope,
    )
    return st.one_of(
        st.builds(Unary, st.sampled_from(["not", "-"]), inner),
        st.builds(Binary, operators, inner, inner),
        st.builds(Within, inner, some, st.booleans()),
        st.builds(Between, inner, inner, inner, st.booleans()),
        st.builds(Pattern, inner, st.sampled_from(["like", "matches"]), st.text(max_size=5), st.booleans()),
        st.builds(Missing, inner, st.booleans()),
        st.builds(Call, rowwise, some),
        st.builds(Call, st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        aggregate,
    )


@given(st.recursive(LITERALS | VARIABLES, _trees, max_leaves=12))
def test_canonical_text_parses_to_the_same_tree(tree) -> None:
    text = str(Expression(tree))
    again = parse(text)
    assert again.tree == tree
    assert str(again) == text


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert 1 <= error.position <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a=1 OR b=2 And c<>3", "a = 1 or b = 2 and c != 3"),
        ("(a = 1 or b = 2) and c = 3", "(a = 1 or b = 2) and c = 3"),
        ("a implies b implies c", "a implies b implies c"),
        ("(a implies b) implies c", "(a implies b) implies c"),
        ("not a = 1 and b == 2", "not a = 1 and b = 2"),
        ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"),
        ("-x * 2", "-x * 2"),
        ("x NOT IN (1)", "x not in (1)"),
        ('name = "O\'Brien"', "name = 'O''Brien'"),
        ("`odd name` is not missing", "`odd name` is not missing"),
        ("max(x)", "max(x)"),
        ("MAX(x, 2)", "max(x, 2)"),
        ("max(x) per subject", "max(x)"),
        ("count(of AE where AESER = 'Y') per (VISIT)", "count(of AE where AESER = 'Y') per (VISIT)"),
        ("first(x where y = 1 by z) per table", "first(x where y = 1 by z) per table"),
    ],
)
def test_forms(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 1, "Expected a value"),
        ("AGE > 18 and", 13, "Expected a value"),
        ("AGE >= 18 AGE < 2", 11, "'AGE' is left over"),
        ("AGE in 1, 2", 8, "Expected '('"),
        ("AGE in (1, 2", 13, "Expected ')'"),
        ("AGE between 1 or 2", 15, "Expected 'and'"),
        ("AGE is 3", 8, "Expected 'missing'"),
        ("AGE not 3", 9, "after 'not'"),
        ("1 < AGE < 3", 9, "do not chain"),
        ("SEX = 'F", 7, "not closed"),
        ("AGE > 18 & SEX = 'F'", 10, "Expected 'and'"),
        ("AGE like 3", 10, "a pattern in quotes"),
        ("3x > 1", 2, "runs into a name"),
        ("absolute(x)", 1, "there is no function"),
        ("meen(x) > 1", 1, "Did you mean 'mean'"),
        ("abs(x where y = 1)", 1, "values of one row"),
        ("sum(x) per VISIT", 12, "in parentheses"),
        ("1e999 > 1", 1, "too large"),
        ("DM.", 4, "a variable after the table's name"),
        ("(" * (DEEPEST + 1) + "x", DEEPEST + 1, "levels"),
        ("not " * (DEEPEST + 1) + "x", None, "levels"),
        ("x" * 30_000, 1, "longer than"),
        ("+".join("x" * 5_000), 1, "in a row"),
    ],
)
def test_errors_say_where_and_what(text: str, position: int | None, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert isinstance(error, RequestError)
    assert error.code == "expression"
    assert says in str(error)
    if position is not None:
        assert error.position == position
    caret = str(error).splitlines()[-1]
    assert caret.strip() == "^"


def test_the_caret_stands_below_the_place_in_a_long_text() -> None:
    text = " and ".join(f"x{i} = {i}" for i in range(50)) + " and y ? 3"
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    shown, caret = str(caught.value).splitlines()[-2:]
    assert shown[len(caret) - 1] == "?"
    assert len(shown) < 120


def test_variables_and_tables() -> None:
    found = parse("AGE > 1 and DM.SEX = 'F' and sum(EXDOSE of EX where EXTRT = DM.ARM) per (VISIT) > 1")
    assert found.variables == {"AGE", "DM.SEX", "EX.EXDOSE", "EX.EXTRT", "DM.ARM", "VISIT", "EX.VISIT"}
    assert found.tables == {"DM", "EX"}
