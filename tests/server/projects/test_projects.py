"""Projects: their life, and that strangers never see them."""

from __future__ import annotations

import uuid
from typing import Any


async def test_life_of_a_project(service: Any) -> None:
    owner = service.as_user(await service.sign_up())
    made = (await owner.post("/api/projects", json={"name": " Study 1 ", "domains": ["DM"]})).json()
    assert (made["name"], made["my_role"], made["archived_at"]) == ("Study 1", "owner", None)
    path = f"/api/projects/{made['id']}"
    changed = (await owner.patch(path, json={"standard": "SDTM", "domains": ["DM", "AE"]})).json()
    assert (changed["name"], changed["standard"], changed["domains"]) == ("Study 1", "SDTM", ["DM", "AE"])
    assert (await owner.patch(path, json={"archived": True})).json()["archived_at"]
    assert (await owner.get("/api/projects")).json() == {"items": [], "total": 0}
    assert (await owner.get("/api/projects?archived=true&search=tudy")).json()["total"] == 1
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).status_code == 404


async def test_a_stranger_finds_no_project(service: Any) -> None:
    project = await service.project(await service.sign_up())
    stranger = service.as_user(await service.sign_up(role="manager"))
    missing = await stranger.get(f"/api/projects/{uuid.uuid4()}")
    for method in ("get", "delete"):
        answer = await getattr(stranger, method)(f"/api/projects/{project}")
        assert (answer.status_code, answer.json()["detail"]) == (404, missing.json()["detail"])
    assert (await stranger.patch(f"/api/projects/{project}", json={"name": "Mine"})).status_code == 404
    assert (await stranger.get("/api/projects")).json()["total"] == 0


async def test_administrators_see_all(service: Any) -> None:
    project = await service.project(await service.sign_up())
    administrator = service.as_user(await service.sign_up(role="administrator"))
    assert (await administrator.get(f"/api/projects/{project}")).json()["my_role"] == "owner"


async def test_problems_are_problem_details(service: Any) -> None:
    answer = await service.client().get("/api/projects")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-authenticated"
    viewer = service.as_user(await service.sign_up(role="viewer"))
    assert (await viewer.post("/api/projects", json={"name": "x"})).status_code == 403
    invalid = await service.as_user(await service.sign_up()).post("/api/projects", json={"name": ""})
    assert (invalid.status_code, invalid.json()["errors"][0]["place"]) == (422, "body.name")


async def test_members_see_what_was_done_and_by_whom(service: Any) -> None:
    owner, viewer = await service.sign_up(name="Olga"), await service.sign_up()
    project = await service.project(owner, name="Study 7")
    client = service.as_user(owner)
    await client.patch(f"/api/projects/{project}", json={"name": "Study 8"})
    made = await client.post(f"/api/projects/{project}/datasets", json={"name": "Vitals"})
    page = (await client.get(f"/api/projects/{project}/activity", params={"limit": 2})).json()
    assert [(each["by"], each["object_kind"], each["name"]) for each in page["items"]] == [
        ("Olga", "dataset", "Vitals"),
        ("Olga", "project", "Study 8"),
    ]
    assert page["items"][0]["object_id"] == made.json()["id"]
    rest = (await client.get(f"/api/projects/{project}/activity", params={"before": page["next"]})).json()
    assert [each["action"] for each in rest["items"]] == ["project.made"] and rest["next"] is None
    assert (await service.as_user(viewer).get(f"/api/projects/{project}/activity")).status_code == 404
