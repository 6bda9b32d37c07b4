"""Voxels and positions of real series against dcm2niix and SimpleITK, which read the same files by their own means."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dcm2niix
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from cormack.dicom.assemble import assemble
from cormack.dicom.inventory import take_inventory
from cormack.dicom.read import Scan, read_scan
from cormack.dicom.source import open_source

HEADS = ("ge_tilted", "philips_phantom", "cq500_cta", "toshiba_2mm")
#: Slices, distances as dcm2niix sees them, and what the reader should find worth telling.
EXPECTED = {
    "ge_tilted": (28, -18.5, {"tilt", "unequal-spacing"}, (-1500.0,)),
    "philips_phantom": (30, -18.5, {"tilt"}, ()),
    "cq500_cta": (238, -8.5, {"tilt", "gap", "stray-slices"}, (-3024.0,)),
    "toshiba_2mm": (91, 0.0, set(), (-2048.0,)),
}


@pytest.fixture(scope="module", params=HEADS)
def head(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, Path, Scan]:
    folder = shared_data / "head_ct" / request.param
    return request.param, folder, read_scan(folder)


def test_what_is_found(head: tuple[str, Path, Scan]) -> None:
    name, _, scan = head
    slices, tilt, codes, padding = EXPECTED[name]
    assert scan.assembly.stack.data.shape == (512, 512, slices)
    assert scan.assembly.stack.data.dtype == np.int16
    assert scan.assembly.stack.tilt_deg == pytest.approx(tilt, abs=1e-3)
    assert {finding.code for finding in scan.findings} == codes
    assert scan.assembly.padding_hu == padding
    assert len(set(scan.input_hashes)) == slices


def test_dcm2niix_has_the_same_voxels(head: tuple[str, Path, Scan], tmp_path: Path) -> None:
    name, folder, scan = head
    stack = scan.assembly.stack
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "s%s", "-o", str(tmp_path), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    number = scan.selection.entry.number
    uncorrected = nibabel.load(tmp_path / f"s{number}.nii")
    # dcm2niix turns the rows round, so that j grows to anterior.
    theirs = np.asanyarray(uncorrected.dataobj)[:, ::-1, :]
    assert np.array_equal(theirs, stack.data)
    flip = np.eye(4)
    flip[1, 1], flip[1, 3] = -1, stack.data.shape[1] - 1
    affine = uncorrected.affine @ flip
    assert affine[:3, 0] == pytest.approx(stack.step_i, abs=1e-4)
    assert affine[:3, 1] == pytest.approx(stack.step_j, abs=1e-4)
    assert affine[:3, 3] == pytest.approx(stack.origins[0], abs=1e-3)
    if name == "toshiba_2mm":  # the only one that an affine without shear describes
        assert stack.affine is not None
        assert affine == pytest.approx(stack.affine, abs=1e-3)


def test_simpleitk_has_every_slice_where_it_is(head: tuple[str, Path, Scan]) -> None:
    name, folder, scan = head
    stack = scan.assembly.stack
    where = {uid: k for k, uid in enumerate(stack.sop_instance_uids)}
    seen = 0
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths[:: 10 if name == "cq500_cta" else 3]:
        uid = pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SOPInstanceUID")
        if uid not in where:
            continue
        k, image = where[uid], _itk(path)
        assert np.array_equal(SimpleITK.GetArrayViewFromImage(image)[0], stack.data[:, :, k].T)
        for i, j in ((0, 0), (511, 0), (0, 511), (511, 511)):
            theirs = np.array(image.TransformIndexToPhysicalPoint((i, j, 0))) * [-1, -1, 1]
            assert stack.world([i, j, k]) == pytest.approx(theirs, abs=0.01)
        seen += 1
    assert seen > 5


def _itk(path: Path) -> SimpleITK.Image:
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader.Execute()


def test_every_stack_of_dicom2nifti_equals_simpleitk(shared_data: Path) -> None:
    """MR and CT, four orientations, five transfer syntaxes, per-slice rescale, enhanced multi-frame."""
    compared = 0
    with open_source(shared_data / "dicom_edge" / "dicom2nifti") as source:
        for entry in take_inventory(source).series:
            if entry.geometry is None or entry.n_slices < 3 or entry.first.samples != 1:
                continue
            stack = assemble(entry).stack
            instances = {instance.key: instance for instance in entry.instances}
            for k, uid in enumerate(stack.sop_instance_uids):
                instance = instances[uid]
                image = _itk(source.items[instance.item].where)
                theirs = SimpleITK.GetArrayFromImage(image)[instance.frame or 0]
                assert np.allclose(stack.data[:, :, k].T, theirs, rtol=1e-6, atol=1e-4), entry.label
                if instance.frame is None:
                    assert stack.origins[k] == pytest.approx(np.array(image.GetOrigin()) * [-1, -1, 1], abs=1e-3)
                compared += 1
    assert compared > 80
