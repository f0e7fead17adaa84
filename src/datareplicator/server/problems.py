"""Every error of the API is a problem detail (RFC 9457): `application/problem+json` with type, title, status, detail
and, where they help, the code, the place and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from datareplicator.errors import DataReplicatorError
from datareplicator.server.examples import add_examples

MEDIA_TYPE = "application/problem+json"
STATUS_OF_CODE = {"request": 422, "source": 422, "structure": 422, "model": 422, "write": 507, "engine": 503}
DATA_EXCEPTION = "22"
"""Class of SQLSTATE: the value is what the database refuses, not the statement."""
WEBSOCKET_CODES = 4000
"""Added to the status: 4401 for a stranger, 4404... (codes for applications, RFC 6455)."""
REASON = 100
CODE_OF_STATUS = {
    400: "bad-request",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    410: "gone",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}


class InvalidField(BaseModel):
    """One field of a request that is not as it must be."""

    place: str = Field(description="Where: body, query or path, then the names, joined by dots.")
    message: str


class ProblemDetail(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A reference that names the kind of problem; about:blank#CODE.")
    title: str
    status: int
    detail: str = Field(description="What was found, where, and what to do.")
    code: str = Field(description="Stable, fit for programs.")
    hint: str | None = None
    request_id: str | None = Field(None, description="Stands in the log of the service as well.")
    errors: list[InvalidField] | None = None


class Problem(Exception):
    """An error to be answered.

    >>> Problem(404, "There is no such run.").code
    'not-found'
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code or CODE_OF_STATUS.get(status, "error")
        self.hint = hint
        self.headers = dict(headers or {})
        self.extra = extra


def not_found(what: str) -> Problem:
    """The same answer for what does not exist and for what the asker may not know of."""
    return Problem(404, f"There is no such {what}.")


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The problem as a response."""
    request.state.problem_code = problem.code
    body = {
        "type": f"about:blank#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "hint": problem.hint,
        "request_id": getattr(request.state, "request_id", None),
        **problem.extra,
    }
    kept = {name: value for name, value in body.items() if value is not None}
    return JSONResponse(kept, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def from_library(error: DataReplicatorError) -> Problem:
    """The problem that one of the library's errors is."""
    place = {key: value for key, value in vars(error.place).items() if value is not None}
    status = STATUS_OF_CODE.get(error.code, 500)
    return Problem(status, str(error), code=error.code, hint=error.hint, **({"place": place} if place else {}))


def _from_validation(error: RequestValidationError) -> Problem:
    """What the client sent is not repeated: it may hold a password."""
    errors = [
        {"place": ".".join(str(part) for part in found["loc"]), "message": found["msg"]} for found in error.errors()
    ]
    first = errors[0] if errors else {"place": "request", "message": "is not valid"}
    return Problem(422, f"{first['place']}: {first['message']}", errors=errors)


def install(app: FastAPI) -> None:
    """Answer every error of this application as a problem; what is none of these is `middleware`'s to answer."""

    @app.exception_handler(Problem)
    async def _problem(request: Request | WebSocket, error: Problem) -> JSONResponse | None:
        if isinstance(request, WebSocket):
            await request.close(WEBSOCKET_CODES + error.status, error.detail[:REASON])
            return None
        return answer(request, error)

    @app.exception_handler(DataReplicatorError)
    async def _library(request: Request, error: DataReplicatorError) -> JSONResponse:
        return answer(request, from_library(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, _from_validation(error))

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> JSONResponse:
        if not str(getattr(error.orig, "sqlstate", None) or "").startswith(DATA_EXCEPTION):
            raise error
        return answer(request, Problem(422, "A value cannot be stored, such as a text with a NUL character."))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, Problem(error.status_code, str(error.detail), headers=error.headers))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error bodies of a route for the OpenAPI document."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}},
        }
        for status in statuses
    }


def describe(app: FastAPI) -> None:
    """Put the form of problems, to which `responses` refers, and examples into the OpenAPI document."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "ProblemDetail" not in schemas:
            form = ProblemDetail.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= form.pop("$defs", {}) | {"ProblemDetail": form}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        add_examples(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
