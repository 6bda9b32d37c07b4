"""Series as a table, rules from a file, and the kernel table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from synthetic import SAGITTAL, series

from cormack.core.errors import InputError
from cormack.dicom.header_table import ALLOWED, ORDINALS, header_table
from cormack.dicom.header_table import as_tsv as headers_as_tsv
from cormack.dicom.inventory import take_inventory
from cormack.dicom.rules import DEFAULT_RULES, MR_PREFERENCES, SelectionRules, load_rules
from cormack.dicom.select import PREFERENCES, select_series
from cormack.dicom.source import open_source
from cormack.dicom.table import COLUMNS, as_records, as_tsv, series_table


def test_the_table_tells_all_and_names_nobody(tmp_path: Path) -> None:
    series(tmp_path, n=30, extra={"ConvolutionKernel": "H30s", "Manufacturer": "SIEMENS"}, tilt_deg=10)
    series(tmp_path, n=2, series_number=1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"), orientation=SAGITTAL)
    with open_source(tmp_path) as source:
        inventory = take_inventory(source)
        rows = series_table(inventory, select_series(inventory))
    assert [row.series for row in rows] == [1, 2]
    assert [row.chosen for row in rows] == [False, True]
    assert (rows[1].slices, rows[1].plane, rows[1].kernel_class, rows[1].missing) == (30, "axial", "soft", 0)
    assert abs(rows[1].tilt_deg or 0) == pytest.approx(10)
    assert json.loads(json.dumps(as_records(rows)))[0]["image_type"] == "ORIGINAL\\PRIMARY\\LOCALIZER"
    parsed = list(csv.DictReader(io.StringIO(as_tsv(rows)), delimiter="\t"))
    assert [row["slices"] for row in parsed] == ["2", "30"]
    assert tuple(parsed[0]) == COLUMNS
    assert not any(name in as_tsv(rows) for name in ("Doe", "P1", "1.2.3.4"))


def test_the_table_without_a_choice(tmp_path: Path) -> None:
    series(tmp_path, n=2)
    with open_source(tmp_path) as source:
        (row,) = series_table(take_inventory(source))
    assert row.chosen is None
    assert as_tsv((row,)).rstrip().endswith("n/a\tn/a")


def test_rules_of_a_file_replace_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('min_slices = 5\nthin_mm = 2\npreferences = ["more-slices", "number"]\nother_parts = ["HAND"]\n')
    rules = load_rules(file)
    assert rules == SelectionRules(
        min_slices=5, thin_mm=2.0, preferences=("more-slices", "number"), other_parts=("HAND",)
    )
    series(tmp_path / "in", n=30, series_number=2, distance_mm=5.0)
    series(tmp_path / "in", n=40, series_number=9, extra={"ConvolutionKernel": "BONE"})
    with open_source(tmp_path / "in") as source:
        inventory = take_inventory(source)
        assert select_series(inventory).entry.number == 2
        assert select_series(inventory, rules=rules).entry.number == 9


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("min_slices = ", "cannot be read as TOML"),
        ("colour = 3", "has 'colour'; known rules are"),
        ("min_slices = 'x'", "expected int"),
        ("min_slices = true", "expected int"),
        ("thin_mm = -1", "expected float"),
        ("other_parts = [3]", "expected a list of texts"),
        ("preferences = ['prettier']", "known preferences are"),
        ("min_slices = 2", "at least 3"),
    ],
)
def test_rules_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(InputError, match=told):
        load_rules(tmp_path / "rules.toml")


def test_a_rules_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_rules(tmp_path / "none.toml")


def test_every_preference_has_a_name_in_the_rules() -> None:
    assert {*DEFAULT_RULES.preferences, *MR_PREFERENCES} == set(PREFERENCES)


def test_header_fields_of_every_instance(tmp_path: Path) -> None:
    series(tmp_path, n=4, extra={"KVP": 120, "StudyDescription": "Doe's head"})
    series(tmp_path, n=3, series_number=7, patient="P2", study_uid="1.2.9")
    seen: list[tuple[int, int]] = []
    with open_source(tmp_path) as source:
        rows = header_table(take_inventory(source), on_progress=lambda done, total: seen.append((done, total)))
        text = "".join(headers_as_tsv(rows))
    parsed = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert tuple(parsed[0]) == ORDINALS + ALLOWED
    assert sorted((row["patient"], row["series"]) for row in parsed) == [("1", "1")] * 4 + [("2", "2")] * 3
    assert {row["KVP"] for row in parsed} == {"120.0", "n/a"}
    assert {row["Rows"] for row in parsed} == {"8"}
    assert {row["PixelSpacing"] for row in parsed} == {"0.5\\0.75"}
    assert seen[-1] == (7, 7)
    assert not any(name in text for name in ("Doe", "P1", "P2", "1.2.3.4"))


def test_the_allow_list_has_keywords_of_the_standard_and_none_of_a_person() -> None:
    from pydicom.datadict import dictionary_VR

    kinds = {dictionary_VR(keyword) for keyword in ALLOWED}
    assert kinds.isdisjoint({"PN", "DA", "TM", "DT", "LT", "ST", "UT", "AS", "SQ"})
    assert {keyword for keyword in ALLOWED if dictionary_VR(keyword) == "UI"} == {"SOPClassUID"}
    assert not [keyword for keyword in ALLOWED if "Description" in keyword or "Comment" in keyword]


def test_a_keyword_that_is_none(tmp_path: Path) -> None:
    series(tmp_path, n=3)
    with open_source(tmp_path) as source, pytest.raises(InputError, match="not a DICOM keyword"):
        header_table(take_inventory(source), keywords=["Colour"])
