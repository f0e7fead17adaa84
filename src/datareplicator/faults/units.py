"""Units that are mistaken for each other, with the factor between them (BIPM, The International System of Units)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Other:
    """The other unit: x of the first is x * factor + offset of it."""

    name: str
    factor: float
    offset: float = 0.0


_FORWARD = {
    "kg": Other("lb", 2.20462262),
    "g": Other("mg", 1000.0),
    "cm": Other("in", 1 / 2.54),
    "m": Other("cm", 100.0),
    "mm": Other("cm", 0.1),
    "C": Other("F", 1.8, 32.0),
    "g/L": Other("g/dL", 0.1),
    "mmol/L": Other("mg/dL", 18.0156),  # glucose, the confusion that does harm
    "umol/L": Other("mg/dL", 0.0113122),  # creatinine
    "mg/L": Other("mg/dL", 0.1),
    "ug/L": Other("ng/dL", 100.0),
    "U/L": Other("ukat/L", 0.0166667),
    "IU/L": Other("ukat/L", 0.0166667),
    "mmHg": Other("kPa", 0.133322),
    "10^9/L": Other("10^6/L", 1000.0),
    "10^12/L": Other("10^9/L", 1000.0),
    "GI/L": Other("10^6/L", 1000.0),
    "TI/L": Other("GI/L", 1000.0),
    "mL": Other("L", 0.001),
    "beats/min": Other("Hz", 1 / 60),
    "BEATS/MIN": Other("Hz", 1 / 60),
    "fraction of 1": Other("%", 100.0),
    "ng/mL": Other("ug/mL", 0.001),
    "pmol/L": Other("nmol/L", 0.001),
}
_BACKWARD = {o.name: Other(name, 1 / o.factor, -o.offset / o.factor) for name, o in reversed(_FORWARD.items())}
_EITHER = {**_BACKWARD, **_FORWARD}
_FOLDED = {name.lower(): other for name, other in reversed(_EITHER.items())}


def other_unit(unit: str) -> Other | None:
    """The unit that this one is mistaken for, or None.

    >>> other_unit("kg").name, other_unit("LB").name, other_unit("furlong")
    ('lb', 'kg', None)
    """
    return _EITHER.get(unit) or _FOLDED.get(unit.lower())
