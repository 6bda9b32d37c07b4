import gzip
import struct

import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError, NiftiError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import SliceStack, Volume
from cormack.files.nifti import read_stack, write_labels, write_uneven, write_volume


def volume(dtype=np.int16, affine=None):
    rng = np.random.default_rng(3)
    affine = (
        np.array([[-0.5, 0, 0, 12], [0, 0.47, -0.8, -7], [0, 0.17, 2.2, 40], [0, 0, 0, 1.0]])
        if affine is None
        else affine
    )
    return Volume(rng.integers(-1024, 3071, (12, 10, 8)).astype(dtype), affine)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_written_header_agrees_with_itself(tmp_path, name, dtype):
    original = volume(dtype, np.array([[-0.5, 0, 0, 12], [0, -0.4, 0, -7], [0, 0, 2.5, 40], [0, 0, 0, 1.0]]))
    write_volume(tmp_path / name, original)
    image = nib.load(tmp_path / name)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), original.data)
    assert image.get_data_dtype() == dtype
    assert image.header.get_xyzt_units()[0] == "mm"
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    np.testing.assert_allclose(image.get_sform(), original.affine, atol=1e-5)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-5)
    raw = (tmp_path / name).read_bytes()
    raw = gzip.decompress(raw) if name.endswith(".gz") else raw
    assert struct.unpack_from("<ff", raw, 112) == (1.0, 0.0)


def test_sheared_grid_has_no_qform(tmp_path):
    write_volume(tmp_path / "a.nii", volume())
    image = nib.load(tmp_path / "a.nii")
    assert int(image.header["qform_code"]) == 0
    np.testing.assert_allclose(image.affine, volume().affine, atol=1e-5)


def test_axes_can_be_written_in_another_order(tmp_path):
    write_volume(tmp_path / "a.nii", volume(), codes="PSR")
    image = nib.load(tmp_path / "a.nii")
    assert nib.aff2axcodes(image.affine) == ("P", "S", "R")
    theirs = nib.as_closest_canonical(image)
    ours = nib.as_closest_canonical(nib.Nifti1Image(volume().data, volume().affine))
    np.testing.assert_array_equal(np.asanyarray(theirs.dataobj), np.asanyarray(ours.dataobj))


@pytest.mark.parametrize("affine", [np.diag([-1.0, 1, 2, 1]), np.diag([1.0, 1, -2, 1]), volume().affine])
def test_every_voxel_is_where_the_header_puts_it(tmp_path, affine):
    data = volume().data
    nib.save(_image(data, affine), tmp_path / "a.nii.gz")
    stack, codes = read_stack(tmp_path / "a.nii.gz")
    assert codes == "".join(nib.aff2axcodes(affine))
    for ijk in ((0, 0, 0), (3, 7, 5), (11, 9, 7)):
        world = affine[:3, :3] @ ijk + affine[:3, 3]
        there = [n for n in np.ndindex(stack.data.shape) if np.linalg.norm(stack.world(n) - world) < 1e-3]
        assert len(there) == 1
        assert stack.data[there[0]] == data[ijk]


def _image(data, affine, unit="mm"):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units(unit)
    return image


@pytest.mark.parametrize("dtype", [">i2", "<i2", "u1", "<f4"])
def test_compressed_files_of_any_byte_order_are_read(tmp_path, dtype):
    data = np.arange(60).reshape(3, 4, 5).astype(dtype)
    image = nib.Nifti1Image(
        data, np.diag([2.0, 2.0, 3.0, 1.0]), header=nib.Nifti1Header(endianness=dtype[0].replace("u", "<"))
    )
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_stack(tmp_path / "a.nii.gz")[0].data, data)


