"""Head MR from the command line: what it is taken for, what is written, the page, what is refused."""

import json
import re
from dataclasses import replace

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from cormack.core.errors import ExtractionError
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Unit, Volume
from cormack.extract.brain import brain_mask
from cormack.imaging.orient import reorient
from cormack.measure.overlap import dice
from cormack.nn.store import networks
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Silent
from cormack.pipeline.register import masked_side, read_side
from cormack.register.engine import Kind, Metric
from cormack.register.register import Registration

needs_network = pytest.mark.skipif("t1-brain-3d" not in networks(), reason="the network is not packaged yet")
SECRET = "Zwyrzykowska"


@pytest.fixture(scope="module")
def t1(shared_data):
    """A real head, its file and its values on RAS+ axes."""
    path = shared_data / "mr_t1" / "nichart" / "Subj8_T1.nii.gz"
    return path, nib.as_closest_canonical(nib.load(path))


@pytest.fixture(scope="module")
def series(t1, tmp_path_factory):
    """The head as sagittal DICOM slices, with a T2-weighted series of a few thick slices beside it."""
    folder = tmp_path_factory.mktemp("mr") / "export"
    folder.mkdir()
    image = t1[1]
    values = np.rint(np.asarray(image.dataobj)).astype(np.uint16)
    write_series(folder, values, image.affine, number=3, echo_ms=3.0)
    write_series(folder, values[::4], image.affine @ np.diag([4, 1, 1, 1]), number=4, echo_ms=90.0)
    return folder


def write_series(folder, values, affine, *, number, echo_ms):
    uid, study, frame = generate_uid(), generate_uid(entropy_srcs=["study"]), generate_uid(entropy_srcs=["frame"])
    to_lps = np.diag([-1.0, -1, 1])
    steps = to_lps @ affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    for n, plane in enumerate(values):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        ds.PatientName, ds.PatientID, ds.Modality = SECRET, "QX77194", "MR"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, uid, frame
        ds.SeriesNumber, ds.InstanceNumber, ds.ImageType = number, n + 1, ["ORIGINAL", "PRIMARY", "M"]
        ds.EchoTime, ds.RepetitionTime, ds.MagneticFieldStrength = echo_ms, 2000.0, 3.0
        # Rows run downwards along -k, columns to posterior along -j.
        last = affine @ [n, plane.shape[0] - 1, plane.shape[1] - 1, 1]
        ds.ImagePositionPatient = [round(float(v), 6) for v in to_lps @ last[:3]]
        ds.ImageOrientationPatient = [float(v) for v in (*-steps[:, 1] / spacing[1], *-steps[:, 2] / spacing[2])]
        ds.PixelSpacing, ds.SliceThickness = [float(spacing[2]), float(spacing[1])], float(spacing[0])
        pixels = np.ascontiguousarray(plane.T[::-1, ::-1])
        ds.Rows, ds.Columns = pixels.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = pixels.tobytes()
        pydicom.dcmwrite(folder / f"s{number}_{n:03d}.dcm", ds, enforce_file_format=True)


@needs_network
def test_dicom_and_nifti_give_the_same_brain(cormack, t1, series, tmp_path):
    code, out, err = cormack("extract", "brain", series, tmp_path / "a.nii.gz", "-v")
    assert code == 0, err
    assert "brain and CSF" in out
    assert "its echo time is that of T1 weighting" in err
    assert cormack("extract", "brain", t1[0], tmp_path / "b.nii.gz", "--method", "t1-brain-3d", "-q")[0] == 0
    first, second = (nib.as_closest_canonical(nib.load(tmp_path / f"{name}.nii.gz")) for name in "ab")
    np.testing.assert_allclose(first.affine, second.affine, atol=1e-3)
    assert dice(np.asarray(first.dataobj) > 0, np.asarray(second.dataobj) > 0) > 0.995
    assert nib.load(tmp_path / "b.nii.gz").shape == nib.load(t1[0]).shape
    sidecar = json.loads((tmp_path / "b.json").read_text())
    assert (sidecar["Type"], sidecar["Label"]) == ("Brain", {"1": "brain and CSF"})
    assert sidecar["Description"].endswith("method t1-brain-3d")


