"""Read the header of one DICOM file with bounded effort, whatever the bytes are.

pydicom does the parsing; this module decides what counts as DICOM at all, bounds what is unpacked, keeps pydicom's
warnings (they may quote header values of a person) off the terminal, and maps all that can go wrong to DicomError.
"""

from __future__ import annotations

import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue

from cormack.core.errors import DicomError
from cormack.dicom.source import Item, Source

#: The header of a classic image fits into this; more is read where it does not.
FIRST_READ_BYTES = 64 * 2**10
#: A deflated data set may grow to this and no further.
MAX_INFLATED_BYTES = 1 * 2**30
#: A data set with more elements than this before its pixels is not believed.
MAX_ELEMENTS = 100_000

DEFLATED = "1.2.840.10008.1.2.1.99"
DEFLATED_BYTES = DEFLATED.encode()
PIXEL_GROUP = 0x7FE00000
PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)

#: What pydicom and the standard library raise on damaged bytes.
BACKEND_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,  # RecursionError among them: sequences nested too deep
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class NotDicom(Exception):  # noqa: N818 - a signal inside this room, not an error that leaves it
    """The bytes are no DICOM file at all."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom: its warnings quote header values, which may be a person's."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(level)


def looks_like_dicom(head: bytes) -> bool:
    """True if the first bytes can be DICOM: the mark after the preamble, or a bare data set of group 2 or 8."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 16:
        return False
    little, big = struct.unpack_from("<HH", head), struct.unpack_from(">HH", head)
    # A bare data set starts with (0002,00xx) or (0008,00xx); text and other binary formats do not.
    return any(group in (2, 8) and element <= 0x0100 for group, element in (little, big))


def parse_header(data: bytes, *, tags: list[int] | None = None) -> tuple[Any, int | None]:
    """Data set before the pixels, and the offset of the pixels; None if there are none, or they were not reached.

    Parameters
    ----------
    data : bytes
        The file, or its beginning.
    tags : list of int, optional
        Only these elements are kept.

    Raises
    ------
    NotDicom
        If the bytes are no DICOM file.
    DicomError
        If they are, but broken beyond reading.
    """
    if not looks_like_dicom(data):
        raise NotDicom
    stream = BytesIO(_inflated(data))
    offset: int | None = None
    count = 0

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        nonlocal offset, count
        count += 1
        if count > MAX_ELEMENTS:
            raise DicomError("a header holds too many elements")
        # As a plain int: pydicom's tags compare slowly.
        if (plain := int(tag)) >= PIXEL_GROUP:
            offset = stream.tell() if plain in PIXEL_TAGS else None
            return True
        return False

    try:
        dataset = read_partial(stream, stop_when=at_pixels, force=True, specific_tags=tags)
        _restate_syntax(dataset, data)
    except BACKEND_ERRORS as error:
        raise DicomError("a header cannot be parsed; the file is damaged") from error
    return dataset, offset


def parse_item(source: Source, item: Item, tags: list[int] | None) -> tuple[Any, int | None]:
    """The header of a file of a source, of which no more is read than needed; else as `parse_header`."""
    data = source.read(item, FIRST_READ_BYTES)
    whole = len(data) >= item.size
    if not looks_like_dicom(data):
        raise NotDicom
    if not whole and is_deflated(data):
        data, whole = source.read(item), True
    try:
        dataset, offset = parse_header(data, tags=tags)
    except DicomError:
        if whole:
            raise
        # The beginning may have ended within a sequence.
        return parse_header(source.read(item), tags=tags)
    if offset is None and not whole:
        dataset, offset = parse_header(source.read(item), tags=tags)
    return dataset, offset


def parse_file(data: bytes) -> Any:
    """Whole data set with its pixel data.

    Raises
    ------
    DicomError
        If the bytes are no readable DICOM file.
    """
    if not looks_like_dicom(data):
        raise DicomError("a file is not DICOM")
    try:
        dataset = read_partial(BytesIO(_inflated(data)), force=True)
        dataset.buffer = None  # pydicom would keep the whole file in memory beside its elements
        _restate_syntax(dataset, data)
        return dataset
    except BACKEND_ERRORS as error:
        raise DicomError("a file cannot be parsed; it is damaged") from error


def is_deflated(data: bytes) -> bool:
    """True if the file says that its data set is deflated."""
    return DEFLATED_BYTES in data[:2048]


