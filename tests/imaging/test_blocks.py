"""Block means against plain numpy."""

import numpy as np
import pytest

from cormack.imaging.blocks import block_mean


@pytest.mark.parametrize("dtype", [np.int16, np.float32, bool])
def test_block_mean_is_the_mean_of_blocks(dtype):
    data = np.random.default_rng(0).integers(0, 2, (7, 8, 9)).astype(dtype)
    means = block_mean(data, (2, 2, 3))
    assert means.shape == (3, 4, 3)
    assert means[1, 2, 1] == pytest.approx(data[2:4, 4:6, 3:6].astype(float).mean())
