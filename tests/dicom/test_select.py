"""Which series is chosen, why, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid
from synthetic import CORONAL, SAGITTAL, Recipe, datasets, series, write

from cormack.core.errors import CormackError, DicomError, GeometryError, InputError, SeriesError
from cormack.dicom.inventory import take_inventory
from cormack.dicom.read import read_scan
from cormack.dicom.select import Selection, SelectionRules, select_series
from cormack.dicom.source import open_source

NAMES = ("Doe", "Jane", "P1", "P2", "1.2.3.4")


def _select(folder: Path, number: int | str | None = None, **rules: Any) -> Selection:
    with open_source(folder) as source:
        return select_series(take_inventory(source), number, rules=SelectionRules(**rules))


def _codes(selection: Selection) -> dict[int | None, str]:
    return {verdict.entry.number: verdict.code for verdict in selection.verdicts}


def test_a_messy_export(tmp_path: Path) -> None:
    series(tmp_path, n=30, series_number=2)
    series(tmp_path, n=2, series_number=1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"), orientation=SAGITTAL)
    series(tmp_path, n=1, series_number=3, image_type=("ORIGINAL", "PRIMARY"), orientation=CORONAL)
    series(tmp_path, n=1, series_number=999, sop_class=SecondaryCaptureImageStorage)
    series(tmp_path, n=5, series_number=4, modality="MR", sop_class="1.2.840.10008.5.1.4.1.1.4")
    series(tmp_path, n=2, series_number=5)
    series(tmp_path, n=4, series_number=6, patient="P2", study_uid="1.2.3.5")
    report = datasets(Recipe(n=1, series_number=7, modality="SR", sop_class="1.2.840.10008.5.1.4.1.1.88.67"))
    del report[0].PixelData, report[0].Rows, report[0].Columns
    write(tmp_path, report, prefix="sr")
    selection = _select(tmp_path)
    assert _codes(selection) == {
        1: "localizer",
        2: "chosen",
        3: "localizer",
        4: "other-modality",
        5: "too-few-slices",
        6: "stray",
        7: "no-images",
        999: "secondary-capture",
    }
    assert [finding.code for finding in selection.findings] == ["stray-slices"]
    for verdict in selection.verdicts:
        assert "\n" not in str(verdict)
        assert not any(name in str(verdict) for name in NAMES)


@pytest.mark.parametrize(
    ("better", "worse", "why"),
    [
        ({"extra": {"ConvolutionKernel": "STANDARD"}}, {"extra": {"ConvolutionKernel": "BONEPLUS"}}, "softer"),
        ({"distance_mm": 2.5, "n": 60}, {"distance_mm": 5.0, "n": 30}, "thinner"),
        ({"n": 30}, {"n": 10}, "covers more"),
        ({}, {"orientation": CORONAL}, "axial"),
        ({}, {"spacing": (50.0, 50.0), "n": 60, "distance_mm": 1.0}, "field of view is that of a head"),
        ({}, {"image_type": ("DERIVED", "PRIMARY", "AXIAL")}, "original"),
        ({}, {"extra": {"ContrastBolusAgent": "X 300"}}, "without contrast"),
        ({"extra": {"ContrastBolusAgent": "NONE"}}, {"extra": {"ContrastBolusAgent": "X 300"}}, "without contrast"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_preferences(tmp_path: Path, better: dict, worse: dict, why: str, first: bool) -> None:
    series(tmp_path, **{"n": 30, "series_number": 2 if first else 9, **better})
    series(tmp_path, **{"n": 30, "series_number": 9 if first else 2, **worse})
    selection = _select(tmp_path)
    assert selection.entry.number == (2 if first else 9)
    assert why in selection.reason
    assert why in next(v.reason for v in selection.verdicts if not v.chosen)


def test_a_series_can_be_asked_for_by_number_or_uid(tmp_path: Path) -> None:
    series(tmp_path, n=30, series_number=2)
    wanted = series(tmp_path, n=4, series_number=5, extra={"ConvolutionKernel": "BONE"})
    for name in (5, "5", " 05", wanted.series_uid):
        selection = _select(tmp_path, name)
        assert selection.entry.number == 5
        assert "asked for" in selection.reason
        assert _codes(selection)[2] == "not-asked-for"


def test_a_series_that_is_not_here(tmp_path: Path) -> None:
    series(tmp_path, n=4, series_number=2)
    with pytest.raises(SeriesError, match=r"series number 77 is not here.*found are: 2"):
        _select(tmp_path, 77)
    with pytest.raises(SeriesError, match="the series asked for is not here"):
        _select(tmp_path, "1.2.3.99999999")


def test_a_number_of_two_patients_is_ambiguous(tmp_path: Path) -> None:
    series(tmp_path / "a", n=4)
    other = series(tmp_path / "b", n=4, patient="P2", study_uid="9.9")
    with pytest.raises(SeriesError, match="2 studies"):
        _select(tmp_path, 2)
    assert _select(tmp_path, other.series_uid).entry.n_slices == 4


@pytest.mark.parametrize("same_series", [True, False])
def test_slices_of_two_patients_are_refused(tmp_path: Path, same_series: bool) -> None:
    uid = generate_uid()
    series(tmp_path, n=10, series_uid=uid)
    series(tmp_path, n=8, patient="P2", series_uid=uid if same_series else generate_uid())
    with pytest.raises(SeriesError, match="slices of two patients") as caught:
        _select(tmp_path)
    assert not any(name in str(caught.value) for name in NAMES)


def test_one_series_uid_with_a_localizer_and_another_size_is_split(tmp_path: Path) -> None:
    uid = generate_uid()
    series(tmp_path / "a", n=10, series_uid=uid)
    series(tmp_path / "b", n=1, series_uid=uid, orientation=SAGITTAL, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    series(tmp_path / "c", n=5, series_uid=uid, rows=16)
    selection = _select(tmp_path)
    assert selection.entry.n_slices == 10
    assert [verdict.entry.part for verdict in selection.verdicts] == [1, 2, 3]
    assert "part 1 of 3" in selection.entry.label


def test_exposure_never_splits(tmp_path: Path) -> None:
    slices = datasets(Recipe(n=12))
    for k, ds in enumerate(slices):
        ds.Exposure, ds.XRayTubeCurrent, ds.AcquisitionNumber, ds.SliceThickness = 100 + k, 200 - k, k, 4 + k % 2
    write(tmp_path, slices)
    assert _select(tmp_path).entry.n_slices == 12


def test_phases_at_the_same_positions_are_told_apart(tmp_path: Path) -> None:
    uid = generate_uid()
    for phase in (1, 2):
        extra = {"AcquisitionNumber": phase}
        series(tmp_path / str(phase), n=10, series_uid=uid, extra=extra, seed=phase)
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 10
    assert [verdict.entry.parts for verdict in scan.selection.verdicts] == [2, 2]
    assert "doubled-positions" not in {f.code for f in scan.findings}


def test_doubled_positions_without_a_reason_keep_the_first(tmp_path: Path) -> None:
    recipe = Recipe(n=10)
    slices = datasets(recipe)
    again = datasets(recipe)[4]
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    again.InstanceNumber = 77
    write(tmp_path, [*slices, again])
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 10
    assert scan.assembly.stack.sop_instance_uids[4] == slices[4].SOPInstanceUID
    assert "doubled-positions" in {f.code for f in scan.findings}
    assert scan.assembly.left_out == {"position that another image has": 1}


BAD = {
    "two slices": ({"n": 2}, SeriesError, "2 slices only; a volume needs at least 3"),
    "one slice": ({"n": 1}, SeriesError, "one slice only"),
    "only localizers": ({"n": 2, "image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, SeriesError, "only localizers"),
    "an MR": ({"modality": "MR", "sop_class": "1.2.840.10008.5.1.4.1.1.4"}, SeriesError, "is MR, not CT"),
    "no positions": (
        {"extra": {"ImagePositionPatient": None}},
        SeriesError,
        "no position, orientation or pixel spacing",
    ),
    "an atomic number map": ({"extra": {"RescaleType": "Z_EFF"}}, SeriesError, "other values than Hounsfield units"),
    "a chest": (
        {"spacing": (50.0, 50.0), "extra": {"BodyPartExamined": "CHEST"}},
        SeriesError,
        r"another body part \(chest\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_series_are_refused_with_a_sentence(tmp_path: Path, case: str) -> None:
    recipe, error, sentence = BAD[case]
    series(tmp_path, **recipe)
    with pytest.raises(error, match=sentence) as caught:
        read_scan(tmp_path)
    assert not any(name in str(caught.value) for name in NAMES)


def test_a_text_file_called_dcm(tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_text("this is not an image, it only says so\n" * 20)
    with pytest.raises(InputError, match=r"no DICOM image was found \(1 x not DICOM\)"):
        read_scan(tmp_path)
    with pytest.raises(InputError, match="no DICOM image"):
        read_scan(tmp_path / "scan.dcm")


def test_truncated_files_are_counted(tmp_path: Path) -> None:
    for path in write(tmp_path, datasets(Recipe())):
        path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DicomError, match=r"6 of 6 files .* damaged \(6 x truncated pixel data\)"):
        read_scan(tmp_path)


def test_some_truncated_files_leave_the_rest(tmp_path: Path) -> None:
    paths = write(tmp_path, datasets(Recipe()))
    paths[0].write_bytes(paths[0].read_bytes()[:-50])
    paths[1].write_bytes(paths[1].read_bytes()[:500])
    paths[2].write_bytes(paths[2].read_bytes()[:140])
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 3
    assert "instances-left-out" in {f.code for f in scan.findings}


@pytest.mark.parametrize(
    "extra",
    [
        {"Rows": 65535, "Columns": 65535},
        {"NumberOfFrames": 2_000_000_000},
        {"Rows": 0},
        {"Rows": 0, "NumberOfFrames": 2_000_000_000},
        {"Columns": 0, "NumberOfFrames": -1},
        {"SamplesPerPixel": 60_000},
        {"BitsAllocated": 65_528},
    ],
)
def test_absurd_sizes_are_refused_before_anything_is_allocated(tmp_path: Path, extra: dict[str, int]) -> None:
    series(tmp_path, n=4, extra=extra)
    with pytest.raises(CormackError):
        read_scan(tmp_path)


@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length")
def test_hostile_identifiers_are_only_text(tmp_path: Path) -> None:
    slices = datasets(Recipe(series_uid="../../../etc/passwd", patient="../P\\2"))
    for ds, uid in zip(slices, ["../a", "1" * 200, "1.2\0.3", "/x", "a b", ""], strict=True):
        ds.SOPInstanceUID = uid
        if not uid:
            ds.SOPInstanceUID = None
    write(tmp_path / "in", slices)
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 6
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_skewed_axes_are_refused(tmp_path: Path) -> None:
    series(tmp_path, orientation=(1, 0, 0, 0.6, 0.8, 0))
    with pytest.raises((GeometryError, SeriesError), match="right angles"):
        read_scan(tmp_path)


def test_volumes_without_any_header_difference_are_told_apart_by_turn(tmp_path: Path) -> None:
    uid = generate_uid()
    for seed in (1, 2, 3):
        slices = datasets(Recipe(n=5, series_uid=uid, seed=seed))
        for k, ds in enumerate(slices):
            ds.InstanceNumber = 3 * k + seed
        write(tmp_path / str(seed), slices)
    scan = read_scan(tmp_path)
    assert [verdict.entry.n_slices for verdict in scan.selection.verdicts] == [5, 5, 5]
    assert "doubled-positions" not in {f.code for f in scan.findings}


def test_orientations_that_are_rounded_differently_are_told(tmp_path: Path) -> None:
    slices = datasets(Recipe(n=5, rows=512, columns=4))
    slices[2].ImageOrientationPatient = ["1", "0", "0", "0", "0.9999998", "-0.0006"]
    write(tmp_path, slices)
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 5
    (finding,) = [f for f in scan.findings if f.code == "orientation-varies"]
    assert finding.evidence["greatest_mm"] == pytest.approx(0.0006 * 256, abs=1e-3)


MR_IMAGES = "1.2.840.10008.5.1.4.1.1.4"


def test_magnitude_and_phase_are_told_apart_wherever_they_lie(tmp_path: Path) -> None:
    uid = generate_uid()
    mr = {"modality": "MR", "sop_class": MR_IMAGES, "series_uid": uid, "slope": 1.0, "intercept": 0.0}
    series(tmp_path / "m", n=8, image_type=("ORIGINAL", "PRIMARY", "M", "ND"), **mr)
    series(tmp_path / "p", n=6, image_type=("ORIGINAL", "PRIMARY", "P", "ND"), origin=(-10.0, -20.0, 130.0), **mr)
    with open_source(tmp_path) as source:
        inventory = take_inventory(source)
    assert [(e.component, e.n_slices, e.parts) for e in inventory.series] == [("magnitude", 8, 2), ("phase", 6, 2)]


def test_of_magnitude_and_phase_the_magnitude_is_taken(tmp_path: Path) -> None:
    mr = {"modality": "MR", "sop_class": MR_IMAGES, "n": 30}
    series(tmp_path, series_number=3, extra={"ComplexImageComponent": "PHASE"}, **mr)
    series(tmp_path, series_number=4, extra={"ComplexImageComponent": "MAGNITUDE"}, **mr)
    selection = _select(tmp_path, modality="MR")
    assert selection.entry.number == 4
    assert "its values are magnitudes" in selection.reason


@pytest.mark.parametrize(
    "words", [{"SeriesDescription": "CTA Doe 0.6"}, {"SeriesDescription": "5 mm", "ProtocolName": "Kopf mit KM Doe"}]
)
def test_a_description_tells_of_contrast(tmp_path: Path, words: dict[str, str]) -> None:
    series(tmp_path, n=30, series_number=2, extra=words)
    series(tmp_path, n=30, series_number=9, extra={"SeriesDescription": "Doe nativ"})
    selection = _select(tmp_path)
    assert selection.entry.number == 9
    assert [v.entry.contrast_by for v in selection.verdicts] == ["description", None]
    assert not any("Doe" in repr(v) for v in selection.verdicts)


def test_colour_is_refused_even_when_asked_for(tmp_path: Path) -> None:
    slices = datasets(Recipe(modality="MR"))
    for ds in slices:
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.PixelData = ds.PixelData * 3
    write(tmp_path, slices)
    with open_source(tmp_path) as source, pytest.raises(SeriesError, match="not used, holds colour images"):
        select_series(take_inventory(source), 2)
