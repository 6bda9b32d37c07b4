"""Runs of de-identification: same files whatever the processes, nothing lost, nothing half-done, nothing told."""

import errno
import hashlib
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from cormack.core.errors import InputError, OutputError
from cormack.dicom.deidentify.lookup import read_lookup
from cormack.dicom.deidentify.project_key import load_key
from cormack.files.outputs import PART_SUFFIX
from cormack.pipeline import deidentify_worker
from cormack.pipeline.deidentify import deidentify

SECRETS = (b"vandersloot", b"hinterseer", b"73518264017", b"beispielstadt", b"19310709", b"1.2.3.4.")


def image(number: int, *, patient: str = "P-73518264017", name: str = "Vandersloot^Annegret") -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.3.4.5.{number}"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20190304", "112233", "A47119"
    dataset.Modality, dataset.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstitutionName, dataset.ReferringPhysicianName = "Klinikum Beispielstadt", "Hinterseer^Ottokar"
    dataset.SeriesDescription = "Head Vandersloot"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = name, patient, "19310709"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4.1", "1.2.3.4.2"
    dataset.InstanceNumber, dataset.ImagePositionPatient = number, [-10.5, -20, 4.0 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 4
    dataset.PixelSpacing = [0.5, 0.5]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = struct.pack("<16H", *range(number, number + 16))
    return dataset


def encoded(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def source(tmp_path) -> Path:
    """Forty slices of one patient in a folder that is named after him."""
    folder = tmp_path / "Vandersloot"
    folder.mkdir()
    for number in range(40):
        (folder / f"IM{number:03d}").write_bytes(encoded(image(number)))
    return folder


@pytest.fixture
def run(tmp_path):
    """De-identify into a folder of the test with its key."""

    def call(source, out="out", **values):
        values.setdefault("workers", 0)
        return deidentify(source, tmp_path / out, tmp_path / "key", **values)

    return call


def tree(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.dcm")}


def leftovers(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if PART_SUFFIX in p.name]


def test_the_same_files_whatever_the_processes_and_the_packing(run, source, tmp_path):
    done = run(source, workers=0)
    assert (done.written, done.patients, done.studies, done.series) == (40, 1, 1, 1)
    assert not done.refused
    expected = tree(done.out)
    assert len(expected) == 40
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        for path in sorted(source.iterdir()):
            archive.write(path, path.name)
            packed.add(path, path.name)
    for name, given, workers in (("two", source, 2), ("zip", tmp_path / "a.zip", 1), ("tar", tmp_path / "a.tar.gz", 0)):
        assert tree(run(given, name, workers=workers).out) == expected


def test_no_identifier_in_files_names_report_or_audit(run, source, tmp_path):
    done = run(source, options=["clean-descriptors", "retain-longitudinal-modified-dates"])
    for path in done.out.rglob("*"):
        assert not any(secret in str(path.relative_to(tmp_path)).lower().encode() for secret in SECRETS)
        if path.is_file():
            content = path.read_bytes().lower()
            assert not [secret for secret in SECRETS if secret in content]
    audit = json.loads((done.out / "deidentification_audit.json").read_text())
    assert audit["Complete"] is True
    one = pydicom.dcmread(next(done.out.rglob("*.dcm")))
    assert one.SeriesDescription == "Head"


def test_a_second_run_adds_nothing_and_a_third_over_the_output_changes_nothing(run, source, tmp_path):
    options = ["retain-longitudinal-modified-dates", "clean-descriptors"]
    first = run(source, options=options)
    before = tree(first.out)
    second = run(source, options=options)
    assert (second.written, second.unchanged) == (0, 40)
    assert tree(first.out) == before
    third = run(first.out, "third", options=options)
    assert third.written == 40
    assert tree(third.out) == before


def test_an_output_of_other_options_or_of_something_else_is_refused(run, source, tmp_path):
    run(source)
    with pytest.raises(OutputError, match="other options"):
        run(source, options=["retain-uids"])
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("x")
    with pytest.raises(OutputError, match="no result of cormack deidentify"):
        run(source, "foreign")


def test_output_in_the_input_and_secrets_in_the_output_are_refused(run, source, tmp_path):
    with pytest.raises(OutputError, match="inside the input"):
        run(source, "Vandersloot/out")
    with pytest.raises(OutputError, match="must not lie in the output"):
        deidentify(source, tmp_path / "out", tmp_path / "out" / "key")


def test_copies_are_written_once_and_objects_that_share_a_uid_are_all_kept(run, source):
    (source / "copy").write_bytes((source / "IM003").read_bytes())
    other = image(5)
    other.PixelData = bytes(32)
    (source / "other").write_bytes(encoded(other))
    for workers in (0, 2):
        done = run(source, f"out{workers}", workers=workers)
        assert done.written == 41
        assert done.left_aside == {"copy of another file": 1}
        assert [finding.code for finding in done.findings] == ["same-uid"]
        assert len(tree(done.out)) == 41
    assert tree(done.out.with_name("out0")) == tree(done.out)
    again = run(source, "out0")
    assert (again.written, again.unchanged) == (0, 41)


def test_what_is_damaged_is_refused_and_the_rest_goes_on(run, source):
    whole = (source / "IM000").read_bytes()
    (source / "IM000").write_bytes(whole[:-5])
    (source / "IM001").write_bytes(whole[:200])
    (source / "readme.txt").write_text("of Vandersloot")
    report = image(50)
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    (source / "report").write_bytes(encoded(report))
    done = run(source, workers=1)
    assert done.written == 38
    assert sum(done.refused.values()) == 3
    assert done.left_aside == {"not DICOM": 1}
    assert not leftovers(done.out)


def test_patients_of_a_list_get_their_names_and_others_are_refused(run, source, tmp_path):
    (source / "stranger").write_bytes(encoded(image(60, patient="Q-1", name="Plischke^Udo")))
    (tmp_path / "list.csv").write_text("old,new\nP-73518264017,sub-01\n")
    done = run(source, subjects=tmp_path / "list.csv", lookup=tmp_path / "lookup")
    assert done.written == 40
    assert done.refused == {"of a patient who is not on the list of subjects": 1}
    assert {Path(path).parts[0] for path in tree(done.out)} == {"sub-01"}
    rows = read_lookup(tmp_path / "lookup", load_key(tmp_path / "key"))
    assert [(row.pseudonym, row.patient_id) for row in rows] == [("sub-01", "P-73518264017")]
    again = run(done.out, "again", subjects=tmp_path / "list.csv")
    assert tree(again.out) == tree(done.out)


def test_two_patients_get_two_pseudonyms_and_lookups_grow(run, source, tmp_path):
    (source / "stranger").write_bytes(encoded(image(60, patient="Q-10203", name="Plischke^Udo")))
    done = run(source, lookup=tmp_path / "lookup")
    assert done.patients == 2
    third = tmp_path / "third"
    third.mkdir()
    (third / "a").write_bytes(encoded(image(70, patient="R-10203", name="Aal^Berta")))
    run(third, "out3", lookup=tmp_path / "lookup")
    assert len(read_lookup(tmp_path / "lookup", load_key(tmp_path / "key"))) == 3


def test_nothing_that_can_be_written_is_an_error(run, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("x" * 300)
    with pytest.raises(InputError, match="1 x not DICOM"):
        run(tmp_path / "texts")


def test_options_have_to_exist_and_to_agree(run, source):
    with pytest.raises(InputError, match="no option"):
        run(source, options=["retain-everything"])
    with pytest.raises(InputError, match="choose one"):
        run(source, options=["retain-longitudinal-modified-dates", "retain-longitudinal-full-dates"])


def test_a_full_disk_leaves_whole_files_only(run, source, monkeypatch):
    calls = []

    def fill(stream, piece):
        calls.append(piece)
        if len(calls) > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        stream.write(piece)

    monkeypatch.setattr(deidentify_worker, "_write_all", fill)
    with pytest.raises(OutputError, match="disk is full"):
        run(source)
    monkeypatch.undo()
    out = source.parent / "out"
    assert not leftovers(out)
    assert json.loads((out / "deidentification_audit.json").read_text())["Complete"] is False
    for path in tree(out):
        pydicom.dcmread(out / path)
    assert run(source).written > 0
    assert len(tree(out)) == 40


def test_a_process_that_dies_costs_only_the_object_that_killed_it(run, source, tmp_path, monkeypatch):
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    (plugin / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'cormack.pipeline.deidentify_process' in ' '.join(sys.orig_argv):\n"
        "    import cormack.pipeline.deidentify_worker as w\n"
        "    clean = w.clean_object\n"
        "    def deadly(data, *rest):\n"
        "        if b'1.2.3.4.5.7\\0' in data:\n"
        "            os._exit(9)\n"
        "        return clean(data, *rest)\n"
        "    w.clean_object = deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(plugin), prepend=os.pathsep)
    done = run(source, workers=2)
    # Those that were written before the process died are found there by the next one.
    assert done.written + done.unchanged == len(tree(done.out)) == 39
    assert done.refused == {"the process that worked on it ended": 1}


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_whole_files_and_the_next_one_goes_on(run, source, tmp_path, number):
    for k in range(100, 400):
        (source / f"IM{k}").write_bytes(encoded(image(k)))
    words = ["deidentify", str(source), str(tmp_path / "out"), "--project-key", str(tmp_path / "key")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cormack", *words], stderr=subprocess.PIPE, start_new_session=True
    )
    until = time.monotonic() + 60
    while not tree_size(tmp_path / "out") and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode in (0, 130)
        assert not leftovers(tmp_path / "out")
    assert b"ander" not in told.replace(str(tmp_path).encode(), b"")
    done = run(source)
    assert done.written + done.unchanged == 340
    assert not leftovers(done.out)


def tree_size(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.dcm")) if folder.exists() else 0


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("subject", ["ge_tilted", "cq500_cta"])
def test_real_series_keep_geometry_and_pixels_and_dcmtk_reads_them(run, shared_data, tmp_path, subject):
    folder = shared_data / "head_ct" / subject
    if not folder.is_dir():
        pytest.skip("no such series")
    part = tmp_path / "part"
    part.mkdir()
    for path in sorted(p for p in folder.rglob("*") if p.is_file())[:12]:
        shutil.copy(path, part / path.name)
    done = run(part, options=["retain-uids"])
    assert done.written == 12
    sources = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, part.iterdir())}
    kept = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "Rows")
    for path in done.out.rglob("*.dcm"):
        result = pydicom.dcmread(path)
        original = sources[result.SOPInstanceUID]
        for keyword in kept:
            tag = pydicom.datadict.tag_for_keyword(keyword)
            assert result.get_item(tag).value == original.get_item(tag).value
        # Of compressed frames the comments and application data go.
        assert (result.pixel_array == original.pixel_array).all()
        dumped = subprocess.run(["dcmdump", "-q", str(path)], capture_output=True, check=True)
        assert not dumped.stderr
