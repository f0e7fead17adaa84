"""From what is asked of the subjects to the model and the request that blocks are made from."""

from __future__ import annotations

from dataclasses import replace

from datareplicator.errors import RequestError, asked_in
from datareplicator.generate.conditions.plan import compile_plan
from datareplicator.generate.control.changing import with_changes
from datareplicator.generate.control.cloning import with_clones
from datareplicator.generate.control.longer import with_follow_up
from datareplicator.generate.control.naming import with_identifiers, with_study
from datareplicator.generate.control.outcomes import with_outcomes
from datareplicator.generate.control.planning import make_quota
from datareplicator.generate.request import GenerateRequest
from datareplicator.model.study_model import StudyModel


def settle(model: StudyModel, request: GenerateRequest) -> tuple[StudyModel, GenerateRequest]:
    """The model with new arms, sites and names, and the request with its plan.

    Raises RequestError for what the model does not know or what cannot be.
    """
    with asked_in("enrolment"):
        if request.enrolment is not None and model.enrolment is None:
            raise RequestError(
                "the study has no dates that say when subjects entered, so no enrolment can be asked for."
            )
    with asked_in("clones"):
        model, likes = with_clones(model, request.clones)
    if request.identifiers:
        with asked_in("identifiers"):
            model = with_identifiers(model, request.identifiers)
    if request.study is not None:
        with asked_in("study"):
            model = with_study(model, request.study)
    with asked_in("variation"):
        if request.follow_up is not None:
            model = with_follow_up(model, request.follow_up)
        model, altered = with_changes(model, request.changes)
    request = replace(request, altered=altered)
    with asked_in("counts"):
        request = with_outcomes(model, request)
        if request.counts or request.clones:
            request = replace(request, quota=make_quota(model, request.counts, request.subjects, likes=likes))
    if request.conditions:
        usual = request.variation <= 1 and not request.changes
        plan = compile_plan(model, request.conditions, request.subjects, ranges=usual)
        request = replace(request, plan=plan)
    return model, request
