"""The kinds of faults, one module a family; importing them registers them."""

from datareplicator.faults.kinds import (
    codes,
    cross,
    datekinds,
    deliveries,
    edges,
    filebytes,
    layouts,
    missing,
    numbers,
    records,
    sites,
    subjects,
    texts,
)

FAMILIES = tuple(
    module.FAMILY.name
    for module in (
        missing,
        numbers,
        codes,
        texts,
        datekinds,
        records,
        subjects,
        cross,
        sites,
        edges,
        layouts,
        filebytes,
        deliveries,
    )
)