@pytest.fixture(scope="module")
def finished(series, tmp_path_factory):
    from cormack.cli.main import main

    out = tmp_path_factory.mktemp("run") / "out"
    assert main(["run", str(series), str(out), "--participant-label", "07", "-q"]) == 0
    return out


@needs_network
def test_a_run_leaves_a_data_set_and_a_page_of_mr(finished, series, cormack):
    stem = "sub-07/anat/sub-07_"
    volume, head, brain, masked = (
        nib.load(finished / f"{stem}{name}.nii.gz")
        for name in ("T1w", "desc-head_mask", "desc-brain_mask", "desc-brain_T1w")
    )
    values, inside = np.asarray(volume.dataobj), np.asarray(brain.dataobj) > 0
    np.testing.assert_array_equal(np.asarray(masked.dataobj), np.where(inside, values, 0))
    assert np.count_nonzero(inside & (np.asarray(head.dataobj) == 0)) < 0.001 * np.count_nonzero(inside)
    header, row = (line.split("\t") for line in (finished / f"{stem}volumes.tsv").read_text().splitlines())
    table = dict(zip(header, row, strict=True))
    ml = np.count_nonzero(inside) * abs(np.linalg.det(volume.affine[:3, :3])) / 1000
    assert float(table["brain_and_csf_volume_ml"]) == pytest.approx(ml, rel=1e-4)
    assert float(table["mean_intensity"]) == pytest.approx(values[inside].mean(), rel=0.01)
    assert not [name for name in table if "hu" in name.split("_") or "metal" in name or "vessel" in name]
    manifest = json.loads((finished / f"{stem}manifest.json").read_text())
    assert manifest["Input"]["Modality"] == "MR"
    page = (finished / "sub-07_T1w.html").read_text(encoding="utf-8")
    assert "head MR report" in page
    assert "Hoopes" in page
    assert "3 T" in page
    text = re.sub(r"<[^>]*>", " ", page.partition("<body>")[2])
    for word in ("HU", "CT", "kernel", "Kernel", "contrast medium", "metal", "Muschelli", "Gantry", SECRET, "QX77194"):
        assert not re.search(rf"\b{word}\b", text), word
    assert SECRET not in page
    code, out, _ = cormack("run", series, finished, "--participant-label", "07")
    assert code == 0
    assert "nothing to do" in out


@needs_network
def test_a_run_measures_both_hippocampi(finished):
    labels, sidecar = (finished / f"sub-07/anat/sub-07_desc-hippocampus_dseg{end}" for end in (".nii.gz", ".json"))
    drawn, told = nib.load(labels), json.loads(sidecar.read_text())
    values, voxel_mm3 = np.asarray(drawn.dataobj), abs(np.linalg.det(drawn.affine[:3, :3]))
    for side, parts, sign in (("left", (1, 2), -1), ("right", (3, 4), 1)):
        mask = np.isin(values, parts)
        assert told["VolumesMm3"][f"{side} hippocampus"] == pytest.approx(mask.sum() * voxel_mm3, abs=0.1)
        assert 1500 < mask.sum() * voxel_mm3 < 5000
        assert 0 < told["ViewsSdMm3"][f"{side} hippocampus"] < 500
        middle = drawn.affine[:3, :3] @ np.argwhere(mask).mean(axis=0) + drawn.affine[:3, 3]
        brain = nib.load(finished / "sub-07/anat/sub-07_desc-brain_mask.nii.gz")
        centre = brain.affine[:3, :3] @ np.argwhere(np.asarray(brain.dataobj)).mean(axis=0) + brain.affine[:3, 3]
        assert 10 < sign * (middle - centre)[0] < 45
    page = (finished / "sub-07_T1w.html").read_text(encoding="utf-8")
    assert "right posterior hippocampus" in page
    assert "coarse-voxels" in page


@needs_network
def test_a_data_set_may_hold_both(t1, tmp_path, cormack):
    folder = tmp_path / "data/sub-01/anat"
    folder.mkdir(parents=True)
    (folder / "sub-01_T1w.nii.gz").write_bytes(t1[0].read_bytes())
    code, out, err = cormack("run", tmp_path / "data", tmp_path / "out")
    assert code == 0, err
    assert "sub-01_T1w: done" in out
    code, _, err = cormack("run", tmp_path / "data", tmp_path / "out2", "--modality", "CT")
    assert code == 1
    assert "a BIDS data set without a CT" in err


