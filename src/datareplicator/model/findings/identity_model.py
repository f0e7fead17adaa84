"""Laws between results of one visit: the parts of the model that `identity_fit` learns."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document

POWERS = (1.0, -1.0, -2.0)


class Identity(Document):
    """`target` = exp(`log_factor` + `spread` e) `first` `second`^`power`, with e standard normal; cells by index."""

    target: int
    first: int
    second: int
    power: float
    log_factor: float
    spread: float

    @model_validator(mode="after")
    def _check(self) -> Identity:
        if len({self.target, self.first, self.second}) < 3 or min(self.target, self.first, self.second) < 0:
            raise ValueError("an identity needs three different results")
        if not 0 <= self.spread < np.inf or self.power not in POWERS:
            raise ValueError("an identity has a parameter out of its range")
        return self


class Order(Document):
    """Cell `above` is at least `gap` above cell `below` at every visit."""

    above: int
    below: int
    gap: float
