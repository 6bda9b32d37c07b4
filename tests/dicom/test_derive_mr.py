"""Derived series of MR: valid MR images with the source's sequence, on the source's slices."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import EnhancedMRImageStorage, MRImageStorage
from synthetic import CORONAL, series

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.dicom.derive import native_slices, write_derived_series
from cormack.dicom.inventory import SeriesEntry, take_inventory
from cormack.dicom.source import open_source
from cormack.imaging.native import to_native, volume_to_stack

SEQUENCE = {
    "ScanningSequence": ["GR", "IR"],
    "SequenceVariant": ["SK", "SP", "MP"],
    "MRAcquisitionType": "3D",
    "RepetitionTime": "2300",
    "EchoTime": "2.98",
    "InversionTime": "900",
    "FlipAngle": "9",
    "MagneticFieldStrength": "3",
    "EchoTrainLength": "1",
    "StudyID": "1",
    "FrameOfReferenceUID": "1.2.3.4.5",
    "PatientPosition": "HFS",
}


def _entry(folder: Path, extra: dict[str, Any]) -> SeriesEntry:
    series(
        folder, n=6, modality="MR", sop_class=MRImageStorage, orientation=CORONAL, extra=extra,
        image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
    )  # fmt: skip
    return take_inventory(open_source(folder)).series[0]


def _written(entry: SeriesEntry, kind: str, folder: Path) -> tuple[Path, ...]:
    native = native_slices(entry)
    rng = np.random.default_rng(2)
    values = rng.normal(300, 80, native.data.shape).astype(np.float32)
    volume = Volume(values, native.affine, unit=Unit.ARBITRARY, outside=0.0)
    stacks = {
        "mask": lambda: to_native(LabelMap((values > 300).astype(np.uint8), native.affine, BRAIN), native),
        "values": lambda: to_native(volume, native),
        "sagittal": lambda: volume_to_stack(volume, plane="sagittal"),
    }
    return write_derived_series(stacks[kind](), entry, folder, description=f"Cormack {kind}")


@pytest.mark.parametrize("extra", [SEQUENCE, {}], ids=["stated", "silent"])
@pytest.mark.parametrize("kind", ["mask", "values", "sagittal"])
def test_programs_not_written_here_find_no_error(kind: str, extra: dict[str, Any], tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None or shutil.which("dcmdump") is None:
        pytest.skip("dicom3tools or DCMTK is not installed (Debian packages dicom3tools, dcmtk)")
    for path in _written(_entry(tmp_path / "in", extra), kind, tmp_path / "out")[::2]:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr + said.stdout
        said = subprocess.run(["dcmdump", "-q", path], capture_output=True, text=True, check=True)
        assert not said.stderr
        said = subprocess.run(["dcmftest", path], capture_output=True, text=True, check=True)
        assert said.stdout.startswith("yes")


@pytest.mark.parametrize("kind", ["mask", "values"])
def test_the_source_sequence_and_places_are_kept(kind: str, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    gdcm = pytest.importorskip("gdcm")
    entry = _entry(tmp_path / "in", SEQUENCE)
    sources = {ds.SOPInstanceUID: ds for ds in map(pydicom.dcmread, (tmp_path / "in").iterdir())}
    for path in _written(entry, kind, tmp_path / "out"):
        ds = pydicom.dcmread(path)
        source = sources[ds.SourceImageSequence[0].ReferencedSOPInstanceUID]
        assert (ds.SOPClassUID, ds.Modality) == (MRImageStorage, "MR")
        assert list(ds.ImageType) == ["DERIVED", "SECONDARY", "OTHER"]
        for keyword in (*SEQUENCE, "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "PatientID"):
            assert ds[keyword].value == source[keyword].value, keyword
        assert "KVP" not in ds
        assert ("RescaleSlope" in ds) == (kind == "values")
        image = sitk.ReadImage(str(path))
        assert image.GetOrigin() == pytest.approx(list(source.ImagePositionPatient))
        values = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        np.testing.assert_allclose(sitk.GetArrayFromImage(image)[0], values, atol=1e-4)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()


def test_an_enhanced_source_gives_classic_images(shared_data: Path, tmp_path: Path) -> None:
    found = []
    for folder in sorted((shared_data / "dicom_edge").iterdir()):
        with open_source(folder) as source:
            entries = [e for e in take_inventory(source).series if e.first.sop_class == EnhancedMRImageStorage]
            found += [e for e in entries if e.geometry is not None and e.n_slices > 2 and not e.broken]
            for entry in found[:1]:
                made = _written(entry, "mask", tmp_path / "out")
                assert len(made) == entry.n_slices
                ds = pydicom.dcmread(made[0])
                assert (ds.SOPClassUID, "NumberOfFrames" in ds) == (MRImageStorage, False)
                assert ds.SourceImageSequence[0].ReferencedSOPClassUID == EnhancedMRImageStorage
        if found:
            return
    pytest.skip("no enhanced MR series that makes a stack")
