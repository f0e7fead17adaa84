"""Which tables attend at a visit, which panels of a table, and which values are missing."""

from __future__ import annotations

from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints


class Presence(Document):
    """T tables, P panels (cells of a table that come and go together), K cells, V visits, C classes of subjects.

    `classes`: (strata + 1, groups + 1) class of each stratum and group (the last row and column: unknown).
    `patterns`: (N, T) 0/1 sets of tables seen together; `pattern_share`: (C, V, N) their shares at each visit.
    `panel_rate`: (C, V, P) presence of a panel where its table attends. `persistence`: (P,) share of rows that follow
    the subject's own draw; `row_share`: (T,) share that follow the visit's draw. `absent`: (K,) rate of a cell missing
    from its panel. `unknown`: (V, K) rate of rows without a value; `unknown_share`: (P,) share of them drawn together.
    """

    tables: tuple[str, ...]
    table_of_cell: Ints
    panel_of_cell: Ints
    table_of_panel: Ints
    classes: Ints
    patterns: Ints
    pattern_share: Floats
    panel_rate: Floats
    persistence: Floats
    row_share: Floats
    absent: Floats
    unknown: Floats
    unknown_share: Floats

    @model_validator(mode="after")
    def _shapes(self) -> Presence:
        if self.pattern_share.shape[-1] != len(self.patterns):
            raise ValueError("pattern_share: last axis must have one entry a pattern")
        if self.panel_rate.shape[-1] != len(self.table_of_panel):
            raise ValueError("panel_rate: last axis must have one entry a panel")
        if not len(self.absent) == self.unknown.shape[-1] == len(self.panel_of_cell) == len(self.table_of_cell):
            raise ValueError("absent, unknown, panel_of_cell, table_of_cell: one entry a cell is needed")
        return self
