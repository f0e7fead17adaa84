"""Stand-ins for personal data: plausible, and never a real number or address."""

from __future__ import annotations

import numpy as np
import pytest

from datareplicator.model.personal import KINDS, sample_personal
from datareplicator.structure.pii import personal


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_repeatable_text(kind: str) -> None:
    first, again = (sample_personal(kind, 50, np.random.default_rng(1)) for _ in range(2))
    assert first.tolist() == again.tolist()
    assert all(isinstance(v, str) and v.strip() for v in first)
    assert len(set(first)) > 20


@pytest.mark.parametrize("kind", ["email", "card", "ip"])
def test_stand_ins_are_recognised_for_what_they_are(kind: str) -> None:
    assert personal("anything", sorted(set(sample_personal(kind, 60, np.random.default_rng(2))))) == kind


def test_reserved_ranges_only() -> None:
    rng = np.random.default_rng(3)
    assert all(v.endswith("@example.org") for v in sample_personal("email", 50, rng))
    assert all(v.startswith("192.0.2.") for v in sample_personal("ip", 50, rng))
    assert all(v.startswith("9") for v in sample_personal("national_id", 50, rng))
    assert all(v.startswith("4000") and len(v) == 16 for v in sample_personal("card", 50, rng))


@pytest.mark.parametrize("kind", KINDS)
def test_more_rows_never_change_earlier_ones(kind: str) -> None:
    few, many = (sample_personal(kind, n, np.random.default_rng(5)).tolist() for n in (7, 300))
    assert many[:7] == few


def test_no_address_of_electronic_mail_comes_twice() -> None:
    assert len(set(sample_personal("email", 50_000, np.random.default_rng(6)))) == 50_000


def test_account_numbers_carry_their_check_digits() -> None:
    for account in sample_personal("iban", 50, np.random.default_rng(7)):
        assert int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1


def test_an_unknown_kind_gives_names_and_no_rows_give_none() -> None:
    assert " " in sample_personal("pet", 1, np.random.default_rng(4))[0]
    assert len(sample_personal("email", 0, np.random.default_rng(4))) == 0
