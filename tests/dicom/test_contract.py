"""Orientation × tilt × spacing × transfer syntax: every voxel where the headers put it, with the value they give it.

The expected place of a voxel follows PS3.3 C.7.6.2.1.1 literally, in LPS+, from the elements as written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from scipy.spatial.transform import Rotation
from synthetic import AXIAL, CORONAL, SAGITTAL, Recipe, datasets, write

from cormack.dicom.read import read_scan

OBLIQUE = tuple(np.ravel(Rotation.from_euler("xyz", [14, -9, 21], degrees=True).as_matrix()[:, :2].T))
ORIENTATIONS = {
    "axial": AXIAL,
    "coronal": CORONAL,
    "sagittal": SAGITTAL,
    "oblique": OBLIQUE,
    "prone": (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "mirrored rows": (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
}
SPACINGS = {
    "even": (0.0, 2.5, 5.0, 7.5, 10.0),
    "uneven": (0.0, 1.1, 5.1, 9.1, 16.1, 23.1),
    "a slice missing": (0.0, 2.0, 4.0, 8.0, 10.0, 12.0),
    "one doubled": (0.0, 3.0, 3.0, 6.0, 9.0),
}
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "RLE": RLELossless,
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("tilt", [-25.0, 0.0, 18.5])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_voxel_is_where_the_header_puts_it(
    tmp_path: Path, orientation: str, tilt: float, spacing: str, syntax: str
) -> None:
    cosines = np.reshape(ORIENTATIONS[orientation], (2, 3))
    along = np.array(SPACINGS[spacing])
    is_rle = SYNTAXES[syntax] == RLELossless
    recipe = Recipe(
        rows=6,
        columns=7,
        orientation=tuple(cosines.ravel()),
        positions_mm=tuple(along),
        syntax=ExplicitVRLittleEndian if is_rle else SYNTAXES[syntax],
        extra={"GantryDetectorTilt": 5.0},  # stated wrongly: nothing may follow it
    )
    slices = datasets(recipe)
    for ds, s in zip(slices, along, strict=True):
        place = np.array(ds.ImagePositionPatient, dtype=float) + s * np.tan(np.radians(tilt)) * cosines[1]
        ds.ImagePositionPatient = [f"{x:.6f}" for x in place]
    expected = {}
    for ds in slices:
        values = np.array(ds.pixel_array) if not is_rle else np.frombuffer(ds.PixelData, "<i2").reshape(6, 7)
        expected[ds.SOPInstanceUID] = (values - 1024, ds.ImagePositionPatient, ds.PixelSpacing)
        if is_rle:
            ds.compress(RLELossless, generate_instance_uid=False)
    write(tmp_path, slices)

    scan = read_scan(tmp_path, series=2)
    stack = scan.assembly.stack
    assert stack.data.shape == (7, 6, len(set(along)))
    assert np.all(stack.slice_distances_mm > 0)
    ijk = np.stack(np.meshgrid(np.arange(7), np.arange(6), indexing="ij"), axis=-1)
    for k, uid in enumerate(stack.sop_instance_uids):
        values, position, pixel_spacing = expected[uid]
        assert np.array_equal(stack.data[:, :, k].T, values)
        lps = (
            np.array(position, dtype=float)
            + ijk[..., :1] * float(pixel_spacing[1]) * cosines[0]
            + ijk[..., 1:] * float(pixel_spacing[0]) * cosines[1]
        )
        world = stack.world(np.concatenate([ijk, np.full((7, 6, 1), k)], axis=-1))
        assert np.abs(world - lps * [-1, -1, 1]).max() < 1e-5
    assert stack.tilt_deg == pytest.approx(tilt, abs=0.01)
    codes = {finding.code for finding in scan.findings}
    assert ("gap" in codes) == (spacing == "a slice missing")
    assert ("unequal-spacing" in codes) == (spacing == "uneven")
    assert ("doubled-positions" in codes) == (spacing == "one doubled")
    assert "tilt-disagrees" in codes
