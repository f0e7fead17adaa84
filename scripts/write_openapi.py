"""Writes the service's OpenAPI document, from which the types of the web interface's client are made."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "ui" / "openapi.json"


def document() -> dict[str, object]:
    """The document of the service as it is, with no setting of this machine in it."""
    from datareplicator.server.app import create_app
    from datareplicator.server.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        return create_app(Settings(_env_file=None, data_dir=Path(folder))).openapi()


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    content = document()
    target.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{target}: {len(content['paths'])} paths")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
