"""What happens to the pixels of one object: refused, scrubbed of hidden bytes, blanked or painted over."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify import ocr
from cormack.dicom.deidentify.canvas import Canvas, decoded_canvas, native_canvas, put_back
from cormack.dicom.deidentify.colours import air_values, dark_colour, pictures_of
from cormack.dicom.deidentify.pixel_grid import PixelGrid, grid_of
from cormack.dicom.deidentify.pixel_risk import find_risk, pixel_facts
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.regions import Region, RegionRules, built_in_rules, mask_of
from cormack.dicom.deidentify.streams import clear_unused_bits, has_embedded_overlay, padding_of, scrub

#: Frames in which text is looked for, spread evenly; and in the brightest and darkest of all frames.
MAX_SEARCHED_FRAMES = 16
#: Text is looked for again after blanking, and blanked again, so many times.
MAX_ROUNDS = 3
#: So much of what was found is blanked already: it is the edge of a rectangle, not text.
_HOLE_SHARE = 0.5


class PixelKind(StrEnum):
    """What was done to the pixels of an object."""

    UNTOUCHED = "untouched"
    SCRUBBED = "scrubbed"
    BLANKED = "blanked"
    PAINTED = "painted"
    REFUSED = "refused"


@dataclass(frozen=True)
class PixelPolicy:
    """What to do with images that may show an identity.

    Parameters
    ----------
    clean : bool
        The option clean-pixel-data: blank them; otherwise they are refused.
    rules : RegionRules
        Which rectangles of which images hold text.
    ocr : bool
        Look for text where it may be; needs the extra `ocr`.
    """

    clean: bool = False
    rules: RegionRules = field(default_factory=built_in_rules)
    ocr: bool = False


@dataclass(frozen=True)
class PixelTreatment:
    """What was done, and why not more.

    Parameters
    ----------
    kind : PixelKind
    reason : str
        Of a refusal: plain words that hold no value of the object.
    regions : tuple of Region
        Rectangles that were blanked.
    burned_in : bool or None
        For BurnedInAnnotation: False if text was looked for and removed; None if nothing is known.
    code : Reason or None
        Of a refusal.
    """

    kind: PixelKind
    reason: str = ""
    regions: tuple[Region, ...] = ()
    burned_in: bool | None = None
    code: Reason | None = None


def treat_pixels(
    dataset: Any,
    policy: PixelPolicy,
    *,
    face: npt.NDArray[np.bool_] | None = None,
    workers: DecodeWorkers | None = None,
) -> PixelTreatment:
    """Treat the pixels of one object in place; no other element is changed.

    Parameters
    ----------
    dataset : pydicom Dataset
        As `headers.parse_file` gives it, with its original header.
    policy : PixelPolicy
    face : array of bool, shape (rows, columns) or (frames, rows, columns), optional
        Pixels to be painted as air.
    workers : DecodeWorkers, optional
        Decoding processes of the caller; without them some are started when a compressed image must change.

    Returns
    -------
    PixelTreatment
        Kind `refused` if the object must not be written; the data set is then of no more use.

    Notes
    -----
    Clean Pixel Data Option: PS3.15 E.3.1; BurnedInAnnotation: PS3.3 C.7.6.1.
    """
    try:
        return _treat(dataset, policy, face, workers)
    except Refusal as refusal:
        return PixelTreatment(PixelKind.REFUSED, refusal.detail or refusal.reason.sentence, code=refusal.reason)


def _treat(
    dataset: Any, policy: PixelPolicy, face: npt.NDArray[np.bool_] | None, workers: DecodeWorkers | None
) -> PixelTreatment:
    grid = grid_of(dataset)
    if grid is None:
        return PixelTreatment(PixelKind.UNTOUCHED)
    risk = find_risk(pixel_facts(dataset, grid.samples, grid.photometric))
    if risk is not None and not policy.clean:
        raise Refusal(Reason.PIXELS, risk.reason)
    regions = policy.rules.regions(dataset) if risk is not None else ()
    if risk is not None and not (regions or policy.ocr):
        raise Refusal(Reason.PIXELS, f"{risk.reason}, and no region rule fits it")
    kind = PixelKind.SCRUBBED if scrub(dataset, grid) else PixelKind.UNTOUCHED
    overlay = not grid.is_native and has_embedded_overlay(dataset)
    if risk is None and face is None and not overlay:
        return PixelTreatment(kind)
    with ExitStack() as stack:
        canvas = _canvas(dataset, grid, workers, stack)
        if overlay:
            canvas.samples = clear_unused_bits(canvas.samples, canvas.grid, lambda: padding_of(dataset, grid))
            kind = PixelKind.SCRUBBED
        if risk is not None:
            regions = _blank(dataset, canvas, regions, policy)
            kind = PixelKind.BLANKED if regions else kind
        if face is not None:
            _paint_face(dataset, canvas, face)
            kind = PixelKind.PAINTED
        if overlay or regions or face is not None:
            put_back(dataset, grid, canvas)
    return PixelTreatment(kind, regions=regions, burned_in=None if risk is None else False)


def _canvas(dataset: Any, grid: PixelGrid, workers: DecodeWorkers | None, stack: ExitStack) -> Canvas:
    if grid.is_native:
        return native_canvas(dataset, grid)
    return decoded_canvas(dataset, grid, workers or stack.enter_context(DecodeWorkers()))


def _blank(dataset: Any, canvas: Canvas, regions: tuple[Region, ...], policy: PixelPolicy) -> tuple[Region, ...]:
    """Blank rectangles in all frames, by rules first, then where text is found; give back all of them."""
    colour = dark_colour(dataset, canvas)
    rows, columns = canvas.grid.rows, canvas.grid.columns
    blanked = mask_of(regions, rows, columns)
    canvas.paint(blanked, colour)
    rounds = 0
    while policy.ocr and (found := _text(dataset, canvas, blanked)):
        if rounds == MAX_ROUNDS:
            raise Refusal(Reason.PIXELS, "text was found in it even after blanking")
        blanked |= mask_of(found, rows, columns)
        canvas.paint(blanked, colour)
        regions, rounds = regions + found, rounds + 1
    return regions


def _text(dataset: Any, canvas: Canvas, blanked: npt.NDArray[np.bool_]) -> tuple[Region, ...]:
    """Rectangles of text in any frame; a blanked rectangle, which looks like a letter, is none."""
    pictures = pictures_of(dataset, canvas, MAX_SEARCHED_FRAMES)
    found = dict.fromkeys(box for picture in pictures for box in ocr.find_text(picture))
    return tuple(box for box in found if blanked[box.inside(ocr.MARGIN_PX)].mean() < _HOLE_SHARE)


def _paint_face(dataset: Any, canvas: Canvas, face: npt.NDArray[np.bool_]) -> None:
    grid = canvas.grid
    if face.shape not in ((grid.rows, grid.columns), (grid.frames, grid.rows, grid.columns)):
        raise Refusal(Reason.FACE, "the mask of its face has another size than its pixels")
    values = air_values(dataset, canvas)
    masks = np.broadcast_to(face, (grid.frames, grid.rows, grid.columns))
    for frame, (mask, value) in enumerate(zip(masks, values, strict=True)):
        Canvas(canvas.grid, canvas.samples[frame : frame + 1]).paint(mask, [value] * grid.samples)
