"""JPEG, JPEG-LS, JPEG 2000 and RLE frames without comments, application data and trailing bytes.

What a decoder needs stays byte for byte, so that the decoded pixels cannot change; what is not understood is refused.
Markers: ISO/IEC 10918-1 table B.1, 14495-1 C.1, 15444-1 table A.2 and 15444-15; RLE: PS3.5 annex G.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rle.utils import decode_segment, encode_segment

from cormack.dicom.deidentify.reasons import Reason, Refusal

JPEG_START, JPEG_2000_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JPEG_END = 0xD9
_SCAN, _LS_FRAME, _DHT, _DQT = 0xDA, 0xF7, 0xC4, 0xDB
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), _LS_FRAME} - {_DHT, 0xC8, 0xCC})
#: Tables that decoders need: Huffman, arithmetic, quantization, lines, restarts, JPEG-LS presets.
_JPEG_TABLES = frozenset({_DHT, 0xCC, _DQT, 0xDC, 0xDD, 0xF8})
_JPEG_DROPPED = frozenset({0xFE, *range(0xE0, 0xF0)})
#: In coded data 0xFF is followed by zero (JPEG) or a clear bit (JPEG-LS), or is a restart; all else is a marker.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_LS_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
#: Application segments that decide how decoders read colour: the only ones kept, in a form that holds nothing else.
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"

_J2K_COMMENT, _TILE_START, _TILE_DATA, _J2K_END = 0xFF64, 0xFF90, 0xFF93, 0xFFD9
#: CAP SIZ COD COC TLM PRF PLM PLT CPF QCD QCC RGN POC PPM PPT CRG.
_J2K_KEPT = frozenset(
    0xFF00 | n for n in (0x50, 0x51, 0x52, 0x53, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F)
)
_J2K_KEPT |= {0xFF60, 0xFF61, 0xFF63}
_RLE_HEADER = struct.Struct("<16L")


@dataclass(frozen=True)
class Codestream:
    """One frame without hidden bytes, and the size that it states; 0 rows if a later marker states them."""

    data: bytes
    rows: int
    columns: int


def _damaged() -> Refusal:
    return Refusal(Reason.PIXELS, "its compressed pixel data is damaged or of an unknown structure")


def clean_jpeg(stream: bytes) -> Codestream:
    """A JPEG or JPEG-LS frame up to its EOI, without comments and application data.

    Raises
    ------
    Refusal
        If the stream is cut short or of an unknown structure.
    """
    kept, at, size, marker_of = [JPEG_START], 2, None, _JPEG_MARKER
    while True:
        marker, at = _jpeg_marker(stream, at)
        if marker == _JPEG_END:
            break
        body = _segment(stream, at)
        if marker in _JPEG_FRAMES:
            size = _jpeg_size(body)
            marker_of = _LS_MARKER if marker == _LS_FRAME else _JPEG_MARKER
        end = at + 2 + len(body)
        if marker == _SCAN:
            found = marker_of.search(stream, end)
            if size is None or found is None or len(body) != 4 + 2 * body[0]:
                raise _damaged()
            end = found.start()
        elif marker in _JPEG_DROPPED:
            kept.append(_colour_segment(marker, body))
        elif marker not in _JPEG_FRAMES and not (marker in _JPEG_TABLES and _is_whole_table(marker, body)):
            raise _damaged()
        if marker not in _JPEG_DROPPED:
            kept.append(b"\xff" + bytes((marker,)) + stream[at:end])
        at = end
    if size is None:
        raise _damaged()
    kept.append(b"\xff\xd9")
    return Codestream(b"".join(kept), *size)


def _jpeg_marker(stream: bytes, at: int) -> tuple[int, int]:
    """The marker at an offset, fill bytes before it skipped, and the offset after it."""
    start = at
    while at < len(stream) and stream[at] == 0xFF:
        at += 1
    if at == start or at >= len(stream):
        raise _damaged()
    return stream[at], at + 1


def _segment(stream: bytes, at: int) -> bytes:
    """The body of a marker segment, without its length."""
    length = int.from_bytes(stream[at : at + 2], "big")
    if length < 2 or at + length > len(stream):
        raise _damaged()
    return stream[at + 2 : at + length]


def _jpeg_size(body: bytes) -> tuple[int, int]:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise _damaged()
    rows, columns = struct.unpack_from(">HH", body, 1)
    return rows, columns


def _colour_segment(marker: int, body: bytes) -> bytes:
    if marker == 0xE0 and body[:5] == b"JFIF\0":
        return _JFIF
    if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
        return b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + body[11:12]
    if marker == 0xE8 and body[:4] == b"mrfx" and len(body) >= 5:
        return b"\xff\xe8\x00\x07mrfx" + body[4:5]
    return b""


def _is_whole_table(marker: int, body: bytes) -> bool:
    """False for a table segment with bytes that belong to no table."""
    at = 0
    while marker in (_DHT, _DQT) and at < len(body):
        at += 1 + 64 * (1 + (body[at] >> 4)) if marker == _DQT else 17 + sum(body[at + 1 : at + 17])
    return at == len(body) if marker in (_DHT, _DQT) else len(body) == 2 or marker in (0xCC, 0xF8)


def clean_jpeg_2000(stream: bytes) -> Codestream:
    """A JPEG 2000 codestream up to its EOC; comments of tile-parts, whose lengths are indexed, are filled with zeros.

    Raises
    ------
    Refusal
        If the stream is cut short or of an unknown structure.
    """
    if len(stream) < 50:
        raise _damaged()
    width, height, left, top = struct.unpack_from(">4L", stream, 8)
    kept, at = [stream[:2]], 2
    while (marker := _code(stream, at)) != _TILE_START:
        body = _segment(stream, at + 2)
        end = at + 4 + len(body)
        if marker in _J2K_KEPT:
            kept.append(stream[at:end])
        elif marker != _J2K_COMMENT:
            raise _damaged()
        at = end
    while at < len(stream) - 1 and _code(stream, at) == _TILE_START:
        part, at = _tile_part(stream, at)
        kept.append(part)
    # Some encoders leave out the end; what then follows the last tile-part is no image.
    return Codestream(b"".join(kept) + b"\xff\xd9", height - top, width - left)


def _tile_part(stream: bytes, start: int) -> tuple[bytes, int]:
    """A tile-part without the content of its comments, and the offset after it."""
    if len(_segment(stream, start + 2)) != 8:
        raise _damaged()
    length = int.from_bytes(stream[start + 6 : start + 10], "big")
    kept, at = [stream[start : start + 12]], start + 12
    while (marker := _code(stream, at)) != _TILE_DATA:
        body = _segment(stream, at + 2)
        end = at + 4 + len(body)
        if marker == _J2K_COMMENT:
            kept.append(stream[at : at + 4] + bytes(len(body)))
        elif marker in _J2K_KEPT:
            kept.append(stream[at:end])
        else:
            raise _damaged()
        at = end
    # A length of zero: the last tile-part, which goes on to the end; its data holds no code above 0xFF8F.
    end = start + length if length else stream.find(b"\xff\xd9", at)
    if end < at or end > len(stream):
        raise _damaged()
    kept.append(stream[at:end])
    return b"".join(kept), end


def _code(stream: bytes, at: int) -> int:
    if at + 2 > len(stream):
        raise _damaged()
    return int.from_bytes(stream[at : at + 2], "big")


def clean_rle(frame: bytes, segments: int, pixels: int, columns: int) -> bytes:
    """An RLE frame decoded and encoded anew, so that nothing but the pixels can be in it.

    Parameters
    ----------
    frame : bytes
    segments : int
        Bytes of a pixel, all samples together.
    pixels, columns : int
        Of the frame, and of one row.

    Raises
    ------
    Refusal
        If the frame is cut short or of another number of segments.
    """
    if len(frame) < _RLE_HEADER.size:
        raise _damaged()
    count, *offsets = _RLE_HEADER.unpack_from(frame)
    bounds = [*offsets[:count], len(frame)]
    if count != segments or bounds[0] != _RLE_HEADER.size or sorted(bounds) != bounds:
        raise _damaged()
    planes = []
    for start, end in pairwise(bounds):
        planes.append(_rle_plane(frame[start:end], pixels))
    return rle_frame(planes, columns)


def _rle_plane(segment: bytes, pixels: int) -> bytes:
    try:
        plane = bytes(decode_segment(segment))
    except ValueError:
        # What follows the last pixel need not be a whole run.
        plane = bytes(decode_segment(segment[: _rle_end(segment, pixels)]))
    if len(plane) < pixels:
        raise _damaged()
    return plane[:pixels]


def _rle_end(segment: bytes, pixels: int) -> int:
    """Offset after the run that holds the last pixel."""
    at = made = 0
    while made < pixels:
        if at >= len(segment):
            raise _damaged()
        code = segment[at]
        at += 1 if code == 128 else 2 + (code if code < 128 else 0)
        made += 0 if code == 128 else code + 1 if code < 128 else 257 - code
    if at > len(segment):
        raise _damaged()
    return at


def rle_frame(planes: Sequence[bytes], columns: int) -> bytes:
    """Encode byte planes, the most significant of each sample first, as one RLE frame."""
    coded = [bytes(encode_segment(plane, columns)) for plane in planes]
    offsets, at = [], _RLE_HEADER.size
    for segment in coded:
        offsets.append(at)
        at += len(segment)
    header = _RLE_HEADER.pack(len(coded), *offsets, *([0] * (15 - len(coded))))
    return header + b"".join(coded)
