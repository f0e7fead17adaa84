"""Texts put together from other columns: identifiers and labels."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View
from datareplicator.structure.spec import Derivation, Kind

STYLES = ("plain", "upper", "lower", "title")


def concat(view: View, d: Derivation) -> pd.Series:
    """``parts`` joined: a literal text, or {"source": i, "width": zero-padded to (0: not), "style": letter case}.

    Missing where any source is.
    """
    rows = view.rows(d.table)
    ids, size = view.group(d.table, [s.column for s in d.sources])
    where = np.zeros(size, dtype=np.int64)
    where[ids[::-1]] = np.arange(rows)[::-1]
    pieces = [view.values(d.table, s.column) for s in d.sources]
    written: list[np.ndarray] = []
    for part in d.params["parts"]:
        if isinstance(part, str):
            written.append(np.full(size, part, dtype=object))
        else:
            values = pieces[part["source"]]
            levels = np.append(_styled(values, part["width"], part["style"]), None)
            written.append(levels[values.codes[where]])
    known = np.ones(size, dtype=bool)
    for values in pieces:
        known &= values.codes[where] >= 0
    joined = np.array([("".join(row) if ok else None) for ok, *row in zip(known, *written, strict=True)], dtype=object)
    labels, categories = pd.factorize(joined)
    codes = labels[ids] if size else np.empty(0, dtype=np.int64)
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype="str")))


def _styled(values: Values, width: int, style: str) -> np.ndarray:
    texts = [t.zfill(width) for t in values.text_levels]
    if style != "plain":
        texts = [getattr(t, style)() for t in texts]
    return np.array([*texts, ""], dtype=object)[:-1]


TEMPLATES = {"concat": concat}


def mine(scene: Scene) -> list[Derivation]:
    """Text columns that are literals and other columns of the row, joined."""
    found: list[Derivation] = []
    for table in scene.targets:
        targets = [c for c in scene.ctx.tables[table].columns if _target(scene, table, c)]
        for target in targets:
            one = _find(scene, table, target)
            found += [one] if one else []
    return found


def _target(scene: Scene, table: str, column: str) -> bool:
    values = scene.values(table, column)
    if values.stored_number or values.is_date or values.distinct < 4 or column in scene.ctx.same.get(table, {}):
        return False
    if column == scene.key(table) and table != scene.ctx.root:
        return False
    if column not in scene.candidates(table) and column != scene.key(table):
        return False
    return scene.ctx.tables[table][column].kind not in (Kind.TEXT, Kind.DECIMAL)


def _find(scene: Scene, table: str, target: str) -> Derivation | None:
    values = scene.values(table, target)
    rows = np.flatnonzero(values.present)
    _, first = np.unique(values.codes[rows], return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[:: max(1, len(rows) // 40)][:40]
    texts = [str(values.text_levels[c]) for c in values.codes[rows]]
    parts = _candidates(scene, table, target, rows, texts)
    if not parts:
        return None
    for layout in _layouts(texts[0], parts):
        used = [p for p in layout if isinstance(p, tuple)]
        if not used or not _varied(used, texts):
            continue
        if all(_write(layout, i) == t for i, t in enumerate(texts)):
            one = _judge(scene, table, target, layout)
            if one:
                return one
    return None


Part = tuple[str, int, str, tuple[str, ...]]


def _candidates(scene: Scene, table: str, target: str, rows: np.ndarray, texts: list[str]) -> list[Part]:
    """(column, width, style, texts on the sampled rows) of columns that are found within the target everywhere."""
    found: list[Part] = []
    for name in scene.ctx.tables[table].columns:
        values = scene.values(table, name)
        if name == target or values.distinct < 2 or values.stored_time or not (values.codes[rows] >= 0).all():
            continue
        if name in scene.ctx.same.get(table, {}) or scene.ctx.tables[table][name].kind == Kind.TEXT:
            continue
        seen: set[tuple[str, ...]] = set()
        widths = [0]
        if values.is_number:
            longest = max(len(t) for t in values.text_levels)
            widths += [w for w in range(2, 9) if w >= longest]
        for width, style in product(widths, STYLES):
            if style != "plain" and (width or values.is_number):
                continue
            styled = _styled(values, width, style)
            written = tuple(styled[values.codes[rows]])
            if written not in seen and all(w and w in t for w, t in zip(written, texts, strict=True)):
                found.append((name, width, style, written))
                seen.add(written)
    return sorted(found, key=lambda p: -sum(map(len, p[3])))[:10]


def _layouts(text: str, parts: list[Part]) -> list[list[Any]]:
    """Ways to read the first text as literals and parts, those with most covered first."""
    found: list[tuple[int, int, list[Any]]] = []

    def read(position: int, layout: list[Any], covered: int, used: frozenset[str]) -> None:
        if len(found) > 300:
            return
        if position == len(text):
            found.append((covered, -len(layout), layout))
            return
        for part in parts:
            piece = part[3][0]
            if part[0] not in used and text.startswith(piece, position):
                read(position + len(piece), [*layout, part], covered + len(piece), used | {part[0]})
        tail = (
            [*layout[:-1], layout[-1] + text[position]]
            if layout and isinstance(layout[-1], str)
            else [*layout, text[position]]
        )
        read(position + 1, tail, covered, used)

    read(0, [], 0, frozenset())
    return [layout for _, _, layout in sorted(found, key=lambda f: (-f[0], -f[1]))]


def _varied(used: list[Part], texts: list[str]) -> bool:
    """The parts must tell the texts apart."""
    return len(set(zip(*(p[3] for p in used), strict=True))) == len(set(texts)) >= 4


def _write(layout: list[Any], i: int) -> str:
    return "".join(p if isinstance(p, str) else p[3][i] for p in layout)


def _judge(scene: Scene, table: str, target: str, layout: list[Any]) -> Derivation | None:
    columns = list(dict.fromkeys(p[0] for p in layout if not isinstance(p, str)))
    parts = [p if isinstance(p, str) else {"source": columns.index(p[0]), "width": p[1], "style": p[2]} for p in layout]
    if len(parts) < 2 and parts[0]["style"] == "plain" and not parts[0]["width"]:
        return None
    return scene.judge(
        0.99, table=table, target=target, template="concat", sources=ref(table, *columns), params={"parts": parts}
    )
