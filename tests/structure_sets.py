"""RT Structure Sets made with pydicom alone, for tests: nothing of the reader under test takes part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
#: Name, colour, and contours as (geometric type, points).
Structure = tuple[str, tuple[int, int, int] | None, Sequence[tuple[str, Any]]]


def structure_set(path: Path, structures: Sequence[Structure], sop_class: str = RT_STRUCTURE_SET) -> Path:
    """Write a structure set; the points of its contours are LPS millimetres."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = sop_class, "1.2.3"
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, color, contours) in enumerate(structures, start=1):
        roi, item = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        item.ReferencedROINumber = number
        if color:
            item.ROIDisplayColor = list(color)
        item.ContourSequence = []
        for kind, points in contours:
            contour = Dataset()
            contour.ContourGeometricType = kind
            contour.NumberOfContourPoints = len(points)
            contour.ContourData = [f"{value:.4f}" for value in np.ravel(points)]
            item.ContourSequence.append(contour)
        made.StructureSetROISequence.append(roi)
        made.ROIContourSequence.append(item)
    made.save_as(path, enforce_file_format=True)
    return path
