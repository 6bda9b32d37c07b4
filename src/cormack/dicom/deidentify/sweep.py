"""The last look: encoded elements are searched for the words and numbers that are known to identify the patient.

What cleaning left in should hold none. Words of the radiological vocabulary and short ones are no evidence outside of
free text: a patient called Head, or Ax, does not take HEAD out of BodyPartExamined nor AX out of a kernel's name.
Numbers are looked for in text only, since the digits of coordinates, dates and new UIDs hold any number by chance.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cormack.dicom.deidentify.text_patterns import is_word, vocabulary

#: Tokens with fewer characters are looked for in free text alone.
LEAST_CHARACTERS = 4
#: Numbers with fewer digits are found by chance in any header.
LEAST_DIGITS = 6
#: A word that is so long, and part of no known word, counts within longer ones, too.
LEAST_WITHIN = 6

_LETTERS = frozenset(bytes([letter]) for letter in b"abcdefghijklmnopqrstuvwxyz")


@lru_cache(maxsize=256)
def telling_tokens(known: frozenset[str]) -> frozenset[str]:
    """The known tokens that are evidence in codes and names of the machine: long enough, and no radiological words."""
    return frozenset(
        token for token in known if (len(token) >= LEAST_CHARACTERS or not token.isascii()) and not is_word(token)
    )


class Sweep:
    """Searches bytes for one patient's tokens.

    Parameters
    ----------
    known : frozenset of str
        From `text.known_tokens`.
    new_id : str
        The pseudonym, in which nothing is found.
    """

    def __init__(self, known: frozenset[str], new_id: str) -> None:
        tokens = {token for token in telling_tokens(known) if token.isascii()}
        words = {token for token in tokens if not token.isdigit()}
        within = {word for word in words if len(word) >= LEAST_WITHIN and not _in_vocabulary(word)}
        self._within = tuple(sorted(word.encode() for word in within))
        self._apart = tuple(sorted(word.encode() for word in words - within))
        numbers = sorted(token for token in tokens if token.isdigit() and len(token) >= LEAST_DIGITS)
        self._numbers = re.compile(rf"(?<![\d.])(?:{'|'.join(numbers)})(?![\d.])".encode()) if numbers else None
        self._new_id = new_id.lower().encode()

    def finds_word(self, encoded: bytes) -> bool:
        """True if the bytes hold a known word, in capitals or not."""
        plain = encoded.lower()
        if self._new_id in plain:
            plain = plain.replace(self._new_id, b" ")
        return any(word in plain for word in self._within) or any(_apart(word, plain) for word in self._apart)

    def finds_number(self, encoded: bytes) -> bool:
        """True if the bytes hold a known number that is no part of a longer one."""
        return self._numbers is not None and self._numbers.search(encoded.replace(self._new_id, b" ")) is not None


@lru_cache(maxsize=4096)
def _in_vocabulary(word: str) -> bool:
    return any(word in known for known in vocabulary())


def _apart(word: bytes, plain: bytes) -> bool:
    """True if the word stands somewhere with no letter before or behind it."""
    place = plain.find(word)
    while place >= 0:
        end = place + len(word)
        if plain[place - 1 : place] not in _LETTERS and plain[end : end + 1] not in _LETTERS:
            return True
        place = plain.find(word, place + 1)
    return False
