from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.labelled_head import Fine
from cormack.physics.synthesis.neuromorphometrics import CORTEX, composed_head, near, smallest

#: Volumes of the two manual maps as shares of their intracranial space (0.1 %), from their files.
MANUAL = {
    Fine.SUBARACHNOID: (180, 198),
    Fine.DURA: (20, 21),
    Fine.SEPTUM: (1.1, 1.4),
    Fine.CEREBELLUM: (90, 105),
    Fine.CAUDATE: (4.7, 5.1),
    Fine.LENTIFORM: (7.9, 9.2),
    Fine.INSULA: (5.7, 7.3),
    Fine.CAPSULE: (6.4, 7.8),
    Fine.CENTRAL_SULCUS: (7.2, 10.4),
    Fine.OCCIPITAL: (35, 43),
    Fine.TEMPORAL: (146, 184),
}


@pytest.fixture(scope="module")
def labels(shared_data: Path) -> np.ndarray:
    image = nib.as_closest_canonical(nib.load(shared_data / "mr_t1/malf_labels/1012_glm.nii.gz"))
    return np.asarray(image.dataobj).astype(np.uint8)


@pytest.fixture(scope="module")
def composed(labels: np.ndarray) -> Anatomy:
    return composed_head(labels, np.random.default_rng(1), widen_mm=4.0, name="composed-1")


def test_nuclei_and_cerebellum_are_those_of_the_observer(labels, composed):
    for fine, codes in ((Fine.CAUDATE, (36, 37)), (Fine.LENTIFORM, (55, 56, 57, 58)), (Fine.THALAMUS, (59, 60))):
        assert np.count_nonzero(composed.targets == fine) == pytest.approx(np.isin(labels, codes).sum(), rel=0.03)
    cerebellum = np.isin(labels, (38, 39, 40, 41, 71, 72, 73)).sum()
    assert np.count_nonzero(composed.targets == Fine.CEREBELLUM) == pytest.approx(cerebellum, rel=0.05)


def test_shares_are_near_those_of_the_manual_maps(composed):
    counts = np.bincount(composed.targets.ravel(), minlength=17)
    shares = 1000 * counts / counts[1:].sum()
    for fine, (low, high) in MANUAL.items():
        assert 0.55 * low < shares[fine] < 1.45 * high, fine


def test_sheets_lie_between_what_they_divide(composed):
    targets = composed.targets
    reach = ndimage.generate_binary_structure(3, 1)

    def touches(sheet: Fine, other: Fine, steps: int) -> float:
        grown = ndimage.binary_dilation(targets == other, reach, iterations=steps)
        return float(np.mean(grown[targets == sheet]))

    assert touches(Fine.CAPSULE, Fine.LENTIFORM, 8) > 0.9
    assert touches(Fine.SEPTUM, Fine.VENTRICLES, 6) > 0.9
    assert touches(Fine.CENTRAL_SULCUS, Fine.FRONTAL, 7) > 0.9
    assert touches(Fine.CENTRAL_SULCUS, Fine.PARIETAL, 7) > 0.9


def test_tissues_are_those_of_the_labels(composed):
    tissues, targets = composed.tissues, composed.targets
    assert (tissues[targets == Fine.VENTRICLES] == Tissue.CSF).mean() > 0.99
    assert (tissues[targets == Fine.CAPSULE] == Tissue.WHITE).all()
    assert (tissues[targets == Fine.LENTIFORM] == Tissue.GRAY).all()
    assert set(np.unique(tissues[targets == Fine.DURA])) == {Tissue.DURA, Tissue.VEIN}
    # Nothing within the skull is left out.
    filled = ndimage.binary_fill_holes(targets > 0)
    assert np.count_nonzero(filled & (targets == 0)) < 100


def test_ventricles_widen_into_white_matter(labels, composed):
    drawn = np.isin(labels, (4, 11, 49, 50, 51, 52)).sum()
    assert np.count_nonzero(composed.targets == Fine.VENTRICLES) > 2 * drawn


def test_every_part_of_the_cortex_has_one_lobe():
    codes = [code for codes in CORTEX.values() for code in codes]
    assert len(set(codes)) == len(codes)
    assert all(code % 2 == 0 and 100 <= code < 208 for code in codes)


def test_distances_are_looked_for_only_nearby():
    mask = np.zeros((30, 30, 30), bool)
    mask[10:12, 10:12, 10:12] = True
    full = ndimage.distance_transform_edt(~mask)
    assert near(mask, 6) == pytest.approx(np.minimum(full, 6))
    assert (near(np.zeros_like(mask), 6) == 6).all()


def test_the_smallest_values_of_a_mask():
    field = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    where = field > 9
    assert smallest(field, where, 4).sum() == 5
    assert not smallest(field, where, 0).any()
