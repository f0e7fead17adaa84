"""The description of the API is complete."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from fastapi import FastAPI

from datareplicator.server.examples import JSON

METHODS = {"get", "put", "post", "delete", "patch"}


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    paths = document["paths"].items()
    return [(f"{m.upper()} {path}", item[m]) for path, item in paths for m in item if m in METHODS]


def test_everything_is_described(app: FastAPI) -> None:
    document = app.openapi()
    operations = _operations(document)
    assert len(operations) > 40
    for name, operation in operations:
        assert operation.get("summary") and operation.get("tags"), name
        assert operation.get("description"), name
        good = {status: answer for status, answer in operation["responses"].items() if status < "400"}
        assert good, name


def test_errors_are_problem_details(app: FastAPI) -> None:
    document = app.openapi()
    assert "code" in document["components"]["schemas"]["ProblemDetail"]["properties"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for name, operation in _operations(document):
        if "/api/" not in name:
            continue
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"
        assert {"401", "403", "422", "429"} <= set(operation["responses"]), name


def test_each_body_has_an_example_that_fits(app: FastAPI) -> None:
    document = app.openapi()
    seen = 0
    for name, operation in _operations(document):
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for kind, body in ((kind, body) for each in contents for kind, body in each.get("content", {}).items()):
            if kind in JSON:
                seen += 1
                schema = {**body.get("schema", {}), "components": document["components"]}
                fault = next(jsonschema_rs.iter_errors(schema, body["example"]), None)
                assert fault is None, f"{name}: {fault}"
    assert seen > 500


async def test_the_document_is_served(client: Any) -> None:
    answer = await client.get("/api/openapi.json")
    assert answer.json()["info"]["title"] == "DataReplicator"
