"""Derived series: of the source's patient and study, where the source is, and valid for programs not written here."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from synthetic import Recipe, datasets, series, write

from cormack.core.errors import CormackError, DicomError, InputError, OutputError, ValuesError
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.dicom.derive import native_slices, write_derived_series
from cormack.dicom.inventory import SeriesEntry, take_inventory
from cormack.dicom.read import read_scan
from cormack.dicom.select import select_series
from cormack.dicom.source import open_source
from cormack.dicom.write import write_ct_series
from cormack.imaging.native import to_native, volume_to_stack
from cormack.imaging.rectify import rectify
from cormack.imaging.windows import WINDOWS, Window
from cormack.physics.phantom import Composition, Ellipsoid
from cormack.physics.scanner import SliceGeometry, acquire, grouped_positions
from cormack.pipeline.phantom import make_phantom_series

EXTRA = {
    "PatientBirthDate": "19500102",
    "PatientSex": "F",
    "PatientAge": "070Y",
    "StudyDate": "20200304",
    "StudyTime": "101112",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "Who^Dr",
    "FrameOfReferenceUID": "1.2.3.4.5",
    "KVP": "120",
    "Exposure": "200",
    "ConvolutionKernel": "H31s",
    "Manufacturer": "SIEMENS",
    "PatientPosition": "HFS",
}


def entry_of(folder: Path) -> SeriesEntry:
    return select_series(take_inventory(open_source(folder))).entry


def read(paths: tuple[Path, ...]) -> list[Any]:
    return [pydicom.dcmread(path) for path in paths]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> SeriesEntry:
    """The digital head on tilted slices."""
    folder = tmp_path_factory.mktemp("head") / "export"
    make_phantom_series(folder, slices=8, thickness_mm=12.0, pixels=64)
    return entry_of(folder)


@pytest.fixture(scope="module")
def kinds(head: SeriesEntry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, ...]]:
    """One derived series of each kind: a mask and values on native slices, a rectified volume in three planes."""
    folder = tmp_path_factory.mktemp("derived")
    stack = read_scan(head.source.items[0].where.parent.parent).assembly.stack
    rectified = rectify(stack).volume
    mask = LabelMap((rectified.data > -200).astype(np.uint8), rectified.affine, BRAIN)
    stacks = {"mask": to_native(mask, native_slices(head)), "values": to_native(rectified, native_slices(head))}
    stacks |= {plane: volume_to_stack(rectified, plane=plane) for plane in ("axial", "coronal", "sagittal")}
    return {
        name: write_derived_series(made, head, folder / name, description=f"Cormack {name}")
        for name, made in stacks.items()
    }


def test_patient_and_study_are_those_of_the_source_and_all_else_is_new(tmp_path: Path) -> None:
    series(tmp_path / "in", n=5, extra=EXTRA)
    entry = entry_of(tmp_path / "in")
    sources = {ds.SOPInstanceUID: ds for ds in read(tuple((tmp_path / "in").iterdir()))}
    stack = native_slices(entry)
    made = read(write_derived_series(stack, entry, tmp_path / "out", description="Made"))
    assert len({ds.SOPInstanceUID for ds in made} | set(sources)) == 10
    assert len({ds.SeriesInstanceUID for ds in made}) == 1
    for k, ds in enumerate(made):
        (reference,) = ds.SourceImageSequence
        assert reference.ReferencedSOPInstanceUID == stack.sop_instance_uids[k]
        source = sources[reference.ReferencedSOPInstanceUID]
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "StudyInstanceUID",
                        "StudyDate", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "KVP",
                        "Exposure", "ConvolutionKernel", "ImagePositionPatient", "ImageOrientationPatient",
                        "PixelSpacing", "InstanceNumber", "PatientPosition", "Rows", "Columns"):  # fmt: skip
            assert ds[keyword].value == source[keyword].value, keyword
        assert ds.SeriesInstanceUID != source.SeriesInstanceUID
        assert ds.SeriesNumber == source.SeriesNumber + 1000
        assert list(ds.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        assert (ds.Modality, ds.SeriesDescription, ds.BurnedInAnnotation) == ("CT", "Made", "NO")
        assert ds.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
        assert ds.ContributingEquipmentSequence[0].Manufacturer == "SIEMENS"
        assert reference.SpatialLocationsPreserved == "YES"


def test_values_come_back_exactly(kinds: dict[str, tuple[Path, ...]], head: SeriesEntry) -> None:
    back = read_scan(kinds["values"][0].parent).assembly.stack
    source = native_slices(head)
    np.testing.assert_allclose(back.origins, source.origins, atol=1e-6)
    np.testing.assert_allclose(back.step_j, source.step_j, atol=1e-9)
    assert back.data.dtype == np.int16
    original = read_scan(head.source.items[0].where.parent.parent).assembly.stack
    rectified = rectify(original).volume
    np.testing.assert_array_equal(back.data, to_native(rectified, original).data)
    axial = read_scan(kinds["axial"][0].parent).assembly.stack
    np.testing.assert_array_equal(axial.data, volume_to_stack(rectified).data)
    np.testing.assert_allclose(axial.world([3, 4, 5]), volume_to_stack(rectified).world([3, 4, 5]), atol=1e-5)


def test_slices_of_their_own_refer_to_those_beside_them(kinds: dict[str, tuple[Path, ...]], head: SeriesEntry) -> None:
    positions = {i.sop_uid: i.position for i in head.instances}
    for ds in read(kinds["axial"]):
        normal = np.cross(ds.ImageOrientationPatient[:3], ds.ImageOrientationPatient[3:])
        offsets = [
            float(np.subtract(positions[item.ReferencedSOPInstanceUID], ds.ImagePositionPatient) @ normal)
            for item in ds.SourceImageSequence
        ]
        assert len(offsets) == 2
        assert max(map(abs, offsets)) < 2 * 12
        assert ds.SourceImageSequence[0].SpatialLocationsPreserved == "NO"
        assert ds.SliceThickness == pytest.approx(np.cos(np.radians(18)) * 12, abs=0.01)
        assert "GantryDetectorTilt" not in ds
    assert len(pydicom.dcmread(kinds["coronal"][0]).SourceImageSequence) == 8


@pytest.mark.parametrize("kind", ["mask", "values", "axial", "coronal", "sagittal"])
def test_dicom3tools_and_dcmtk_find_no_error(kinds: dict[str, tuple[Path, ...]], kind: str) -> None:
    if shutil.which("dciodvfy") is None or shutil.which("dcmdump") is None:
        pytest.skip("dicom3tools or DCMTK is not installed (Debian packages dicom3tools, dcmtk)")
    for path in kinds[kind][::3]:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr + said.stdout
        said = subprocess.run(["dcmdump", "-q", path], capture_output=True, text=True, check=True)
        assert not said.stderr
        said = subprocess.run(["dcmftest", path], capture_output=True, text=True, check=True)
        assert said.stdout.startswith("yes")


@pytest.mark.parametrize("kind", ["mask", "values", "axial", "coronal"])
def test_gdcm_and_simpleitk_read_values_and_places(kinds: dict[str, tuple[Path, ...]], kind: str) -> None:
    gdcm = pytest.importorskip("gdcm")
    sitk = pytest.importorskip("SimpleITK")
    for path in kinds[kind][::3]:
        ds = pydicom.dcmread(path)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        assert reader.GetImage().GetOrigin() == pytest.approx(list(ds.ImagePositionPatient))
        image = sitk.ReadImage(str(path))
        hu = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[0], hu)
        assert image.GetOrigin() == pytest.approx(list(ds.ImagePositionPatient))


def test_dcm2niix_makes_one_volume_of_it(kinds: dict[str, tuple[Path, ...]], tmp_path: Path) -> None:
    dcm2niix = pytest.importorskip("dcm2niix")
    nib = pytest.importorskip("nibabel")
    for kind in ("mask", "axial"):
        (tmp_path / kind).mkdir()
        folder = kinds[kind][0].parent
        subprocess.run(
            [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "x", "-o", str(tmp_path / kind), str(folder)],
            check=True, capture_output=True,
        )  # fmt: skip
        image = nib.load(tmp_path / kind / "x.nii")
        stack = read_scan(folder).assembly.stack
        np.testing.assert_array_equal(np.asarray(image.dataobj)[:, ::-1], stack.data)


def test_a_mask_is_zeros_and_ones_that_show_black_and_white(kinds: dict[str, tuple[Path, ...]]) -> None:
    made = read(kinds["mask"])
    assert set(np.unique([ds.pixel_array for ds in made])) == {0, 1}
    for ds in made:
        assert (ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType) == (1, 0, "US")
        assert (ds.WindowCenter, ds.WindowWidth) == (0.5, 1)
        assert [c.CodeMeaning for c in ds.DerivationCodeSequence] == ["Spatial resampling", "Segmentation"]


@pytest.mark.parametrize(
    ("values", "unit", "step"),
    [
        ((-1024, 3071), Unit.HU, 0),
        ((-32768, 32767), Unit.HU, 0),
        ((-32768, 32767), Unit.ARBITRARY, 0),
        ((0, 1), Unit.PROBABILITY, 1e-4),
        ((0, 200_000), Unit.ARBITRARY, 20),
        ((7e5, 7e5 + 1), Unit.ARBITRARY, 0.1),
        ((-1e-3, 2e-3), Unit.ARBITRARY, 1e-6),
        ((5, 5), Unit.ARBITRARY, 1e-2),
    ],
)
def test_any_numbers_fit(head: SeriesEntry, values: Any, unit: Unit, step: float, tmp_path: Path) -> None:
    stack = native_slices(head)
    dtype = np.int16 if step == 0 else np.float32
    numbers = np.linspace(*values, stack.data.size).reshape(stack.data.shape).astype(dtype)
    made = stack.with_data(numbers, unit=unit)
    files = write_derived_series(made, head, tmp_path / "out", description="x", window=Window(1, 2))
    for k, ds in enumerate(read(files)):
        back = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        assert np.abs(back.T - numbers[:, :, k]).max() <= step / 2 * 1.02
        assert (ds.RescaleType == "HU") == (unit is Unit.HU)
        assert (ds.WindowCenter, ds.WindowWidth) == (1, 2)


def test_a_seed_gives_the_same_bytes_again(head: SeriesEntry, tmp_path: Path) -> None:
    def content(name: str, seed: str | None) -> list[bytes]:
        files = write_derived_series(native_slices(head), head, tmp_path / name, description="x", seed=seed)
        return [path.read_bytes() for path in files]

    assert content("a", "s") == content("b", "s")
    assert content("c", None) != content("d", None)
    ds = pydicom.dcmread(tmp_path / "a" / "I00001.dcm")
    assert "SeriesDate" not in ds
    assert ds.WindowWidth == WINDOWS["brain"].width_hu


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "\\ISO 2022 IR 87"])
def test_a_name_keeps_its_letters_in_any_description(charset: str, tmp_path: Path) -> None:
    name = "山田^太郎" if "87" in charset else "Müller^Jörg"
    write(tmp_path / "in", datasets(Recipe(n=3, extra={"SpecificCharacterSet": charset, "PatientName": name})))
    entry = entry_of(tmp_path / "in")
    for n, description in enumerate(("plain", "köpfe 頭")):
        files = write_derived_series(native_slices(entry), entry, tmp_path / str(n), description=description)
        for ds in read(files):
            assert str(ds.PatientName) == name
            assert ds.SeriesDescription == description


def test_no_private_element_is_copied_at_any_depth(tmp_path: Path) -> None:
    other = pydicom.Dataset()
    other.PatientID = "P2"
    other.add_new(0x00110010, "LO", "PRIVATE")
    other.add_new(0x00111001, "LO", "within")
    write(tmp_path / "in", slices := datasets(Recipe(n=3, extra={"OtherPatientIDsSequence": [other]})))
    for ds in slices:
        ds.add_new(0x00090010, "LO", "PRIVATE")
        ds.add_new(0x00091001, "LO", "without")
    write(tmp_path / "in", slices)
    entry = entry_of(tmp_path / "in")
    for ds in read(write_derived_series(native_slices(entry), entry, tmp_path / "out", description="x")):
        assert ds.OtherPatientIDsSequence[0].PatientID == "P2"
        assert not [element for element in ds.iterall() if element.tag.is_private]


def test_what_the_source_lacks_or_admits(tmp_path: Path) -> None:
    extra = {"BurnedInAnnotation": "YES", "LossyImageCompression": "01", "LossyImageCompressionRatio": "9"}
    series(tmp_path / "in", n=4, extra=extra)
    entry = entry_of(tmp_path / "in")
    files = [*write_derived_series(native_slices(entry), entry, tmp_path / "a", description="x"),
             *write_derived_series(native_slices(entry), entry, tmp_path / "b", description="x")]  # fmt: skip
    made = read(tuple(files))
    assert len({ds.FrameOfReferenceUID for ds in made}) == 1
    for ds in made:
        assert (ds.BurnedInAnnotation, ds.LossyImageCompression, ds.LossyImageCompressionRatio) == ("YES", "01", 9)
        assert ds.PatientBirthDate == ds.PatientSex == ds.StudyDate == ""
        assert ds.KVP is None


def test_frames_of_one_file_are_named_by_number(shared_data: Path, tmp_path: Path) -> None:
    entry = take_inventory(open_source(shared_data / "dicom_edge/dicom2nifti/tests/data/philips_enhanced")).series[0]
    # An enhanced MR under another modality: the functional groups are alike.
    entry = replace(entry, instances=tuple(replace(instance, modality="CT") for instance in entry.instances))
    stack = native_slices(entry)
    made = read(write_derived_series(stack, entry, tmp_path / "out", description="x"))
    for ds, uid in zip(made, stack.sop_instance_uids, strict=True):
        (item,) = ds.SourceImageSequence
        assert f"{item.ReferencedSOPInstanceUID}#{item.ReferencedFrameNumber}" == uid
        assert "NumberOfFrames" not in ds
    assert len({tuple(ds.ImagePositionPatient) for ds in made}) == entry.n_slices > 5


@pytest.mark.parametrize("kind", ["pet", "description", "nan", "strange", "full"])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    series(tmp_path / "in", n=3, modality="PT" if kind == "pet" else "CT")
    entry = take_inventory(open_source(tmp_path / "in")).series[0]
    stack, out, description = native_slices(entry), tmp_path / "out", "x"
    expected: type[Exception] = InputError
    if kind == "description":
        description = "a\\b"
    if kind == "nan":
        stack, expected = stack.with_data(np.full(stack.data.shape, np.nan, np.float32)), ValuesError
    if kind == "strange":
        stack = SliceStack(stack.data, stack.step_i, stack.step_j, stack.origins, ("1", "2", "3"))
    if kind == "full":
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("")
        expected = OutputError
    with pytest.raises(expected):
        write_derived_series(stack, entry, out, description=description)
    assert sorted(p.name for p in tmp_path.iterdir()) == (["in", "out"] if kind == "full" else ["in"])


def test_a_source_that_changed_is_refused(tmp_path: Path) -> None:
    series(tmp_path / "in", n=4)
    entry = entry_of(tmp_path / "in")
    first, second = sorted((tmp_path / "in").iterdir())[:2]
    second.write_bytes(first.read_bytes())
    with pytest.raises(DicomError, match="changed"):
        write_derived_series(native_slices(entry), entry, tmp_path / "out", description="x")
    first.unlink()
    with pytest.raises(DicomError):
        write_derived_series(native_slices(entry), entry, tmp_path / "out", description="x")
    assert not (tmp_path / "out").exists()


def test_damaged_headers_give_a_series_or_a_cormack_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    series(tmp_path / "whole", n=4, extra={**EXTRA, "OtherPatientIDsSequence": [pydicom.Dataset()]})
    written = 0
    for n in range(60):
        folder = shutil.copytree(tmp_path / "whole", tmp_path / str(n))
        for path in folder.iterdir():
            data = bytearray(path.read_bytes())
            for place in rng.integers(132, len(data) - 200, 4):
                data[place] = rng.integers(256)
            path.write_bytes(data)
        try:
            entry = take_inventory(open_source(folder)).series[0]
            write_derived_series(native_slices(entry), entry, tmp_path / f"out{n}", description="x")
            written += 1
        except CormackError:
            assert not (tmp_path / f"out{n}").exists()
    assert 10 < written < 60


@pytest.mark.parametrize("name", ["ge_tilted", "philips_phantom", "cq500_cta"])
def test_real_series_give_valid_ones(name: str, shared_data: Path, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed (Debian package dicom3tools)")
    entry = entry_of(shared_data / "head_ct" / name)
    stack = native_slices(entry)
    few = slice(0, 3)
    part = SliceStack(
        stack.data[:, :, few], stack.step_i, stack.step_j, stack.origins[few], stack.sop_instance_uids[few]
    )
    volume = Volume(np.zeros((9, 9, 3), np.uint8), np.diag([20.0, 20, 2, 1]))
    own = volume_to_stack(volume.with_data(volume.data, unit=Unit.ARBITRARY))
    for n, made in enumerate((part, own)):
        for path in write_derived_series(made, entry, tmp_path / str(n), description="Cormack"):
            said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
            assert "Error" not in said.stderr + said.stdout


@pytest.mark.parametrize("tilt_deg", [-25.0, 0.0, 18.5])
@pytest.mark.parametrize("orientation", ["axial", "coronal", "sagittal", "oblique"])
def test_there_and_back_in_every_orientation(orientation: Any, tilt_deg: float, tmp_path: Path) -> None:
    """Phantom to DICOM, rectified grid, native slices, derived DICOM: the head is where it was, slice by slice."""
    ball = Ellipsoid((2.0, -3.0, 4.0), (60.0, 70.0, 50.0), hu=40.0)
    positions = grouped_positions(((12, 5.0), (8, 8.0)))
    geometry = SliceGeometry(positions, orientation, tilt_deg, 96, 88, (2.2, 2.4), 1.0)
    write_ct_series(acquire(Composition((ball,)), geometry), tmp_path / "in")
    scan = read_scan(tmp_path / "in")
    rectified = rectify(scan.assembly.stack).volume
    mask = LabelMap((rectified.data > -480).astype(np.uint8), rectified.affine, BRAIN)
    entry = scan.selection.entry
    write_derived_series(to_native(mask, native_slices(entry)), entry, tmp_path / "out", description="x")
    back = read_scan(tmp_path / "out").assembly.stack
    np.testing.assert_allclose(back.origins, scan.assembly.stack.origins, atol=1e-3)
    np.testing.assert_allclose(back.step_j, scan.assembly.stack.step_j, atol=1e-6)
    ours, drawn = back.data == 1, scan.assembly.stack.data > -480
    assert 2 * np.count_nonzero(ours & drawn) / (np.count_nonzero(ours) + np.count_nonzero(drawn)) > 0.985
