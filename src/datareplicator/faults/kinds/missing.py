"""Values that are not there: at random, by something that was observed, by the value itself."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family
from datareplicator.faults.kinds.pools import filled, numbers
from datareplicator.faults.plan import Mechanism
from datareplicator.faults.roles import sparse_columns

FAMILY = Family("missing values")


def _blank(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
    return {c: [None] * len(rows) for c in (str(pool.column), *pool.also)}


@FAMILY.kind("missing-at-random", "A value is missing, anywhere with the same chance (MCAR).")
def missing_at_random(job: Job, params: Document) -> None:
    job.cells(filled(job, sparse_columns), _blank, "values that could go missing")


class ByCovariate(Document):
    """On what the chance of a gap depends."""

    variable: str | None = Field(
        None, description="A column of the table or of the table of subjects; else its first number."
    )
    strength: float = Field(4.0, description="Log odds between the highest and the lowest value.")


@FAMILY.kind(
    "missing-by-covariate",
    "A value is missing the more often the higher a covariate is (MAR).",
    parameters=ByCovariate,
)
def missing_by_covariate(job: Job, params: ByCovariate) -> None:
    if job.fault.mechanism.type == "random":
        name = params.variable or _first_number(job)
        mechanism = Mechanism(type="observed", variable=name, strength=params.strength)
        job.fault = job.fault.model_copy(update={"mechanism": mechanism})
    job.cells(filled(job, sparse_columns), _blank, "values that could go missing")


def _first_number(job: Job) -> str:
    root = job.scene.root
    held = [c for c in root.spec.columns if c.kind in ("integer", "decimal") and c.name in root.columns] if root else []
    if not held:
        raise job.nothing("the table of subjects has no number to depend on; name one as `variable`")
    free = [c.name for c in held if root is not None and c.name not in root.derived]
    return free[0] if free else held[0].name


class ByValue(Document):
    """How strongly the chance of a gap depends on the value."""

    strength: float = Field(4.0, description="Log odds between the highest and the lowest value of a test.")


@FAMILY.kind(
    "missing-by-value",
    "A result is missing the more often the higher it is (MNAR): the whole result, as if it had not been sent.",
    parameters=ByValue,
    rules="DR0312 DR0951",
)
def missing_by_value(job: Job, params: ByValue) -> None:
    if job.fault.mechanism.type == "random":
        mechanism = Mechanism(type="value", strength=params.strength)
        job.fault = job.fault.model_copy(update={"mechanism": mechanism})
    job.cells(numbers(job), _blank, "results that could go missing")
