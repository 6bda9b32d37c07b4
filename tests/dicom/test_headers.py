"""Headers read from the beginning of a file, wherever that beginning ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from cormack.dicom.headers import FIRST_READ_BYTES, parse_item
from cormack.dicom.source import open_source


@pytest.mark.parametrize("undefined", [True, False])
def test_a_sequence_that_the_first_read_cuts_is_whole(tmp_path: Path, undefined: bool) -> None:
    items = []
    for number in range(FIRST_READ_BYTES // 400):
        item, inner = Dataset(), Dataset()
        inner.TextValue = "x" * 600
        item.ContentSequence, item.ReferencedFrameNumber = [inner], number
        item["ContentSequence"].is_undefined_length = undefined
        item.is_undefined_length_sequence_item = undefined
        items.append(item)
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.3"
    dataset.ContentSequence = items
    dataset["ContentSequence"].is_undefined_length = undefined
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = tmp_path / "report.dcm"
    FileDataset(str(path), dataset, file_meta=meta, preamble=b"\0" * 128).save_as(path, enforce_file_format=True)
    with open_source(path) as source:
        header, offset = parse_item(source, source.items[0], None)
    assert offset is None
    assert len(header.ContentSequence) == len(items)
