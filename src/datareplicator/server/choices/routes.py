"""What a request can choose from, so that a form need not know it by heart."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from datareplicator.faults.kind import kind_named
from datareplicator.faults.plan import Fault, as_plan, profile_names
from datareplicator.generate.conditions.asked import Scenario
from datareplicator.generate.conditions.units import unit_names, wanted
from datareplicator.run import OUTPUT_FORMATS
from datareplicator.server.auth.principal import CurrentPrincipal

router = APIRouter(tags=["runs"])


class FaultShown(BaseModel):
    """One fault of a profile."""

    kind: str
    summary: str = Field(description="What the kind does to the data.")
    unit: str = Field(description="What one fault is: a cell, row, subject, site, table or file.")
    severity: str
    detectable: bool = Field(description="Whether any rule of ours can see it.")
    amount: str = Field(description="A share of the places that it can have, or a number.")
    rate: float | None
    count: int | None


class ProfileShown(BaseModel):
    """A bundled profile of faults."""

    name: str
    summary: str
    faults: list[FaultShown]


class ScenarioShown(BaseModel):
    """A bundled scenario."""

    name: str
    summary: str
    parameters: dict[str, Any] = Field(description="What can be set by `with`, and what holds otherwise.")


class Choices(BaseModel):
    """What is bundled."""

    formats: list[str]
    profiles: list[ProfileShown]
    scenarios: list[ScenarioShown]


def _shown(fault: Fault) -> FaultShown:
    kind = kind_named(fault.kind)
    return FaultShown(
        kind=kind.name,
        summary=kind.summary,
        unit=kind.unit.value,
        severity=(fault.severity or kind.severity).value,
        detectable=kind.detectable,
        amount=f"{fault.rate:.4g} of the places" if fault.rate else f"{fault.count}",
        rate=fault.rate,
        count=fault.count,
    )


@cache
def _choices() -> Choices:
    plans = {name: as_plan(name) for name in profile_names()}
    units = [wanted(Scenario(name=name, subjects=1)).unit for name in unit_names()]
    return Choices(
        formats=list(OUTPUT_FORMATS),
        profiles=[
            ProfileShown(
                name=name,
                summary=plan.summary,
                faults=[_shown(one) for one in plan.faults],
            )
            for name, plan in plans.items()
        ],
        scenarios=[ScenarioShown(name=unit.name, summary=unit.summary, parameters=unit.parameters) for unit in units],
    )


@router.get("/choices", summary="What a run can choose from")
async def read_choices(principal: CurrentPrincipal) -> Choices:
    """Formats, bundled profiles of faults and bundled scenarios, with what they stand for."""
    return _choices()
