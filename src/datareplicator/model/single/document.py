"""The Synthetic Model Definition: the model document of plain tables.

`metadata` and `columns` are all that a document needs (version 1.0, fit to be written by hand). Everything else is
optional: with it columns keep their types, their shapes and what holds them together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from datareplicator.document import Document, Floats
from datareplicator.model.identity import IdentifierModel
from datareplicator.model.marginals import Marginal

VERSION = "1.0"
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
PiiType = Literal[
    "email",
    "phone",
    "ssn",
    "credit_card",
    "name",
    "first_name",
    "last_name",
    "address",
    "postcode",
    "ip",
    "iban",
    "url",
    "uuid",
    "national_id",
    "date_of_birth",
    "initials",
    "mrn",
    "identifier",
]
PII_TYPES = get_args(PiiType)


class Open(BaseModel):
    """A part that people write by hand: what is not known is let through (but see `reading.py` for misspellings)."""

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=True, protected_namespaces=())


class Params(Open):
    """What all columns have. `dtype`: the column's Arrow type; `pandas_dtype`: the pandas type where Arrow's does not
    imply it; `format`: how numbers or dates that the source writes as text are written; `identifier`: the pattern by
    which unique values are numbered."""

    nan_probability: Share = 0.0
    dtype: str | None = None
    pandas_dtype: str | None = None
    format: str | None = None
    identifier: IdentifierModel | None = None


class Number(Params):
    """A measured value. Optional: `marginal` (quantiles), `step` (grid of the values), and `after`: the column that
    this one never falls below, by the distance `gap`."""

    decimals: Annotated[int, Field(ge=0, le=18)] | None = None
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    marginal: Marginal | None = None
    after: str | None = None
    gap: Marginal | None = None

    @model_validator(mode="after")
    def _pairs(self) -> Number:
        if (self.after is None) != (self.gap is None):
            raise ValueError("`after` and `gap` belong together")
        for part in (self.marginal, self.gap):
            if part is not None:
                check_marginal(part)
        return self


def check_marginal(marginal: Marginal) -> None:
    """Raise ValueError unless the quantiles can be read."""
    values, scores = marginal.values, marginal.scores
    if values.ndim != 1 or scores.ndim != 1 or not len(values) or len(scores) != len(values) - marginal.lattice:
        raise ValueError("the quantiles have no or unlike numbers of values and scores")
    if not (np.isfinite(values).all() and np.isfinite(scores).all()):
        raise ValueError("the quantiles have missing values")
    if (np.diff(values) < 0).any() or (np.diff(scores) < 0).any():
        raise ValueError("the quantiles must ascend")


class NumericalParams(Number):
    """`mean` and `std` of the source; null where it has no value."""

    mean: Finite | None = None
    std: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None


class NumericalBounds(Open):
    """Smallest and largest value to be made; open where null."""

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _order(self) -> NumericalBounds:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


class NumericalColumn(Open):
    """A column of numbers."""

    name: str
    type: Literal["numerical"]
    params: NumericalParams
    constraints: NumericalBounds = NumericalBounds()

    @model_validator(mode="after")
    def _enough(self) -> NumericalColumn:
        p = self.params
        if p.marginal is None and p.identifier is None and p.mean is None and p.nan_probability < 1:
            raise ValueError("params need mean and std")
        if p.mean is not None and p.std is None and p.marginal is None:
            raise ValueError("params need std beside mean")
        return self


class CategoricalParams(Params):
    """`weights`: share of each category, in the order in which they stand on the latent scale of `correlation`.
    `ordered` and `categories`: those of a pandas categorical."""

    weights: dict[str, Annotated[float, Field(ge=0.0, allow_inf_nan=False)]]
    unique_count: Annotated[int, Field(ge=0)] | None = None
    ordered: bool | None = None
    categories: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _some(self) -> CategoricalParams:
        if self.nan_probability < 1 and not sum(self.weights.values()) > 0:
            raise ValueError("weights must hold a category of a share above 0")
        return self


class CategoricalColumn(Open):
    """A column of few or many values that are drawn as they are."""

    name: str
    type: Literal["categorical"]
    params: CategoricalParams
    constraints: dict[str, Any] = Field(default_factory=dict)


class PiiParams(Number):
    """`confidence`: how sure the kind is. `unique`: no value comes twice. `patterns`: layouts of numbers (``#``: a
    digit) or forms of names (``{Last}, {F}.``) with their shares. `person`: columns with the same one are of the same
    person in each row; `taken`: digests of names that no stand-in has (see `model.taken`)."""

    pii_type: PiiType
    confidence: Share | None = None
    unique: bool = False
    person: str | None = None
    taken: tuple[int, ...] | None = None
    patterns: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = None


class PiiColumn(Open):
    """A column of personal data: stand-ins are made, no value of the source is in the model."""

    name: str
    type: Literal["pii"]
    params: PiiParams
    constraints: dict[str, Any] = Field(default_factory=dict)


class DatetimeParams(Number):
    """Quantiles in microseconds since 1970-01-01 (UTC); `clock`: seconds of the day, where `marginal` is in days."""

    clock: Marginal | None = None

    @model_validator(mode="after")
    def _clock(self) -> DatetimeParams:
        if self.clock is not None:
            check_marginal(self.clock)
        return self


class DatetimeBounds(Open):
    """Earliest and latest moment, ISO 8601."""

    min: str | None = None
    max: str | None = None

    @model_validator(mode="after")
    def _order(self) -> DatetimeBounds:
        moments = []
        for name in ("min", "max"):
            text = getattr(self, name)
            if text is not None:
                try:
                    moments.append(moment(text))
                except ValueError as error:
                    raise ValueError(f"{name} is no ISO 8601 date: {text!r}") from error
        if moments != sorted(moments):
            raise ValueError("min is after max")
        return self


def moment(text: str) -> int:
    """Microseconds since 1970-01-01 of an ISO 8601 text; a time zone is applied.

    >>> moment("1970-01-01T01:00:00+01:00")
    0
    """
    from datetime import UTC, datetime

    found = datetime.fromisoformat(text)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    since = found - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class DatetimeColumn(Open):
    """A column of moments."""

    name: str
    type: Literal["datetime"]
    params: DatetimeParams = DatetimeParams()
    constraints: DatetimeBounds = DatetimeBounds()

    @model_validator(mode="after")
    def _enough(self) -> DatetimeColumn:
        given = self.constraints.min is not None and self.constraints.max is not None
        if self.params.marginal is None and not given and self.params.nan_probability < 1:
            raise ValueError("constraints need min and max")
        return self


Column = Annotated[NumericalColumn | CategoricalColumn | PiiColumn | DatetimeColumn, Field(discriminator="type")]


class Variable(Document):
    """A latent variable: the value of a column or whether it is missing; with `table`, that of the row's parent;
    "count": the number of rows that refer to this row by `column` of `table`."""

    column: str
    part: Literal["value", "missing", "count"] = "value"
    table: str | None = None


class Correlation(Document):
    """Correlations of the latent normal variables (a Gaussian copula). `given`: how many of the variables, the last
    ones, belong to the parent's row and are known before."""

    variables: tuple[Variable, ...]
    matrix: Floats
    given: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _square(self) -> Correlation:
        k = len(self.variables)
        if self.matrix.shape != (k, k) and not (k == 0 and self.matrix.size == 0):
            raise ValueError(f"the matrix must have {k} rows of {k} numbers, one for each variable")
        if not np.isfinite(self.matrix).all() or (np.abs(self.matrix) > 1 + 1e-6).any():
            raise ValueError("a correlation lies between -1 and 1")
        if not np.allclose(self.matrix, self.matrix.T, atol=1e-6) or not np.allclose(np.diag(self.matrix), 1):
            raise ValueError("the matrix must be symmetric with ones on its diagonal")
        if self.given > k:
            raise ValueError("more variables are given than there are")
        return self


