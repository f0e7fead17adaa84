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
    "was told to come back earlier if needed", "agreed to continue", "an appointment was arranged",
)  # fmt: skip


def stand_in(original: str, rng: np.random.Generator) -> str:
    """A text of about the length of the original, in capitals where that is.

    >>> text = stand_in("Patient phoned on Monday and asked for her daughter", np.random.default_rng(1))
    >>> 30 < len(text) < 75
    True
    """
    length = max(len(original), 8)
    out = ""
    while len(out) < length:
        phrase = PHRASES[int(rng.integers(len(PHRASES)))]
        out = f"{out}; {phrase}" if out else phrase
        if len(out) > 20_000:
            break
    if len(out) > 1.3 * length:
        cut = out[: int(1.15 * length) + 1].rsplit(" ", 1)[0]
        out = cut.rstrip(";, ")
    if original.isupper():
        return out.upper()
    return out[:1].upper() + out[1:] if original[:1].isupper() else out
