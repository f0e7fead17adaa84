"""The study identifier and the pattern of subject identifiers, set in the model before anything is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.generate.control.asked import PATTERN
from datareplicator.generate.control.variables import column_of
from datareplicator.model.identity import IdentifierModel, Token
from datareplicator.model.reference import ReferenceTable
from datareplicator.model.relations import RelationModel
from datareplicator.model.study_model import SourceTable, StudyModel
from datareplicator.structure.spec import Derivation

_STUDY = re.compile("study|trial|protocol")


def with_identifiers(model: StudyModel, patterns: Mapping[str, str]) -> StudyModel:
    """The model with other patterns of identifiers of subjects, by column. Raises RequestError for columns that are
    no identifiers or follow from others."""
    own = {identifier.column: identifier for identifier in model.root.identifiers}
    table = model.structure.tables[model.root.table]
    for name, pattern in patterns.items():
        column = column_of(model, name)
        if column not in own:
            made = [d for d in model.structure.derivations if (d.table, d.target) == (table.name, column)]
            why = "follows from " + ", ".join(s.column for s in made[0].sources) if made else "names no subjects"
            raise RequestError(f"{column} {why}: it takes no pattern.", hint=f"Patterns are for {', '.join(own)}.")
        if own[column].number:
            raise RequestError(f"{column} holds numbers: it takes no pattern.")
        own[column] = _with_pattern(model, own[column], pattern)
    root = model.root.model_copy(update={"identifiers": tuple(own.values())})
    return model.model_copy(update={"root": root})


def _with_pattern(model: StudyModel, identifier: IdentifierModel, pattern: str) -> IdentifierModel:
    tokens = []
    others = {i.column for i in model.root.identifiers}
    for part in PATTERN.finditer(pattern):
        if part.group(1) is not None:
            column = column_of(model, part.group(1))
            if column in others:
                raise RequestError(f"{identifier.column}: {column} is an identifier itself.")
            tokens.append(Token(kind="column", text=column))
        elif part.group().startswith("#"):
            tokens.append(Token(kind="counter", width=len(part.group())))
        else:
            tokens.append(Token(kind="literal", text=part.group()))
    return identifier.model_copy(update={"tokens": tuple(tokens)})


def with_study(model: StudyModel, name: str) -> StudyModel:
    """The model with another study identifier, also where it is a part of other identifiers. Raises RequestError where
    no column holds one."""
    column, old = _study_column(model)
    structure = model.structure
    derivations = tuple(_renamed(d, column, old, name) for d in structure.derivations)
    identifiers = tuple(
        i.model_copy(update={"tokens": tuple(_token(t, old, name) for t in i.tokens)}) for i in model.root.identifiers
    )
    reference = {table: _with_value(kept, column, old, name) for table, kept in model.reference.items()}
    return model.model_copy(
        update={
            "structure": structure.model_copy(update={"derivations": derivations}),
            "root": model.root.model_copy(update={"identifiers": identifiers}),
            "reference": reference,
            "relations": tuple(_in_relation(r, column, old, name) for r in model.relations),
            "sources": tuple(_room(source, column, len(name)) for source in model.sources),
        }
    )


def _study_column(model: StudyModel) -> tuple[str, str]:
    """The column that holds one text in all tables, and that text."""
    constants = {
        d.target: d.params["value"]
        for d in model.structure.derivations
        if d.template == "constant" and d.table == model.root.table and isinstance(d.params["value"], str)
    }
    everywhere = [
        column
        for column, value in constants.items()
        if sum(
            d.template == "constant" and d.target == column and d.params["value"] == value
            for d in model.structure.derivations
        )
        > 1
    ]
    named = [column for column in everywhere if _STUDY.search(column.casefold())] or everywhere
    if len(named) != 1:
        raise RequestError("no column holds the identifier of the study, so that it cannot be set.")
    return named[0], constants[named[0]]


def _renamed(d: Derivation, column: str, old: str, new: str) -> Derivation:
    params: dict[str, Any] = {}
    if d.template == "constant" and d.target == column and d.params["value"] == old:
        params["value"] = new
    elif d.template == "concat":
        params["parts"] = [p.replace(old, new) if isinstance(p, str) else p for p in d.params["parts"]]
    return d.model_copy(update={"params": {**d.params, **params}}) if params else d


def _in_relation(relation: RelationModel, column: str, old: str, new: str) -> RelationModel:
    constants = {name: new if (name, v) == (column, old) else v for name, v in relation.constants.items()}
    return relation.model_copy(update={"constants": constants})


def _token(token: Token, old: str, new: str) -> Token:
    return token.model_copy(update={"text": token.text.replace(old, new)}) if token.kind == "literal" else token


def _with_value(table: ReferenceTable, column: str, old: str, new: str) -> ReferenceTable:
    if column not in table.values:
        return table
    values = tuple(new if value == old else value for value in table.values[column])
    return table.model_copy(update={"values": {**table.values, column: values}})


def _room(source: SourceTable, column: str, length: int) -> SourceTable:
    """A declared length that holds the new text."""
    columns = tuple(
        c.model_copy(update={"length": length}) if c.name == column and c.length and c.length < length else c
        for c in source.columns
    )
    return source.model_copy(update={"columns": columns})
