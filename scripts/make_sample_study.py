"""Writes the sample study that ships in the package: ``python scripts/make_sample_study.py [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from sample_study import assemble

from datareplicator.data import sample_study_path
from datareplicator.formats import write_study


def main(folder: Path) -> None:
    """Write every table of the study into the folder, in place of what lies there."""
    written = write_study(assemble.build(), folder, format="xpt", overwrite=True)
    for file, facts in written.items():
        print(f"{file}: {facts['rows']} rows")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else sample_study_path())
