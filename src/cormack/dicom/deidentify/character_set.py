"""Text of a data set under its SpecificCharacterSet (0008,0005), and back to bytes (PS3.5 6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes, encode_string, python_encoding

from cormack.dicom.headers import BACKEND_ERRORS

#: Tag of SpecificCharacterSet.
CHARACTER_SET = 0x00080005
#: Characters that reset an encoding with code extensions (PS3.5 6.1.2.5.3).
_DELIMITERS = {0x0A, 0x0C, 0x0D, 0x09, 0x5C, 0x5E, 0x3D}
_ESCAPE = b"\x1b"


@dataclass(frozen=True)
class CharacterSet:
    """How text bytes of a data set are read.

    Parameters
    ----------
    terms : tuple of str
        Defined terms of SpecificCharacterSet; empty for the default repertoire.
    """

    terms: tuple[str, ...] = ()

    @property
    def encodings(self) -> list[str]:
        """Python's names, the first one for text without escape sequences."""
        return list(_encodings(self.terms))

    def decode(self, value: bytes) -> str:
        """Text of the bytes; what they cannot be comes back as U+FFFD."""
        if value.isascii() and _ESCAPE not in value:
            return value.decode("ascii")
        if not self.terms:
            return value.decode("ascii", "replace")
        try:
            return str(decode_bytes(value, self.encodings, _DELIMITERS))
        except BACKEND_ERRORS:
            return value.decode("ascii", "replace")

    def encode(self, text: str) -> bytes:
        """Bytes of a text; characters that the set does not have are left out."""
        if text.isascii() or not self.terms:
            return text.encode("ascii", "ignore")
        try:
            return bytes(encode_string(text, self.encodings))
        except BACKEND_ERRORS:
            return text.encode("ascii", "ignore")


@lru_cache(maxsize=64)
def _encodings(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(convert_encodings(list(terms)))


def character_set_of(dataset: Any, inherited: CharacterSet) -> CharacterSet:
    """The set that a data set states; the one around it where it states none.

    A term that the standard does not have leaves the default repertoire, and with it plain ASCII.
    """
    element = dataset.get_item(CHARACTER_SET)
    if element is None or not element.value:
        return inherited
    value = element.value
    if isinstance(value, bytes):
        value = value.strip(b" \0").decode("latin-1")
    # The parser turns this one element into text by itself.
    return _from_terms(value if isinstance(value, str) else "\\".join(value)) if value else inherited


@lru_cache(maxsize=64)
def _from_terms(stated: str) -> CharacterSet:
    terms = tuple(term.strip() for term in stated.split("\\"))
    return CharacterSet(terms if all(term in python_encoding for term in terms) else ())
