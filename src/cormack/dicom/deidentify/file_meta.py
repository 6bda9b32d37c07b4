"""File preamble and file meta information, always made anew (PS3.10 7.1): nothing of the source's is carried over."""

from __future__ import annotations

from cormack.dicom.deidentify.encoding import Encoding

#: Names this implementation in files that it writes; under the root for UUIDs (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = "2.25.316240711253719023405418620514627359403"
IMPLEMENTATION_VERSION_NAME = "CORMACK_DEID"

_EXPLICIT = Encoding(implicit=False, little=True)


def file_head(sop_class: str, sop_instance: str, transfer_syntax: str) -> bytes:
    """Empty preamble, the mark DICM and group 2.

    Parameters
    ----------
    sop_class, sop_instance, transfer_syntax : str
        UIDs as written in the data set that follows.
    """
    elements = (
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class.encode("ascii")),
        (0x00020003, "UI", sop_instance.encode("ascii")),
        (0x00020010, "UI", transfer_syntax.encode("ascii")),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
    )
    group = b"".join(_EXPLICIT.element(*element) for element in elements)
    length = _EXPLICIT.element(0x00020000, "UL", len(group).to_bytes(4, "little"))
    return b"\0" * 128 + b"DICM" + length + group