@needs_network
def test_two_dates_are_compared_without_masks(t1, tmp_path, monkeypatch, cormack):
    pose = Affine(np.array([[0.995004, -0.099833, 0, 5], [0.099833, 0.995004, 0, -3], [0, 0, 1, 4], [0, 0, 0, 1]]))
    image = nib.load(t1[0])
    second = tmp_path / "second.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), pose.matrix @ image.affine, image.header), second)

    def known_answer(moving, fixed, kind, **_):
        way = pose if np.allclose(fixed.affine, image.affine, atol=1e-3) else pose.inverse()
        return Registration(TransformChain((way,)), Kind(kind), Metric.MI, "known", Affine.identity(), None)

    monkeypatch.setattr("cormack.register.halfway.register_volumes", known_answer)
    code, out, err = cormack("follow-up", t1[0], second, tmp_path / "out", "--spacing", "2")
    assert code == 0, err
    assert "brain and CSF" in out
    rows = [line.split("\t") for line in (tmp_path / "out" / "volumes.tsv").read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == ["head", "brain and CSF"]
    for _, first_ml, _, _, change_percent, overlap in rows:
        assert float(first_ml) > 1000
        assert abs(float(change_percent)) < 1.0
        assert float(overlap) > 0.98
    assert not (tmp_path / "out" / "difference.nii.gz").exists()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Head and brain and CSF were found on that grid" in page
    assert "HU" not in re.sub(r"<[^>]*>", " ", page.partition("<body>")[2])


@needs_network
def test_registration_takes_the_brain_that_extraction_finds(t1):
    volume = read_side(t1[0], "moving", LoadOptions(), None, Silent())
    mask = masked_side(volume, "brain").mask
    assert mask.on_grid_of(volume.volume)
    expected = brain_mask(Volume(np.asarray(t1[1].dataobj), t1[1].affine, Unit.ARBITRARY, 0.0))
    data, _ = reorient(mask.data, mask.affine)
    assert dice(data > 0, expected.data > 0) > 0.999
    empty = volume.volume.with_data(np.zeros(volume.volume.shape, np.float32))
    with pytest.raises(ExtractionError, match="or give a mask of the brain"):
        masked_side(replace(volume, volume=empty), "brain")


def saved(path, data, spacing_mm=2.0):
    image = nib.Nifti1Image(data, np.diag([spacing_mm] * 3 + [1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def test_what_cannot_be_used_is_refused_in_a_sentence(t1, series, export, tmp_path, cormack):
    values = np.asarray(t1[1].dataobj, dtype=np.float32)
    ct = tmp_path / "ct.nii.gz"
    assert cormack("convert", export, ct, "-q")[0] == 0
    empty = saved(tmp_path / "empty.nii.gz", np.zeros((60, 60, 60), np.int16))
    four = saved(tmp_path / "four.nii.gz", np.zeros((20, 20, 20, 3), np.int16))
    coarse = saved(tmp_path / "coarse.nii.gz", np.ascontiguousarray(values[::4, ::4, ::4]), 8.0)
    for source, words, expected in (
        (ct, ["--modality", "MR"], "say --modality CT"),
        (t1[0], ["--modality", "CT"], "looks like an MR"),
        (t1[0], ["--method", "skull"], "method 'skull' does not read MR"),
        (ct, ["--method", "t1-brain-3d"], "method 't1-brain-3d' does not read CT"),
        (ct, ["--n4"], "leave out --n4"),
        (export, ["--modality", "MR"], "no series here is a volume of MR"),
        (series, ["--modality", "CT"], "no series here is a volume of CT"),
        (empty, [], "constant"),
        (four, [], "4-D"),
        (coarse, [], "voxels of 8.0 x 8.0 x 8.0 mm"),
    ):
        code, _, err = cormack("extract", "brain", source, tmp_path / "mask.nii.gz", *words)
        assert code == 1, expected
        assert expected in err
        assert "inside Cormack" not in err
        assert SECRET not in err
    for words, expected in ((["--cormack-units"], "only a CT has Cormack units"), (["--outside", "shift"], "for MR")):
        code, _, err = cormack("run", t1[0], tmp_path / "out", *words)
        assert code == 1
        assert expected in err
