"""Whole-head label maps of BrainWeb, which come as MINC files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import AnyArray
from cormack.imaging.orient import reorient

_NAMES = (
    ("cerebrospinal fluid", "CSF", (86, 180, 233)),
    ("gray matter", "GM", (140, 140, 140)),
    ("white matter", "WM", (235, 235, 235)),
    ("fat", "fat", (240, 228, 66)),
    ("muscle", "muscle", (200, 60, 60)),
    ("muscle or skin", "skin", (255, 170, 130)),
    ("skull", "skull", (255, 250, 220)),
    ("vessels", "vessel", (0, 0, 200)),
    ("connective tissue around fat", "connective", (150, 120, 60)),
    ("dura mater", "dura", (0, 158, 115)),
    ("bone marrow", "marrow", (204, 121, 167)),
)
#: Classes of the twenty anatomical models (Aubert-Broche et al. 2006, doi 10.1109/TMI.2006.883453).
BRAINWEB = LabelTable(tuple(Label(n + 1, *row) for n, row in enumerate(_NAMES)))


def read_brainweb(path: Path, *, reduce: int = 2) -> LabelMap:
    """Read a crisp anatomical model (`subjectNN_crisp_v.mnc.gz`).

    Parameters
    ----------
    path : Path
    reduce : int
        Blocks of so many voxels along each axis become one, which gets the class most of them have: 2 makes 1 mm.

    Returns
    -------
    LabelMap
        uint8, RAS+ axes, classes of `BRAINWEB`.

    Raises
    ------
    InputError
        If the file is no MINC image or holds other numbers than 0 to 11.
    """
    import nibabel as nib

    try:
        image = nib.load(path)
        data = np.rint(np.asanyarray(image.dataobj))
    except (OSError, ValueError, nib.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}: cannot be read as a MINC image; give subjectNN_crisp_v.mnc.gz") from error
    if data.min() < 0 or data.max() > len(BRAINWEB):
        raise InputError(f"{path}: values {data.min():g} to {data.max():g}; a crisp BrainWeb model has 0 to 11")
    labels, affine = reorient(data.astype(np.uint8), np.asarray(image.affine, dtype=np.float64), "RAS")
    if reduce > 1:
        labels = _majority(labels, reduce)
        shift = (reduce - 1) / 2
        affine = affine @ np.array([[reduce, 0, 0, shift], [0, reduce, 0, shift], [0, 0, reduce, shift], [0, 0, 0, 1]])
    return LabelMap(labels, affine, BRAINWEB, "anatomical model of BrainWeb")


def _majority(labels: AnyArray, factor: int) -> AnyArray:
    """The most frequent class of every block; the smaller number where two are equally frequent."""
    a, b, c = (n // factor for n in labels.shape)
    best = np.zeros((a, b, c), dtype=np.uint8)
    most = np.zeros((a, b, c), dtype=np.uint8)
    offsets = [(i, j, k) for i in range(factor) for j in range(factor) for k in range(factor)]
    parts = [labels[i : a * factor : factor, j : b * factor : factor, k : c * factor : factor] for i, j, k in offsets]
    for value in range(len(BRAINWEB) + 1):
        votes = np.zeros((a, b, c), dtype=np.uint8)
        for part in parts:
            votes += part == value
        winner = votes > most
        best[winner], most[winner] = value, votes[winner]
    return best
