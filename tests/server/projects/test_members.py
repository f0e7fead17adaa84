"""Members and invitations."""

from __future__ import annotations

from typing import Any


async def test_from_invitation_to_membership(service: Any) -> None:
    owner, guest, other = await service.sign_up(), await service.sign_up(), await service.sign_up()
    project = await service.project(owner)
    host, base = service.as_user(owner), f"/api/projects/{project}"
    made = (await host.post(f"{base}/invitations", json={"email": guest.email.upper(), "role": "editor"})).json()
    assert [one["email"] for one in (await host.get(f"{base}/invitations")).json()] == [guest.email]
    token = {"token": made["link"].split("#token=")[1]}
    assert (await service.as_user(other).post("/api/invitations/accept", json=token)).status_code == 404
    client = service.as_user(guest)
    assert (await client.get(base)).status_code == 404
    assert (await client.post("/api/invitations/accept", json=token)).json()["my_role"] == "editor"
    assert (await client.post("/api/invitations/accept", json=token)).status_code == 404
    assert (await client.patch(base, json={"name": "Ours"})).json()["name"] == "Ours"
    assert (await client.delete(base)).status_code == 403
    members = {one["email"]: one["role"] for one in (await client.get(f"{base}/members")).json()}
    assert members == {owner.email: "owner", guest.email: "editor"}
    assert (await host.patch(f"{base}/members/{guest.id}", json={"role": "viewer"})).status_code == 200
    assert (await client.patch(base, json={"name": "Mine"})).status_code == 403
    assert (await client.delete(f"{base}/members/{owner.id}")).status_code == 403
    assert (await client.delete(f"{base}/members/{guest.id}")).status_code == 204
    assert (await client.get(base)).status_code == 404


async def test_the_last_owner_stays(service: Any) -> None:
    owner = await service.sign_up()
    project = await service.project(owner)
    path = f"/api/projects/{project}/members/{owner.id}"
    client = service.as_user(owner)
    assert (await client.delete(path)).status_code == 409
    assert (await client.patch(path, json={"role": "viewer"})).status_code == 409


async def test_withdrawn_invitations_are_dead(service: Any) -> None:
    owner, guest = await service.sign_up(), await service.sign_up()
    project = await service.project(owner)
    client, base = service.as_user(owner), f"/api/projects/{project}/invitations"
    made = (await client.post(base, json={"email": guest.email})).json()
    assert (await client.delete(f"{base}/{made['id']}")).status_code == 204
    token = {"token": made["link"].split("#token=")[1]}
    assert (await service.as_user(guest).post("/api/invitations/accept", json=token)).status_code == 404
