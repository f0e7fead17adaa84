from __future__ import annotations

import pytest

from datareplicator.model.cautions import cautions


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        (1, "Only 1 subject to learn from"),
        (2, "Only 2 subjects to learn from"),
        (9, "about the few that were seen"),
        (20, "a mean is known to 0.22 standard deviations, a spread to 16 %, a correlation to 0.24"),
        (20, "1 subject in 29 has"),
        (99, "a correlation to 0.10"),
    ],
)
def test_a_small_sample_is_named_as_such_with_its_figures(subjects: int, words: str) -> None:
    (caution,) = cautions(subjects)
    assert words in caution


def test_a_hundred_subjects_need_no_caution() -> None:
    assert cautions(100) == []
