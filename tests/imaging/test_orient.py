import itertools

import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.imaging.orient import axis_codes, reorient

ALL_CODES = [
    "".join(letters) for axes in itertools.permutations(("RL", "AP", "SI")) for letters in itertools.product(*axes)
]


def oblique(codes):
    """A grid with the given axis directions, leaning by 20°, with three different spacings."""
    columns = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    angle = np.radians(20)
    lean = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = lean @ np.array([columns[c] for c in codes]).T @ np.diag([0.5, 0.7, 3.0])
    affine[:3, 3] = (-20, 7, 90)
    return affine


@pytest.mark.parametrize("codes", ALL_CODES)
def test_agrees_with_nibabel(codes):
    affine = oblique(codes)
    data = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    assert axis_codes(affine) == "".join(nib.aff2axcodes(affine)) == codes
    ours, our_affine = reorient(data, affine)
    theirs = nib.as_closest_canonical(nib.Nifti1Image(data.astype(np.int16), affine))
    np.testing.assert_array_equal(ours, np.asarray(theirs.dataobj))
    np.testing.assert_allclose(our_affine, theirs.affine)
    back, back_affine = reorient(ours, our_affine, codes)
    np.testing.assert_array_equal(back, data)
    np.testing.assert_allclose(back_affine, affine)


def test_codes_must_name_each_direction_once():
    with pytest.raises(InputError, match="RRS"):
        reorient(np.zeros((2, 2, 2)), np.eye(4), "RRS")
