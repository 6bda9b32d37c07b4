"""Bad input: a clear sentence, exit code, nothing written."""

import shutil

import nibabel as nib
import numpy as np
import pydicom
import pytest


def save(path, data, *, unit="mm"):
    image = nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return path


def noise(low, high, shape=(40, 40, 30), dtype=np.int16):
    return np.random.default_rng(0).integers(low, high, shape).astype(dtype)


def head_files(export):
    return sorted((export / "S0002").iterdir())


def copy(files, folder):
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder / file.name)
    return folder


def another_person(files, folder):
    copy(files, folder)
    for file in list(folder.iterdir()):
        dataset = pydicom.dcmread(file)
        dataset.PatientID = "SOMEONE-ELSE"
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, getattr(dataset, keyword) + ".9")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"other-{file.name}")
    return folder


def cut_short(files, folder):
    copy(files, folder)
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:20_000])
    return folder


def empty(folder):
    folder.mkdir()
    return folder


def text(folder):
    folder.mkdir()
    (folder / "image.dcm").write_text("this is a text file")
    return folder


CASES = {
    "nothing there": (lambda e, t: t / "none", "no such file or folder"),
    "empty folder": (lambda e, t: empty(t / "in"), "holds no files"),
    "a text file called .dcm": (lambda e, t: text(t / "in"), "no DICOM image was found"),
    "only localizers": (lambda e, t: copy((e / "S0001").iterdir(), t / "in"), "only localizers"),
    "two slices": (lambda e, t: copy(head_files(e)[:2], t / "in"), "at least 3"),
    "two patients": (lambda e, t: another_person(head_files(e), t / "in"), "two patients"),
    "truncated files": (lambda e, t: cut_short(head_files(e), t / "in"), "truncated|damaged"),
    "an MR": (lambda e, t: save(t / "in.nii.gz", noise(0, 900)), "looks like an MR"),
    "a label map": (lambda e, t: save(t / "in.nii.gz", noise(0, 12, dtype=np.uint8)), "label map"),
    "4-D": (lambda e, t: save(t / "in.nii.gz", noise(-1000, 900, (9, 9, 9, 2))), "4-D"),
    "no units": (lambda e, t: save(t / "in.nii.gz", noise(-1000, 900), unit="unknown"), "--assume-mm"),
    "values that cannot be HU": (lambda e, t: save(t / "in.nii.gz", noise(-1000, 99) * 1000.0), "no CT scale"),
    "no head in it": (lambda e, t: save(t / "in.nii.gz", noise(-1024, 90)), "error: "),
}


#: Where a command takes more than CT, it says something else.
OTHERWISE = {("an MR", command): "an MR that shows most of a head" for command in ("run", "brain")}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["run", "convert", "brain"])
def test_bad_input(cormack, export, tmp_path, case, command):
    if case == "no head in it" and command == "convert":
        pytest.skip("converting does not look for a head")
    make, sentence = CASES[case]
    sentence = OTHERWISE.get((case, command), sentence)
    source = make(export, tmp_path)
    out = tmp_path / "out" / "nested"
    words = {
        "run": ("run", source, out),
        "convert": ("convert", source, out / "x.nii.gz"),
        "brain": ("extract", "brain", source, out / "x.nii.gz"),
    }[command]
    before = sorted(tmp_path.rglob("*"))
    code, stdout, err = cormack(*words, "--quiet")
    assert code == 1
    assert stdout == ""
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1
    assert pytest.importorskip("re").search(sentence, err)
    assert sorted(tmp_path.rglob("*")) == before


def test_output_inside_input(cormack, export, tmp_path):
    source = copy(head_files(export)[:5], tmp_path / "in")
    before = sorted(tmp_path.rglob("*"))
    for words in (("run", source, source / "out"), ("convert", source, source / "x.nii.gz")):
        code, _, err = cormack(*words)
        assert code == 1
        assert "inside the input" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_wrong_names_and_usage(cormack, export, tmp_path):
    code, _, err = cormack("convert", export, tmp_path / "x.txt")
    assert code == 1
    assert ".nii.gz" in err
    (tmp_path / "folder.nii.gz").mkdir()
    assert "a folder stands there" in cormack("convert", export, tmp_path / "folder.nii.gz")[2]
    assert cormack("convert", export, tmp_path / "x.nii.gz", "--slice-spacing", "thin")[0] == 2
    assert cormack("convert", export, tmp_path / "x.nii.gz", "--series", "77")[0] == 1
    assert (
        "series can be chosen from DICOM only"
        in cormack("convert", save(tmp_path / "a.nii.gz", noise(-1000, 99)), tmp_path / "x.nii.gz", "--series", "1")[2]
    )
    assert cormack("no-such-command")[0] == 2
    assert not (tmp_path / "x.nii.gz").exists()


def test_folder_of_nifti_files_is_explained(cormack, tmp_path):
    (tmp_path / "in").mkdir()
    save(tmp_path / "in/a.nii.gz", noise(-1000, 99))
    code, _, err = cormack("run", tmp_path / "in", tmp_path / "out")
    assert code == 1
    assert "BIDS data set" in err
