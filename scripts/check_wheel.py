"""Builds the wheel, fails unless it holds every file of the package, the sample study and the web interface among them,
and runs it as a user would: installed into an empty environment, the demo and the service with its pages. Only where
there is no npm, which builds the interface, the wheel may be without it.

Dependencies are lent by the present environment; with ``--alone`` they are installed as well, as the wheel states them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
SAMPLE = "datareplicator/data/"
INTERFACE = "datareplicator/server/ui/index.html"
PATIENCE = 60.0
"""Seconds until the service must answer."""


def build(folder: Path) -> Path:
    """The wheel, built into `folder` with the tools that are installed already."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def expected() -> set[str]:
    """The package's files by their names in the wheel."""
    files = (path for path in (SOURCE / "datareplicator").rglob("*") if path.is_file())
    return {path.relative_to(SOURCE).as_posix() for path in files if "__pycache__" not in path.parts}


def installed(wheel: Path, folder: Path, *, alone: bool) -> Path:
    """The program of the wheel in an environment of its own."""
    venv.create(folder, with_pip=alone)
    python = folder / "bin" / "python"
    if alone:
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"{wheel}[server]"], check=True)
        return folder / "bin" / "datareplicator"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
    (own,) = (folder / "lib").glob("python*/site-packages")
    # What stands in the environment itself comes first, so that the package is the wheel's.
    (own / "lent.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return folder / "bin" / "datareplicator"


def run_demo(program: Path, folder: Path) -> str:
    """Replicates the sample study; the package must be that of the wheel."""
    where = [program.with_name("python"), "-c", "import datareplicator; print(datareplicator.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True, cwd=folder).stdout.strip()
    if not Path(found).is_relative_to(program.parents[1]):
        raise SystemExit(f"not the package of the wheel was run, but {found}")
    output = folder / "demo"
    command = [program, "demo", "--subjects", "30", "--output", str(output)]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return f"the demo wrote {sum(1 for path in output.rglob('*') if path.is_file())} files"


def run_service(program: Path, folder: Path, *, interface: bool) -> str:
    """Starts the service, and opens its first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = folder / "service.log"
    environment = {**os.environ, "DATAREPLICATOR_ENVIRONMENT": "development"}
    command = [program, "serve", "--port", str(port), "--data-dir", str(folder / "data")]
    with log.open("wb") as told:
        service = subprocess.Popen(command, cwd=folder, env=environment, stdout=told, stderr=subprocess.STDOUT)
    try:
        started = time.monotonic()
        _answer(service, f"{address}/readyz", log)
        took = time.monotonic() - started
        page = _answer(service, f"{address}/", log) if interface else "<!doctype html>"
        if "<!doctype html>" not in page.lower():
            raise SystemExit(f"the service's first page is no page: {page[:200]}")
    finally:
        service.terminate()
        service.wait(30)
    return f"the service answered after {took:.1f} s" + (" with its pages" if interface else "")


def _answer(service: subprocess.Popen[bytes], address: str, log: Path) -> str:
    limit = time.monotonic() + PATIENCE
    while service.poll() is None and time.monotonic() < limit:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer:\n{log.read_text(encoding='utf-8', errors='replace')}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alone", action="store_true", help="install the dependencies too")
    alone = parser.parse_args().alone
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        with zipfile.ZipFile(wheel) as archive:
            present = set(archive.namelist())
        missing = sorted(expected() - present)
        sample = [name for name in present if name.startswith(SAMPLE) and not name.endswith(".py")]
        if missing or not sample:
            print(f"{wheel.name} lacks: {', '.join(missing) or 'the sample study'}", file=sys.stderr)
            return 1
        if INTERFACE not in present and shutil.which("npm"):
            print(f"{wheel.name} lacks the web interface: `make ui` builds it", file=sys.stderr)
            return 1
        interface = sum(name.startswith(INTERFACE.rpartition("/")[0]) for name in present)
        told = f"{interface} the web interface" if interface else "without the web interface, for there is no npm"
        print(f"{wheel.name}: {len(present)} files, {len(sample)} of them the sample study, {told}")
        program = installed(wheel, folder / "environment", alone=alone)
        print(f"in an empty environment: {run_demo(program, folder)}; ", end="", flush=True)
        print(run_service(program, folder, interface=bool(interface)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
