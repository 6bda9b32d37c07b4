"""How elements become bytes: implicit or explicit VR, little or big endian (PS3.5 chapter 7 and annex A).

Values arrive as the bytes that the source held, so that nothing kept is ever formatted anew.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

#: VRs whose length takes four bytes in explicit encodings (PS3.5 7.1.2).
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
#: VRs that are padded with a zero byte; text is padded with a space.
_ZERO_PADDED = frozenset({"UI", "OB", "UN", "OW"})
_UNDEFINED = 0xFFFFFFFF
_SHORT_LIMIT = 0xFFFE


class TooLong(ValueError):  # noqa: N818 - a signal inside this room
    """A value does not fit the length field of its VR."""


@dataclass(frozen=True)
class Encoding:
    """A way to write elements.

    Parameters
    ----------
    implicit, little : bool
        VR unwritten or written; byte order.
    """

    implicit: bool
    little: bool

    @staticmethod
    def of(transfer_syntax: str) -> Encoding:
        """The encoding of the data set under a transfer syntax; all encapsulated ones are explicit little endian."""
        return Encoding(transfer_syntax == ImplicitVRLittleEndian, transfer_syntax != ExplicitVRBigEndian)

    @property
    def order(self) -> str:
        """Sign of the byte order for `struct`."""
        return "<" if self.little else ">"

    def element(self, tag: int, vr: str, value: bytes) -> bytes:
        """One element with its header; odd lengths are padded.

        Raises
        ------
        TooLong
            If the value does not fit the length field.
        """
        if len(value) & 1:
            value += b"\0" if vr in _ZERO_PADDED else b" "
        return self._head(tag, vr, len(value)) + value

    def sequence(self, tag: int, items: Iterable[bytes]) -> bytes:
        """A sequence of encoded items, all lengths stated."""
        pack = struct.Struct(self.order + "HHL").pack
        return self.element(tag, "SQ", b"".join(pack(0xFFFE, 0xE000, len(item)) + item for item in items))

    def encapsulated(self, tag: int, vr: str, fragments: bytes) -> tuple[bytes, bytes, bytes]:
        """Fragments with their item headers, as an element of undefined length."""
        return self._head(tag, vr, _UNDEFINED), fragments, struct.pack(self.order + "HHL", 0xFFFE, 0xE0DD, 0)

    def _head(self, tag: int, vr: str, length: int) -> bytes:
        group, number = tag >> 16, tag & 0xFFFF
        if self.implicit:
            return struct.pack(self.order + "HHL", group, number, length)
        if vr in LONG_VRS:
            return struct.pack(self.order + "HH2sHL", group, number, vr.encode("ascii"), 0, length)
        if length > _SHORT_LIMIT:
            raise TooLong
        return struct.pack(self.order + "HH2sH", group, number, vr.encode("ascii"), length)


def written_syntax(transfer_syntax: str) -> str:
    """The transfer syntax of the output: the source's; a deflated data set is written unpacked."""
    return str(ExplicitVRLittleEndian) if transfer_syntax == DeflatedExplicitVRLittleEndian else transfer_syntax


def raw_value(element: Any, encoding: Encoding | None = None) -> tuple[str | None, bytes]:
    """VR and bytes of an element that is no sequence, as stored or as pydicom encodes them."""
    if isinstance(element, RawDataElement):
        return element.VR, element.value or b""
    if isinstance(element.value, bytes):
        return element.VR, element.value
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = True, encoding is None or encoding.little
    write_data_element(stream, element)
    return element.VR, stream.getvalue()[8:]
