import numpy as np
import pytest

from cormack.core.errors import ValuesError
from cormack.core.volume import SliceStack
from cormack.imaging.condition import check_hounsfield, condition


def stack_of(data):
    data = np.asarray(data)
    origins = np.c_[np.zeros(data.shape[2]), np.zeros(data.shape[2]), np.arange(data.shape[2])]
    return SliceStack(data, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), origins)


def head_like(dtype=np.int16, padding=None):
    """A ball of water with a bright core in air, with padding outside a circle."""
    i, j = np.mgrid[-16:16, -16:16]
    image = np.full((32, 32), -1000.0)
    image[i**2 + j**2 < 100] = 20
    image[i**2 + j**2 < 4] = 4000
    if padding is not None:
        image[i**2 + j**2 > 250] = padding
    return np.repeat(image[:, :, None], 5, axis=2).astype(dtype)


@pytest.mark.parametrize("padding", [-1500, -2000, -3024, -32768])
def test_constant_corner_below_air_is_padding(padding):
    conditioned = condition(stack_of(head_like(padding=padding)))
    i, j = np.mgrid[-16:16, -16:16]
    outside = np.repeat((i**2 + j**2 > 250)[:, :, None], 5, axis=2)
    assert conditioned.padding_hu == (float(padding),)
    np.testing.assert_array_equal(conditioned.padded, outside)
    assert set(conditioned.stack.data[outside]) == {-1024}


def test_air_is_not_padding():
    conditioned = condition(stack_of(head_like()))
    assert conditioned.padding_hu == ()
    assert not conditioned.padded.any()


def test_stated_padding_is_believed_only_where_air_may_be():
    conditioned = condition(stack_of(head_like(padding=-1000)), padding_hu=(-1000.0, 0.0))
    assert conditioned.padding_hu == (-1000.0,)
    assert conditioned.padded.any()


def test_winsorised_and_rounded_to_int16():
    data = head_like(np.float32)
    data[16, 20, 2] = 33.6
    conditioned = condition(stack_of(data))
    assert conditioned.stack.data.dtype == np.int16
    assert conditioned.stack.data.max() == 3071
    assert conditioned.stack.data[16, 20, 2] == 34


def test_nan_is_padding():
    data = head_like(np.float32)
    data[0, 0, :] = np.nan
    conditioned = condition(stack_of(data))
    assert conditioned.padded[0, 0].all()
    assert conditioned.stack.data[0, 0, 0] == -1024


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (np.zeros((4, 4, 4)), "constant"),
        (np.arange(64.0).reshape(4, 4, 4), "looks like an MR, a label map"),
        (np.linspace(-1000, 4e5, 64).reshape(4, 4, 4), "no CT scale"),
        (np.r_[np.full(32, -1000.0), np.full(32, 1500.0)].reshape(4, 4, 4), "too little soft tissue"),
        (np.full((4, 4, 4), np.nan), "no measured value"),
    ],
)
def test_what_cannot_be_hounsfield_units_is_refused(data, sentence):
    with pytest.raises(ValuesError, match=sentence):
        check_hounsfield(data)