def test_slope_and_units_of_length_are_applied(tmp_path):
    image = _image(np.zeros((4, 4, 4), np.int16) + 1064, np.diag([1e-3, 1e-3, 2e-3, 1]), "meter")
    image.header.set_slope_inter(1, -1024)
    nib.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<ff", raw, 112, 1.0, -1024.0)
    struct.pack_into("<h", raw, 352, 24)
    (tmp_path / "a.nii").write_bytes(raw)
    stack, _ = read_stack(tmp_path / "a.nii")
    assert stack.data.dtype == np.int16
    assert stack.data[0, 0, 0] == -1000
    assert np.linalg.norm(stack.step_i) == pytest.approx(1.0)


def test_labels_are_small_integers(tmp_path):
    labels = LabelMap(np.ones((4, 4, 4), bool), np.eye(4), BRAIN)
    write_labels(tmp_path / "m.nii.gz", labels)
    assert nib.load(tmp_path / "m.nii.gz").get_data_dtype() == np.uint8
    many = LabelMap(np.full((4, 4, 4), 300), np.eye(4), BRAIN)
    write_labels(tmp_path / "n.nii.gz", many)
    assert nib.load(tmp_path / "n.nii.gz").get_data_dtype() == np.uint16


def test_uneven_stack_claims_no_orientation(tmp_path):
    origins = np.c_[np.zeros(4), np.zeros(4), [0, 4, 8, 15]]
    write_uneven(
        tmp_path / "u.nii",
        SliceStack(np.zeros((5, 5, 4), np.int16), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), origins),
    )
    image = nib.load(tmp_path / "u.nii")
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 0


def bad_files(folder):
    data = np.zeros((6, 6, 6), np.int16)
    eye = np.eye(4)
    nib.save(_image(np.zeros((6, 6, 6, 3), np.int16), eye), folder / "four.nii.gz")
    nib.save(_image(np.zeros((6, 6), np.int16), eye), folder / "flat.nii.gz")
    nib.save(nib.Nifti1Image(data, eye), folder / "unitless.nii.gz")
    unoriented = _image(data, None)
    unoriented.header.set_sform(None, 0)
    unoriented.header.set_qform(None, 0)
    nib.save(unoriented, folder / "unoriented.nii.gz")
    nib.save(_image(data, np.diag([100.0, 1, 1, 1])), folder / "huge.nii.gz")
    colour = np.zeros((6, 6, 6), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(_image(colour, eye), folder / "colour.nii.gz")
    (folder / "text.nii.gz").write_text("not an image")
    nib.save(_image(np.random.default_rng(0).integers(0, 99, (40, 40, 40)).astype(np.int16), eye), folder / "whole.nii")
    (folder / "cut.nii").write_bytes((folder / "whole.nii").read_bytes()[:50_000])
    nib.save(nib.load(folder / "whole.nii"), folder / "whole.nii.gz")
    (folder / "cut.nii.gz").write_bytes((folder / "whole.nii.gz").read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("four.nii.gz", "4-D"),
        ("flat.nii.gz", "2-D"),
        ("unitless.nii.gz", "--assume-mm"),
        ("unoriented.nii.gz", "left and right"),
        ("huge.nii.gz", "voxels of 100 x 1 x 1 mm"),
        ("colour.nii.gz", "colours"),
        ("text.nii.gz", "not a readable NIfTI"),
        ("cut.nii", "truncated"),
        ("cut.nii.gz", "truncated"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, name, sentence):
    bad_files(tmp_path)
    with pytest.raises(NiftiError, match=sentence):
        read_stack(tmp_path / name)


def test_missing_file_and_skewed_rows(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_stack(tmp_path / "none.nii.gz")
    skewed = np.eye(4)
    skewed[0, 1] = 0.2
    nib.save(_image(np.zeros((6, 6, 6), np.int16), skewed), tmp_path / "skew.nii")
    with pytest.raises(GeometryError, match="right angles"):
        read_stack(tmp_path / "skew.nii")


def test_unit_of_length_can_be_assumed(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((6, 6, 6), np.int16), np.eye(4)), tmp_path / "unitless.nii")
    stack, _ = read_stack(tmp_path / "unitless.nii", assume_mm=True)
    assert stack.data.shape == (6, 6, 6)
