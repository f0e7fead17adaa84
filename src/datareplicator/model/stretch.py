"""A schedule with more visits than were learned: what each visit is like, and which one plays a learned one's part.

Nothing is learned of visits beyond the schedule. They are drawn like the last one that was planned, so that all that
depends on a visit is as in the source; only their days, names and numbers are their own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.context import MARK


class Stretch(Document):
    """V learned visits in the joint list, C of them in the catalogue; V' and C' with the new ones.

    `like` int[V']: the learned visit that each is like. `stops` int[C']: the learned visit after which a stay ends as
    it does after each, and `later` float[C']: by how many days it ends later. `role` int[V]: the visit that plays the
    part of each learned one: the end of the schedule is later now, all others are where they were.
    """

    like: Ints
    stops: Ints
    later: Floats
    role: Ints

    @model_validator(mode="after")
    def _lengths(self) -> Stretch:
        if self.stops.shape != self.later.shape or len(self.like) < max(len(self.stops), len(self.role)):
            raise ValueError("the visits of a longer schedule do not match")
        return self


def learned_visit(stretch: Stretch | None, visit: np.ndarray) -> np.ndarray:
    """The learned visits that visits are like (int, -1 none)."""
    return visit if stretch is None else np.append(stretch.like, -1)[visit]


def visit_now(stretch: Stretch | None, visit: np.ndarray) -> np.ndarray:
    """The visits that play the parts of learned ones (int, -1 none)."""
    return visit if stretch is None else np.append(stretch.role, -1)[visit]


def days_by_role(stretch: Stretch | None, day: np.ndarray) -> np.ndarray:
    """Days of visits (float[n, V']) as days of the learned visits whose parts they play (float[n, V])."""
    return day if stretch is None else day[:, stretch.role]


def as_learned(stretch: Stretch | None, context: pd.DataFrame, last_visit: np.ndarray) -> pd.DataFrame:
    """The subjects' context as it was learned: a stay that ends later, at a visit that is like another."""
    if stretch is None:
        return context
    out = context.rename(
        columns={f"{MARK}followed_{new}": f"{MARK}followed_{old}" for new, old in enumerate(stretch.like)}
    )
    if MARK + "last visit" in out:
        out[MARK + "last visit"] = np.append(stretch.stops, -1)[last_visit].astype(float)
    if MARK + "last day" in out:
        out[MARK + "last day"] = out[MARK + "last day"] - np.append(stretch.later, 0.0)[last_visit]
    return out
