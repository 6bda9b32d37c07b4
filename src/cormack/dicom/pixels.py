"""Stored pixel values of one frame (PS3.5 section 8; PS3.3 C.7.6.3), with bounded effort."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from rle.utils import decode_pixel_data

from cormack.core.errors import DicomError
from cormack.dicom import headers
from cormack.dicom.decoders import PLUGIN, DecodeWorkers, is_available
from cormack.dicom.instance import NATIVE

#: Transfer syntaxes whose pixel data lost information when it was compressed, or may have.
LOSSY = {
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
}
RLE = "1.2.840.10008.1.2.5"
LITTLE_ENDIAN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")
_FLOAT_KEYWORDS = (("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64))


def stored_values(dataset: Any, frame: int, workers: DecodeWorkers) -> npt.NDArray[Any]:
    """Stored values of one frame, shape (rows, columns), before any rescale.

    Raises
    ------
    DicomError
        If the pixel data is cut short, damaged, or coded in a way that no decoder here reads.
    """
    rows, columns = headers.integer(dataset, "Rows") or 0, headers.integer(dataset, "Columns") or 0
    try:
        for keyword, dtype in _FLOAT_KEYWORDS:
            if keyword in dataset:
                return _native_floats(dataset, keyword, dtype, frame, rows, columns)
        syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "")
        words = _words(dataset, syntax, frame, rows, columns)
        if words is not None:
            return words
        if headers.integer(dataset, "BitsAllocated") == 1 and (not syntax or syntax in NATIVE):
            return _bits(dataset, frame, rows, columns)
        if syntax and syntax not in NATIVE:
            _check_stream_size(dataset, rows, columns)
        decoder = get_decoder(syntax or _native_syntax(dataset))
        plugin = {"decoding_plugin": PLUGIN, "cormack_workers": workers} if is_available(syntax) else {}
        values, _ = decoder.as_array(dataset, index=frame, raw=True, **plugin)
    except headers.BACKEND_ERRORS as error:
        raise DicomError("the pixel data of a file is cut short, damaged or of an unknown kind") from error
    if values.shape != (rows, columns):
        raise DicomError("the pixel data of a file does not have the size that its header states")
    return np.asarray(values)


def _words(dataset: Any, syntax: str, frame: int, rows: int, columns: int) -> npt.NDArray[Any] | None:
    """Values that fill words of 16 bits, little-endian or run-length encoded, at once; None for all else.

    Most CT is stored so, and pydicom's bookkeeping would take longer than the values do.
    """
    kind = tuple(headers.integer(dataset, k) for k in ("BitsAllocated", "BitsStored", "SamplesPerPixel"))
    signed = headers.integer(dataset, "PixelRepresentation")
    if kind != (16, 16, 1) or signed not in (0, 1) or "PixelData" not in dataset:
        return None
    data, size = dataset.PixelData, 2 * rows * columns
    if syntax == RLE and (headers.integer(dataset, "NumberOfFrames") or 1) == 1:
        (packed,) = generate_frames(data, number_of_frames=1)
        data = decode_pixel_data(packed, version=2, rows=rows, columns=columns, bits_allocated=16)
    elif syntax in LITTLE_ENDIAN:
        data = memoryview(data)[frame * size : (frame + 1) * size]
    else:
        return None
    if len(data) != size:
        raise DicomError("the pixel data of a file is cut short")
    return np.frombuffer(data, dtype="<i2" if signed else "<u2").reshape(rows, columns)


def _bits(dataset: Any, frame: int, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """Values of one bit each, the first one lowest; a frame may begin within a byte, where pydicom finds none."""
    first = frame * rows * columns
    last = first + rows * columns
    packed = np.frombuffer(dataset.PixelData, dtype=np.uint8)[first // 8 : -(-last // 8)]
    values = np.unpackbits(packed, bitorder="little")[first % 8 :][: last - first]
    if len(values) != last - first:
        raise DicomError("the pixel data of a file is cut short")
    return values.reshape(rows, columns)


def _native_syntax(dataset: Any) -> str:
    """Transfer syntax of a file without meta information, as pydicom found it from the bytes."""
    implicit, little = dataset.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"


def _native_floats(dataset: Any, keyword: str, dtype: Any, frame: int, rows: int, columns: int) -> npt.NDArray[Any]:
    little = dataset.original_encoding[1]
    values = np.frombuffer(dataset[keyword].value, dtype=np.dtype(dtype).newbyteorder("<" if little else ">"))
    return values[frame * rows * columns : (frame + 1) * rows * columns].reshape(rows, columns)


def _check_stream_size(dataset: Any, rows: int, columns: int) -> None:
    """Compare the size that a JPEG or JPEG 2000 stream states, which its decoder allocates, with the header."""
    data = dataset.PixelData
    for size in _stream_sizes(data):
        if size != (rows, columns):
            raise DicomError("a compressed image does not have the size that its header states")


def _stream_sizes(data: bytes) -> list[tuple[int, int]]:
    """(rows, columns) of the first coded image: from its SOF (JPEG, JPEG-LS) or SIZ (JPEG 2000) segment."""
    start = data.find(b"\xff\xd8\xff", 0, 65_536)
    if start >= 0:
        return _jpeg_size(data, start + 2)
    start = data.find(b"\xff\x4f\xff\x51", 0, 65_536)
    if start >= 0 and start + 24 <= len(data):
        width, height, left, top = struct.unpack_from(">4L", data, start + 8)
        return [(height - top, width - left)]
    return []


def _jpeg_size(data: bytes, offset: int) -> list[tuple[int, int]]:
    while offset + 9 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            rows, columns = struct.unpack_from(">HH", data, offset + 5)
            return [(rows, columns)]
        if marker == 0xFF:
            offset += 1
            continue
        offset += 2 + struct.unpack_from(">H", data, offset + 2)[0]
    return []
