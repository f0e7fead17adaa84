"""Settings and limits hold with two processes that answer."""

from __future__ import annotations

from contextlib import ExitStack

from support.processes import served, token_of

from datareplicator.server.settings import Settings


def test_settings_and_limits_hold_with_two_processes(settings: Settings) -> None:
    root, free = token_of(settings, "administrator"), token_of(settings, tier="free")
    hers = {"headers": {"Authorization": f"Bearer {free}"}}
    with ExitStack() as stack:
        (one, _), (two, _) = (stack.enter_context(served(settings, 0, root)) for _ in range(2))
        for first, second in ((one, two), (two, one)):
            for value in (True, False):
                change = {"access": {"allow_registration": value}, "defaults": {"subjects": 100 + value}}
                assert first.patch("/settings", json=change).status_code == 200
                assert second.get("/auth/methods").json()["registration_open_to_all"] is value
                assert second.get("/settings").json()["settings"]["defaults"]["subjects"] == 100 + value
        used = 120 - int(one.get("/projects", **hers).headers["RateLimit-Remaining"])
        assert one.patch("/settings", json={"tiers": {"free": {"requests_per_minute": used + 6}}}).is_success
        statuses = [(one, two)[n % 2].get("/projects", **hers).status_code for n in range(10)]
        assert statuses == [200] * 6 + [429] * 4
        refused = two.get("/projects", **hers)
        assert 0 < int(refused.headers["Retry-After"]) <= 60 and refused.headers["RateLimit-Remaining"] == "0"
        assert two.get("/audit/verify").json()["whole"]
