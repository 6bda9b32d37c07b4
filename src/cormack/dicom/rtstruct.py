"""Radiotherapy structure sets: contours of structures (DICOM PS3.3 A.19, C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread

from cormack.core.contours import ContouredStructure
from cormack.core.errors import DicomError, InputError
from cormack.core.volume import FloatArray

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
#: Contours that surround an area; points and open lines have none.
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
#: DICOM's LPS to RAS.
_TO_RAS = np.array([-1.0, -1.0, 1.0])


def read_rtstruct(path: Path) -> tuple[tuple[ContouredStructure, ...], int]:
    """Read a structure set.

    Parameters
    ----------
    path : Path
        One DICOM file.

    Returns
    -------
    structures : tuple of ContouredStructure
        Those with a closed contour, in the order of the file; RAS+ mm.
    left_out : int
        Contours that are points or open lines.

    Raises
    ------
    InputError
        If there is no such file.
    DicomError
        If it is broken or no structure set, or has no closed contour.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        # Planning systems write files without a preamble, too.
        dataset = dcmread(path, force=True)
        if "SOPClassUID" not in dataset:
            raise DicomError(f"{path}: neither NRRD nor NIfTI by its name, nor a DICOM file")
        if dataset.SOPClassUID != RT_STRUCTURE_SET:
            raise DicomError(
                f"{path}: a DICOM file, but neither RT Structure Set nor Segmentation; give one, NRRD or NIfTI"
            )
        names = {int(roi.ROINumber): str(roi.get("ROIName", "")).strip() for roi in dataset.StructureSetROISequence}
        found = [_structure(item, names) for item in dataset.get("ROIContourSequence") or ()]
    except (OSError, EOFError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DicomError(f"{path}: a broken RT Structure Set ({type(error).__name__})") from error
    structures = [structure for structure, _ in found if structure.contours]
    if not structures:
        raise DicomError(f"{path}: the RT Structure Set holds no closed contour")
    return tuple(structures), sum(left_out for _, left_out in found)


def _structure(item: Any, names: dict[int, str]) -> tuple[ContouredStructure, int]:
    number = int(item.ReferencedROINumber)
    contours, left_out = [], 0
    for contour in item.get("ContourSequence") or ():
        if contour.ContourGeometricType in CLOSED:
            contours.append(_points(contour))
        else:
            left_out += 1
    color = item.get("ROIDisplayColor")
    red, green, blue = (min(255, max(0, int(value))) for value in color) if color else (0, 0, 0)
    name = names[number] or f"structure {number}"
    return ContouredStructure(name, (red, green, blue) if color else None, tuple(contours)), left_out


def _points(contour: Any) -> FloatArray:
    points = np.asarray(contour.ContourData, dtype=np.float64).reshape(-1, 3)
    if len(points) < 3 or not np.isfinite(points).all():
        raise ValueError("contour")
    return np.asarray(points * _TO_RAS)
