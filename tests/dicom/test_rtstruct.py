"""RT Structure Sets, among them the one that pydicom ships."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from cormack.core.errors import DicomError, InputError
from cormack.dicom.rtstruct import read_rtstruct
from structure_sets import structure_set

TRIANGLE = [(10.0, 20.0, 5.0), (14.0, 20.0, 5.0), (10.0, 26.0, 5.0)]


def test_points_become_ras(tmp_path):
    path = structure_set(
        tmp_path / "x.dcm",
        [("brain", (255, 128, 0), [("CLOSED_PLANAR", TRIANGLE), ("POINT", TRIANGLE[:1])]), ("", None, [])],
    )
    (brain,), left_out = read_rtstruct(path)
    assert (brain.name, brain.color, left_out) == ("brain", (255, 128, 0), 1)
    np.testing.assert_allclose(brain.contours[0], np.array(TRIANGLE) * (-1, -1, 1))


def test_structures_without_a_name_are_numbered(tmp_path):
    path = structure_set(tmp_path / "x.dcm", [("", None, [("CLOSED_PLANAR", TRIANGLE)])])
    (only,), _ = read_rtstruct(path)
    assert (only.name, only.color) == ("structure 1", None)


def test_pydicoms_example_as_dcmtk_lists_it():
    path = Path(get_testdata_file("rtstruct.dcm"))
    dump = shutil.which("dcmdump")
    if dump is None:
        pytest.skip("no dcmdump here")
    listed = subprocess.run([dump, "-q", "+L", str(path)], capture_output=True, text=True, errors="replace").stdout
    counts = [int(n) for n in re.findall(r"^ +\(3006,0046\) IS \[(\d+) *\]", listed, re.MULTILINE)]
    kinds = re.findall(r"^ +\(3006,0042\) CS \[(\w+) *\]", listed, re.MULTILINE)
    assert counts
    structures, left_out = read_rtstruct(path)
    read = [len(contour) for structure in structures for contour in structure.contours]
    closed = [count for count, kind in zip(counts, kinds, strict=True) if kind == "CLOSED_PLANAR"]
    assert read == closed
    assert left_out == len(counts) - len(closed)


def test_what_is_no_structure_set(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_rtstruct(tmp_path / "none.dcm")
    text = tmp_path / "x.txt"
    text.write_text("nothing")
    with pytest.raises(DicomError, match="nor a DICOM file"):
        read_rtstruct(text)
    other = structure_set(tmp_path / "ct.dcm", [], "1.2.840.10008.5.1.4.1.1.2")
    with pytest.raises(DicomError, match="neither RT Structure Set"):
        read_rtstruct(other)
    empty = structure_set(tmp_path / "empty.dcm", [("point", None, [("POINT", TRIANGLE[:1])])])
    with pytest.raises(DicomError, match="no closed contour"):
        read_rtstruct(empty)
    for points in (TRIANGLE[:2], [(1.0, 2.0), (3.0, 4.0)]):
        broken = structure_set(tmp_path / "broken.dcm", [("x", None, [("CLOSED_PLANAR", points)])])
        with pytest.raises(DicomError, match="broken RT Structure Set"):
            read_rtstruct(broken)
