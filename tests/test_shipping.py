"""What the image is built from exists and reaches the builder, and its settings are ones that the service knows."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SETTING = re.compile(r"\bDATAREPLICATOR_[A-Z_]+\b")


def copied() -> list[str]:
    """The files and folders that the image takes from the checkout."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line.startswith("COPY ") and "--from" not in line]
    return [source for line in words for source in line[1:-1]]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the builder: the last pattern that fits decides."""
    kept = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        pattern = line.removeprefix("!")
        if fnmatch.fnmatch(path, pattern) or path.startswith(pattern.rstrip("*") + "/"):
            kept = line.startswith("!")
    return not kept


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_is_not_ignored(path: str) -> None:
    assert (ROOT / path).exists()
    assert not ignored(path.rstrip("/"))


def test_what_the_machine_made_stays_out() -> None:
    assert ignored(".venv/bin/python") and ignored("src/datareplicator/server/ui/index.html")


@pytest.mark.parametrize("name", ["Dockerfile", "docker-compose.yml"])
def test_settings_are_known(name: str) -> None:
    known = set(SETTING.findall((ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")))
    named = set(SETTING.findall((ROOT / name).read_text(encoding="utf-8")))
    assert named and named <= known


def test_the_image_runs_as_nobody_special_and_is_watched() -> None:
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("FROM ")[2]
    user = re.search(r"^USER (\d+)$", last, re.MULTILINE)
    assert user and int(user[1]) > 0 and f"useradd --system --uid {user[1]} " in last and "HEALTHCHECK" in last
    assert user.start() > last.index("useradd")


def test_every_own_container_is_read_only_and_without_rights() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    own = {name: service for name, service in services.items() if service["image"] == "datareplicator"}
    assert set(own) == {"service", "worker"}
    for service in own.values():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert {name for name, service in services.items() if "profiles" not in service} == {"service"}
