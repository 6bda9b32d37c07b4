"""Slice spacing, kernel and plausibility of values."""

import numpy as np
import pytest

from analytic_heads import make_head
from cormack.core.acquisition import Acquisition
from cormack.core.volume import SliceStack
from cormack.measure.noise import Noise
from cormack.measure.quality import (
    SliceSpacing,
    kernel_findings,
    noise_measurements,
    slice_findings,
    slice_measurements,
    slice_spacing,
    value_findings,
)

EVEN = SliceSpacing(1.0, 1.0, 1.0, 1.0)


SOFT, STRONG, FINE, COARSE = (Noise(5, 0.28, 0.45), Noise(25, 0.28, 0.45), Noise(8, 0.5, 0.45), Noise(8, 0.5, 0.9))


def codes(spacing=EVEN, noise=SOFT, median=32.0, **acquisition):
    found = (*slice_findings(spacing), *kernel_findings(Acquisition(**acquisition), noise), *value_findings(median))
    return [f.code for f in found]


def stack(positions, thickness=None):
    origins = np.zeros((len(positions), 3))
    origins[:, 2] = positions
    data = np.zeros((4, 4, len(positions)), np.int16)
    return SliceStack(data, [1, 0, 0], [0, 1, 0], origins, acquisition=Acquisition(slice_thickness_mm=thickness))


def test_spacing_is_measured_on_the_native_stack():
    head = make_head((8, 8, 8))
    spacing = slice_spacing(head.volume, stack([0, 4, 8, 15, 22, 29], 4.0))
    assert spacing == SliceSpacing(7.0, 4.0, 7.0, 4.0)
    assert not spacing.even
    assert slice_spacing(head.volume, None).median_mm == pytest.approx(8)
    values = {m.name: m.value for m in (*slice_measurements(spacing), *noise_measurements(SOFT))}
    assert values == {"slice distance": 7.0, "slice thickness": 4.0, "noise HU": 5, "noise frequency": 0.28}
    assert all(
        "not measured" in m.definition
        for m in (*slice_measurements(slice_spacing(head.volume, None))[1:], *noise_measurements(None))
    )


def test_slices_thick_and_gapped():
    assert codes(SliceSpacing(5, 5, 5, 5)) == ["slices-thick"]
    assert codes(SliceSpacing(3, 3, 3, 1)) == ["slices-gapped"]
    assert codes(SliceSpacing(1, 1, 1, 1.25)) == []
    assert codes(SliceSpacing(1, 1, 1, None)) == []


def test_sharp_kernels_and_noise():
    assert codes(manufacturer="SIEMENS", convolution_kernel="H31s") == []
    assert codes(manufacturer="SIEMENS", convolution_kernel="H70h") == ["kernel-sharp"]
    assert codes(noise=FINE) == ["kernel-sharp-suspected"]
    assert codes(noise=FINE, manufacturer="SIEMENS", convolution_kernel="H31s") == ["kernel-sharp-suspected"]
    assert codes(noise=COARSE) == []
    assert codes(noise=STRONG, manufacturer="SIEMENS", convolution_kernel="H31s") == ["noise-high"]
    assert codes(noise=None) == []


@pytest.mark.parametrize(
    ("median", "expected"), [(-900, ["brain-hu-implausible"]), (400, ["brain-hu-implausible"]), (None, [])]
)
def test_values_that_are_hardly_hu(median, expected):
    assert codes(median=median) == expected
