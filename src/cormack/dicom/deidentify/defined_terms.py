"""Words that values of code strings (CS) are made of: what is none of these may be a name in the wrong place."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources

from cormack.dicom.deidentify.text_patterns import is_word

#: Shorter words are abbreviations; there are too many to list, and few names among them.
LONGEST_ABBREVIATION = 4
_SEPARATORS = re.compile(r"[ _]+")
#: What makers put in front of a word without a mark: CSAPARALLEL, CSPINE.
_LONGEST_PREFIX, _SHORTEST_STEM = 3, 5


@lru_cache(maxsize=4096)
def is_term(value: str) -> bool:
    """True if all words of a code string are known, are abbreviations, or hold a digit among their letters.

    Examples
    --------
    >>> is_term("SOFT_TISSUE"), is_term("YBR_FULL_422"), is_term("VANDERSLOOT"), is_term("735182")
    (True, True, False, False)
    """
    return all(_is_known(word.lower()) for word in _SEPARATORS.split(value) if word)


def _is_known(word: str) -> bool:
    if word.isdigit():
        return len(word) <= LONGEST_ABBREVIATION or word.startswith(("10918", "13818", "14495", "15444"))
    if len(word) <= LONGEST_ABBREVIATION or any(character.isdigit() for character in word):
        return True
    if is_word(word) or word in _terms():
        return True
    return any(is_word(word[n:]) for n in range(1, min(_LONGEST_PREFIX, len(word) - _SHORTEST_STEM) + 1))


@cache
def _terms() -> frozenset[str]:
    text = resources.files("cormack.dicom.deidentify").joinpath("data", "defined_terms.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