class Cycle(Document):
    """Mean latent level of a variable by the hour of the day, the day of the week or the month."""

    column: str
    part: Literal["hour", "weekday", "month"]
    level: Floats


class Within(Document):
    """How the rows of a group (a sequence, the children of one parent) hang together.

    Per variable of the correlation (own ones only): `between`, the share of its variance that all rows of a group
    share; `memory`, the correlation of what is left with that of the row before. `cycles`: calendar effects.
    """

    between: Floats
    memory: Floats
    cycles: tuple[Cycle, ...] = ()

    @model_validator(mode="after")
    def _ranges(self) -> Within:
        if self.between.shape != self.memory.shape:
            raise ValueError("between and memory need one number for each variable")
        if not ((self.between >= 0) & (self.between <= 1) & (self.memory > -1) & (self.memory < 1)).all():
            raise ValueError("between lies from 0 to 1, memory between -1 and 1")
        return self


class Sequence(Document):
    """Rows of a series: `key` names the column of its series (null: one series), `time` its time column. `length`:
    rows a series; `start`: the first time; `gap`: from a time to the next (microseconds, or the number's own unit)."""

    key: str | None
    time: str
    length: Marginal
    start: Marginal
    gap: Marginal
    within: Within

    @model_validator(mode="after")
    def _readable(self) -> Sequence:
        for part in (self.length, self.start, self.gap):
            check_marginal(part)
        return self


