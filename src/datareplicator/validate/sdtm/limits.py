"""What a body can show at all: bounds of vital signs and of common laboratory tests in their standard units.

Wide on purpose: the least and the greatest that living people were measured with, rounded outwards. A value beyond is
no extreme subject but a mistake.
"""

from __future__ import annotations

BOUNDS: dict[tuple[str, str], tuple[float, float]] = {
    ("SYSBP", "mmHg"): (30, 320),
    ("DIABP", "mmHg"): (10, 220),
    ("MAP", "mmHg"): (15, 250),
    ("PULSE", "beats/min"): (15, 320),
    ("HR", "beats/min"): (15, 320),
    ("RESP", "breaths/min"): (2, 120),
    ("TEMP", "C"): (20, 46),
    ("TEMP", "F"): (68, 115),
    ("HEIGHT", "cm"): (20, 275),
    ("HEIGHT", "in"): (8, 108),
    ("WEIGHT", "kg"): (0.2, 650),
    ("WEIGHT", "LB"): (0.4, 1430),
    ("BMI", "kg/m2"): (5, 210),
    ("OXYSAT", "%"): (10, 100),
    ("WSTCIR", "cm"): (20, 300),
    ("QTAG", "msec"): (100, 900),
    ("QTCFAG", "msec"): (100, 900),
    ("QRSAG", "msec"): (20, 400),
    ("PRAG", "msec"): (20, 800),
    ("EGHRMN", "beats/min"): (15, 320),
    ("SODIUM", "mmol/L"): (90, 200),
    ("K", "mmol/L"): (1, 12),
    ("CL", "mmol/L"): (50, 160),
    ("CA", "mmol/L"): (0.5, 6),
    ("BICARB", "mmol/L"): (2, 65),
    ("PHOS", "mmol/L"): (0.05, 8),
    ("MG", "mmol/L"): (0.1, 10),
    ("GLUC", "mmol/L"): (0.2, 120),
    ("CREAT", "umol/L"): (5, 5000),
    ("UREAN", "mmol/L"): (0.2, 120),
    ("URATE", "umol/L"): (5, 2500),
    ("ALB", "g/L"): (5, 90),
    ("PROT", "g/L"): (15, 180),
    ("BILI", "umol/L"): (0, 1500),
    ("CHOL", "mmol/L"): (0.3, 60),
    ("TRIG", "mmol/L"): (0.05, 250),
    ("HGB", "g/L"): (10, 280),
    ("HGB", "g/dL"): (1, 28),
    ("HGB", "mmol/L"): (0.6, 18),
    ("HCT", "%"): (3, 85),
    ("HCT", "1"): (0.03, 0.85),
    ("WBC", "10^9/L"): (0, 900),
    ("PLAT", "10^9/L"): (0, 5000),
    ("RBC", "10^12/L"): (0.3, 12),
    ("MCV", "fL"): (35, 180),
    ("HBA1C", "%"): (2, 25),
}

CONVERT: dict[str, tuple[str, float]] = {
    "kg": ("mass", 1000.0),
    "g": ("mass", 1.0),
    "mg": ("mass", 1e-3),
    "LB": ("mass", 453.59237),
    "lb": ("mass", 453.59237),
    "OZ": ("mass", 28.349523),
    "ug": ("mass", 1e-6),
    "cm": ("length", 1.0),
    "m": ("length", 100.0),
    "mm": ("length", 0.1),
    "in": ("length", 2.54),
    "IN": ("length", 2.54),
    "FT": ("length", 30.48),
    "mmHg": ("pressure", 1.0),
    "kPa": ("pressure", 7.500617),
    "cmHg": ("pressure", 10.0),
    "g/L": ("density", 1.0),
    "g/dL": ("density", 10.0),
    "mg/dL": ("density", 0.01),
    "mg/L": ("density", 1e-3),
    "ug/L": ("density", 1e-6),
    "ng/mL": ("density", 1e-6),
    "ug/mL": ("density", 1e-3),
    "g/mL": ("density", 1000.0),
    "mol/L": ("amount", 1e3),
    "mmol/L": ("amount", 1.0),
    "umol/L": ("amount", 1e-3),
    "nmol/L": ("amount", 1e-6),
    "pmol/L": ("amount", 1e-9),
    "L": ("volume", 1.0),
    "dL": ("volume", 0.1),
    "mL": ("volume", 1e-3),
    "sec": ("time", 1.0),
    "msec": ("time", 1e-3),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "U/L": ("activity", 1.0),
    "ukat/L": ("activity", 60.0),
    "nkat/L": ("activity", 0.06),
}
"""Units to a dimension and the size in it; units of one dimension convert whatever is measured."""


def factor(original: str, standard: str) -> float | None:
    """By what to multiply a number in one unit for the other; None where that is not known.

    >>> factor("LB", "kg"), factor("mg/dL", "mmol/L")
    (0.45359237, None)
    """
    if original == standard:
        return 1.0
    a, b = CONVERT.get(original), CONVERT.get(standard)
    return a[1] / b[1] if a is not None and b is not None and a[0] == b[0] else None
