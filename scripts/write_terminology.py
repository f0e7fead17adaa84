"""Writes the code lists that the rules use from a release of CDISC's SDTM terminology as NCI EVS publishes it.

    python scripts/write_terminology.py RELEASE.parquet VERSION

The release is a table with one row a list or term: clst_code, is_clst, code, term, ext, syn (synonyms by semicolon).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from datareplicator.standards.variables import LISTS

TARGET = Path(__file__).resolve().parent.parent / "src" / "datareplicator" / "standards" / "terminology.json"


def code_list(head: object, terms: pd.DataFrame) -> dict[str, object]:
    """One list: its concept, whether it may be extended, and its terms with their concepts."""
    synonyms = {
        word.strip(): term
        for term, text in zip(terms["term"], terms["syn"].fillna(""), strict=True)
        for word in text.split(";")
        if word.strip() and len(terms) <= 1000
    }
    known = set(terms["term"])
    return {
        "code": head.code,
        "extensible": bool(head.ext),
        "terms": dict(zip(terms["term"], terms["code"], strict=True)),
        "synonyms": {word: term for word, term in synonyms.items() if word not in known},
    }


def main(source: str, version: str) -> None:
    # A reader took the term NA (not applicable) for a missing one.
    release = pd.read_parquet(source).fillna({"term": "NA"})
    heads = release[release["is_clst"] & release["term"].isin(set(LISTS.values()))]
    members = release[~release["is_clst"]]
    lists = {
        head.term: code_list(head, members[members["clst_code"] == head.code]) for head in heads.itertuples(index=False)
    }
    absent = set(LISTS.values()) - set(lists)
    if absent:
        raise SystemExit(f"the release has no list {', '.join(sorted(absent))}")
    written = {name: json.dumps(held, ensure_ascii=False, sort_keys=True) for name, held in sorted(lists.items())}
    held = [f"{json.dumps(name)}: {text}" for name, text in written.items()]
    text = f'{{"version": {json.dumps(version)}, "lists": {{\n' + ",\n".join(held) + "\n}}\n"
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET}: {len(lists)} lists, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
