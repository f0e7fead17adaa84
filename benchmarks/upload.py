"""A file of gigabytes on its way into the service, on loopback: how long it takes and how much memory it needs."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.service import _serving, _tokens
from datareplicator.server.settings import Settings

LINE = b"SUBJECT-0001,2024-02-29,12.5\n"
PIECE = LINE * 40_000
HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="big.csv"\r\n\r\nUSUBJID,DATE,VALUE\n'


def _form(size: int) -> Iterator[bytes]:
    yield HEAD
    for _ in range(size // len(PIECE)):
        yield PIECE
    yield b"\r\n--x--\r\n"


def _memory(process: int, what: str) -> float:
    """MB that a process holds (VmRSS) or held at most (VmHWM)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def main() -> int:
    """Measure; 1 where the upload is refused."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upload", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    size = int(parser.parse_args().gigabytes * 2**30)
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as (url, process):
        settings = Settings(_env_file=None, data_dir=Path(folder))
        (token,) = asyncio.run(_tokens(settings, 1, "administrator"))
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{url}/api", headers=headers, timeout=600) as client:
            home = "/projects/" + client.post("/projects", json={"name": "Big"}).json()["id"] + "/datasets"
            dataset = client.post(home, json={"name": "Big"}).json()["id"]
            before, started = _memory(process, "VmRSS"), time.monotonic()
            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            answer = client.post(f"{home}/{dataset}/files", content=_form(size), headers=kind)
            took = time.monotonic() - started
            print(
                f"status {answer.status_code}, {size / 2**30:.1f} GB in {took:.0f} s ({size / 2**20 / took:.0f} MB/s)"
            )
            print(f"memory of the server: {before:.0f} MB before, {_memory(process, 'VmHWM'):.0f} MB at most")
    return int(answer.status_code != 201)


if __name__ == "__main__":
    sys.exit(main())
