"""Examples in the OpenAPI document: one for each body that goes in or out, made from its schema.

A field or a model says its own by `examples`; all others get a value that fits their type. Requests show what must be
given, answers everything.
"""

from __future__ import annotations

from typing import Any

OF_FORMAT = {
    "uuid": "0b9f7c52-6f0e-4b61-9a3b-6f3f5a1c2d4e",
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
    "email": "ann@example.org",
    "uri": "https://example.org/",
    "password": "correct horse battery staple",
    "binary": "",
}
OF_NAME = {"email": "ann@example.org", "name": "Study 301", "table": "ae", "column": "AESEV", "kind": "run"}
DEEPEST = 8
"""Schemas that contain themselves end here."""
JSON = ("application/json", "application/problem+json")


def add_examples(document: dict[str, Any]) -> None:
    """Put an example beside the schema of each JSON body that has none."""
    maker = _Maker(document["components"]["schemas"])
    for item in document["paths"].values():
        for operation in item.values():
            if "requestBody" in operation:
                _fill(operation["requestBody"]["content"], maker, whole=False)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    _fill_problem(answer, int(status), maker)
                else:
                    _fill(answer.get("content", {}), maker, whole=True)


def _fill(content: dict[str, Any], maker: _Maker, *, whole: bool) -> None:
    for kind, body in content.items():
        if kind in JSON and not {"example", "examples"} & set(body):
            body["example"] = maker.value(body.get("schema", {}), whole=whole)


def _fill_problem(answer: dict[str, Any], status: int, maker: _Maker) -> None:
    for body in answer.get("content", {}).values():
        title = answer["description"]
        code = title.lower().replace(" ", "-")
        example = {
            "type": f"about:blank#{code}",
            "title": title,
            "status": status,
            "detail": "What is wrong.",
            "code": code,
        }
        body.setdefault("example", example)


class _Maker:
    """Values for schemas."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas

    def value(self, schema: dict[str, Any], *, whole: bool, name: str = "", depth: int = 0) -> Any:
        """A value that fits a schema; of objects all fields, or those that must be given."""
        if "$ref" in schema:
            schema = {
                **self._schemas[schema["$ref"].rpartition("/")[2]],
                **{k: v for k, v in schema.items() if k != "$ref"},
            }
        for said in ("example", "const", "default"):
            if said in schema and (said != "default" or schema[said] is not None):
                return schema[said]
        for said in ("examples", "enum"):
            if schema.get(said):
                return schema[said][0]
        for said in ("anyOf", "oneOf", "allOf"):
            if said in schema:
                first = next((each for each in schema[said] if each.get("type") != "null"), schema[said][0])
                return self.value(first, whole=whole, name=name, depth=depth)
        return self._plain(schema, whole, name, depth)

    def _plain(self, schema: dict[str, Any], whole: bool, name: str, depth: int) -> Any:
        kind = schema.get("type")
        if kind == "string":
            text = OF_FORMAT.get(schema.get("format", "")) or OF_NAME.get(name) or "text"
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        if kind in ("integer", "number"):
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            return max(1, least) if schema.get("maximum", 1) >= 1 else least
        if kind in ("boolean", "null"):
            return True if kind == "boolean" else None
        if kind == "array":
            return self._list(schema, whole, name, depth)
        if kind == "object" or "properties" in schema:
            return self._object(schema, whole, depth)
        return None

    def _list(self, schema: dict[str, Any], whole: bool, name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.value(each, whole=whole, depth=depth + 1) for each in schema["prefixItems"]]
        if depth >= DEEPEST and not schema.get("minItems"):
            return []
        return [self.value(schema.get("items", {}), whole=whole, name=name, depth=depth + 1)]

    def _object(self, schema: dict[str, Any], whole: bool, depth: int) -> dict[str, Any]:
        fields, needed = schema.get("properties", {}), schema.get("required", [])
        chosen = fields if whole and depth < DEEPEST else {name: fields[name] for name in needed}
        made = {name: self.value(each, whole=whole, name=name, depth=depth + 1) for name, each in chosen.items()}
        if len(made) < schema.get("minProperties", 0):
            (any_name,) = schema.get("patternProperties", {"": schema.get("additionalProperties", {})}).values()
            made["standard"] = self.value(any_name, whole=whole, depth=depth + 1)
        return made
