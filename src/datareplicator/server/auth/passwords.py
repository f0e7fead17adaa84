"""What a password must be: long, and neither common, nor a pattern, nor the name of its owner.

After NIST SP 800-63B-4: length and a look at what is often used, no rules of composition.
"""

from __future__ import annotations

LEAST = 12
MOST = 256
DISTINCT = 6
REMAINING = 6

_WORDS = """
password passwort contrasena welcome willkommen qwerty qwertz azerty letmein administrator admin changeme
iloveyou monkey dragon football baseball sunshine princess superman batman trustno master shadow login secret
summer winter spring autumn hello freedom whatever starwars datareplicator replicator clinical trial study
january february march april june july august september october november december monday friday
"""
_COMMON = tuple(_WORDS.split())
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "98765432109876543210",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)
_LEET = str.maketrans("@4301!$57", "aaeoiisst")


def weakness(password: str, email: str = "") -> str | None:
    """Why this password will not do, as a sentence; None when it will.

    >>> weakness("correct horse battery staple")
    >>> weakness("short")
    'The password must have 12 characters at least.'
    >>> weakness("Password123456!")
    'The password is made of common words, runs of keys or the email address: add what nobody would guess.'
    """
    if len(password) < LEAST:
        return f"The password must have {LEAST} characters at least."
    if len(password) > MOST:
        return f"The password must have {MOST} characters at most."
    if len(set(password)) < DISTINCT:
        return f"The password must have {DISTINCT} different characters at least."
    if len(set(_left(password, email))) < REMAINING:
        return "The password is made of common words, runs of keys or the email address: add what nobody would guess."
    return None


def _left(password: str, email: str) -> str:
    """What is left of a password without what can be guessed."""
    left = password.lower()
    names = [part for part in (email.lower(), *email.lower().split("@"), *email.lower().split(".")) if len(part) > 3]
    for word in (*names, *_COMMON):
        left = left.replace(word, "")
        while (at := left.translate(_LEET).find(word)) >= 0:
            left = left[:at] + left[at + len(word) :]
    for run in _RUNS:
        left = _without_runs(left, run)
    return left


def _without_runs(text: str, run: str) -> str:
    for length in range(len(run), 3, -1):
        for start in range(len(run) - length + 1):
            text = text.replace(run[start : start + length], "")
    return text
