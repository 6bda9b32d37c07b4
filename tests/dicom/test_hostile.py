"""Whatever the bytes are: a result or a CormackError, nothing else, and never a header value on the terminal."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless
from synthetic import Recipe, datasets, series, write

from cormack.core.errors import CormackError
from cormack.dicom.assemble import assemble
from cormack.dicom.inventory import take_inventory
from cormack.dicom.read import read_scan
from cormack.dicom.source import open_source

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _try_everything(path: Path) -> int:
    """Read all that can be read; number of stacks. Anything but a CormackError is a failure."""
    stacks = 0
    try:
        with open_source(path) as source:
            for entry in take_inventory(source).series:
                assert "\n" not in entry.label
                try:
                    assemble(entry)
                    stacks += 1
                except CormackError as error:
                    _check(error)
        read_scan(path)
    except CormackError as error:
        _check(error)
    return stacks


def _check(error: CormackError) -> None:
    """A message of a size that a person reads."""
    assert 10 < len(str(error)) < 2000


def test_every_file_of_dicom_edge(shared_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    paths = [path for path in sorted((shared_data / "dicom_edge").rglob("*")) if path.is_file()]
    assert len(paths) > 200
    for path in paths:
        _try_everything(path)
    assert capfd.readouterr() == ("", "")


def test_every_folder_of_dicom_edge(shared_data: Path) -> None:
    folders = {path.parent for path in (shared_data / "dicom_edge").rglob("*") if path.is_file()}
    assert sum(_try_everything(folder) for folder in sorted(folders)) > 20


def _nested(levels: int, *, undefined: bool) -> bytes:
    """Sequences in sequences, in implicit little endian."""
    tag, item = struct.pack("<HH", 0x0040, 0xA730), struct.pack("<HH", 0xFFFE, 0xE000)
    if undefined:
        start = (tag + b"\xff" * 4 + item + b"\xff" * 4) * levels
        end = (struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)) * levels
        return start + end
    body = b""
    for _ in range(levels):
        body = item + struct.pack("<L", len(body)) + body
        body = tag + struct.pack("<L", len(body)) + body
    return body


@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_nested_10_000_deep(tmp_path: Path, undefined: bool) -> None:
    series(tmp_path, n=4, syntax=ImplicitVRLittleEndian)
    victim = sorted(tmp_path.iterdir())[0]
    data = victim.read_bytes()
    at = data.rindex(struct.pack("<HH", 0x7FE0, 0x0010))
    victim.write_bytes(data[:at] + _nested(10_000, undefined=undefined) + data[at:])
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] >= 3


def test_a_header_of_many_elements_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cormack.dicom.headers.MAX_ELEMENTS", 10)
    series(tmp_path, n=4)
    with pytest.raises(CormackError, match="4 x damaged DICOM file"):
        read_scan(tmp_path)


def test_an_element_that_claims_four_gigabytes(tmp_path: Path) -> None:
    series(tmp_path, n=4)
    victim = sorted(tmp_path.iterdir())[0]
    data = victim.read_bytes()
    at = data.index(struct.pack("<HH", 0x0020, 0x0013))
    victim.write_bytes(data[:at] + struct.pack("<HH2sHL", 0x0020, 0x0012, b"UN", 0, 0xFFFFFFFE) + data[at:])
    assert read_scan(tmp_path).assembly.stack.data.shape[2] == 3


def _seeds() -> list[bytes]:
    made = []
    for number, syntax in enumerate(
        [None, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless]
    ):
        recipe = Recipe(n=1, rows=6, columns=5, seed=number)
        if syntax not in (None, RLELossless):
            recipe.syntax = syntax
        (ds,) = datasets(recipe)
        if syntax == RLELossless:
            ds.compress(RLELossless)
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
        made.append(buffer.getvalue())
    return made


SEEDS = _seeds()


@SETTINGS
@given(data=st.data())
def test_damaged_bytes(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for n, seed in enumerate(data.draw(st.lists(st.sampled_from(SEEDS), min_size=3, max_size=4))):
        body = bytearray(seed)
        for _ in range(data.draw(st.integers(0, 6))):
            body[data.draw(st.integers(128, len(body) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.one_of(st.none(), st.integers(0, len(body))))
        (folder / str(n)).write_bytes(bytes(body[:cut]))
    _try_everything(folder)


WILD = {
    "ImagePositionPatient": st.lists(st.sampled_from(["0", "1e400", "-1e9", "NaN", "", "x", "12.5", "-0"]), max_size=4),
    "ImageOrientationPatient": st.lists(st.sampled_from(["0", "1", "-1", "inf", "", "0.5"]), max_size=7),
    "PixelSpacing": st.lists(st.sampled_from(["0", "-1", "1e-300", "0.5", "1e9", "q"]), max_size=3),
    "RescaleSlope": st.sampled_from(["0", "1e300", "-1", "", "nan", "0.001", "1e-320"]),
    "RescaleIntercept": st.sampled_from(["1e38", "-1024", "", "inf", "0.5"]),
    "Rows": st.integers(0, 65535),
    "Columns": st.integers(0, 65535),
    "BitsStored": st.integers(0, 65535),
    "HighBit": st.integers(0, 65535),
    "BitsAllocated": st.sampled_from([0, 1, 7, 8, 12, 16, 32, 64, 65535]),
    "PixelRepresentation": st.integers(0, 3),
    "SamplesPerPixel": st.integers(0, 5),
    "NumberOfFrames": st.sampled_from(["0", "-1", "2", "99999999999", "1.5", ""]),
    "PhotometricInterpretation": st.sampled_from(["MONOCHROME1", "RGB", "PALETTE COLOR", "", "YBR_FULL_422"]),
    "SeriesNumber": st.sampled_from(["-1", "", "99999999999999999999", "x"]),
    "InstanceNumber": st.sampled_from(["-1", "", "1e99", "x"]),
    "ImageType": st.lists(st.sampled_from(["LOCALIZER", "", "AXIAL", "\\"]), max_size=4),
    "PixelPaddingValue": st.integers(0, 32767),
    "GantryDetectorTilt": st.sampled_from(["", "1e99", "nan", "20"]),
    "SliceThickness": st.sampled_from(["", "-5", "0", "1e99"]),
    "KVP": st.sampled_from(["", "x", "1e400"]),
}


@pytest.mark.filterwarnings("ignore")
@SETTINGS
@given(data=st.data())
def test_wild_headers(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "in"
    keywords = data.draw(st.lists(st.sampled_from(sorted(WILD)), min_size=1, max_size=4, unique=True))
    everywhere = data.draw(st.booleans())
    for n, ds in enumerate(datasets(Recipe(n=4, rows=4, columns=4))):
        if everywhere or n == 0:
            for keyword in keywords:
                with pydicom.config.disable_value_validation():
                    try:
                        setattr(ds, keyword, data.draw(WILD[keyword]))
                    except (ValueError, TypeError, OverflowError):
                        continue
        folder.mkdir(exist_ok=True)
        try:
            with pydicom.config.disable_value_validation():
                pydicom.dcmwrite(folder / str(n), ds, enforce_file_format=True)
        except (ValueError, TypeError, OverflowError, AttributeError, struct.error):
            continue
    _try_everything(folder)


@SETTINGS
@given(noise=st.binary(max_size=2000), mark=st.booleans())
def test_noise(tmp_path: Path, noise: bytes, mark: bool) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"\0" * 128 + b"DICM" + noise if mark else noise)
    _try_everything(path)


def test_noise_in_an_archive(tmp_path: Path) -> None:
    rng = random.Random(3)
    series(tmp_path / "in", n=4)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "in").iterdir()):
            archive.write(path, path.name)
    whole = (tmp_path / "x.zip").read_bytes()
    for _ in range(200):
        body = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        (tmp_path / "y.zip").write_bytes(body)
        _try_everything(tmp_path / "y.zip")


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_pydicoms_warnings_with_values_stay_inside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    slices = datasets(Recipe(n=4))
    for ds in slices:
        ds.add_new(0x00101010, "AS", "Doe is 900 years old")
        ds.add_new(0x00100030, "DA", "Doe's birthday")
    with pydicom.config.disable_value_validation():
        write(tmp_path, slices)
    scan = read_scan(tmp_path)
    assert "Doe" not in repr(scan.selection)
    assert "Doe" not in repr(scan.assembly.stack.acquisition)
    assert capfd.readouterr() == ("", "")


def test_two_files_that_share_an_identifier_but_not_a_place_both_stay(tmp_path: Path) -> None:
    slices = datasets(Recipe(n=4))
    for ds in slices:
        ds.SOPInstanceUID = "1.2.3"
    write(tmp_path, slices)
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.sop_instance_uids == ("1.2.3",) * 4
    assert np.all(scan.assembly.stack.slice_distances_mm > 0)
