"""Lungs on chest CT: one door to two methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ExtractionError, InputError, ValuesError
from cormack.core.findings import Finding
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Unit, Volume
from cormack.imaging.condition import check_hounsfield
from cormack.imaging.orient import axis_codes, reorient
from cormack.segment.lung_slices import lungs_by_slices
from cormack.segment.lungs3d import lungs_3d
from cormack.segment.segmentation import Segmentation

LUNGS = LabelTable(
    (
        Label(1, "right lung", "RL", (230, 159, 0), "3341006"),
        Label(2, "left lung", "LL", (86, 180, 233), "44029006"),
    )
)
BOTH_LUNGS = LabelTable((Label(1, "lungs", "lungs", (230, 159, 0), "39607008"),))
#: A lung with less than this share of both is missing.
MISSING_SHARE = 0.03
#: Lung over this area in the first or last slice is cut there (mm²).
CUT_MM2 = 100.0

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Method:
    """How lungs are found: the table of its labels, a sentence, and the function on axes closest to R, A, S."""

    table: LabelTable
    description: str
    find: Callable[[Volume], tuple[Labels, bool | None]]


def _by_slices(volume: Volume) -> tuple[Labels, None]:
    return lungs_by_slices(volume.data).astype(np.uint8), None


METHODS = {
    "3d": _Method(
        LUNGS,
        "Lungs with their vessels, bronchi and nodules, without trachea and main bronchi; found in three dimensions as "
        "air inside the body, dents of up to 16 mm filled at the mediastinum and wider ones at the ribs by rolling "
        "balls; the surface lies at half the step from lung to soft tissue",
        lungs_3d,
    ),
    "slices": _Method(
        BOTH_LUNGS,
        "Both lungs as one, slice by slice: two-cluster k-means of the middle of the image, erosion, dilation, rules "
        "on the boxes of regions, dilation (Chen 2017); its surface lies outside that of the lungs",
        _by_slices,
    ),
}


def segment_lungs(volume: Volume, *, method: str = "3d") -> Segmentation:
    """Find the lungs.

    Parameters
    ----------
    volume : Volume
        Chest CT in HU, shape (i, j, k), in any orientation that its affine states; parts of a chest, too.
    method : {"3d", "slices"}
        In three dimensions, right lung (1) and left lung (2) apart; or a tutorial's recipe, both as one (1).

    Returns
    -------
    Segmentation
        Labels on the grid of the volume. Findings: `one-lung`, `lungs-cut`, `airway-not-found`.

    Raises
    ------
    InputError
        If the method is unknown, or the values are no Hounsfield units (`ValuesError`).
    ExtractionError
        If no lung is in view.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r}: give {' or '.join(METHODS)}")
    if volume.unit is not Unit.HU:
        raise ValuesError(f"lungs are found in Hounsfield units, not in {volume.unit}: convert the volume first")
    check_hounsfield(volume.data)
    data, affine = reorient(volume.data, volume.affine)
    upright = Volume(data, affine, outside=volume.outside)
    chosen = METHODS[method]
    found, airway = chosen.find(upright)
    if not found.any():
        raise ExtractionError(
            "no lungs were found: inside the body there is no region of air as large and as dense as lung; expected a "
            "chest CT, or a part of one that shows lung"
        )
    labels, _ = reorient(found, affine, axis_codes(volume.affine))
    return Segmentation(
        LabelMap(np.asfortranarray(labels), volume.affine, chosen.table, chosen.description),
        _findings(found, upright.spacing_mm, chosen.table, airway),
    )


def _findings(
    found: Labels, spacing_mm: tuple[float, float, float], table: LabelTable, airway: bool | None
) -> tuple[Finding, ...]:
    findings = []
    if len(table) > 1:
        counts = {label.name: int(np.count_nonzero(found == label.index)) for label in table}
        missing, seen = sorted(counts, key=counts.__getitem__)
        if counts[missing] < MISSING_SHARE * counts[seen]:
            findings.append(
                Finding(
                    "one-lung",
                    f"Only the {seen} was found. The {missing} is absent (as after pneumonectomy), holds no air, or "
                    "lies outside the field of view.",
                    {"missing": missing},
                )
            )
    ends = {
        end: float(np.count_nonzero(found[:, :, k])) * spacing_mm[0] * spacing_mm[1]
        for end, k in (("upper", -1), ("lower", 0))
    }
    cut = [end for end, area in ends.items() if area > CUT_MM2]
    if cut:
        findings.append(
            Finding(
                "lungs-cut",
                f"The lungs are cut at the {' and the '.join(cut)} end of the field of view; their volumes are those "
                "of what is in view.",
                {f"area_at_{end}_end_mm2": round(ends[end], 1) for end in cut},
            )
        )
    if airway is False and "upper" not in cut:
        findings.append(
            Finding(
                "airway-not-found",
                "No trachea was found, so none was taken away; if one is in view, the lungs may hold it and the main "
                "bronchi.",
            )
        )
    return tuple(findings)
