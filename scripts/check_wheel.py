"""Builds the wheel and fails unless it holds every file of the package, the sample study and the web interface among
them. Only where there is no npm, which builds the interface, the wheel may be without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
SAMPLE = "datareplicator/data/"
INTERFACE = "datareplicator/server/ui/index.html"


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


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
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
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
