"""The one call that measures a scan: on analytic heads and on real ones."""

import time

import numpy as np
import pytest

from analytic_heads import BRAIN_MM, ellipsoid_ml, make_head
from cormack.core.errors import GeometryError
from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.core.volume import Volume
from cormack.measure.scan import measure_scan


def test_a_good_scan_is_measured_without_warning():
    head = make_head((1.5, 1.5, 2.0), noise_hu=5)
    measures = measure_scan(head.volume, head.head, head.brain)
    assert measures.findings == ()
    assert measures.value("intracranial volume") == pytest.approx(ellipsoid_ml(BRAIN_MM), rel=0.01)
    assert measures.value("mean HU") == pytest.approx(32, abs=0.2)
    assert measures.value("noise HU") == pytest.approx(5, rel=0.1)
    assert measures.histogram.total == np.count_nonzero(head.brain.data)
    assert measures.head_histogram.total == np.count_nonzero(head.head.data)
    names = [m.name for m in measures.measurements]
    assert len(names) == len(set(names))


def test_an_empty_brain_is_measured_as_such():
    head = make_head((6, 6, 6))
    empty = LabelMap(np.zeros(head.volume.shape, np.uint8), head.volume.affine, BRAIN)
    measures = measure_scan(head.volume, head.head, empty)
    assert measures.value("intracranial volume") == 0
    assert measures.value("mean HU") is None
    assert next(f.code for f in measures.findings) == "intracranial-volume-small"


def test_field_on_another_grid_is_refused():
    head = make_head((8, 8, 8))
    with pytest.raises(GeometryError, match="must be the same"):
        measure_scan(head.volume, head.head, head.brain, measured=np.ones((2, 2, 2), bool))


def test_a_large_scan_takes_a_second_and_a_half():
    rng = np.random.default_rng(0)
    shape = (512, 512, 240)
    affine = np.diag([0.45, 0.45, 0.6, 1.0])
    axes = [np.linspace(-1.15, 1.15, n, dtype=np.float32) ** 2 for n in shape]
    radius = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]
    data = np.where(radius < 0.7, 32, np.where(radius < 0.85, 1200, np.where(radius < 1, 50, -1000))).astype(np.int16)
    data[:, :, ::4] += rng.integers(-6, 7, (512, 512, 60), dtype=np.int16)
    head = LabelMap((radius < 1).astype(np.uint8), affine, HEAD)
    brain = LabelMap((radius < 0.7).astype(np.uint8), affine, BRAIN)
    measured = np.ones(shape, bool)
    start = time.perf_counter()
    measure_scan(Volume(data, affine), head, brain, measured=measured)
    # Twice the figure aimed at: other processes may run beside the test.
    assert time.perf_counter() - start < 3.0


def test_real_ct_template_is_plausible(shared_data):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.load(shared_data / "ct_template" / "scct_unsmooth_96x96x96.nii.gz")
    hu = np.rint(image.get_fdata()).astype(np.int16)
    volume = Volume(hu, image.affine)
    head = LabelMap((hu > -100).astype(np.uint8), image.affine, HEAD)
    stripped = nibabel.load(shared_data / "ct_template" / "scct_unsmooth_SS_0.01_Mask.nii.gz")
    from scipy.ndimage import affine_transform

    to_mask = np.linalg.inv(stripped.affine) @ image.affine
    mask = affine_transform(
        np.asarray(stripped.dataobj).astype(np.uint8), to_mask[:3, :3], to_mask[:3, 3], output_shape=hu.shape, order=0
    )
    measures = measure_scan(volume, head, LabelMap(mask, image.affine, BRAIN))
    assert 25 < measures.value("median HU") < 40
    # The template is blown up to the size of MNI space, so its volume may be large; nothing else is odd.
    assert {f.code for f in measures.findings} <= {"intracranial-volume-large"}
