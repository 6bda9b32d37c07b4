"""Real scans with their reference masks: suspicions arise where they should, and nowhere else."""

import nibabel
import numpy as np
import pytest

from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.dicom.read import read_scan
from cormack.imaging.condition import condition
from cormack.imaging.rectify import rectify
from cormack.measure.scan import measure_scan


def nearest(data, to_data, shape):
    """Sample a mask at the nearest voxel, on a grid whose first axis is parallel to the mask's."""
    assert np.abs(to_data[0, 1:3]).max() < 1e-3
    assert np.abs(to_data[1:3, 0]).max() < 1e-3
    i = np.rint(to_data[0, 0] * np.arange(shape[0]) + to_data[0, 3]).astype(int)
    out = np.zeros(shape, np.uint8, order="F")
    inside_i = (i >= 0) & (i < data.shape[0])
    for k in range(shape[2]):
        jk = to_data[1:3, 1:2] * np.arange(shape[1]) + (to_data[1:3, 2] * k + to_data[1:3, 3])[:, None]
        j, kk = np.rint(jk).astype(int)
        inside = (j >= 0) & (j < data.shape[1]) & (kk >= 0) & (kk < data.shape[2])
        out[np.ix_(inside_i, inside, [k])] = data[i[inside_i, None], j[inside], kk[inside]][..., None]
    return out


def measures_of(shared_data, name):
    assembly = read_scan(shared_data / "head_ct" / name).assembly
    conditioned = condition(assembly.stack, assembly.padding_hu)
    rectified = rectify(conditioned.stack, padded=conditioned.padded)
    volume = rectified.volume
    reference = nibabel.load(shared_data / "head_ct" / "reference" / name / "mask.nii.gz")
    mask = nearest(np.asarray(reference.dataobj), np.linalg.inv(reference.affine) @ volume.affine, volume.shape)
    i, j, k = np.nonzero(mask[::4, ::4, ::2])
    margin = [int(15 / step) for step in volume.spacing_mm]
    # Beside and below the brain lies head; farther to the sides and behind, headrest and table.
    near = np.s_[
        max(0, 4 * i.min() - margin[0]) : 4 * i.max() + margin[0],
        max(0, 4 * j.min() - margin[1]) : 4 * j.max() + 3 * margin[1],
        : 2 * k.max() + margin[2],
    ]
    head_data = np.zeros(volume.shape, np.uint8)
    head_data[near] = volume.data[near] > -200
    head = LabelMap(head_data, volume.affine, HEAD)
    brain = LabelMap(mask, volume.affine, BRAIN)
    return measure_scan(volume, head, brain, measured=rectified.measured, stack=conditioned.stack)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ge_tilted", {"slices-thick"}), ("toshiba_2mm", {"metal-suspected"}), ("cq500_cta", {"contrast-suspected"})],
)
def test_suspicions(shared_data, name, expected):
    measures = measures_of(shared_data, name)
    # Whether the head is cut depends on its mask, which here is a threshold in a box.
    assert {f.code for f in measures.findings} - {"head-cut", "brain-share-implausible"} == expected
    assert 1000 < measures.value("intracranial volume") < 1700
    assert 28 < measures.value("median HU") < 40
    assert 2 < measures.value("noise HU") < 9
    assert measures.value("brain at base edge") == 0
