"""Our rules on the published test cases of the CDISC CORE rules that they answer to."""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datareplicator.study import Column, Study, Table
from datareplicator.validate.sdtm import SDTM_RULES, SdtmView

CASES = Path(__file__).resolve().parents[2] / "../shared/data/open-rules.zip"
FOUND, SILENT = 0.92, 0.82
"""Shares of negative cases found and of positive ones without findings. Some of our rules look at more than the CORE
rule of the case does, and say so in cases that are positive for that rule alone."""


def study(archive: zipfile.ZipFile, folder: str, names: list[str]) -> Study:
    described = pd.read_csv(io.BytesIO(archive.read(f"{folder}_variables.csv")), dtype=str).fillna("")
    tables = {}
    for path in names:
        name = path.removeprefix(folder).removesuffix(".csv")
        held = described[described["dataset"].str.lower() == name.lower()]
        kinds, labels = (dict(zip(held["variable"], held[c], strict=True)) for c in ("type", "label"))
        frame = pd.read_csv(io.BytesIO(archive.read(path)), dtype=str, keep_default_na=False).replace("", np.nan)
        for column in frame:
            if kinds.get(column) == "Num":
                frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
            else:
                frame[column] = frame[column].astype("str")
        columns = {c: Column(c, "float" if kinds.get(c) == "Num" else "text", labels.get(c, "")) for c in frame}
        tables[name] = Table(name, frame, columns)
    return Study(tables)


@pytest.mark.skipif(not CASES.exists(), reason="the published cases of the CORE rules are not there")
def test_rules_agree_with_the_core_rules_that_they_name() -> None:
    ours = defaultdict(list)
    for rule in SDTM_RULES:
        for core in rule.core:
            ours[core].append(rule)
    seen = {"negative": [], "positive": []}
    with zipfile.ZipFile(CASES) as archive:
        folders = defaultdict(list)
        for path in archive.namelist():
            folder, data, name = path.rpartition("/data/")
            if data and name.endswith(".csv") and not name.startswith("_"):
                folders[f"{folder}/data/"].append(path)
        for folder, names in sorted(folders.items()):
            core, kind = folder.split("/")[-5:-3]
            if core in ours:
                view = SdtmView(study(archive, folder, names))
                hits = [hit for rule in ours[core] for hit in rule.check(view)]
                seen[kind].append(any(hit.bad.any() for hit in hits))
    assert len(seen["negative"]) > 150 and len(seen["positive"]) > 150
    assert np.mean(seen["negative"]) >= FOUND and np.mean(seen["positive"]) <= 1 - SILENT
