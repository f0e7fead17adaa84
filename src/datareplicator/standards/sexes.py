"""Which medical terms name organs or conditions of one sex, and how sexes are coded.

Twenty subjects can't show that a hysterectomy never befalls a man: that is known beforehand. The stems are those of
the MedDRA system organ classes "Reproductive system and breast disorders" and "Pregnancy, puerperium and perinatal
conditions" and of the procedures and neoplasms on the same organs, as far as they concern one sex alone.
"""

from __future__ import annotations

import re
from typing import Literal

Sex = Literal["F", "M"]

CODES: dict[str, Sex] = {"f": "F", "female": "F", "woman": "F", "m": "M", "male": "M", "man": "M"}

_FEMALE = (
    *(
        "hysterect",
        "hysterosc",
        "uter(?:us|ine)",
        "endometri",
        "myomect",
        "ovar(?:y|i)",
        "oophor",
        "salping",
        "tubal lig",
    ),
    *("vagin", "vulv", "cervix", "cervical (?:dysplas|smear|polyp|conis)", "pap smear", "menstru", "menorrh"),
    *("amenorrh", "dysmenorrh", "oligomenorrh", "metrorrh", "menometrorrh", "menopaus", "postmenopaus", "perimenopaus"),
    *("pregnan", "gravid", "miscarr", "abortion", "c(?:a)?esarean", "(?:pre-?)?eclamps", "post-?partum", "placent"),
    *("gyn(?:a)?ecolog(?:ic|y)", "cystocele", "rectocele", "colporrh"),
)
_MALE = (
    *("prostat(?:e|ic|it|ect|om|ism)", "testi(?:s|c)", "orchi(?:t|ec|d|op)", "cryptorch", "epididym", "scrot", "penis"),
    *("penile", "peyronie", "erectile", "ejaculat", "vasect", "balan(?:it|opo)", "phimos", "hydrocele", "varicocele"),
    *("priapism", "hypospad", "azoosperm", "oligosperm"),
)
_STEMS: dict[Sex, re.Pattern[str]] = {
    "F": re.compile(rf"\b(?:{'|'.join(_FEMALE)})", re.IGNORECASE),
    "M": re.compile(rf"\b(?:{'|'.join(_MALE)})", re.IGNORECASE),
}


def sex_of_code(code: str) -> Sex | None:
    """The sex that a code or word stands for, None for all others.

    >>> sex_of_code("Female"), sex_of_code("M"), sex_of_code("U")
    ('F', 'M', None)
    """
    return CODES.get(code.strip().lower())


def sex_of_term(term: str) -> Sex | None:
    """The only sex that a medical term can be said of, None where both can have it.

    >>> sex_of_term("HYSTERECTOMY"), sex_of_term("Benign prostatic hyperplasia"), sex_of_term("CERVICAL PAIN")
    ('F', 'M', None)
    """
    found: list[Sex] = [sex for sex, stems in _STEMS.items() if stems.search(term)]
    return found[0] if len(found) == 1 else None
