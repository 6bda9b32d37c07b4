"""MR series through `cormack convert`: values as they are, places as dcm2niix has them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom.uid import MRImageStorage
from synthetic import CORONAL, datasets, series, write
from synthetic import Recipe as _Recipe

from cormack.core.errors import SeriesError, ValuesError
from cormack.core.volume import Unit
from cormack.pipeline.convert import Target, convert
from cormack.pipeline.options import LoadOptions

ASKED = LoadOptions(series="2")
MR: dict[str, Any] = {"modality": "MR", "sop_class": MRImageStorage, "intercept": 0.0}


def _world(image: nib.Nifti1Image) -> dict[tuple[float, ...], float]:
    """Value by place."""
    data = np.asanyarray(image.dataobj)
    places = np.stack(np.indices(data.shape), axis=-1).reshape(-1, 3) @ image.affine[:3, :3].T + image.affine[:3, 3]
    return {tuple(place): value for place, value in zip(places.round(2), data.ravel(), strict=True)}


@pytest.mark.parametrize("target", [Target.RECTIFIED, Target.NATIVE])
def test_every_value_is_where_dcm2niix_has_it(target: Target, tmp_path: Path) -> None:
    dcm2niix = pytest.importorskip("dcm2niix")
    extra = {"RepetitionTime": "2300", "EchoTime": "2.98", "FlipAngle": "9", "MagneticFieldStrength": "3"}
    series(tmp_path / "in", n=7, orientation=CORONAL, extra=extra, **MR)
    convert(tmp_path / "in", tmp_path / "ours.nii.gz", ASKED, target=target)
    subprocess.run(
        [dcm2niix.bin, "-z", "n", "-f", "theirs", "-o", str(tmp_path), str(tmp_path / "in")],
        check=True, capture_output=True,
    )  # fmt: skip
    assert _world(nib.load(tmp_path / "ours.nii.gz")) == _world(nib.load(tmp_path / "theirs.nii"))
    ours, theirs = (json.loads((tmp_path / f"{who}.json").read_text()) for who in ("ours", "theirs"))
    assert (ours["Units"], "WinsorisedTo" in ours) == ("arbitrary", False)
    for name in ("RepetitionTime", "EchoTime", "FlipAngle", "MagneticFieldStrength"):
        assert ours[name] == pytest.approx(theirs[name])


def test_a_slope_makes_real_numbers_that_are_interpolated_as_such(tmp_path: Path) -> None:
    """A ramp along the stack stays a ramp between unevenly spaced slices, unrounded and beyond the range of CT."""
    positions = (0.0, 2.0, 4.0, 7.0, 9.0, 11.0)
    slices = datasets(_Recipe(positions_mm=positions, slope=3.7, **MR))
    for ds, position in zip(slices, positions, strict=True):
        ds.PixelData = np.full((8, 10), 500 * position, np.int16).tobytes()
    write(tmp_path / "in", slices)
    convert(tmp_path / "in", tmp_path / "x.nii.gz", LoadOptions(series="2", slice_spacing=1.0))
    data = np.asanyarray(nib.load(tmp_path / "x.nii.gz").dataobj)
    assert data.dtype == np.float32
    np.testing.assert_allclose(data[3, 3], 500 * 3.7 * np.arange(12), rtol=1e-6)


def test_mr_is_taken_when_asked_for_only_and_never_becomes_cormack_units(tmp_path: Path) -> None:
    series(tmp_path / "in", n=7, **MR)
    with pytest.raises(SeriesError, match="to read MR all the same, ask for its series"):
        convert(tmp_path / "in", tmp_path / "x.nii.gz")
    with pytest.raises(ValuesError, match="no CT"):
        convert(tmp_path / "in", tmp_path / "x.nii.gz", ASKED, unit=Unit.CORMACK)
    assert not (tmp_path / "x.nii.gz").exists()
