"""Learning presence: panels of cells that come together, their rates by visit, and how misses cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from datareplicator.model.arrays import group_sums
from datareplicator.model.findings.grid import Grid
from datareplicator.model.findings.presence_model import Presence
from datareplicator.model.subjects import Subjects

# Two cells are one panel where they disagree in fewer than this share of their table's rows.
PANEL_DISAGREEMENT = 0.03
RARE_VISIT = 10


def fit_presence(grid: Grid, cells: Sequence, subjects: Subjects) -> Presence:
    """`cells`: of the findings model, in the grid's order."""
    names = list(dict.fromkeys(cell.table for cell in cells))
    table_of_cell = np.array([names.index(cell.table) for cell in cells], dtype=np.int64)
    attends = np.column_stack([grid.present[:, table_of_cell == t].any(1) for t in range(len(names))])
    attends = attends.reshape(grid.rows, len(names))
    panel_of_cell, table_of_panel = _panels(grid, table_of_cell, attends)
    panels = len(table_of_panel)
    shown = np.column_stack([grid.present[:, panel_of_cell == p].any(1) for p in range(panels)])
    shown = shown.reshape(grid.rows, panels)
    classes, class_of_row, count = _classes(grid, subjects, attends, shown, table_of_panel)
    patterns, pattern_share = _patterns(grid, attends, class_of_row, count)
    rate = _panel_rates(grid, shown, attends[:, table_of_panel], class_of_row, count)
    persistence, row_share = _clusters(grid, shown, attends[:, table_of_panel], rate, class_of_row, table_of_panel)
    absent = _rates(~grid.present & shown[:, panel_of_cell], shown[:, panel_of_cell])
    unknown_now = grid.present & np.isnan(grid.values)
    unknown = _rates_by_visit(unknown_now, grid)
    unknown_share = _together(unknown_now, grid.present, unknown[grid.visit], panel_of_cell, panels)
    return Presence(
        tables=tuple(names),
        table_of_cell=table_of_cell,
        panel_of_cell=panel_of_cell,
        table_of_panel=table_of_panel,
        classes=classes,
        patterns=patterns,
        pattern_share=pattern_share,
        panel_rate=rate,
        persistence=persistence,
        row_share=row_share,
        absent=absent,
        unknown=unknown,
        unknown_share=unknown_share,
    )


