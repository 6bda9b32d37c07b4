"""Files written again with other pixels: every other byte stays where pixels are native; pydicom reads the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless
from synthetic import series

from cormack.core.errors import DicomError
from cormack.dicom.inventory import take_inventory
from cormack.dicom.repaint import repaint_series
from cormack.dicom.source import open_source

FILL_HU = -1000.0


def corner_to_air(image, values):
    """A corner of every image but the first becomes air; rows and columns are told apart."""
    if image.instance_number == 1:
        return values
    painted = values.copy()
    painted[:3, :2] = FILL_HU
    return painted


def repaint(source: Path, out: Path, painter=corner_to_air):
    with open_source(source) as files:
        return repaint_series(take_inventory(files).series[0], out, painter)


def pairs(source: Path, out: Path):
    before = {ds.SOPInstanceUID: ds for ds in map(pydicom.dcmread, (p for p in source.rglob("*") if p.is_file()))}
    for path in sorted(out.iterdir()):
        after = pydicom.dcmread(path)
        yield before[after.SOPInstanceUID], after


@pytest.mark.parametrize("intercept", [-1024.0, 0.0])
def test_native_pixels_change_in_place(tmp_path, intercept):
    series(tmp_path / "in", intercept=intercept)
    made = repaint(tmp_path / "in", tmp_path / "out")
    assert (made.files, made.changed) == (6, 5)
    for before, after in pairs(tmp_path / "in", tmp_path / "out"):
        old, new = Path(before.filename).read_bytes(), Path(after.filename).read_bytes()
        assert len(old) == len(new)
        place = old.index(before.PixelData)
        assert old[:place] == new[:place]
        kept = np.ones(before.pixel_array.shape, bool)
        if before.InstanceNumber > 1:
            kept[:3, :2] = False
            assert np.all(after.pixel_array[:3, :2] == FILL_HU - intercept)
        else:
            assert old == new
        np.testing.assert_array_equal(after.pixel_array[kept], before.pixel_array[kept])


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless]
)
def test_other_transfer_syntaxes(tmp_path, syntax):
    if syntax == RLELossless:
        series(tmp_path / "in")
        for path in (tmp_path / "in").iterdir():
            compressed = pydicom.dcmread(path)
            compressed.compress(RLELossless, generate_instance_uid=False)
            compressed.save_as(path)
    else:
        series(tmp_path / "in", syntax=syntax)
    repaint(tmp_path / "in", tmp_path / "out")
    for before, after in pairs(tmp_path / "in", tmp_path / "out"):
        expected = before.pixel_array.copy()
        if before.InstanceNumber > 1:
            expected[:3, :2] = FILL_HU + 1024
        np.testing.assert_array_equal(after.pixel_array, expected)
        for element in before:
            if element.keyword != "PixelData":
                assert after[element.tag].value == element.value
        assert after.file_meta.TransferSyntaxUID == syntax


def test_values_keep_within_the_stored_bits(tmp_path):
    series(tmp_path / "in", dtype=np.uint16, bits_stored=12, intercept=0.0, slope=2.0)
    repaint(tmp_path / "in", tmp_path / "out")
    for before, after in pairs(tmp_path / "in", tmp_path / "out"):
        if before.InstanceNumber > 1:
            assert np.all(after.pixel_array[:3, :2] == 0)


def test_a_painter_that_fails_leaves_nothing_behind(tmp_path):
    series(tmp_path / "in")

    def fail(image, values):
        if image.instance_number == 4:
            raise DicomError("no")
        return values

    with pytest.raises(DicomError, match="no"):
        repaint(tmp_path / "in", tmp_path / "out", fail)
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
