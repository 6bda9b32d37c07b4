"""The page about a registration: whether the two volumes lie on each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Volume
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.windows import Window
from cormack.report.comparison import checkerboard, cut, cuts, window_of
from cormack.report.pages import page_template
from cormack.report.tables import Row


@dataclass(frozen=True, eq=False)
class RegistrationContent:
    """What the page says.

    Parameters
    ----------
    title : str
        Names of the two spaces.
    warped, fixed : Volume
        On one grid.
    warped_mask, fixed_mask : LabelMap or None
        Outlined over the fixed volume; on that grid.
    key_rows : tuple of Row
    findings : tuple of Finding
    method : str
        A paragraph for the methods section of a paper.
    reference : str or None
        The work that a template is to be cited by, and its licence.
    versions : mapping
    """

    title: str
    warped: Volume
    fixed: Volume
    warped_mask: LabelMap | None
    fixed_mask: LabelMap | None
    key_rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    method: str
    reference: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


def render_registration(content: RegistrationContent) -> str:
    """Write the page as one self-contained HTML document (text of UTF-8)."""
    warped, fixed = upright(content.warped), upright(content.fixed)
    masks = {
        name: upright_mask(mask)
        for name, mask in (("brain", content.fixed_mask), ("head", content.warped_mask))
        if mask is not None
    }
    outlined = next(iter(masks.values()), None)
    shown = outlined if outlined is not None else LabelMap(np.ones(fixed.shape, np.uint8), fixed.affine, BRAIN)
    box, sections = cuts(shown)
    windows = window_of(warped), window_of(fixed)
    board = checkerboard(warped, fixed, windows)
    rows = {
        "Fixed": [cut(fixed, windows[1], box, at, masks, "fixed volume with outlines") for at in sections],
        "Warped": [cut(warped, windows[0], box, at, masks, "warped volume with outlines") for at in sections],
        "Checkerboard": [cut(board, Window(50, 100), box, at, {}, "checkerboard of both") for at in sections],
    }
    return page_template("registration.html.j2").render(content=content, rows=rows, outlines=tuple(masks))


def upright(volume: Volume) -> Volume:
    """The same voxels with axes closest to right, anterior, superior."""
    if axis_codes(volume.affine) == "RAS":
        return volume
    data, affine = reorient(volume.data, volume.affine)
    return Volume(data, affine, unit=volume.unit, outside=volume.outside, acquisition=volume.acquisition)


def upright_mask(mask: LabelMap) -> LabelMap:
    """The same for a mask."""
    data, affine = reorient(mask.data, mask.affine)
    return LabelMap(data, affine, mask.table, mask.description)