class Link(Document):
    """A foreign key: `counts`, the rows that a row of the parent has. By the `leading` one the rows are made."""

    column: str
    parent: str
    parent_column: str
    counts: Marginal
    leading: bool

    @model_validator(mode="after")
    def _readable(self) -> Link:
        check_marginal(self.counts)
        return self


class TableModel(Open):
    """One table: its columns and, optionally, what holds them together."""

    rows: Annotated[int, Field(ge=0)] = 0
    columns: tuple[Column, ...]
    correlation: Correlation | None = None
    sequence: Sequence | None = None
    links: tuple[Link, ...] = ()
    within: Within | None = None

    @model_validator(mode="after")
    def _whole(self) -> TableModel:
        check_table(self)
        return self


def check_table(table: TableModel | SingleModel) -> None:
    """Raise ValueError where names are double, or parts name columns that the table lacks."""
    names = [column.name for column in table.columns]
    double = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if double:
        raise ValueError(f"the column name {sorted(double)[0]!r} occurs more than once")
    own = [] if table.correlation is None else [v.column for v in table.correlation.variables if v.table is None]
    times = [] if table.sequence is None else [n for n in (table.sequence.key, table.sequence.time) if n is not None]
    after = [c.params.after for c in table.columns if isinstance(c.params, Number) and c.params.after is not None]
    after = [name for name in after if not name.startswith("../")]
    for name in [*own, *times, *after, *(link.column for link in table.links)]:
        if name not in names:
            raise ValueError(f"there is no column {name!r}")


class Privacy(Open):
    """The privacy budget that was spent on a model."""

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    delta: Share = 0.0
    library: str = ""
    released: tuple[dict[str, Any], ...] = ()


class Metadata(Open):
    """Where the model comes from. `foreign_keys`: child table -> column -> "parent.column"."""

    rows: Annotated[int, Field(ge=0)] = 0
    date: str | None = None
    version: str = VERSION
    foreign_keys: dict[str, dict[str, Annotated[str, Field(pattern=r"^.+\..+$")]]] | None = None
    frame: Literal["pandas", "polars", "arrow"] | None = None
    privacy: Privacy | None = None


class SingleModel(Open):
    """A Synthetic Model Definition: one table (`columns`) or several (`tables`)."""

    metadata: Metadata
    columns: tuple[Column, ...] = ()
    correlation: Correlation | None = None
    sequence: Sequence | None = None
    links: tuple[Link, ...] = ()
    within: Within | None = None
    tables: dict[str, TableModel] | None = None

    @model_validator(mode="after")
    def _whole(self) -> SingleModel:
        check_table(self)
        if self.tables is not None and self.columns:
            raise ValueError("a model has either columns or tables")
        return self
