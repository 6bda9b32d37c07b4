"""What an object says of its own de-identification: (0012,0062) to (0012,0064), (0028,0301) to (0028,0303).

Statements of an earlier de-identification are replaced, but dates that it moved or removed stay moved or removed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cormack.core.provenance import package_version
from cormack.dicom import headers
from cormack.dicom.deidentify.encoding import Encoding
from cormack.dicom.deidentify.options import Option, Options

IDENTITY_REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
BURNED_IN, RECOGNIZABLE, DATES_MODIFIED = 0x00280301, 0x00280302, 0x00280303
#: From what an object says of its dates and what this run does to them, what is true afterwards.
_TRUER = ("UNMODIFIED", "MODIFIED", "REMOVED")


def statements(
    dataset: Any, options: Options, encoding: Encoding, *, text_removed: bool, face_removed: bool
) -> dict[int, bytes]:
    """Encoded elements by tag, which take the place of the source's.

    Parameters
    ----------
    dataset : pydicom Dataset
        As read.
    options : Options
    encoding : Encoding
    text_removed : bool
        Burned-in text was looked for and removed from this object.
    face_removed : bool
        A recognizable face was removed from this object.
    """
    stated = {
        IDENTITY_REMOVED: encoding.element(IDENTITY_REMOVED, "CS", b"YES"),
        METHOD: encoding.element(METHOD, "LO", _method(options)),
        METHOD_CODES: encoding.sequence(METHOD_CODES, (_code_item(code, encoding) for code in options.method_codes())),
        DATES_MODIFIED: encoding.element(DATES_MODIFIED, "CS", _dates(dataset, options).encode("ascii")),
    }
    if text_removed:
        stated[BURNED_IN] = encoding.element(BURNED_IN, "CS", b"NO")
    if face_removed:
        stated[RECOGNIZABLE] = encoding.element(RECOGNIZABLE, "CS", b"NO")
    return stated


@cache
def _method(options: Options) -> bytes:
    """The tool, the profile and the options in words of the command line, at most 64 characters each."""
    chosen = sorted(option.value for option in Option if option in options)
    return "\\".join((f"Cormack {package_version('cormack')}", "DICOM PS3.15 E.1 Basic Profile", *chosen)).encode(
        "ascii"
    )


def _code_item(code: tuple[str, str, str], encoding: Encoding) -> bytes:
    value, scheme, meaning = (part.encode("ascii") for part in code)
    return b"".join(
        (
            encoding.element(0x00080100, "SH", value),
            encoding.element(0x00080102, "SH", scheme),
            encoding.element(0x00080104, "LO", meaning),
        )
    )


def _dates(dataset: Any, options: Options) -> str:
    before = (headers.text(dataset, "LongitudinalTemporalInformationModified", 16) or "").upper()
    now = options.longitudinal_temporal_information
    return max(before, now, key=_TRUER.index) if before in _TRUER else now
