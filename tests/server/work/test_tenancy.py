"""A stranger finds nothing of a project, whatever the route; a viewer changes nothing."""

from __future__ import annotations

import re
import uuid

import pytest

from datareplicator.server.work import ROUTERS

pytestmark = pytest.mark.anyio
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    for method in sorted(getattr(route, "methods", None) or ())
    if "{project_id}" in route.path
]
TARGET = {"name": "hub", "options": {"url": "https://hub.example.org/in"}}
BODIES = {
    "/targets": TARGET,
    "/datasets": {"name": "x"},
    "/datasets/{dataset_id}": {"name": "x"},
    "/uploads": {"name": "a.csv", "size": 1},
    "/versions": {"remove": ["dm.xpt"]},
    "/query": {},
    "/exports": {"format": "csv"},
    "/models/{model_id}": {"description": "x"},
    "/runs/{run_id}": {"name": "x"},
    "/presets": {"name": "x", "document": {"subjects": 3}},
}


@pytest.fixture
async def made(at_work, service):
    """One of each thing, done."""
    dataset = await at_work.small()
    asked = {"dataset_id": dataset["id"]}
    analysis = await at_work.post("/analyses", asked)
    run = await at_work.post("/runs", {**asked, "document": {"subjects": 3}})
    upload = await at_work.post(f"/datasets/{dataset['id']}/uploads", {"name": "a.csv", "size": 9})
    await at_work.done(run["job"]["id"])
    await at_work.done(analysis["job"]["id"])
    validation = await at_work.post("/validations", {"run_id": run["id"], "detectors": False})
    export = await at_work.post(f"/runs/{run['id']}/exports", {"format": "csv", "tables": ["dm"]})
    await at_work.done(validation["job"]["id"])
    await at_work.done(export["job"]["id"])
    return {
        "dataset_id": dataset["id"],
        "number": 1,
        "table": "dm",
        "column": "AGE",
        "name": "dm.xpt",
        "name:path": "dm.xpt",
        "upload_id": upload["id"],
        "analysis_id": analysis["id"],
        "model_id": run["model_id"],
        "run_id": run["id"],
        "export_id": export["id"],
        "validation_id": validation["id"],
        "job_id": run["job"]["id"],
        "preset_id": (await at_work.put("/presets", BODIES["/presets"]))["id"],
        "target_id": await _target(service, at_work),
    }


async def _target(service, at_work):
    """A target, set up by who may."""
    administrator = service.as_user(await service.sign_up(role="administrator"))
    answer = await administrator.post(f"{at_work.base}/targets", json=TARGET)
    return answer.json()["id"]


def _request(method, path, base, made):
    """The request of a route, with a body that would do."""
    url = re.sub(r"\{([^}]+)\}", lambda m: str(made[m[1]]), path.removeprefix("/projects/{project_id}"))
    options = {}
    if method in ("POST", "PATCH", "PUT"):
        tail = path.rpartition("/")[2]
        options["json"] = next((b for end, b in BODIES.items() if path.endswith(end)), None)
        if path.endswith(("/analyses", "/models", "/runs", "/validations", "/corrupt", "/check")):
            options["json"] = {"dataset_id": made["dataset_id"]}
            if tail == "corrupt":
                options["json"]["plan"] = {"include": "light"}
        if tail == "pushes":
            options["json"] = {"run_id": made["run_id"]}
        if tail == "files":
            options = {"files": {"files": ("a.csv", b"a\n1\n")}}
        if tail == "import":
            options = {"json": {}, "params": {"name": "x"}}
        if tail == "{upload_id}":
            headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
            options = {"content": b"x", "headers": headers}
    if path.endswith("/compare"):
        one = made["model_id"] if "models" in path else made["analysis_id"]
        options["params"] = {"id": [one, one]}
    return base + url, options


async def test_who_is_not_in_a_project_finds_nothing_of_it(service, at_work, made):
    """One test, since making the things takes longest."""
    await _strangers_and_viewers(service, at_work, made)
    await _things_named_in_bodies(service, made)


async def _strangers_and_viewers(service, at_work, made):
    stranger = service.as_user(await service.sign_up(role="manager"))
    nobody = service.client()
    other = await service.sign_up(role="manager")
    elsewhere = await service.project(other)
    others = service.as_user(other)
    for method, path in ROUTES:
        url, options = _request(method, path, at_work.base, made)
        assert (await stranger.request(method, url, **options)).status_code == 404, (method, path)
        assert (await nobody.request(method, url, **options)).status_code == 401, (method, path)
        if "{" in path.removeprefix("/projects/{project_id}"):
            # their own project, with the ids of things in another
            url, options = _request(method, path, f"/api/projects/{elsewhere}", made)
            assert (await others.request(method, url, **options)).status_code == 404, (method, path)

    viewer = service.as_user(await service.sign_up(role="viewer"))
    for method, path in ROUTES:
        url, options = _request(method, path, at_work.base, made)
        if method not in ("GET", "HEAD") and not path.endswith(("/query", "/exports")):
            assert (await viewer.request(method, url, **options)).status_code == 403, (method, path)

    for method, path in ROUTES:
        if method == "GET" and not path.endswith(("/report", "/answers")):
            url, options = _request(method, path, at_work.base, made)
            if path.endswith("/exports/{export_id}/files/{name}"):
                url = url.replace("dm.xpt", "dm.csv")
            assert (await at_work.client.request(method, url, **options)).status_code == 200, (method, path)


async def _things_named_in_bodies(service, made):
    other = await service.sign_up()
    client, base = service.as_user(other), f"/api/projects/{await service.project(other)}"
    for path, body in (
        ("/analyses", {"dataset_id": made["dataset_id"]}),
        ("/models", {"dataset_id": made["dataset_id"]}),
        ("/runs", {"dataset_id": made["dataset_id"], "document": {"subjects": 1}}),
        ("/runs/check", {"dataset_id": made["dataset_id"], "document": {"subjects": 1}}),
        ("/runs", {"model_id": made["model_id"], "document": {"subjects": 1}}),
        ("/runs/corrupt", {"dataset_id": made["dataset_id"], "plan": {"include": "light"}}),
        ("/validations", {"run_id": made["run_id"]}),
        ("/validations", {"dataset_id": made["dataset_id"]}),
        ("/runs", {"dataset_id": str(uuid.uuid4()), "document": {"subjects": 1}}),
    ):
        answer = await client.post(base + path, json=body)
        assert answer.status_code == 404, (path, answer.text)
