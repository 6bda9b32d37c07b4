"""Size, depth and coding of the pixel data of one object (PS3.3 C.7.6.3), checked before anything is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import RawDataElement

from cormack.dicom import headers
from cormack.dicom.deidentify.reasons import Reason, Refusal

PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA = 0x7FE00010, 0x7FE00008, 0x7FE00009
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT, EXPLICIT, BIG_ENDIAN, headers.DEFLATED})
RLE = "1.2.840.10008.1.2.5"
#: Transfer syntaxes whose frames are JPEG or JPEG-LS streams, and such of JPEG 2000 codestreams.
JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
#: Video: MPEG-2, MPEG-4 (H.264), HEVC and SMPTE ST 2110.
_VIDEO = (*(f"1.2.840.10008.1.2.4.{n}" for n in range(100, 109)), "1.2.840.10008.1.2.7.")
_FLOATS = {FLOAT_PIXEL_DATA: 32, DOUBLE_PIXEL_DATA: 64}
_UNSTATED = "the size or depth of its pixels is not stated"
_TAGS = {
    "SamplesPerPixel": 0x00280002,
    "PlanarConfiguration": 0x00280006,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
}
_MAX_SIDE = 65_535
_MAX_FRAMES = 2**31 - 1


@dataclass(frozen=True)
class PixelGrid:
    """What the header says of the pixel data.

    Parameters
    ----------
    tag : int
        Of the element that holds the pixels.
    syntax : str
        Transfer syntax UID; of a file that states none, the one that its bytes show.
    rows, columns, frames, samples : int
    allocated, stored, high : int
        BitsAllocated, BitsStored and HighBit.
    signed, planar : bool
        PixelRepresentation and PlanarConfiguration are 1.
    photometric : str
        PhotometricInterpretation, upper case.
    swapped : bool
        Pixels of up to eight bits in big endian words of two bytes (PS3.5 8.1.1 and annex D).
    """

    tag: int
    syntax: str
    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    swapped: bool

    @property
    def is_native(self) -> bool:
        """True if the pixel data is not compressed."""
        return self.syntax in NATIVE

    @property
    def is_subsampled(self) -> bool:
        """True for native data in which two pixels share their chrominance."""
        return self.is_native and self.photometric == "YBR_FULL_422"

    @property
    def size(self) -> int:
        """Bytes of native pixel data without padding; bits of one-bit images run on over the frames (PS3.5 8.1.1)."""
        samples = 2 if self.is_subsampled else self.samples
        return (self.rows * self.columns * self.frames * samples * self.allocated + 7) // 8

    @property
    def byte_order(self) -> str:
        """Sign of the byte order of native data for numpy."""
        return ">" if self.syntax == BIG_ENDIAN else "<"


def grid_of(dataset: Any) -> PixelGrid | None:
    """Read the grid; None for an object without pixels.

    Raises
    ------
    Refusal
        If the attributes are missing, or contradict each other or the transfer syntax.
    """
    tags = [tag for tag in (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA) if tag in dataset]
    if not tags:
        return None
    if len(tags) > 1:
        raise Refusal(Reason.DAMAGED, "more than one kind of pixel data")
    depth = _FLOATS.get(tags[0])
    allocated = depth or _number(dataset, "BitsAllocated")
    stored = allocated if depth else _number(dataset, "BitsStored", allocated)
    syntax = _syntax(dataset)
    grid = PixelGrid(
        tag=tags[0],
        syntax=syntax,
        rows=_number(dataset, "Rows"),
        columns=_number(dataset, "Columns"),
        frames=max(1, _number(dataset, "NumberOfFrames", 1)),
        samples=_number(dataset, "SamplesPerPixel", 1),
        allocated=allocated,
        stored=stored,
        high=stored - 1 if depth else _number(dataset, "HighBit", stored - 1),
        signed=_number(dataset, "PixelRepresentation", 0) == 1,
        planar=_number(dataset, "PlanarConfiguration", 0) == 1,
        photometric=(headers.text(dataset, "PhotometricInterpretation") or "").upper(),
        swapped=syntax == BIG_ENDIAN and allocated <= 8 and dataset.get_item(tags[0]).VR == "OW",
    )
    _check(grid)
    return grid


def _number(dataset: Any, keyword: str, otherwise: int | None = None) -> int:
    element = dataset.get_item(_TAGS[keyword]) if _TAGS[keyword] in dataset else None
    if element is None or not element.value:
        found = None
    elif isinstance(element, RawDataElement) and keyword != "NumberOfFrames" and len(element.value) == 2:
        # Straight from the bytes: what pydicom converts, the writer would have to encode again.
        found = int.from_bytes(element.value, "little" if element.is_little_endian else "big")
    elif (found := headers.integer(dataset, keyword)) is None:
        raise Refusal(Reason.DAMAGED, _UNSTATED)
    if found is None and otherwise is None:
        raise Refusal(Reason.DAMAGED, _UNSTATED)
    return found if found is not None else otherwise or 0


def _check(grid: PixelGrid) -> None:
    fits = (
        0 < grid.rows <= _MAX_SIDE
        and 0 < grid.columns <= _MAX_SIDE
        and grid.frames <= _MAX_FRAMES
        and grid.samples in (1, 3, 4)
        and grid.allocated in (1, 8, 12, 16, 24, 32, 64)
        and 0 < grid.stored <= grid.allocated
        and grid.stored - 1 <= grid.high < grid.allocated
        and not (grid.is_subsampled and (grid.columns % 2 or grid.samples != 3 or grid.allocated != 8))
    )
    if not fits:
        raise Refusal(Reason.DAMAGED, "size and depth of its pixels contradict each other")
    if grid.syntax.startswith(_VIDEO):
        raise Refusal(Reason.PIXELS, "video cannot be searched for burned-in text")
    if not (grid.is_native or grid.syntax == RLE or grid.syntax in JPEG or grid.syntax in JPEG_2000):
        raise Refusal(Reason.UNKNOWN_SYNTAX, "its pixel data is coded in a way that Cormack does not read")
    if not grid.is_native and (grid.tag != PIXEL_DATA or grid.allocated not in (8, 16, 32, 64)):
        raise Refusal(Reason.DAMAGED, "depth of its pixels and transfer syntax contradict each other")


def _syntax(dataset: Any) -> str:
    meta = getattr(dataset, "file_meta", None)
    stated = str(meta.get("TransferSyntaxUID") or "") if meta is not None else ""
    if stated:
        return stated
    implicit, little = dataset.original_encoding
    return IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN
