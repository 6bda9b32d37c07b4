import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.volume import Unit, Volume
from cormack.pipeline.phantom import make_phantom_series
from cormack.viewer import scans
from cormack.viewer.scans import as_int16, display_factors, prepare, shrunken
from cormack.viewer.sources import Source


def as_nifti(parts):
    return nib.Nifti1Image.from_bytes(b"".join(bytes(part) for part in parts))


def saved(path, data, affine, **header):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def test_what_the_page_gets_is_what_nibabel_reads(tmp_path):
    rng = np.random.default_rng(1)
    data = rng.integers(-1000, 2000, (9, 7, 5)).astype(np.int16)
    affine = np.array([[-2.0, 0, 0, 30], [0, 0, 3.0, -20], [0, -1.5, 0, 10], [0, 0, 0, 1]])
    ready = prepare(Source("scan", saved(tmp_path / "scan.nii.gz", data, affine)))
    got, expected = as_nifti(ready.voxels), nib.as_closest_canonical(nib.load(tmp_path / "scan.nii.gz"))
    np.testing.assert_array_equal(got.get_fdata(), expected.get_fdata())
    np.testing.assert_allclose(got.affine, expected.affine, atol=1e-5)
    np.testing.assert_allclose(ready.facts["affine"], expected.affine)
    assert ready.facts["shape"] == [9, 5, 7]
    assert ready.facts["unit"] == "HU"
    assert ready.facts["window"] is None
    assert len(ready.labels) == 0


def test_fractions_go_through_a_slope_and_stay_close():
    values = np.linspace(0.0, 1.0, 60).reshape(3, 4, 5).astype(np.float32)
    values[0, 0, 0] = np.nan
    stored, slope, intercept = as_int16(Volume(values, np.eye(4), unit=Unit.PROBABILITY, outside=0.0))
    assert stored.dtype == np.int16
    np.testing.assert_allclose(stored * slope + intercept, np.nan_to_num(values), atol=slope)
    whole, slope, _ = as_int16(Volume(np.full((3, 3, 3), 40.0, np.float32), np.eye(4)))
    assert slope == 1.0
    assert (whole == 40).all()


def test_mr_gets_a_window_of_its_own(tmp_path):
    rng = np.random.default_rng(2)
    data = rng.uniform(100, 900, (12, 12, 12)).astype(np.float32)
    ready = prepare(Source("mr", saved(tmp_path / "mr.nii.gz", data, np.eye(4))))
    low, high = ready.facts["window"]
    assert ready.facts["unit"] == "arbitrary"
    assert (low, high) == pytest.approx(np.percentile(data, [2, 98]), rel=0.05)


def test_large_volumes_are_averaged_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "MOST_VOXELS", 1000)
    data = np.arange(20 * 16 * 10, dtype=np.int16).reshape(20, 16, 10) - 1500
    ready = prepare(Source("large", saved(tmp_path / "large.nii", data, np.diag([1.0, 1.0, 2.0, 1.0]))))
    shape = ready.facts["shape"]
    assert np.prod(shape) <= 1000
    assert "Too large" in ready.facts["notes"][0]
    assert ready.facts["reduced"]
    got = as_nifti(ready.voxels)
    factors = [20 // shape[0], 16 // shape[1], 10 // shape[2]]
    blocks = data[: factors[0], : factors[1], : factors[2]]
    assert got.get_fdata()[0, 0, 0] == pytest.approx(blocks.mean(), abs=0.5)
    np.testing.assert_allclose(got.affine[:3, 3], [(f - 1) / 2 * s for f, s in zip(factors, (1, 1, 2), strict=True)])


@pytest.mark.parametrize("shape", [(1024, 1024, 1024), (4096, 100, 100), (1290, 1290, 1290)])
def test_no_volume_is_larger_than_a_browser_can_hold(shape):
    left = [n // f for n, f in zip(shape, display_factors(shape), strict=True)]
    assert max(left) <= scans.LONGEST_EDGE
    assert np.prod([float(n) for n in left]) <= scans.MOST_VOXELS


def test_two_gigabytes_fit_after_averaging():
    volume = Volume(np.broadcast_to(np.int16(7), (64, 64, 64)), np.eye(4))
    small = shrunken(volume, (2, 2, 1))
    assert small.shape == (32, 32, 64)
    assert (small.data == 7).all()


def test_tilted_slices_are_shown_upright(tmp_path):
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    affine[1, 2] = 1.3
    data = np.full((16, 16, 6), -1000, np.int16)
    data[4:12, 4:12] = 40
    ready = prepare(Source("tilted", saved(tmp_path / "tilted.nii.gz", data, affine)))
    axes = np.asarray(ready.facts["affine"])[:3, :3]
    np.testing.assert_allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-6)
    assert "tilted" in ready.facts["notes"][0]


def test_a_dicom_folder_is_read_and_rectified(tmp_path):
    folder = make_phantom_series(tmp_path / "export", slices=10, thickness_mm=12.0, pixels=64).folder
    before = sorted(folder.rglob("*"))
    ready = prepare(Source("export", folder))
    assert ready.facts["unit"] == "HU"
    assert any("tilt" in note for note in ready.facts["notes"])
    assert sorted(folder.rglob("*")) == before


def test_the_first_view_shows_the_body_and_not_the_air(tmp_path):
    data = np.full((40, 40, 40), -1000, np.int16)
    data[15:25, 10:30, 12:28] = 40
    ready = prepare(Source("body", saved(tmp_path / "body.nii.gz", data, np.diag([4.0, 4.0, 4.0, 1.0]))))
    for (low, high), (first, last) in zip(ready.facts["view"], [(15, 25), (10, 30), (12, 28)], strict=True):
        assert (low * 40, high * 40) == pytest.approx((first - 2, last + 2), abs=1.01)


def test_4d_and_colour_images_are_refused_with_words(tmp_path):
    four = saved(tmp_path / "four.nii.gz", np.zeros((4, 4, 4, 3), np.int16), np.eye(4))
    with pytest.raises(InputError, match="4-D"):
        prepare(Source("four", four))
    colours = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(InputError, match="colours"):
        prepare(Source("rgb", saved(tmp_path / "rgb.nii.gz", colours, np.eye(4))))
