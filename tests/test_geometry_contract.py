"""The contract of geometry, from phantom through DICOM files to the rectified grid, with the benchmark's own functions.

Oracles are the formula of PS3.3 C.7.6.2.1.1 applied to the headers, SimpleITK, and phantoms known analytically.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cormack.dicom.read import read_scan
from cormack.dicom.write import write_ct_series
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.physics.phantom import Composition
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire

_spec = importlib.util.spec_from_file_location(
    "benchmarks_geometry", Path(__file__).resolve().parent.parent / "benchmarks" / "geometry.py"
)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)


@pytest.mark.parametrize("spacing", bench.SPACINGS)
@pytest.mark.parametrize("orientation", bench.ORIENTATIONS)
@pytest.mark.parametrize("tilt_deg", [-25.0, 0.0, 18.5])
def test_every_voxel_is_where_the_headers_put_it(orientation, tilt_deg, spacing, tmp_path):
    acquired = acquire(bench.marker_phantom(), bench.scan_geometry(orientation, tilt_deg, spacing))
    native = bench.through_dicom(acquired, tmp_path / "series", stated_tilt_deg=-tilt_deg)
    assert bench.header_error_mm(native, tmp_path / "series") <= bench.POSITION_LIMIT_MM
    np.testing.assert_array_equal(native.data, acquired.data)
    rectified = rectify(native)
    assert rectified.volume.is_orthogonal
    assert bench.marker_error_voxels(rectified) <= bench.MARKER_LIMIT_VOXELS
    assert bench.lost_voxels(native, rectified) == 0


@pytest.mark.parametrize("padding_hu", [-1500, -2000, -3024])
def test_padding_takes_no_voxel_of_the_head(padding_hu, tmp_path):
    settings = ScannerSettings(field_of_view_mm=180.0, padding_hu=padding_hu)
    geometry = bench.scan_geometry("axial", -25.0, "even")
    acquired = acquire(bench.marker_phantom(), geometry, settings)
    write_ct_series(acquired, tmp_path / "series", padding_hu=padding_hu)
    read = read_scan(tmp_path / "series").assembly
    np.testing.assert_array_equal(read.stack.data, acquired.data)
    conditioned = condition(read.stack, read.padding_hu)
    np.testing.assert_array_equal(conditioned.padded, acquired.data == padding_hu)
    rectified = rectify(conditioned.stack, padded=conditioned.padded)
    assert bench.lost_voxels(conditioned.stack, rectified) == 0
    assert rectified.volume.data.min() == -1024
    assert abs(bench.volume_error(rectified)) <= bench.VOLUME_LIMIT


@pytest.mark.parametrize("scan", tuple(bench.volume_scans()), ids=lambda scan: scan[0])
@pytest.mark.parametrize("tilt_deg", [0.0, -18.0, 25.0])
def test_volume_of_an_ellipsoid(scan, tilt_deg):
    _, positions, thickness = scan
    geometry = SliceGeometry(positions, "axial", tilt_deg, 144, 144, (1.4, 1.4), thickness)
    rectified = rectify(acquire(Composition((bench.HEAD,)), geometry))
    assert abs(bench.volume_error(rectified)) <= bench.VOLUME_LIMIT


@pytest.mark.parametrize("orientation", bench.ORIENTATIONS)
def test_simpleitk_puts_untilted_voxels_in_the_same_place(orientation, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    acquired = acquire(bench.marker_phantom(), bench.scan_geometry(orientation, 0.0, "even"))
    native = bench.through_dicom(acquired, tmp_path / "series")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "series"))
    image = sitk.ReadImage(names)
    values = sitk.GetArrayViewFromImage(image).transpose(2, 1, 0)
    for ijk in np.random.default_rng(1).integers(0, native.data.shape, size=(50, 3)):
        point = native.world(ijk) * [-1, -1, 1]
        index = image.TransformPhysicalPointToContinuousIndex(point.tolist())
        np.testing.assert_allclose((np.array(index) - ijk) * image.GetSpacing(), 0, atol=0.01)
        assert values[tuple(ijk)] == native.data[tuple(ijk)]


@pytest.mark.skipif(bench.DCM2NIIX is None, reason="dcm2niix is not installed")
@pytest.mark.parametrize("spacing", ["even", "missing"])
@pytest.mark.parametrize("tilt_deg", [-18.0, 0.0, 18.0])
def test_dcm2niix_finds_the_same_values(tilt_deg, spacing, tmp_path):
    acquired = acquire(bench.marker_phantom(), bench.scan_geometry("axial", tilt_deg, spacing))
    native = bench.through_dicom(acquired, tmp_path / "series")
    data, _ = bench.run_dcm2niix(tmp_path / "series", tmp_path / "nifti")[""]
    np.testing.assert_array_equal(data[:, ::-1, :], native.data)


def test_reading_needs_no_truth_from_the_tilt_in_the_header(tmp_path):
    acquired = acquire(bench.marker_phantom(), bench.scan_geometry("axial", 18.0, "even"))
    for name, stated in (("true", 18.0), ("wrong", -18.0), ("none", 0.0)):
        bench.through_dicom(acquired, tmp_path / name, stated_tilt_deg=stated)
        assert read_scan(tmp_path / name).assembly.stack.tilt_deg == pytest.approx(18.0, abs=1e-6)
