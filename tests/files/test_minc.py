import nibabel as nib
import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.files.minc import BRAINWEB, read_brainweb
from cormack.imaging.orient import axis_codes


def test_a_model_at_1_mm_keeps_its_classes_and_its_place(shared_data):
    path = shared_data / "atlas" / "brainweb" / "subject04_crisp_v.mnc.gz"
    labels = read_brainweb(path)
    image = nib.load(path)
    fine = np.rint(np.asanyarray(image.dataobj)).astype(np.uint8)
    assert labels.data.shape == (181, 217, 181)
    assert axis_codes(labels.affine) == "RAS"
    for name in ("white matter", "gray matter", "muscle or skin"):
        index = BRAINWEB[name].index
        assert labels.data[labels.data == index].size * 8 == pytest.approx(np.count_nonzero(fine == index), rel=0.05)
    centres = []
    for data, affine, step in ((fine, image.affine, 4), (labels.data, labels.affine, 2)):
        places = np.argwhere(data[::step, ::step, ::step] == 3).mean(axis=0) * step
        centres.append(affine[:3, :3] @ places + affine[:3, 3])
    assert centres[0] == pytest.approx(centres[1], abs=0.5)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.mnc.gz"
    path.write_bytes(b"no image")
    with pytest.raises(InputError, match="MINC"):
        read_brainweb(path)


def test_other_numbers_are_refused(tmp_path):
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), 99, np.int16), np.eye(4)), path)
    with pytest.raises(InputError, match="0 to 11"):
        read_brainweb(path)