def _panels(grid: Grid, table_of_cell: np.ndarray, attends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leader clustering of a table's cells by their presence, the most complete cell first."""
    panel_of_cell = np.full(grid.cells, -1, dtype=np.int64)
    table_of_panel: list[int] = []
    for table in range(attends.shape[1]):
        here = grid.present[attends[:, table]]
        limit = PANEL_DISAGREEMENT * max(len(here), 1)
        left = np.flatnonzero(table_of_cell == table)
        left = left[np.argsort(-here[:, left].sum(0), kind="stable")]
        while len(left):
            differ = (here[:, left] != here[:, left[:1]]).sum(0)
            joins = differ <= limit
            panel_of_cell[left[joins]] = len(table_of_panel)
            table_of_panel.append(table)
            left = left[~joins]
    return panel_of_cell, np.array(table_of_panel, dtype=np.int64)


def _classes(grid, subjects, attends, shown, table_of_panel) -> tuple[np.ndarray, np.ndarray, int]:
    """Subjects by stratum, and by group as well where presence differs between groups beyond chance (1e-4)."""
    strata = int(subjects.stratum.max(initial=0)) + 1
    groups = int(subjects.group.max(initial=-1)) + 1
    classes = np.repeat(np.arange(strata + 1), groups + 1).reshape(strata + 1, groups + 1)
    classes[-1] = 0
    group = subjects.group[grid.subject]
    differs = _differ(attends, np.ones_like(attends), group, grid.visit) | _differ(
        shown, attends[:, table_of_panel], group, grid.visit
    )
    if groups > 1 and differs:
        classes = np.arange((strata + 1) * (groups + 1)).reshape(strata + 1, groups + 1)
    stratum = subjects.stratum
    class_of_subject = classes[
        np.where(stratum >= 0, stratum, strata), np.where(subjects.group >= 0, subjects.group, groups)
    ]
    return classes, class_of_subject[grid.subject], int(classes.max()) + 1


def _differ(flags: np.ndarray, base: np.ndarray, group: np.ndarray, visit: np.ndarray) -> bool:
    """Whether presence given `base` depends on the group, by a chi-square test over groups net of the visits."""
    use = group >= 0
    if not use.any() or flags.shape[1] == 0:
        return False
    flags, base, group, visit = flags[use].astype(float), base[use].astype(float), group[use], visit[use]
    flags = flags * base
    size = int(visit.max()) + 1
    rate = group_sums(flags, visit, size) / np.maximum(group_sums(base, visit, size), 1)
    expected, variance = rate[visit] * base, (rate * (1 - rate))[visit] * base
    groups = int(group.max()) + 1
    observed = group_sums(flags - expected, group, groups)
    spread = group_sums(variance, group, groups)
    # Rows of a subject are not independent: count them as ten times fewer.
    statistic = (observed**2 / np.maximum(spread, 1e-9)).sum(0) / 10.0
    return bool((chi2.sf(statistic, max(groups - 1, 1)) < 1e-4 / flags.shape[1]).any())


def _patterns(grid: Grid, attends: np.ndarray, of_class: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    patterns, index = np.unique(attends.astype(np.int64), axis=0, return_inverse=True)
    index = index.reshape(-1)
    size = len(patterns)
    cell = (of_class * grid.visits + grid.visit) * size + index
    counts = np.bincount(cell, minlength=classes * grid.visits * size).reshape(classes, grid.visits, size).astype(float)
    by_visit = counts.sum(0)
    rare = by_visit.sum(1) < RARE_VISIT
    pool = by_visit[rare].sum(0) if rare.any() and by_visit[rare].sum() > 0 else by_visit.sum(0)
    pool = pool / max(pool.sum(), 1)
    weight = np.where(rare, 1.0, 0.0)[:, None]
    visit_share = (by_visit + weight * pool) / np.maximum((by_visit.sum(1, keepdims=True) + weight), 1e-9)
    visit_share[by_visit.sum(1) == 0] = pool
    share = (counts + 0.2 * visit_share) / (counts.sum(2, keepdims=True) + 0.2)
    return patterns, share


def _panel_rates(grid, shown, attends, of_class, classes) -> np.ndarray:
    """(classes, visits, panels); visits that show a panel as a rule share their misses (ten visits' worth)."""
    index = of_class * grid.visits + grid.visit
    seen = group_sums(shown.astype(float), index, classes * grid.visits).reshape(classes, grid.visits, -1)
    base = group_sums(attends.astype(float), index, classes * grid.visits).reshape(classes, grid.visits, -1)
    seen_v, base_v = seen.sum(0), base.sum(0)
    raw = seen_v / np.maximum(base_v, 1)
    usual = (raw > 0.5) & (base_v > 0)
    common = (seen_v * usual).sum(0) / np.maximum((base_v * usual).sum(0), 1)
    rate = np.where(usual, (seen_v + 10 * common) / (base_v + 10), raw)
    overall = seen_v.sum(0) / np.maximum(base_v.sum(0), 1)
    few = base_v < RARE_VISIT / 3
    rate = np.where(few, (seen_v + overall) / (base_v + 1), rate)
    return (seen + 0.5 * rate) / (base + 0.5) if classes > 1 else rate[None]


def _clusters(grid, shown, attends, rate, of_class, table_of_panel) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of a panel's misses over a subject's rows, and of a table's panels at one visit."""
    p = rate[of_class, grid.visit]
    rest = np.where(attends, shown - p, 0.0)
    spread = np.where(attends, np.sqrt(p * (1 - p)), 0.0)
    own, own_spread = grid.by_subject(rest), grid.by_subject(spread)
    joint = (own**2 - grid.by_subject(rest**2)).sum(0)
    scale = (own_spread**2 - grid.by_subject(spread**2)).sum(0)
    persistence = np.clip(joint / (scale + 1.0), 0.0, 0.98)
    tables = int(table_of_panel.max(initial=-1)) + 1
    row_share = np.zeros(tables)
    for table in range(tables):
        mine = table_of_panel == table
        joint = (rest[:, mine].sum(1) ** 2 - (rest[:, mine] ** 2).sum(1)).sum()
        scale = (spread[:, mine].sum(1) ** 2 - (spread[:, mine] ** 2).sum(1)).sum()
        row_share[table] = np.clip(joint / (scale + 1.0), 0.0, 0.98)
    return np.sqrt(persistence), np.sqrt(row_share)


def _rates(event: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Rates by cell, shrunk to their mean by ten rows' worth, except where none of many rows has the event."""
    count, total = event.sum(0).astype(float), base.sum(0).astype(float)
    common = count.sum() / max(total.sum(), 1.0)
    rate = (count + 10 * common) / (total + 10)
    rate = np.where((count == 0) & (total >= 20), 0.0, rate)
    return np.where((count == total) & (total > 0), 1.0, rate)


def _rates_by_visit(event: np.ndarray, grid: Grid) -> np.ndarray:
    """(visits, cells) rates of rows without a value, each visit's shrunk to the cell's own by five rows' worth,
    except where all rows or none of many say the same."""
    common = _rates(event, grid.present)
    count = group_sums((event & grid.present).astype(float), grid.visit, grid.visits)
    total = group_sums(grid.present.astype(float), grid.visit, grid.visits)
    rate = (count + 5 * common) / (total + 5)
    rate = np.where((count == 0) & (total >= 20), 0.0, rate)
    return np.where((count == total) & (total >= 5), 1.0, rate)


def _together(event: np.ndarray, base: np.ndarray, rate: np.ndarray, panel: np.ndarray, panels: int) -> np.ndarray:
    share = np.zeros(panels)
    rest = np.where(base, event - rate, 0.0)
    spread = np.where(base, np.sqrt(rate * (1 - rate)), 0.0)
    for p in range(panels):
        mine = panel == p
        joint = (rest[:, mine].sum(1) ** 2 - (rest[:, mine] ** 2).sum(1)).sum()
        scale = (spread[:, mine].sum(1) ** 2 - (spread[:, mine] ** 2).sum(1)).sum()
        share[p] = np.clip(joint / (scale + 1.0), 0.0, 0.98)
    return np.sqrt(share)
