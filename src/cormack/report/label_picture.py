"""A small picture of a scan with the labels of its structures: one coronal and two axial sections."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.windows import Window, apply_window
from cormack.report.painted_labels import painted_labels
from cormack.report.planes import AXIAL, CORONAL, LETTERS

#: A window that shows lung and what surrounds it.
CHEST_WINDOW = Window(-450, 1500)
#: Pixels of the picture (mm), the longest side of a section (pixels), and the gap between sections (pixels).
PIXEL_MM, LONGEST_PIXELS, GAP = 1.0, 420, 8
#: A small volume is enlarged until its longest side has so many pixels.
LEAST_PIXELS = 200
#: Axial sections at these shares of the labelled volume, from below.
AXIAL_SHARES = (0.3, 0.65)


def label_picture(volume: Volume, labels: LabelMap, window: Window = CHEST_WINDOW) -> bytes:
    """PNG with a coronal section and two axial ones, the patient's right on the left.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), axes closest to right, anterior, superior.
    labels : LabelMap
        On the grid of the volume; each label in the colour of its table.
    window : Window
    """
    coronal = _at_share(labels.data, CORONAL, 0.5)
    sections = [(CORONAL, coronal), *((AXIAL, _at_share(labels.data, AXIAL, share)) for share in AXIAL_SHARES)]
    pictures = [_section(volume, labels, axis, index, window) for axis, index in sections]
    width = sum(p.width for p in pictures) + GAP * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, max(p.height for p in pictures)))
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    buffer = BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _at_share(data: AnyArray, axis: int, share: float) -> int:
    """The plane below which this share of the labelled voxels lies; the middle one where there are none."""
    profile = np.cumsum(np.count_nonzero(data, axis=tuple(a for a in range(3) if a != axis)))
    return int(np.searchsorted(profile, share * profile[-1])) if profile[-1] else data.shape[axis] // 2


def _section(volume: Volume, labels: LabelMap, axis: int, index: int, window: Window) -> Image.Image:
    across, down = (a for a in range(3) if a != axis)
    extent: FloatArray = np.array(volume.spacing_mm) * volume.shape
    scale = min(1 / PIXEL_MM, LONGEST_PIXELS / float(extent[[across, down]].max()))
    scale = max(scale, LEAST_PIXELS / float(extent.max()))
    size = max(2, round(float(extent[across]) * scale)), max(2, round(float(extent[down]) * scale))
    grey = Image.fromarray(apply_window(_shown(volume.data, axis, index), window)).resize(size, Image.Resampling.BOX)
    marks = np.asarray(Image.fromarray(_shown(labels.data, axis, index)).resize(size, Image.Resampling.NEAREST))
    picture = Image.fromarray(painted_labels(np.asarray(grey), marks, labels))
    _letters(picture, LETTERS[axis])
    return picture


def _shown(data: AnyArray, axis: int, index: int) -> AnyArray:
    """A plane as rows from top to bottom, the patient's right first."""
    return np.ascontiguousarray(np.take(data, index, axis=axis).T[::-1, ::-1])


def _letters(picture: Image.Image, letters: tuple[str, str, str, str]) -> None:
    """Right or left at the sides, and what is up, in the corners' default letters."""
    draw = ImageDraw.Draw(picture)
    left, right, above, _ = letters
    middle = picture.height // 2
    for text, place, anchor in (
        (left, (4, middle), "lm"),
        (right, (picture.width - 4, middle), "rm"),
        (above, (picture.width // 2, 4), "mt"),
    ):
        draw.text(place, text, fill=(255, 255, 255), anchor=anchor)
