"""Personal data within texts: found by shape, by title or by being known from elsewhere in the study, and replaced.

The same original has the same stand-in everywhere in a study.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from datareplicator.model.personal import KINDS, LAID_OUT, fill_layout, fill_pattern, layout, personal_text
from datareplicator.structure.lexicon import is_first_name, is_last_name

_CAPITAL = r"[A-ZÀ-ÖØ-Þ]"
_NAME = rf"{_CAPITAL}[\w'’-]+"
SHAPES = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("url", re.compile(r"(?:https?://|www\.)[^\s,;]+")),
    ("national_id", re.compile(r"\b\d{3}-\d{2}-\d{4}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?\b")),
    (
        "phone",
        re.compile(r"\+\d[\d\s().-]{6,18}\d|\(\d{3}\)\s?\d{3}[-.\s]\d{4}\b|\b\d{3}[.\s-]\d{3}[.\s-]\d{4}\b"),
    ),
    ("ip", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")),
    (
        "address",
        re.compile(
            rf"\b\d{{1,5}}\s+(?:{_NAME}\s+){{1,3}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Court"
            r"|Way|Square|STREET|AVENUE|ROAD|LANE|DRIVE)\b\.?"
        ),
    ),
)
TITLED = re.compile(
    rf"\b((?i:dr|mr|mrs|ms|miss|prof|professor|doctor|nurse)\.?\s+)((?:{_CAPITAL}\.\s*)*{_NAME}(?:\s+{_NAME})?)"
)
TOLD = re.compile(
    r"\b((?:by|with|from|per|called|cc|signed|wife|husband|son|daughter|mother|father|brother|sister|named?|author|rep)"
    rf"[:,]?\s+)({_NAME})"
)
INITIALS = re.compile(rf"\b({_CAPITAL}\.\s?){{2,3}}|\b((?i:initials?)[:\s]+)([A-Z]{{2,3}})\b")
ABBREVIATED = frozenset(
    (
        "I.V",
        "I.M",
        "P.O",
        "S.C",
        "U.S",
        "U.K",
        "E.U",
        "A.M",
        "P.M",
        "B.I.D",
        "T.I.D",
        "Q.I.D",
        "Q.D",
        "P.R.N",
        "N.A",
        "G.I",
    )
)
"""What looks like initials and is none."""
WORD = re.compile(r"[\w][\w.'’-]*[\w]|\w")
AT_ONCE = 400
LEAST_IDENTIFIER = 4


class Scrubber:
    """Replaces personal data in texts. `names`: words of names that stand in columns of names; `identifiers`: those of
    the source's subjects."""

    def __init__(self, names: Iterable[str] = (), identifiers: Iterable[str] = ()) -> None:
        self._names = {word.casefold() for name in names for word in WORD.findall(name) if len(word) > 2}
        self._identifiers = {i for i in identifiers if len(i) >= LEAST_IDENTIFIER}
        self._known: dict[tuple[str, str], str] = {}
        self._pools: dict[str, list[str]] = {}
        self._used: dict[str, int] = {}

    def stand_in(self, kind: str, original: str) -> str:
        """The text that stands for an original of a kind of personal data, always the same; never the original."""
        key = kind, original.casefold()
        if key not in self._known and kind in LAID_OUT:
            rng = np.random.default_rng([12, len(self._known)])
            self._known[key] = str(fill_layout(kind, layout(original), 1, rng).to_pylist()[0])
        if key not in self._known:
            if kind not in self._pools:
                rng = np.random.default_rng([11, *kind.encode()])
                made = personal_text(kind if kind in KINDS else "name", AT_ONCE, rng).to_pylist()
                self._pools[kind] = list(dict.fromkeys(str(v) for v in made))
            pool = self._pools[kind]
            place = self._used[kind] = self._used.get(kind, -1) + 1
            text = pool[place % len(pool)]
            self._known[key] = pool[(place + 7) % len(pool)] if text.casefold() == key[1] else text
        text = self._known[key]
        return text.upper() if original.isupper() and any(c.isalpha() for c in original) else text

    def scrub(self, text: str, *, prose: bool = True, rare: bool = False) -> str:
        """A text without personal data. Full names without a title are looked for in `prose` and in `rare` codes, names
        known from other columns and initials in prose only: a country or a drug may be called like a person."""
        signs = {"email": "@" in text, "url": "." in text}
        digits = any(c.isdigit() for c in text)
        for kind, shape in SHAPES:
            if not signs.get(kind, digits):
                continue
            text = shape.sub(lambda m, kind=kind: self.stand_in(kind, m.group()), text)
        text = WORD.sub(self._identifier, text) if self._identifiers else text
        text = TITLED.sub(self._titled, text)
        if prose or rare:
            text = self._pairs(text)
        if not prose:
            return text
        text = TOLD.sub(self._told, text)
        text = INITIALS.sub(self._initials, text)
        return WORD.sub(self._known_name, text) if self._names else text

    def _identifier(self, found: re.Match[str]) -> str:
        word = found.group()
        if word not in self._identifiers:
            return word
        key = "identifier", word
        if key not in self._known:
            rng = np.random.default_rng([13, len(self._known)])
            pattern = re.sub(r"\d", "#", word)
            made = word
            while made in self._identifiers:
                made = str(fill_pattern(pattern, 1, rng).to_pylist()[0]) if "#" in pattern else "SUBJECT"
                pattern = pattern + "#" if made in self._identifiers else pattern
            self._known[key] = made
        return self._known[key]

    def _pairs(self, text: str) -> str:
        """Given names before family names, maybe with an initial between."""
        words = list(WORD.finditer(text))
        out, at, k = [], 0, 0
        while k < len(words):
            first = words[k]
            last = k + 1 + (k + 2 < len(words) and len(words[k + 1].group().rstrip(".")) == 1)
            if last < len(words) and self._is_pair(
                first.group(), words[last].group(), text[first.end() : words[last].start()]
            ):
                out += [text[at : first.start()], self.stand_in("first_name", first.group())]
                out += [text[first.end() : words[last].start()], self.stand_in("last_name", words[last].group())]
                at, k = words[last].end(), last
            k += 1
        return "".join([*out, text[at:]])

    def _is_pair(self, first: str, last: str, between: str) -> bool:
        capitals = first[0].isupper() and last[0].isupper() and not re.search(r"[^\w\s.]", between)
        return capitals and is_first_name(first) and (is_last_name(last) or last.casefold() in self._names)

    def _titled(self, found: re.Match[str]) -> str:
        title, name = found.groups()
        *front, last = name.split()
        if front and last.isupper() and not (is_last_name(last) or last.casefold() in self._names):
            return f"{title}{self.stand_in('last_name', ' '.join(front))} {last}"
        return title + self.stand_in("last_name", name)

    def _told(self, found: re.Match[str]) -> str:
        lead, name = found.groups()
        if is_first_name(name):
            return lead + self.stand_in("first_name", name)
        return lead + self.stand_in("last_name", name) if is_last_name(name) else found.group()

    def _initials(self, found: re.Match[str]) -> str:
        if found.group(2):
            return found.group(2) + self.stand_in("initials", found.group(3))
        if found.group().replace(" ", "").rstrip(".").upper() in ABBREVIATED:
            return found.group()
        letters = self.stand_in("initials", found.group())
        return "".join(f"{letter}." for letter in letters) + (" " if found.group().endswith(" ") else "")

    def _known_name(self, found: re.Match[str]) -> str:
        word = found.group()
        if word.casefold() not in self._names or not word[0].isupper():
            return word
        return self.stand_in("first_name" if is_first_name(word) else "last_name", word)
