"""Stand-ins for free texts: as long as the originals, put together from phrases that say nothing of anybody."""

from __future__ import annotations

import numpy as np

PHRASES = (
    "as reported at the visit", "no further details were given", "to be followed up", "confirmed with the site",
    "details are on file", "discussed with the team", "no action was needed", "the usual procedure was followed",
    "seen as planned", "information was updated later", "noted on the same day", "the form was completed",
    "nothing else was mentioned", "resolved without consequences", "checked again at the next contact",
    "the record was corrected", "according to the plan", "a short delay was explained", "the question was answered",
    "documents were received", "the reason was not stated", "continues as before", "some improvement was described",
    "the date is approximate", "previously known", "a reminder was given", "collected once more", "as expected",
    "the entry was verified", "further information is pending", "no change since the last contact",
    "was told to come back earlier if needed", "agreed to continue", "an appointment was arranged", "as before",
    "on file",
)  # fmt: skip


ENOUGH = 0.85
"""Share of the original's length from which on no phrase is added."""


def stand_in(original: str, rng: np.random.Generator) -> str:
    """Whole phrases of about the length of the original together, in capitals where that is.

    >>> text = stand_in("Patient phoned on Monday and asked for her daughter", np.random.default_rng(1))
    >>> 40 < len(text) < 60
    True
    """
    length = max(len(original), len(min(PHRASES, key=len)))
    most, out = int(1.15 * length), ""
    while len(out) < ENOUGH * length:
        room = most - len(out) - len("; ")
        fitting = [phrase for phrase in PHRASES if len(phrase) <= (room if out else most)]
        if not fitting:
            break
        phrase = fitting[int(rng.integers(len(fitting)))]
        out = f"{out}; {phrase}" if out else phrase
    if original.isupper():
        return out.upper()
    return out[:1].upper() + out[1:] if original[:1].isupper() else out
