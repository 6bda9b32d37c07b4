"""Stored values to HU: sizes, signs, byte orders, compressions, rescale, padding."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
)
from synthetic import Recipe, datasets, series, stored_volume, write

from cormack.core.errors import DicomError
from cormack.core.volume import Unit
from cormack.dicom.inventory import take_inventory
from cormack.dicom.read import read_scan
from cormack.dicom.source import open_source


def _hu(recipe: Recipe) -> np.ndarray:
    """What the stack should hold, as (i, j, k)."""
    stored = stored_volume(recipe).astype(np.float64)
    return (stored * recipe.slope + recipe.intercept).transpose(2, 1, 0)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_integer_in_every_byte_order(tmp_path: Path, dtype: Any, syntax: str | None) -> None:
    recipe = series(tmp_path, dtype=dtype, **({"syntax": syntax} if syntax else {}))
    stack = read_scan(tmp_path).assembly.stack
    assert stack.data.dtype == np.int16
    assert np.array_equal(stack.data, _hu(recipe))


def test_deflated(tmp_path: Path) -> None:
    recipe = series(tmp_path, syntax=DeflatedExplicitVRLittleEndian)
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe))


def test_a_deflated_bomb_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cormack.dicom.headers.MAX_INFLATED_BYTES", 4096)
    series(tmp_path / "ok", n=3)
    (bomb,) = write(tmp_path / "x", datasets(Recipe(n=1, syntax=DeflatedExplicitVRLittleEndian)))
    data = bomb.read_bytes()
    start = data.index(b"1.2.840.10008.1.2.1.99") + 200
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb.write_bytes(data[:start] + packer.compress(b"\0" * 10_000_000) + packer.flush())
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 3


def test_no_preamble_no_meta(tmp_path: Path) -> None:
    recipe = Recipe()
    for k, ds in enumerate(datasets(recipe)):
        body = pydicom.Dataset(ds)
        with (tmp_path / f"bare{k}").open("wb") as handle:
            pydicom.dcmwrite(handle, body, implicit_vr=True, little_endian=True)
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe))


def test_rle(tmp_path: Path) -> None:
    recipe = Recipe()
    slices = datasets(recipe)
    for ds in slices:
        ds.compress(RLELossless)
    write(tmp_path, slices)
    scan = read_scan(tmp_path)
    assert np.array_equal(scan.assembly.stack.data, _hu(recipe))
    assert not scan.assembly.stack.acquisition.lossy_compressed


@pytest.mark.parametrize(
    ("kind", "lossy"),
    [
        (gdcm.TransferSyntax.JPEGLosslessProcess14_1, False),
        (gdcm.TransferSyntax.JPEGLosslessProcess14, False),
        (gdcm.TransferSyntax.JPEGLSLossless, False),
        (gdcm.TransferSyntax.JPEG2000Lossless, False),
        (gdcm.TransferSyntax.JPEGLSNearLossless, True),
    ],
)
def test_compressed_by_gdcm(tmp_path: Path, kind: int, lossy: bool) -> None:
    recipe = Recipe(rows=32, columns=32, dtype=np.uint16, bits_stored=12)
    paths = write(tmp_path, datasets(recipe))
    for path in paths:
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(kind))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    scan = read_scan(tmp_path)
    assert np.abs(scan.assembly.stack.data - _hu(recipe)).max() <= (4 if lossy else 0)
    assert scan.assembly.stack.acquisition.lossy_compressed == lossy
    assert ("lossy-compression" in {f.code for f in scan.findings}) == lossy


#: The first slice of Recipe() by OpenJPH 0.26.3, reversible.
HTJ2K_STREAM = """
/0//UQApQAAAAAAKAAAACAAAAAAAAAAAAAAACgAAAAgAAAAAAAAAAAABjwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQ
iIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAOAAAf+TwAAmFPgDB3QAAMAAEwAL/gIHdADAABLAABPAABKAmwEHdACdYf0CgXQApgIH
dADAABVQAAV0AAFSoqyKpEb0AMKUAOKkgHR/+pr2ADGAvZYAl9XsgdEAo5QAwAAujgABdLAAC6X3SRoC0zjnHVT4upLi0dtWbhlMb1rZoZPrA/4UhB8Z
ANqaAL7SgVZblIBEDdBn6lV2gmszUUYT2ZxxNacS/gH/Foo3jIAJmgC/JGnrIfH3qx32f9lnCbPTmkPGVvBpDgKfY/EHPeRKN5BgJroA/9k=
"""
#: 200 j + 100 i, 8 rows of 16, by libjpeg-turbo with 12 bits per sample and quality 100.
JPEG_12_BIT_STREAM = """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
AQH/wQALDAAIABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAADf/EABwQAAAGAwAAAAAAAAAAAAAAAAALDCk4R1ZldP/aAAgBAQAAPwADPI4UOFEBoLBq
N4NEGQAjhQ4UQGgsGo3g0Q//2Q==
"""


@pytest.mark.parametrize(
    ("syntax", "lossy"),
    [("1.2.840.10008.1.2.4.201", False), ("1.2.840.10008.1.2.4.202", False), ("1.2.840.10008.1.2.4.203", False)],
)
def test_high_throughput_jpeg_2000(tmp_path: Path, syntax: str, lossy: bool) -> None:
    recipe = Recipe(n=3)
    _write_streams(tmp_path, recipe, HTJ2K_STREAM, syntax)
    stack = read_scan(tmp_path).assembly.stack
    expected = _hu(recipe)[:, :, 0]
    assert all(np.array_equal(stack.data[:, :, k], expected) for k in range(3))
    assert stack.acquisition.lossy_compressed == lossy


def test_jpeg_extended_of_12_bits(tmp_path: Path) -> None:
    recipe = Recipe(n=3, columns=16, dtype=np.uint16, bits_stored=12, intercept=0.0)
    _write_streams(tmp_path, recipe, JPEG_12_BIT_STREAM, "1.2.840.10008.1.2.4.51")
    stack = read_scan(tmp_path).assembly.stack
    i, j = np.mgrid[:16, :8]
    assert np.array_equal(stack.data, np.repeat((200 * j + 100 * i)[:, :, None], 3, axis=2))
    assert stack.acquisition.lossy_compressed


@pytest.mark.parametrize(
    ("stream", "syntax"), [(HTJ2K_STREAM, "1.2.840.10008.1.2.4.201"), (JPEG_12_BIT_STREAM, "1.2.840.10008.1.2.4.51")]
)
@pytest.mark.parametrize("kept", [0.5, 0.7, 0.9])
def test_their_cut_streams_are_refused(tmp_path: Path, stream: str, syntax: str, kept: float) -> None:
    columns, bits = (10, 16) if stream == HTJ2K_STREAM else (16, 12)
    recipe = Recipe(n=3, columns=columns, dtype=np.uint16, bits_stored=bits)
    _write_streams(tmp_path, recipe, stream, syntax, kept=kept)
    with pytest.raises(DicomError, match="truncated or damaged pixel data"):
        read_scan(tmp_path)


def _write_streams(folder: Path, recipe: Recipe, stream: str, syntax: str, *, kept: float = 1.0) -> None:
    slices = datasets(recipe)
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        whole = base64.b64decode(stream)
        ds.PixelData = encapsulate([whole[: int(len(whole) * kept)]])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    write(folder, slices)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_how_an_image_is_shown_does_not_change_its_values(tmp_path: Path, photometric: str) -> None:
    """PS3.3 C.7.6.3.1.2: MONOCHROME1 turns the grey scale of the display round, not the Hounsfield units."""
    recipe = series(tmp_path, extra={"PhotometricInterpretation": photometric})
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe))


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_bits_above_bits_stored_are_not_values(tmp_path: Path, dtype: Any) -> None:
    """Old overlays lie in the high bits (PS3.5 8.1.1)."""
    recipe = Recipe(dtype=dtype, bits_stored=12)
    slices = datasets(recipe)
    for ds in slices:
        stored = np.frombuffer(ds.PixelData, np.uint16)
        ds.PixelData = ((stored & 0x0FFF) | np.uint16(0xA000)).tobytes()
    write(tmp_path, slices)
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe))


def test_rescale_of_each_slice(tmp_path: Path) -> None:
    recipe = Recipe(intercept=0.0)
    slices = datasets(recipe)
    for k, ds in enumerate(slices):
        ds.RescaleSlope, ds.RescaleIntercept = 1 + k % 2, -1000 - k
    write(tmp_path, slices)
    k = np.arange(6)
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe) * (1 + k % 2) - 1000 - k)


def test_values_that_do_not_fit_int16_become_float32(tmp_path: Path) -> None:
    recipe = Recipe(dtype=np.uint16, slope=0.5)
    slices = datasets(recipe)
    slices[3].RescaleIntercept = 40_000
    write(tmp_path, slices)
    data = read_scan(tmp_path).assembly.stack.data
    assert data.dtype == np.float32
    expected = _hu(recipe)
    expected[:, :, 3] += 41_024
    assert np.array_equal(data, expected)


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)])
def test_float_pixels(tmp_path: Path, keyword: str, dtype: Any) -> None:
    recipe = Recipe()
    slices = datasets(recipe)
    for ds in slices:
        stored = ds.pixel_array
        del ds.PixelData, ds.PixelRepresentation
        setattr(ds, keyword, (stored + 0.25).astype(dtype).tobytes())
        ds.BitsAllocated = ds.BitsStored = np.dtype(dtype).itemsize * 8
    write(tmp_path, slices)
    assert np.allclose(read_scan(tmp_path).assembly.stack.data, _hu(recipe) + 0.25)


def test_monochrome1_changes_the_display_and_no_value(tmp_path: Path) -> None:
    recipe = series(tmp_path, extra={"PhotometricInterpretation": "MONOCHROME1"})
    assert np.array_equal(read_scan(tmp_path).assembly.stack.data, _hu(recipe))


def test_mr_is_no_hounsfield(tmp_path: Path) -> None:
    series(tmp_path, modality="MR", sop_class="1.2.840.10008.5.1.4.1.1.4", intercept=0.0)
    stack = read_scan(tmp_path, series=2).assembly.stack
    assert stack.unit is Unit.ARBITRARY


def test_a_stated_padding_value_is_rescaled(tmp_path: Path) -> None:
    series(tmp_path, extra={"PixelPaddingValue": -2000})
    assert read_scan(tmp_path).assembly.padding_hu == (-3024.0,)


def test_a_padding_value_in_the_wrong_vr_is_read_as_the_pixels_are(tmp_path: Path) -> None:
    slices = datasets(Recipe())
    for ds in slices:
        ds.add_new(0x00280120, "US", 63536)  # −2000 in two's complement
    write(tmp_path, slices)
    assert read_scan(tmp_path).assembly.padding_hu == (-3024.0,)


def test_a_padding_range_gives_the_values_that_occur(tmp_path: Path) -> None:
    slices = datasets(Recipe(extra={"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990}))
    for ds in slices:
        stored = np.array(ds.pixel_array)
        stored[0, :2] = (-1995, -1990)
        ds.PixelData = stored.tobytes()
    write(tmp_path, slices)
    assert read_scan(tmp_path).assembly.padding_hu == (-3024.0, -3019.0, -3014.0)


@pytest.mark.parametrize("fill", [-1500, -2000, -2048, -3024])
def test_a_conventional_fill_is_recognised_without_a_header(tmp_path: Path, fill: int) -> None:
    slices = datasets(Recipe(intercept=0.0))
    for ds in slices:
        stored = np.array(ds.pixel_array)
        stored[0], stored[-1] = fill, fill
        ds.PixelData = stored.tobytes()
    write(tmp_path, slices)
    assert read_scan(tmp_path).assembly.padding_hu == (float(fill),)


def test_noise_below_air_is_no_fill(tmp_path: Path) -> None:
    slices = datasets(Recipe(intercept=0.0))
    for k, ds in enumerate(slices):
        stored = np.array(ds.pixel_array)
        stored[:2] = -1025 - 7 * np.arange(20).reshape(2, 10) - k
        ds.PixelData = stored.tobytes()
    write(tmp_path, slices)
    assert read_scan(tmp_path).assembly.padding_hu == ()


def test_padding_that_may_be_tissue_is_doubted(tmp_path: Path) -> None:
    series(tmp_path, intercept=0.0, extra={"PixelPaddingValue": 0})
    scan = read_scan(tmp_path)
    assert scan.assembly.padding_hu == ()
    assert "padding-doubtful" in {f.code for f in scan.findings}


@pytest.mark.parametrize("broken", [1, 3, 4])
def test_broken_slices_are_left_out_until_too_few_remain(tmp_path: Path, broken: int) -> None:
    slices = datasets(Recipe())
    for ds in slices:
        ds.compress(RLELossless)
    paths = write(tmp_path, slices, shuffle=False)
    for path in paths[1 : 1 + broken]:
        path.write_bytes(path.read_bytes()[:-60])
    if broken == 4:
        with pytest.raises(DicomError, match="4 of 6 files"):
            read_scan(tmp_path)
        return
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape[2] == 6 - broken
    assert scan.assembly.left_out == {"truncated or damaged pixel data": broken}
    assert "instances-left-out" in {f.code for f in scan.findings}


def test_a_lookup_table_instead_of_a_rescale_is_refused(tmp_path: Path) -> None:
    slices = datasets(Recipe())
    for ds in slices:
        del ds.RescaleSlope, ds.RescaleIntercept
        table = pydicom.Dataset()
        table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [4, 0, 16], "HU", [0, 1, 2, 3]
        table["LUTDescriptor"].VR = "US"
        table["LUTData"].VR = "US"
        ds.ModalityLUTSequence = [table]
    write(tmp_path, slices)
    with pytest.raises(DicomError, match="lookup table"):
        read_scan(tmp_path)


@pytest.mark.parametrize("keyword", [b"RescaleSlope", b"RescaleIntercept"])
def test_a_rescale_that_is_no_number_is_not_taken_for_none(tmp_path: Path, keyword: bytes) -> None:
    recipe = Recipe(slope=2.125, intercept=-1012.5)
    paths = write(tmp_path, datasets(recipe))
    number = b"2.125" if keyword == b"RescaleSlope" else b"-1012.5"
    for path in paths[:2]:
        data = path.read_bytes()
        assert number in data
        path.write_bytes(data.replace(number, b"x" * len(number)))
    scan = read_scan(tmp_path)
    assert scan.assembly.left_out == {f"a {keyword.decode()} that is no number": 2}


@pytest.mark.parametrize(("sop_class", "modality"), [(CTImageStorage, "CT"), (MRImageStorage, "MR")])
def test_a_header_without_modality_has_that_of_its_class(tmp_path: Path, sop_class: str, modality: str) -> None:
    slices = datasets(Recipe(sop_class=sop_class))
    for ds in slices:
        del ds.Modality
    write(tmp_path, slices)
    with open_source(tmp_path) as source:
        assert take_inventory(source).series[0].modality == modality


def test_the_stream_may_not_be_larger_than_the_header_says(tmp_path: Path) -> None:
    from cormack.dicom.pixels import _stream_sizes

    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab" + b"\xff\xc3\x00\x0b\x10\xff\xff\xfe\xfe\x01"
    assert _stream_sizes(jpeg) == [(65535, 65278)]
    siz = b"\xff\x4f\xff\x51\x00\x29\x00\x00" + b"".join(n.to_bytes(4, "big") for n in (100, 50, 10, 5)) + b"\0" * 30
    assert _stream_sizes(siz) == [(45, 90)]
    assert _stream_sizes(b"nothing") == []
