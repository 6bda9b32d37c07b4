"""Pixels that are painted over: native data in place, compressed data decoded and encoded anew without loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from cormack.dicom import headers
from cormack.dicom.decoders import PLUGIN, DecodeWorkers, is_available
from cormack.dicom.deidentify.codestreams import rle_frame
from cormack.dicom.deidentify.pixel_grid import RLE, PixelGrid
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.streams import replace_value, value_of

_UNREADABLE = "its pixel data cannot be decoded"
#: Lossy transfer syntaxes and their LossyImageCompressionMethod (PS3.3 C.7.6.1.1.5.1).
_LOSSY = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}


@dataclass
class Canvas:
    """Samples of all frames, to be painted on.

    Parameters
    ----------
    grid : PixelGrid
        Of the pixels as they are here: decoded pixels are of another transfer syntax than their source.
    samples : array, shape (frames, rows, columns, samples)
        Where two pixels share their chrominance: (frames, rows, columns / 2, 4).
    """

    grid: PixelGrid
    samples: npt.NDArray[Any]

    def paint(self, mask: npt.NDArray[np.bool_], colour: Sequence[int | float]) -> None:
        """Give one value per sample to all pixels of a mask of shape (rows, columns) or (frames, rows, columns)."""
        if self.grid.is_subsampled:
            # Two pixels share their chrominance, so that both are painted: Y1 Y2 CB CR.
            mask = np.logical_or(mask[..., 0::2], mask[..., 1::2])
            colour = (colour[0], colour[0], *colour[1:])
        for k, value in enumerate(colour):
            sample = self.samples[..., k]
            if mask.ndim == 3:
                sample[mask] = value
            else:
                sample[:, mask] = value


def native_canvas(dataset: Any, grid: PixelGrid) -> Canvas:
    """The samples of native pixel data, a copy.

    Raises
    ------
    Refusal
        If the depth is one that nobody uses.
    """
    value = _in_order(value_of(dataset, grid.tag), grid)[: grid.size]
    if grid.allocated == 1:
        bits = np.unpackbits(np.frombuffer(value, np.uint8), bitorder="little")
        count = grid.frames * grid.rows * grid.columns * grid.samples
        return Canvas(grid, bits[:count].reshape(grid.frames, grid.rows, grid.columns, grid.samples))
    samples = np.frombuffer(bytearray(value), _dtype(grid))
    if grid.is_subsampled:
        return Canvas(grid, samples.reshape(grid.frames, grid.rows, grid.columns // 2, 4))
    if grid.planar and grid.samples > 1:
        planes = samples.reshape(grid.frames, grid.samples, grid.rows, grid.columns)
        return Canvas(grid, np.moveaxis(planes, 1, -1))
    return Canvas(grid, samples.reshape(grid.frames, grid.rows, grid.columns, grid.samples))


def decoded_canvas(dataset: Any, grid: PixelGrid, workers: DecodeWorkers) -> Canvas:
    """The samples of compressed pixel data.

    Raises
    ------
    Refusal
        If a frame cannot be decoded.
    """
    plugin = {"decoding_plugin": PLUGIN, "cormack_workers": workers} if is_available(grid.syntax) else {}
    try:
        decoder = get_decoder(UID(grid.syntax))
        frames = [decoder.as_array(dataset, index=n, raw=True, **plugin) for n in range(grid.frames)]
    except headers.BACKEND_ERRORS as error:
        raise Refusal(Reason.PIXELS, _UNREADABLE) from error
    samples = np.stack([frame for frame, _ in frames]).reshape(grid.frames, grid.rows, grid.columns, grid.samples)
    facts = frames[0][1]
    decoded = replace(
        grid,
        syntax=RLE,
        allocated=samples.dtype.itemsize * 8,
        planar=grid.samples > 1,
        # Decoders give every pixel its own chrominance.
        photometric=str(facts["photometric_interpretation"]).removesuffix("_422"),
    )
    return Canvas(decoded, samples)


def put_back(dataset: Any, grid: PixelGrid, canvas: Canvas) -> None:
    """Store painted samples: native ones as they were, decoded ones as RLE Lossless.

    RLE, because every toolkit reads it, it keeps depth and colour as they are, and the file stays about as small.
    """
    if canvas.grid.is_native:
        _put_native(dataset, grid, canvas)
        return
    frames = [rle_frame(list(_byte_planes(frame)), grid.columns) for frame in canvas.samples]
    _put_frames(dataset, grid, frames)
    dataset.file_meta.TransferSyntaxUID = UID(RLE)
    dataset.PhotometricInterpretation = canvas.grid.photometric
    dataset.BitsAllocated = canvas.grid.allocated
    if grid.samples > 1:
        dataset.PlanarConfiguration = 1
    if method := _LOSSY.get(grid.syntax):
        dataset.LossyImageCompression = "01"
        if not headers.text(dataset, "LossyImageCompressionMethod"):
            dataset.LossyImageCompressionMethod = method


def _put_frames(dataset: Any, grid: PixelGrid, frames: list[bytes]) -> None:
    replace_value(dataset, grid.tag, bytes(encapsulate(frames)), encapsulated=True, vr="OB")


def _put_native(dataset: Any, grid: PixelGrid, canvas: Canvas) -> None:
    samples = canvas.samples
    if grid.allocated == 1:
        value = np.packbits(samples.reshape(-1), bitorder="little").tobytes()
    else:
        value = (np.moveaxis(samples, -1, 1) if grid.planar and grid.samples > 1 else samples).tobytes()
    value += b"\0" * (len(value) % 2)
    replace_value(dataset, grid.tag, _in_order(value, grid), encapsulated=False)


def _in_order(value: bytes, grid: PixelGrid) -> bytes:
    """Bytes in the order of the pixels, or back in that of the file."""
    if not grid.swapped:
        return value
    return np.frombuffer(value + b"\0" * (len(value) % 2), np.uint16).byteswap().tobytes()


def _dtype(grid: PixelGrid) -> np.dtype[Any]:
    if grid.allocated not in (8, 16, 32, 64):
        raise Refusal(Reason.PIXELS, "its pixels have a depth that cannot be painted over")
    kind = "f" if grid.tag != 0x7FE00010 else "i" if grid.signed else "u"
    return np.dtype(f"{grid.byte_order}{kind}{grid.allocated // 8}")


def _byte_planes(frame: npt.NDArray[Any]) -> Any:
    """Byte planes of one frame of shape (rows, columns, samples), most significant byte first."""
    for k in range(frame.shape[-1]):
        sample = np.ascontiguousarray(frame[..., k]).astype(frame.dtype.newbyteorder(">"))
        octets = sample.reshape(-1).view(np.uint8).reshape(-1, frame.dtype.itemsize)
        for n in range(octets.shape[1]):
            yield octets[:, n].tobytes()
