"""Names and addresses in a row are those of one made-up person, written as in the source."""

import pandas as pd
import pytest

from datareplicator.errors import ModelError
from datareplicator.training_replicator import DataProfiler, SyntheticGenerator

GIVEN = ("Mary", "John", "Anna", "Peter", "Sarah", "Paul", "Laura")
FAMILY = ("Smith", "Miller", "Johnson", "Brown", "Jones")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Customers with their names in parts, and the name of an agent who is somebody else."""
    given, family = [GIVEN[k % 7] for k in range(70)], [FAMILY[k % 5] for k in range(70)]
    return pd.DataFrame(
        {
            "first_name": given,
            "last_name": [name.upper() for name in family],
            "email": [f"{a}.{b}{k}@mail.com".lower() for k, (a, b) in enumerate(zip(given, family, strict=True))],
            "agent_name": [f"{FAMILY[k // 7 % 5]}, {GIVEN[(k // 3) % 7]}" for k in range(70)],
        }
    )


def test_a_row_is_of_one_person(customers: pd.DataFrame) -> None:
    made = SyntheticGenerator(DataProfiler(customers).profile(), seed=4).generate(300)
    assert (made["last_name"] == made["last_name"].str.upper()).all() and (
        made["first_name"].str[1:].str.islower()
    ).all()
    box = made["first_name"].str.lower() + "." + made["last_name"].str.lower().str.replace(r"[^a-z]", "", regex=True)
    assert all(email.startswith(start) for email, start in zip(made["email"], box, strict=True))
    assert made["email"].is_unique
    assert made["agent_name"].str.fullmatch(r"[^,]+, \S+").all()
    assert (made["agent_name"].str.split(",").str[0].str.upper() != made["last_name"]).mean() > 0.9


def test_more_rows_do_not_change_persons(customers: pd.DataFrame) -> None:
    generator = SyntheticGenerator(DataProfiler(customers).profile(), seed=4)
    assert generator.generate(9000).head(50).equals(generator.generate(50))


def test_a_form_that_is_none_is_refused_by_its_place(customers: pd.DataFrame) -> None:
    model = DataProfiler(customers).profile()
    document = model if isinstance(model, dict) else dict(model)
    document["columns"][0]["params"]["patterns"] = {"{Given} {Last}": 1.0}
    with pytest.raises(ModelError, match=r"columns\[0\].params.patterns.*no form of a name"):
        SyntheticGenerator(document, seed=1).generate(3)
