"""Rules of rectangles: what they match, and errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from cormack.core.errors import InputError
from cormack.dicom.deidentify.regions import Region, RegionRules, built_in_rules, mask_of, read_rules


def _dataset(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _rules(tmp_path: Path, text: str) -> RegionRules:
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    return read_rules(path)


@pytest.mark.parametrize(
    ("elements", "regions"),
    [
        ({"ManufacturerModelName": "iU22", "Rows": 480}, (Region(0, 0, 640, 47),)),
        ({"ManufacturerModelName": "IU22 G", "Rows": 768}, (Region(0, 0, 1024, 75),)),
        ({"ManufacturerModelName": "iU22", "Rows": 481}, ()),
        (
            {"Modality": "US", "Manufacturer": "ATL", "ManufacturerModelName": "HDI 5000", "Rows": 476, "Columns": 640},
            (Region(40, 0, 200, 40), Region(240, 0, 190, 16)),
        ),
        ({"Manufacturer": "GE MEDICAL SYSTEMS", "Rows": 512}, ()),
        ({"Manufacturer": "GE MEDICAL SYSTEMS", "Rows": 512, "BurnedInAnnotation": "YES"}, (Region(0, 0, 512, 25),)),
        ({"Manufacturer": "Philips", "ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, (Region(0, 0, 512, 135),)),
        ({}, ()),
    ],
)
def test_built_in_rules_are_those_of_ctp(elements: dict[str, object], regions: tuple[Region, ...]) -> None:
    assert built_in_rules().regions(_dataset(**elements)) == regions


def test_all_rules_that_match_count(tmp_path: Path) -> None:
    own = _rules(tmp_path, '[[rule]]\nmodel = "iu22"\nregions = [[1, 2, 3, 4], [5, 6, 7, 8]]\n')
    both = built_in_rules() + own
    found = both.regions(_dataset(ManufacturerModelName="iU22", Rows=480))
    assert found == (Region(0, 0, 640, 47), Region(1, 2, 3, 4), Region(5, 6, 7, 8))


def test_rectangles_are_columns_first_and_end_with_the_image() -> None:
    mask = mask_of((Region(left=2, top=1, width=2, height=1), Region(9, 4, 50, 50), Region(70, 70, 1, 1)), 5, 10)
    assert mask.sum() == 2 + 1
    assert mask[1, 2]
    assert mask[1, 3]
    assert mask[4, 9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = ", "no TOML"),
        ("", "one or more tables"),
        ("[rule]\n", "one or more tables"),
        ('[[rule]]\nmodel = "a"\nregions = [[0, 0, 1, 1]]\n[other]\n', "nothing else"),
        ('[[rule]]\nmodell = "a"\nregions = [[0, 0, 1, 1]]\n', "unknown key 'modell'"),
        ("[[rule]]\nregions = [[0, 0, 1, 1]]\n", "every image"),
        ("[[rule]]\nrows = 5\nregions = [[0, 0, 1, 1]]\n", "every image"),
        ('[[rule]]\nmodel = ""\nregions = [[0, 0, 1, 1]]\n', "not empty"),
        ("[[rule]]\nmodel = 5\nregions = [[0, 0, 1, 1]]\n", "must be a text"),
        ('[[rule]]\nmodel = "a"\nrows = "512"\nregions = [[0, 0, 1, 1]]\n', "whole number"),
        ('[[rule]]\nmodel = "a"\nrows = 0\nregions = [[0, 0, 1, 1]]\n', "above zero"),
        ('[[rule]]\nmodel = "a"\n', "no rectangles"),
        ('[[rule]]\nmodel = "a"\nregions = []\n', "no rectangles"),
        ('[[rule]]\nmodel = "a"\nregions = [[0, 0, 1]]\n', "left, top, width, height"),
        ('[[rule]]\nmodel = "a"\nregions = [[0, 0, 0, 1]]\n', "above zero"),
        ('[[rule]]\nmodel = "a"\nregions = [[-1, 0, 1, 1]]\n', "left, top, width, height"),
        ('[[rule]]\nmodel = "a"\nregions = [[0, 0, 1.5, 1]]\n', "left, top, width, height"),
        ('[[rule]]\nmodel = "a"\nregions = [[0, 0, 1, true]]\n', "left, top, width, height"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _rules(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.toml cannot be read"):
        read_rules(tmp_path / "nothing.toml")
