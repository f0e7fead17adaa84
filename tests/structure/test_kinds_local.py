"""Dates and numbers in local forms are never identifiers, even where the reader left them as text."""

import pandas as pd
import pytest

from datareplicator.structure.kinds import classify
from datareplicator.structure.spec import Kind

DAYS = pd.date_range("2023-01-03", periods=40, freq="9D")


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%b-%Y", "%d%b%Y", "%d.%m.%y", "%d.%m.%YT%H:%M"]
)
def test_local_dates_are_no_identifiers(form):
    assert classify("seen", pd.Series(DAYS.strftime(form)), 40).kind == Kind.CATEGORY


@pytest.mark.parametrize("form", ["{},5", "{}%", "{}.5%", "1,{:03d}", "1.{:03d},25"])
def test_local_numbers_are_no_identifiers(form):
    assert classify("dose", pd.Series([form.format(k) for k in range(10, 50)]), 40).kind == Kind.CATEGORY


@pytest.mark.parametrize("form", ["P-{:03d}", "01-701-1{:03d}", "A{}/2023"])
def test_identifiers_stay_identifiers(form):
    assert classify("patient", pd.Series([form.format(k) for k in range(10, 50)]), 40).kind == Kind.IDENTIFIER
