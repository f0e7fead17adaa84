"""Faults put into a study in known ways, and the key that tells where they are."""

from datareplicator.faults.answers import Answers, read_answers
from datareplicator.faults.applying import corrupt
from datareplicator.faults.kind import Kind, all_kinds, kind_named
from datareplicator.faults.plan import Fault, Mechanism, Plan, Target, as_plan, profile_names
from datareplicator.faults.repairing import repair

__all__ = [
    "Answers",
    "Fault",
    "Kind",
    "Mechanism",
    "Plan",
    "Target",
    "all_kinds",
    "as_plan",
    "corrupt",
    "kind_named",
    "profile_names",
    "read_answers",
    "repair",
]
