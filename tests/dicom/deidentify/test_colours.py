"""Black, air, and what a text detector gets to see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from captures import capture, parsed
from pydicom.dataset import Dataset
from synthetic import Recipe, datasets

from cormack.dicom.deidentify.canvas import Canvas, native_canvas
from cormack.dicom.deidentify.colours import air_values, dark_colour, pictures_of
from cormack.dicom.deidentify.pixel_grid import grid_of
from cormack.dicom.deidentify.reasons import Refusal

MOST = 3


def _canvas(dataset: Any) -> Canvas:
    grid = grid_of(dataset)
    assert grid is not None
    return native_canvas(dataset, grid)


def _pictures(dataset: Any) -> list[np.ndarray]:
    return list(pictures_of(dataset, _canvas(dataset), MOST))


def test_grey_is_stretched_over_all_values() -> None:
    pixels = np.array([[0, 40], [100, 100]], np.uint8)
    (picture,) = _pictures(capture(pixels, "MONOCHROME2"))
    assert picture.tolist() == [[0, 102], [255, 255]]


def test_text_of_eight_bits_is_seen_among_pixels_of_sixteen() -> None:
    pixels = np.zeros((20, 20), np.uint16)
    pixels[5, 5:15] = 255
    pixels[15, 5:15] = 65_000
    whole, narrow = _pictures(capture(pixels, "MONOCHROME2"))
    assert whole[5, 5] <= 1
    assert narrow[5, 5] == narrow.max()


@pytest.mark.parametrize(("photometric", "shape"), [("RGB", (4, 6, 3)), ("YBR_FULL", (4, 6))])
def test_colour_is_shown_in_colour_or_by_its_luminance(photometric: str, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)
    (picture,) = _pictures(capture(pixels, photometric))
    assert picture.shape == shape


def test_shared_chrominance_is_shown_by_its_luminance() -> None:
    pairs = np.arange(4 * 3 * 4, dtype=np.uint8).reshape(4, 3, 4)
    (picture,) = _pictures(capture(np.zeros((4, 6, 3), np.uint8), "YBR_FULL_422", PixelData=pairs.tobytes()))
    np.testing.assert_array_equal(picture, pairs[..., :2].reshape(4, 6))


def test_palettes_are_shown_in_their_colours_and_need_a_table() -> None:
    dataset = capture(np.array([[0, 1], [1, 0]], np.uint8), "PALETTE COLOR")
    with pytest.raises(Refusal, match="pixels"):
        _pictures(dataset)
    for name, low in (("Red", 0), ("Green", 255), ("Blue", 0)):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [2, 0, 8])
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", bytes([low, 255]))
    (picture,) = _pictures(dataset)
    assert picture.tolist() == [[[0, 255, 0], [255] * 3], [[255] * 3, [0, 255, 0]]]
    assert dark_colour(dataset, _canvas(dataset)) == [0]


def test_of_a_film_the_brightest_and_darkest_of_all_frames_are_searched() -> None:
    film = np.full((9, 4, 6), 100, np.uint8)
    film[1, 2, 3] = 255
    film[5, 1, 1] = 0
    found = _pictures(capture(film, "MONOCHROME2"))
    assert len(found) == MOST + 2
    assert found[-2][2, 3] == 255
    assert found[-1][1, 1] == 0


@pytest.mark.parametrize(
    ("recipe", "air"),
    [
        ({"intercept": -1024.0}, 24),
        ({"intercept": 0.0}, -1000),
        ({"intercept": 0.0, "dtype": np.uint16}, 0),
        ({"intercept": -8192.0, "dtype": np.uint16}, 7192),
        ({"intercept": -1024.0, "slope": 0.5}, 48),
        ({"intercept": 3000.0, "bits_stored": 12}, -2048),
        ({"modality": "MR"}, 0),
    ],
)
def test_air_is_the_stored_value_of_minus_1000_hu_as_near_as_it_can_be_stored(recipe: dict[str, Any], air: int) -> None:
    dataset = parsed(datasets(Recipe(n=1, **recipe))[0])
    assert air_values(dataset, _canvas(dataset)) == [air]


def test_air_of_frames_and_of_floats() -> None:
    dataset = datasets(Recipe(n=1, intercept=-1024.0))[0]
    dataset.NumberOfFrames = 2
    dataset.PixelData *= 2
    groups = []
    for intercept in (-1024, 0):
        transformation, group = Dataset(), Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = 1, intercept
        group.PixelValueTransformationSequence = [transformation]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    read = parsed(dataset)
    assert air_values(read, _canvas(read)) == [24, -1000]

    dataset = datasets(Recipe(n=1, slope=2.0, intercept=0.0))[0]
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = np.arange(80, dtype="<f4").tobytes()
    read = parsed(dataset)
    assert air_values(read, _canvas(read)) == [-500.0]
    assert dark_colour(read, _canvas(read)) == [0.0]
