"""The region that protects the brain of a T1: a made-up T1 of the digital head, and two real heads of 2 mm."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from leaning_heads import FACE_POINTS, leaning_head

from cormack.core.errors import ExtractionError
from cormack.core.volume import Unit, Volume
from cormack.extract.face import face_mask, face_region
from cormack.extract.mr_head import mr_brain_region, tissue_threshold
from cormack.imaging.orient import reorient


def as_t1(hu: np.ndarray) -> np.ndarray:
    """Air and bone dark, fat bright, grey matter darker than white, fluid dark; some shading from left to right."""
    points = [(-1000, 0), (-300, 0), (-110, 900), (-60, 800), (-10, 250), (5, 150), (20, 300), (30, 600), (45, 550)]
    points += [(60, 450), (200, 120), (400, 40), (3000, 20)]
    x, y = np.array(points, dtype=float).T
    shading = np.linspace(0.7, 1.3, hu.shape[0])[:, None, None]
    return (np.interp(hu, x, y) * shading).astype(np.float32)


def test_a_made_up_t1_of_the_digital_head():
    head = leaning_head((10, 5, -10), hu=True)
    volume = Volume(as_t1(head.volume.data), head.volume.affine, unit=Unit.ARBITRARY, outside=0.0)
    brain = mr_brain_region(volume)
    truth = head.brain.data > 0
    assert np.mean(brain.data[truth] > 0) > 0.93
    region = face_region(volume, brain)
    face = face_mask(volume, brain).data > 0
    assert np.count_nonzero(face & truth) == 0
    for name in ("right eye", "left eye", "tip of the nose", "mouth", "chin"):
        point = head.world(FACE_POINTS[name])
        assert region.plane(point, np.eye(3)[0], np.eye(3)[1], (1, 1))[0, 0] == 1, name


@pytest.mark.parametrize("subject", ["Subj1", "Subj7"])
def test_no_voxel_of_the_automatic_labels_is_in_the_face(shared_data, subject):
    # The labels are automatic (DLMUSE): they say what a user would miss, not where the brain truly ends.
    image = nib.load(shared_data / f"mr_t1/nichart/{subject}_T1.nii.gz")
    labels = nib.load(shared_data / f"mr_t1/nichart/{subject}_T1_DLMUSE.nii.gz")
    data, affine = reorient(image.get_fdata(dtype=np.float32), image.affine, "RAS")
    labelled, _ = reorient(np.asarray(labels.dataobj).reshape(data.shape), labels.affine, "RAS")
    volume = Volume(data, affine, unit=Unit.ARBITRARY, outside=0.0)
    brain = mr_brain_region(volume)
    face = face_mask(volume, brain, parts=("face", "ears", "teeth"))
    assert np.count_nonzero((face.data > 0) & (labelled > 0)) == 0
    assert face.volume_ml("face") > 1500


def test_what_is_no_head_is_refused():
    rng = np.random.default_rng(0)
    constant = np.zeros((40, 40, 40), np.float32)
    with pytest.raises(ExtractionError, match="constant"):
        tissue_threshold(constant)
    noise = Volume(rng.normal(100, 10, (60, 60, 60)).astype(np.float32), np.diag([3.0, 3, 3, 1]), unit=Unit.ARBITRARY)
    with pytest.raises(ExtractionError):
        mr_brain_region(noise)
