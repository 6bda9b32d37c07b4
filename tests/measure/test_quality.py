"""Slice spacing, kernel and noise of heads made with known ones."""

import numpy as np
import pytest

from analytic_heads import make_head
from cormack.core.acquisition import Acquisition
from cormack.core.volume import SliceStack
from cormack.measure.boxes import Region, region
from cormack.measure.quality import SliceSpacing, noise_hu, quality_findings, quality_measurements, slice_spacing

EVEN = SliceSpacing(1.0, 1.0, 1.0, 1.0)


def codes(spacing=EVEN, noise=4.0, median=32.0, **acquisition):
    return [f.code for f in quality_findings(spacing, noise, median, Acquisition(**acquisition))]


@pytest.mark.parametrize("noise", [3.0, 8.0, 30.0])
def test_noise_is_the_standard_deviation_put_in(noise):
    head = make_head((1.5, 1.5, 5), noise_hu=noise)
    assert noise_hu(head.volume, region(head.volume, head.brain)) == pytest.approx(noise, rel=0.08)


def test_structures_in_the_brain_do_not_count_as_noise():
    head = make_head((1.5, 1.5, 5), noise_hu=4)
    ventricle = (np.abs(head.xyz[..., 0]) < 12) & head.brain.mask()
    data = head.volume.data - (26 * ventricle).astype(np.int16)
    assert noise_hu(head.volume.with_data(data), region(head.volume, head.brain)) == pytest.approx(4, rel=0.15)


def test_noise_needs_brain():
    head = make_head((8, 8, 8))
    assert noise_hu(head.volume, Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))) is None
    tiny = Region((slice(5, 6),) * 3, np.ones((1, 1, 1), bool))
    assert noise_hu(head.volume, tiny) is None


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
    values = {m.name: m.value for m in quality_measurements(spacing, 3.5)}
    assert values == {"slice distance": 7.0, "slice thickness": 4.0, "noise HU": 3.5}
    assert all("not measured" in m.definition for m in quality_measurements(slice_spacing(head.volume, None), None)[1:])


def test_slices_thick_and_gapped():
    assert codes(SliceSpacing(5, 5, 5, 5)) == ["slices-thick"]
    assert codes(SliceSpacing(3, 3, 3, 1)) == ["slices-gapped"]
    assert codes(SliceSpacing(1, 1, 1, 1.25)) == []
    assert codes(SliceSpacing(1, 1, 1, None)) == []


def test_sharp_kernels_and_noise():
    assert codes(manufacturer="SIEMENS", convolution_kernel="H31s") == []
    assert codes(manufacturer="SIEMENS", convolution_kernel="H70h") == ["kernel-sharp"]
    assert codes(noise=25.0) == ["kernel-sharp-suspected"]
    assert codes(noise=25.0, manufacturer="SIEMENS", convolution_kernel="H31s") == ["noise-high"]
    assert codes(noise=None) == []


@pytest.mark.parametrize(
    ("median", "expected"), [(-900, ["brain-hu-implausible"]), (400, ["brain-hu-implausible"]), (None, [])]
)
def test_values_that_are_hardly_hu(median, expected):
    assert codes(median=median) == expected
