"""Objects are refused, scrubbed, blanked or painted; what is not treated stays bit for bit."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from captures import capture, encoded, parsed, written
from PIL import Image, ImageDraw
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)
from synthetic import Recipe, datasets

import cormack.dicom.deidentify.ocr as ocr
from cormack.dicom import headers
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.reasons import Reason
from cormack.dicom.deidentify.regions import Region, RegionRule, RegionRules
from cormack.dicom.deidentify.treat_pixels import PixelKind, PixelPolicy, PixelTreatment, treat_pixels

ROWS, COLUMNS = 64, 96
BANNER = Region(4, 2, 71, 13)
RULES = RegionRules((RegionRule("", {"modality": "OT"}, {}, (BANNER,)),))
INSIDE = np.zeros((ROWS, COLUMNS), bool)
INSIDE[2:15, 4:75] = True
DEFAULT, CLEAN = PixelPolicy(), PixelPolicy(clean=True, rules=RULES)


def _drawn(mode: str, background: int = 40) -> np.ndarray:
    """An image with a name on top, and something that must stay below."""
    picture = Image.new(mode, (COLUMNS, ROWS), background if mode == "L" else (background, 90, 10))
    draw = ImageDraw.Draw(picture)
    draw.text((6, 3), "DOE^JANE", fill=255 if mode == "L" else (255, 255, 0))
    draw.ellipse((30, 30, 70, 60), fill=180 if mode == "L" else (10, 200, 180))
    return np.asarray(picture)


def _stays(before: np.ndarray, after: np.ndarray, inside: np.ndarray = INSIDE) -> None:
    """Nothing changed outside of the rectangles; inside nothing can be told apart."""
    outside = ~inside
    axis = 0 if before.shape[:2] == (ROWS, COLUMNS) else 1
    np.testing.assert_array_equal(
        np.moveaxis(after, (axis, axis + 1), (0, 1))[outside], np.moveaxis(before, (axis, axis + 1), (0, 1))[outside]
    )
    blank = np.moveaxis(after, (axis, axis + 1), (0, 1))[inside].reshape(inside.sum(), -1)
    assert (blank == blank[0]).all()


# Refusals.


def test_at_risk_is_refused_by_default_without_a_value_of_the_header() -> None:
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2"), DEFAULT)
    assert treatment.kind is PixelKind.REFUSED
    assert treatment.code is Reason.PIXELS
    assert "secondary capture" in treatment.reason
    assert "Doe" not in treatment.reason


def test_at_risk_without_a_rule_or_text_detection_is_refused() -> None:
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2"), PixelPolicy(clean=True))
    assert treatment.kind is PixelKind.REFUSED
    assert "no region rule" in treatment.reason


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PixelData": bytes(50)}, Reason.TRUNCATED),
        ({"TransferSyntaxUID": "1.2.840.10008.1.2.4.102", "PixelData": encapsulate([b"video"])}, Reason.PIXELS),
        ({"TransferSyntaxUID": JPEGBaseline8Bit, "PixelData": encapsulate([b"\xff\xd8\xff\xda"])}, Reason.PIXELS),
        ({"BitsStored": 9}, Reason.DAMAGED),
        ({"Rows": 0}, Reason.DAMAGED),
    ],
)
def test_pixels_that_cannot_be_read_are_refused(change: dict[str, Any], code: Reason) -> None:
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2", **change), CLEAN)
    assert treatment.kind is PixelKind.REFUSED
    assert treatment.code is code
    assert treatment.reason


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.94", "1.2.3.4"])
def test_pixels_of_an_unknown_coding_are_refused(syntax: str) -> None:
    dataset = capture(_drawn("L"), "MONOCHROME2")
    dataset.file_meta.TransferSyntaxUID = syntax
    assert treat_pixels(dataset, CLEAN).code is Reason.UNKNOWN_SYNTAX


def test_without_a_size_pixels_are_refused() -> None:
    dataset = capture(_drawn("L"), "MONOCHROME2")
    del dataset.Columns
    assert treat_pixels(dataset, CLEAN).code is Reason.DAMAGED


def test_an_object_without_pixels_is_left_alone() -> None:
    dataset = capture(_drawn("L"), "MONOCHROME2")
    del dataset.PixelData
    assert treat_pixels(dataset, DEFAULT) == PixelTreatment(PixelKind.UNTOUCHED)


def test_colours_that_cannot_be_painted_are_refused() -> None:
    treatment = treat_pixels(capture(_drawn("RGB"), "HSV"), CLEAN)
    assert treatment.kind is PixelKind.REFUSED
    assert "colours" in treatment.reason


# Slices.


def test_a_slice_is_untouched_or_scrubbed() -> None:
    dataset = datasets(Recipe(n=1))[0]
    assert treat_pixels(parsed(dataset), DEFAULT) == PixelTreatment(PixelKind.UNTOUCHED)
    dataset.PixelData += b"DOE^JANE"
    assert treat_pixels(parsed(dataset), DEFAULT) == PixelTreatment(PixelKind.SCRUBBED)


def test_slices_are_not_searched_when_pixels_are_cleaned() -> None:
    rules = RegionRules((RegionRule("", {"modality": "CT"}, {}, (BANNER,)),))
    treatment = treat_pixels(parsed(datasets(Recipe(n=1))[0]), PixelPolicy(clean=True, rules=rules, ocr=True))
    assert treatment == PixelTreatment(PixelKind.UNTOUCHED)


# Blanking.


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("syntax", [None, ExplicitVRBigEndian])
def test_grey_is_blanked(photometric: str, dtype: Any, syntax: str | None) -> None:
    pixels = _drawn("L").astype(dtype)
    big = pixels.astype(pixels.dtype.newbyteorder(">")) if syntax else pixels
    dataset = capture(
        pixels, photometric, **({"TransferSyntaxUID": syntax, "PixelData": big.tobytes()} if syntax else {})
    )
    treatment = treat_pixels(dataset, CLEAN)
    assert treatment == PixelTreatment(PixelKind.BLANKED, regions=(BANNER,), burned_in=False)
    after = written(dataset).pixel_array
    _stays(pixels, after)
    assert after[5, 6] == (after.max() if photometric == "MONOCHROME1" else after.min())


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_blanked(photometric: str, planar: int) -> None:
    pixels = _drawn("RGB")
    stored = np.moveaxis(pixels, -1, 0) if planar else pixels
    dataset = capture(pixels, photometric, PlanarConfiguration=planar, PixelData=stored.tobytes())
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.BLANKED
    after = pydicom.pixels.pixel_array(written(dataset), raw=True)
    _stays(pixels, after)
    assert after[5, 6].tolist() == ([0, 0, 0] if photometric == "RGB" else [0, 128, 128])


def test_shared_chrominance_is_blanked_with_both_of_its_pixels() -> None:
    pairs = np.random.default_rng(4).integers(0, 256, (ROWS, COLUMNS // 2, 4), np.uint8)
    dataset = capture(_drawn("RGB"), "YBR_FULL_422", PixelData=pairs.tobytes())
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.BLANKED
    after = np.frombuffer(written(dataset).PixelData, np.uint8).reshape(pairs.shape)
    inside = INSIDE.reshape(ROWS, -1, 2).any(axis=-1)
    np.testing.assert_array_equal(after[~inside], pairs[~inside])
    assert (after[inside] == [0, 0, 128, 128]).all()


def _palette(dataset: Any) -> None:
    ramp = np.arange(256)[::-1].astype(np.uint16) << 8  # index 255 is black
    for name in ("Red", "Green", "Blue"):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", ramp.tobytes())


@pytest.mark.parametrize("compress", [False, True])
def test_palette_images_are_blanked_with_their_darkest_colour(compress: bool) -> None:
    pixels = _drawn("L")
    dataset = capture(pixels, "PALETTE COLOR")
    _palette(dataset)
    if compress:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset = parsed(dataset)
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.BLANKED
    after = written(dataset).pixel_array
    _stays(pixels, after)
    assert after[5, 6] == pixels.max()


def test_all_frames_are_blanked() -> None:
    pixels = np.stack([_drawn("RGB", background) for background in (10, 60, 110)])
    dataset = capture(pixels, "RGB")
    treat_pixels(dataset, CLEAN)
    _stays(pixels, written(dataset).pixel_array)


def test_one_bit_images_are_blanked() -> None:
    bits = (_drawn("L") > 100).astype(np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    dataset = capture(bits, "MONOCHROME2", BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed)
    treat_pixels(dataset, CLEAN)
    _stays(bits, written(dataset).pixel_array)


def test_pixels_of_eight_bits_in_big_endian_words_are_blanked() -> None:
    pixels = _drawn("L")
    dataset = capture(pixels, "MONOCHROME2")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    element = dataset.get_item(0x7FE00010)
    dataset[0x7FE00010] = element._replace(value=pixels.view(np.uint16).byteswap().tobytes(), VR="OW")
    treat_pixels(dataset, CLEAN)
    after = np.frombuffer(dataset.get_item(0x7FE00010).value, np.uint16).byteswap().view(np.uint8)
    _stays(pixels, after.reshape(pixels.shape))


def test_blanking_again_changes_nothing() -> None:
    dataset = capture(_drawn("RGB"), "RGB")
    treat_pixels(dataset, CLEAN)
    first = written(dataset).PixelData
    treat_pixels(dataset, CLEAN)
    assert written(dataset).PixelData == first


# Compressed images.


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("frames", [1, 3])
def test_compressed_grey_is_decoded_and_coded_anew_without_loss(dtype: Any, frames: int) -> None:
    pixels = np.stack([_drawn("L", 20 * n) for n in range(1, frames + 1)]).astype(dtype)
    dataset = capture(pixels if frames > 1 else pixels[0], "MONOCHROME2")
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset = parsed(dataset)
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.BLANKED
    after = written(dataset)
    assert after.file_meta.TransferSyntaxUID == RLELossless
    _stays(pixels if frames > 1 else pixels[0], after.pixel_array)
    assert "LossyImageCompression" not in after


def test_jpeg_2000_in_colour_becomes_rle_of_the_same_pixels(tmp_path: Path) -> None:
    pixels = _drawn("RGB")
    stream = encoded(pixels, "JPEG2000", no_jp2=True, irreversible=False)
    dataset = capture(pixels, "YBR_RCT", TransferSyntaxUID=JPEG2000Lossless, PixelData=encapsulate([stream]))
    with DecodeWorkers() as workers:
        assert treat_pixels(dataset, CLEAN, workers=workers).kind is PixelKind.BLANKED
    after = written(dataset)
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("RGB", 1)
    _stays(pixels, after.pixel_array)
    after.save_as(tmp_path / "x.dcm")
    decoded = tmp_path / "decoded.dcm"
    subprocess.run(["dcmdrle", tmp_path / "x.dcm", decoded], check=True)
    np.testing.assert_array_equal(pydicom.dcmread(decoded).pixel_array, after.pixel_array)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_lossy_jpeg_is_decoded_once_and_says_that_it_was_lossy(photometric: str) -> None:
    pixels = _drawn("RGB")
    stream = encoded(pixels, "JPEG", quality=95, subsampling=1 if photometric.endswith("422") else 0)
    shown = np.asarray(Image.open(io.BytesIO(stream)).convert("YCbCr"))
    dataset = capture(pixels, photometric, TransferSyntaxUID=JPEGBaseline8Bit, PixelData=encapsulate([stream]))
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.BLANKED
    after = written(dataset)
    assert after.PhotometricInterpretation == "YBR_FULL"
    assert (after.LossyImageCompression, after.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    raw = pydicom.pixels.pixel_array(after, raw=True).astype(int)
    assert np.abs(raw - shown)[~INSIDE].max() <= 16  # decoders differ in how they share chrominance out
    assert (raw[INSIDE] == [0, 128, 128]).all()


def test_a_frame_that_does_not_decode_is_refused() -> None:
    stream = encoded(_drawn("L"), "JPEG")
    scan = stream.index(b"\xff\xda") + 20
    dataset = capture(
        _drawn("L"),
        "MONOCHROME2",
        TransferSyntaxUID=JPEGBaseline8Bit,
        PixelData=encapsulate([stream[:scan] + b"\xff\xd9"]),
    )
    assert treat_pixels(dataset, CLEAN).kind is PixelKind.REFUSED


def test_overlay_bits_in_compressed_pixels_are_cleared() -> None:
    values = np.random.default_rng(6).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    dataset = datasets(Recipe(n=1, rows=ROWS, columns=COLUMNS, dtype=np.uint16))[0]
    dataset.PixelData = (values | (INSIDE.astype(np.uint16) << 14)).tobytes()
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.add_new(0x60000102, "US", 14)
    read = parsed(dataset)
    assert treat_pixels(read, DEFAULT).kind is PixelKind.SCRUBBED
    np.testing.assert_array_equal(written(read).pixel_array, values)


# Text detection, with a detector that finds what it is told.


def test_text_is_blanked_until_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(BANNER,), (Region(80, 50, 5, 5),), ()]
    monkeypatch.setattr(ocr, "find_text", lambda _: found.pop(0))
    pixels = _drawn("L")
    dataset = capture(pixels, "MONOCHROME2")
    treatment = treat_pixels(dataset, PixelPolicy(clean=True, rules=RegionRules(), ocr=True))
    assert treatment.regions == (BANNER, Region(80, 50, 5, 5))
    assert treatment.burned_in is False
    inside = INSIDE.copy()
    inside[50:55, 80:85] = True
    _stays(pixels, written(dataset).pixel_array, inside)


def test_text_that_stays_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    places = iter(range(0, 60, 10))
    monkeypatch.setattr(ocr, "find_text", lambda _: (Region(next(places), 30, 8, 8),))
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2"), PixelPolicy(clean=True, ocr=True))
    assert treatment.kind is PixelKind.REFUSED
    assert "even after blanking" in treatment.reason


def test_a_blanked_rectangle_is_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    around = Region(BANNER.left - 4, BANNER.top - 2, BANNER.width + 8, BANNER.height + 4)
    monkeypatch.setattr(ocr, "find_text", lambda _: (around,))
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2"), PixelPolicy(clean=True, rules=RULES, ocr=True))
    assert treatment == PixelTreatment(PixelKind.BLANKED, regions=(BANNER,), burned_in=False)


def test_where_no_text_is_found_nothing_is_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find_text", lambda _: ())
    treatment = treat_pixels(capture(_drawn("L"), "MONOCHROME2"), PixelPolicy(clean=True, ocr=True))
    assert treatment == PixelTreatment(PixelKind.UNTOUCHED, burned_in=False)


# Faces.


def test_a_face_in_ct_becomes_air() -> None:
    recipe = Recipe(n=1, rows=ROWS, columns=COLUMNS, slope=2.0, intercept=-1024.0)
    dataset = parsed(datasets(recipe)[0])
    before = dataset.pixel_array.copy()
    assert treat_pixels(dataset, DEFAULT, face=INSIDE) == PixelTreatment(PixelKind.PAINTED)
    after = written(dataset).pixel_array
    _stays(before, after)
    assert after[5, 6] * 2.0 - 1024.0 == -1000.0


@pytest.mark.parametrize(("modality", "dtype", "air"), [("MR", np.int16, 0), ("CT", np.uint16, 24)])
def test_a_face_in_frames(modality: str, dtype: Any, air: int) -> None:
    dataset = datasets(Recipe(n=1, rows=ROWS, columns=COLUMNS, modality=modality, dtype=dtype))[0]
    dataset.NumberOfFrames = 2
    dataset.PixelData *= 2
    before = dataset.pixel_array.copy()
    read = parsed(dataset)
    face = np.stack([INSIDE, np.zeros_like(INSIDE)])
    assert treat_pixels(read, DEFAULT, face=face).kind is PixelKind.PAINTED
    after = written(read).pixel_array
    _stays(before[0], after[0])
    np.testing.assert_array_equal(after[1], before[1])
    assert after[0, 5, 6] == air


def test_a_face_of_another_size_is_refused() -> None:
    treatment = treat_pixels(parsed(datasets(Recipe(n=1))[0]), DEFAULT, face=INSIDE)
    assert treatment.code is Reason.FACE


def test_a_face_in_a_compressed_slice(shared_data: Path) -> None:
    path = shared_data / "dicom_edge/dicom-test-files/data/WG04/JPLL/CT1_JPLL"
    before = pydicom.dcmread(path)
    before.pixel_array_options(decoding_plugin="gdcm")
    face = np.zeros((before.Rows, before.Columns), bool)
    face[100:200, 150:260] = True
    dataset = headers.parse_file(path.read_bytes())
    assert treat_pixels(dataset, DEFAULT, face=face).kind is PixelKind.PAINTED
    after = written(dataset)
    assert after.file_meta.TransferSyntaxUID == RLELossless
    np.testing.assert_array_equal(after.pixel_array[~face], before.pixel_array[~face])
    assert np.unique(after.pixel_array[face]).size == 1