def _inflated(data: bytes) -> bytes:
    """The file with a deflated data set unpacked, up to a bound: pydicom alone would unpack a bomb whole."""
    if not is_deflated(data):
        return data
    source = BytesIO(data)
    start = _meta_end(source)
    try:
        body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise DicomError("a deflated data set cannot be unpacked; the file is damaged") from error
    # The unpacked body is explicit little endian: its UID takes the place of the other, padded to equal length.
    header = data[:start].replace(DEFLATED_BYTES, b"1.2.840.10008.1.2.1\0\0\0")
    return header + body


def _restate_syntax(dataset: Any, data: bytes) -> None:
    """Let the header say again how the file is coded, after it was unpacked."""
    if is_deflated(data):
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(DEFLATED)


def _meta_end(source: BytesIO) -> int:
    """Offset of the first byte after group 2."""
    data = source.getbuffer()
    offset = 132 if bytes(data[128:132]) == b"DICM" else 0
    while offset + 8 <= len(data):
        group, _, vr, length = struct.unpack_from("<HH2sH", data, offset)
        if group != 2:
            return offset
        if vr in (b"OB", b"OW", b"UN", b"SQ", b"UT"):
            if offset + 12 > len(data):
                break
            length = struct.unpack_from("<L", data, offset + 8)[0] + 4
        offset += 8 + length
    raise DicomError("a file ends within its meta information")


@lru_cache(maxsize=512)
def _tag_and_kind(keyword: str) -> tuple[int, str]:
    """Tag of an element, and how its bytes are read: `text` and `number` as ASCII, else by pydicom."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        return 0, "other"
    vr = dictionary_VR(tag)
    return tag, "number" if vr in ("DS", "IS") else "text" if vr in ("CS", "UI", "SH", "LO", "AS", "LT") else "other"


def _raw(dataset: Any, keyword: str, kind: str) -> str | None:
    """An element's text straight from its bytes: three times as fast as pydicom's conversion, and it cannot fail.

    Only for texts of the machine; bytes beyond ASCII are read as Latin-1, whatever the character set.
    """
    tag, known = _tag_and_kind(keyword)
    if known != kind:
        return None
    element = dataset.get_item(tag)
    found = element.value if isinstance(element, RawDataElement) else None
    return found.decode("latin-1") if isinstance(found, bytes) else None


def value(dataset: Any, keyword: str) -> Any:
    """Value of an element, None where it is absent, empty or cannot be converted."""
    try:
        found = dataset.get(keyword)
    except BACKEND_ERRORS:
        return None
    return None if found is None or (isinstance(found, str) and not found.strip()) else found


def text(dataset: Any, keyword: str, limit: int = 64) -> str | None:
    """A short printable text; several values stay joined by backslashes."""
    found = _raw(dataset, keyword, "text")
    if found is None:
        found = value(dataset, keyword)
        if found is None:
            return None
        found = "\\".join(str(part) for part in found) if _several(found) else str(found)
    if not found.isprintable():
        found = "".join(c for c in found if c.isprintable())
    return found.strip()[:limit] or None


def texts(dataset: Any, keyword: str) -> tuple[str, ...]:
    """All values of a multi-valued text, upper-cased."""
    found = text(dataset, keyword, limit=256)
    return tuple(part.strip().upper() for part in found.split("\\") if part.strip()) if found else ()


def numbers(dataset: Any, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
    """Finite numbers, or None where there are none, not `count` of them, or one is not a number."""
    raw = _raw(dataset, keyword, "number")
    parts: Any
    if raw is not None:
        parts = raw.strip(" \0").split("\\")
    else:
        found = value(dataset, keyword)
        if found is None:
            return None
        parts = found if _several(found) else (found,)
    try:
        result = tuple(float(part) for part in parts)
    except BACKEND_ERRORS:
        return None
    if not result or (count is not None and len(result) != count) or not all(map(math.isfinite, result)):
        return None
    return result


def _several(found: object) -> bool:
    return isinstance(found, (list, tuple, MultiValue))


def number(dataset: Any, keyword: str) -> float | None:
    """A finite number, the first one of several; None where there is none."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def stated_number(dataset: Any, keyword: str) -> float | None:
    """A finite number, None where there is none.

    Raises
    ------
    DicomError
        If there is something that is no number: it must not pass for its absence.
    """
    found = number(dataset, keyword)
    if found is None and text(dataset, keyword) is not None:
        raise DicomError(f"a {keyword} that is no number")
    return found


def integer(dataset: Any, keyword: str) -> int | None:
    """A whole number; None where there is none."""
    found = number(dataset, keyword)
    return int(found) if found is not None and abs(found) < 2**53 else None
