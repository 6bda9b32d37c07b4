"""The same instances with other pixel values: headers, UIDs and geometry stay as they are.

Files whose pixels do not change are copied byte for byte. Uncompressed pixel data is changed in place, so that all
other bytes of the file stay; compressed data is decoded and encoded anew without loss (RLE), and the header says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import DicomError
from cormack.dicom import headers
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.canvas import Canvas, decoded_canvas, native_canvas, put_back
from cormack.dicom.deidentify.pixel_grid import PIXEL_DATA, PixelGrid, grid_of
from cormack.dicom.deidentify.reasons import Refusal
from cormack.dicom.deidentify.streams import value_of
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import Progress, SeriesEntry
from cormack.dicom.modules import whole_folder
from cormack.dicom.rescale import rescaled, slope_and_intercept

#: Gives the new values of an image, or the very array it was given: Instance and rescaled values (rows, columns).
Painter = Callable[[Instance, npt.NDArray[Any]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Repainted:
    """What was written: files in all, files whose pixels changed."""

    files: int
    changed: int


def repaint_series(
    entry: SeriesEntry, folder: Path | str, painter: Painter, *, on_progress: Progress | None = None
) -> Repainted:
    """Write all files of a series with other pixel values.

    Parameters
    ----------
    entry : SeriesEntry
        Its source must be open.
    folder : path
        Appears whole or not at all; must not exist, or be empty. Files are named by the order of the images.
    painter : callable
        Called for every image with its rescaled values (Hounsfield units of a CT).
    on_progress : callable, optional
        Called with (files done, files in all).

    Raises
    ------
    DicomError
        If a file cannot be read, or its pixels are of a kind that cannot be written again.
    OutputError
        If the folder holds something or cannot be written.
    """
    by_item: dict[int, list[Instance]] = defaultdict(list)
    for instance in entry.instances:
        by_item[instance.item].append(instance)
    changed = 0
    with headers.quiet(), DecodeWorkers() as workers, whole_folder(folder) as partial:
        for number, (item, images) in enumerate(by_item.items(), start=1):
            data = entry.source.read(entry.source.items[item])
            painted = _understood(entry, data, images, painter, workers)
            changed += painted is not data
            (partial / f"I{number:05d}.dcm").write_bytes(painted)
            if on_progress is not None:
                on_progress(number, len(by_item))
    return Repainted(len(by_item), changed)


def _understood(
    entry: SeriesEntry, data: bytes, images: list[Instance], painter: Painter, workers: DecodeWorkers
) -> bytes:
    """Say what it means when a file cannot be decoded or written again."""
    try:
        return _repaint(data, images, painter, workers)
    except Refusal as refusal:
        why = refusal.detail or refusal.reason.sentence
        raise DicomError(f"a file of {entry.label} cannot be written with other pixels: {why}") from refusal
    except (OSError, MemoryError):
        raise
    except headers.BACKEND_ERRORS as error:
        raise DicomError(f"a file of {entry.label} holds what cannot be written again; is it damaged?") from error


def _repaint(data: bytes, images: list[Instance], painter: Painter, workers: DecodeWorkers) -> bytes:
    """The file with its images painted; the very bytes if nothing changed."""
    dataset = headers.parse_file(data)
    grid = grid_of(dataset)
    if grid is None or grid.samples != 1:
        raise DicomError("a file without pixels, or in colour, cannot be painted on; expected grey CT or MR images")
    old = value_of(dataset, grid.tag)
    canvas = native_canvas(dataset, grid) if grid.is_native else decoded_canvas(dataset, grid, workers)
    touched = False
    for image in images:
        slope, intercept = slope_and_intercept(dataset, image.frame)
        cells = canvas.samples[image.frame or 0, :, :, 0]
        before = rescaled(cells, slope, intercept)
        after = painter(image, before)
        where = after != before
        if where.any():
            cells[where] = _stored((after[where].astype(np.float64) - intercept) / slope, canvas)
            touched = True
    if not touched:
        return data
    put_back(dataset, grid, canvas)
    return _in_place(data, old, value_of(dataset, grid.tag)) if _lies_bare(data, grid) else _anew(dataset)


def _stored(values: npt.NDArray[np.float64], canvas: Canvas) -> npt.NDArray[Any]:
    """Values as they are stored: whole, and within the bits that the header grants."""
    grid = canvas.grid
    if grid.tag != PIXEL_DATA:
        return values
    bits = grid.stored
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if grid.signed else (0, (1 << bits) - 1)
    return np.clip(np.rint(values), low, high)


def _lies_bare(data: bytes, grid: PixelGrid) -> bool:
    """True if the pixels lie in the file as they are, neither compressed nor deflated with the data set."""
    return grid.is_native and not headers.is_deflated(data)


def _in_place(data: bytes, old: bytes, new: bytes) -> bytes:
    _, offset = headers.parse_header(data)
    if offset is None or data[offset : offset + len(old)] != old:
        raise DicomError("the pixel data of a file does not lie where its header says")
    return data[:offset] + new + old[len(new) :] + data[offset + len(old) :]


def _anew(dataset: Any) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
