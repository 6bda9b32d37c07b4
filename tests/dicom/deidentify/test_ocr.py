"""Burned-in text is found by the detector of the extra `ocr`; without it the error names the extra."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from captures import capture, encoded, written
from PIL import Image, ImageDraw, ImageFont
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

import cormack.dicom.deidentify.ocr as ocr
from cormack.core.errors import DependencyError
from cormack.dicom.deidentify.regions import RegionRules, mask_of
from cormack.dicom.deidentify.treat_pixels import PixelKind, PixelPolicy, treat_pixels

needs_ocr = pytest.mark.skipif(not ocr.is_available(), reason="the extra ocr is not installed")
NAMES = ("DOE^JANE", "Smith, John", "12345678", "1961-02-03")
PLACES = ((8, 6), (150, 8), (8, 230), (120, 120))


def _head(size: int = 256) -> np.ndarray:
    """An ellipse with a rim and noise, as a head looks to a detector."""
    y, x = np.mgrid[:size, :size] - size / 2
    radius = np.hypot(x, y * 0.8) / size
    grey = np.where(radius < 0.36, 110.0, 8.0) + np.where((radius > 0.33) & (radius < 0.36), 120.0, 0.0)
    return np.clip(grey + np.random.default_rng(1).normal(0, 6, grey.shape), 0, 255).astype(np.uint8)


def _with_text(background: np.ndarray, size: int, grey: int) -> np.ndarray:
    picture = Image.fromarray(background)
    draw = ImageDraw.Draw(picture)
    for name, place in zip(NAMES, PLACES, strict=True):
        draw.text(place, name, fill=grey, font=ImageFont.load_default(size))
    return np.asarray(picture)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find_spec", lambda name: None)
    assert not ocr.is_available()
    with pytest.raises(DependencyError, match=r"cormack\[ocr\]"):
        ocr.require()


def test_it_is_found_where_it_is_installed() -> None:
    assert ocr.is_available() is (importlib.util.find_spec("rapidocr") is not None)


@needs_ocr
@pytest.mark.parametrize(("size", "grey"), [(12, 255), (16, 200)])
def test_names_on_a_head_are_found_whole(size: int, grey: int) -> None:
    background = _head()
    drawn = _with_text(background, size, grey)
    found = mask_of(ocr.find_text(drawn), *drawn.shape)
    ink = drawn != background
    assert (found & ink).sum() >= 0.98 * ink.sum()
    assert found.mean() < 0.3


@needs_ocr
def test_a_head_is_no_text() -> None:
    assert ocr.find_text(_head()) == ()


@needs_ocr
@pytest.mark.parametrize("kind", ["grey", "rgb", "jpeg"])
def test_burned_in_text_is_gone_from_a_capture(kind: str) -> None:
    drawn = _with_text(_head(), 14, 255)
    ink = drawn != _head()
    if kind == "grey":
        dataset = capture(drawn, "MONOCHROME2")
    elif kind == "rgb":
        dataset = capture(np.repeat(drawn[..., None], 3, axis=-1), "RGB")
    else:
        dataset = capture(
            drawn, "MONOCHROME2", TransferSyntaxUID=JPEGBaseline8Bit, PixelData=encapsulate([encoded(drawn, "JPEG")])
        )
    treatment = treat_pixels(dataset, PixelPolicy(clean=True, rules=RegionRules(), ocr=True))
    assert treatment.kind is PixelKind.BLANKED
    assert treatment.burned_in is False
    after = written(dataset).pixel_array.reshape(*drawn.shape, -1)[..., 0]
    assert (after[ink] == 0).mean() > 0.98
    assert ocr.find_text(after) == ()
