"""Pixel data without hidden bytes: what is no pixel is cut or cleared, and the decoded pixels stay bit for bit.

Native data is cut to the size that the header states and bits that are not stored are cleared; encapsulated data is cut
to its frames, and each frame to what its decoder needs (PS3.5 sections 8.1.1, 8.2 and A.4).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate

from cormack.dicom import headers
from cormack.dicom.deidentify.codestreams import (
    JPEG_2000_START,
    JPEG_START,
    Codestream,
    clean_jpeg,
    clean_jpeg_2000,
    clean_rle,
)
from cormack.dicom.deidentify.pixel_grid import JPEG, PIXEL_DATA, RLE, PixelGrid
from cormack.dicom.deidentify.reasons import Reason, Refusal

Padding = Callable[[], int | None]
EXTENDED_OFFSETS = (0x7FE00001, 0x7FE00002)
_UNDEFINED = 0xFFFFFFFF
_ITEM, _DELIMITER = 0xE000FFFE, 0xE0DDFFFE


def value_of(dataset: Any, tag: int) -> bytes:
    """Bytes of an element, as the file held them."""
    value = dataset.get_item(tag).value
    return value if isinstance(value, bytes) else b"" if value is None else bytes(value)


def replace_value(dataset: Any, tag: int, value: bytes, *, encapsulated: bool, vr: str | None = None) -> None:
    """Put other bytes into a pixel element, which stays raw."""
    old = dataset.get_item(tag)
    length = _UNDEFINED if encapsulated else len(value)
    little = dataset.original_encoding[1] is not False
    dataset[tag] = RawDataElement(old.tag, vr or old.VR, length, value, 0, False, little, True)


def scrub(dataset: Any, grid: PixelGrid) -> bool:
    """Remove all bytes and bits of the pixel element that are no pixels.

    Returns
    -------
    bool
        True if there were any.

    Raises
    ------
    Refusal
        If the pixel data is cut short or damaged.
    """
    value = value_of(dataset, grid.tag)
    if grid.is_native:
        cleaned = scrub_native(value, grid, lambda: padding_of(dataset, grid))
    else:
        extended = [tag for tag in EXTENDED_OFFSETS if tag in dataset]
        for tag in extended:
            del dataset[tag]  # it holds the same offsets as the basic table, which is written instead
        cleaned = scrub_encapsulated(value, grid, write_offsets=bool(extended))
    if cleaned is value:
        return False
    replace_value(dataset, grid.tag, cleaned, encapsulated=not grid.is_native)
    return True


def scrub_native(value: bytes, grid: PixelGrid, padding: Padding = lambda: None) -> bytes:
    """Native pixel data of the stated size, with bits that are not stored cleared; the same object if it was clean."""
    size = grid.size
    if len(value) < size:
        raise Refusal(Reason.TRUNCATED)
    if grid.swapped and size % 2 and len(value) > size:
        # The last pixel is the second byte of its word.
        if len(value) > size + 1 or value[size - 1]:
            value = value[: size - 1] + b"\0" + value[size : size + 1]
    elif len(value) > size and (len(value) > size + 1 or not size % 2 or value[-1]):
        value = value[:size] + b"\0" * (size % 2)
    if grid.tag == PIXEL_DATA and grid.allocated in (8, 16, 32) and grid.stored < grid.allocated:
        kind = "i" if grid.signed else "u"
        pixels = np.frombuffer(value, f"{grid.byte_order}{kind}{grid.allocated // 8}", size * 8 // grid.allocated)
        cleared = clear_unused_bits(pixels, grid, padding)
        if cleared is not pixels:
            value = cleared.tobytes() + value[pixels.nbytes :]
    return value


def clear_unused_bits(pixels: npt.NDArray[Any], grid: PixelGrid, padding: Padding) -> npt.NDArray[Any]:
    """Pixels whose bits outside of the stored ones hold nothing but the sign; the same array if it was so.

    Such bits once held overlays (PS3.5 8.1.2, retired): a nibble per pixel is room for a letter.

    Parameters
    ----------
    pixels : array of integers, any shape
    grid : PixelGrid
    padding : callable that gives an int or None
        A value that may lie outside of the stored range: a constant hides nothing.
    """
    shift = grid.high + 1 - grid.stored
    if shift == 0 and _fits(pixels, grid):
        return pixels
    up = grid.allocated - 1 - grid.high
    # Shifting up drops what lies above the stored bits; shifting down again brings back zeros or the sign.
    cleared = (pixels << up >> (up + shift)) << shift
    if (constant := padding()) is not None:
        cleared = np.where(pixels == constant, pixels, cleared)
    return pixels if np.array_equal(cleared, pixels) else cleared.astype(pixels.dtype)


def _fits(pixels: npt.NDArray[Any], grid: PixelGrid) -> bool:
    """True if all values lie in the range of the stored bits; the quick answer for almost all images."""
    if pixels.dtype.byteorder == ">":
        return False
    if not grid.signed:
        return int(pixels.max()) >> grid.stored == 0
    limit = 1 << (grid.stored - 1)
    return -limit <= int(pixels.min()) and int(pixels.max()) < limit


def padding_of(dataset: Any, grid: PixelGrid) -> int | None:
    """PixelPaddingValue as the pixels are read: a constant outside of the stored range hides nothing."""
    value = headers.integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    value &= (1 << grid.allocated) - 1
    return value - (1 << grid.allocated) if grid.signed and value >> (grid.allocated - 1) else value


def scrub_encapsulated(value: bytes, grid: PixelGrid, *, write_offsets: bool = False) -> bytes:
    """Fragments of the stated frames alone, each frame cleaned; the same object if there was nothing to remove.

    Raises
    ------
    Refusal
        If there are fewer frames than stated, or one is cut short, damaged or of another size.
    """
    offsets, fragments, starts = split_fragments(value)
    groups = frame_fragments(fragments, grid)
    frames = [clean_frame(b"".join(group), grid) for group in groups]
    kept = [fragment for group in groups for fragment in group]
    table = [starts[i] for i in np.cumsum([0] + [len(group) for group in groups[:-1]])]
    unchanged = (
        not write_offsets
        and len(kept) == len(fragments)
        and offsets in (b"", struct.pack(f"<{len(table)}L", *table))
        and all(_padded(frame) == b"".join(group) for frame, group in zip(frames, groups, strict=True))
        and len(value) == 8 + len(offsets) + sum(8 + len(fragment) for fragment in fragments)
    )
    return value if unchanged else bytes(encapsulate(frames, has_bot=bool(offsets) or write_offsets))


def _padded(frame: bytes) -> bytes:
    return frame + b"\0" * (len(frame) % 2)


def split_fragments(value: bytes) -> tuple[bytes, list[bytes], list[int]]:
    """Basic Offset Table, fragments, and where each fragment's item starts after the table."""
    items, starts, at = [], [], 0
    while at + 8 <= len(value):
        tag, length = struct.unpack_from("<LL", value, at)
        if tag == _DELIMITER:
            break
        if tag != _ITEM or at + 8 + length > len(value):
            raise Refusal(Reason.TRUNCATED)
        starts.append(at)
        items.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    if len(items) < 2:
        raise Refusal(Reason.TRUNCATED)
    return items[0], items[1:], [start - starts[1] for start in starts[1:]]


def frame_fragments(fragments: list[bytes], grid: PixelGrid) -> list[list[bytes]]:
    """Fragments by frame; those of frames that the header does not count are left out.

    A frame begins where a codestream begins: no offset table is needed, which may be absent or wrong.
    """
    if grid.syntax == RLE:
        groups = [[fragment] for fragment in fragments]
    else:
        start = JPEG_START if grid.syntax in JPEG else JPEG_2000_START
        groups = []
        for fragment in fragments:
            if fragment.startswith(start):
                groups.append([])
            if not groups:
                raise Refusal(Reason.PIXELS, "its compressed pixel data is damaged or of an unknown structure")
            groups[-1].append(fragment)
    if len(groups) < grid.frames:
        raise Refusal(Reason.TRUNCATED)
    return groups[: grid.frames]


def clean_frame(frame: bytes, grid: PixelGrid) -> bytes:
    """One frame without hidden bytes."""
    if grid.syntax == RLE:
        return clean_rle(frame, grid.samples * grid.allocated // 8, grid.rows * grid.columns, grid.columns)
    stream: Codestream = clean_jpeg(frame) if grid.syntax in JPEG else clean_jpeg_2000(frame)
    if stream.columns != grid.columns or stream.rows not in (0, grid.rows):
        raise Refusal(Reason.DAMAGED, "its compressed pixel data is of another size than its header states")
    return stream.data


def has_embedded_overlay(dataset: Any) -> bool:
    """True if an overlay has a bit position in the pixels and no data of its own (PS3.3 C.9.2)."""
    return any(
        (position := dataset.get_item(group << 16 | 0x0102)) is not None
        and any(position.value or b"")
        and group << 16 | 0x3000 not in dataset
        for group in range(0x6000, 0x6020, 2)
    )
