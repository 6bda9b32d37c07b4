"""Counts of what was done to attributes."""

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cormack.dicom.deidentify.encoding import Encoding
from cormack.dicom.deidentify.ledger import actions_of
from cormack.dicom.deidentify.options import Option, Options


def read(syntax):
    """An object as the parser leaves it, its elements raw."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.StudyDate = "20190304"
    dataset.AccessionNumber = "A1"
    dataset.PatientName = "Doe^John"
    dataset.PatientID = "4711"
    dataset.PatientComments = "x"
    dataset.SeriesDescription = "Head Doe"
    dataset.InstitutionName = ""
    dataset.KVP = "120"
    dataset.Rows = 512
    dataset.OtherPatientIDsSequence = [Dataset()]
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "secret")
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=False)
    buffer.seek(0)
    return dcmread(buffer, force=True)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_kinds_and_classes(syntax) -> None:
    dataset, encoding = read(syntax), Encoding.of(syntax)
    cleaned = {
        tag: encoding.element(tag, vr, value)
        for tag, vr, value in (
            (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2"),
            (0x0020000D, "UI", b"2.25.1"),
            (0x00080020, "DA", b"20180304"),
            (0x00080050, "SH", b""),
            (0x00080080, "LO", b""),
            (0x00100010, "PN", b"CRK"),
            (0x00100020, "LO", b"ANONYMIZED"),
            (0x0008103E, "LO", b"Head"),
            (0x00180060, "DS", b"120"),
            (0x00280010, "US", b"\x00\x02"),
        )
    }
    expected = {
        ("UIDs mapped", "UIDs"): 1,
        ("dates shifted", "dates and times"): 1,
        ("emptied", "texts"): 1,
        ("replaced", "people"): 2,
        ("removed", "people"): 2,
        ("removed", "private"): 2,
        ("texts cleaned", "texts"): 1,
    }
    modified = Options.of([Option.RETAIN_LONGITUDINAL_MODIFIED_DATES])
    assert dict(actions_of(dataset, cleaned, encoding, modified)) == expected
    replaced = actions_of(dataset, cleaned, encoding, Options())
    assert replaced["replaced", "dates and times"] == 1
    assert not replaced["dates shifted", "dates and times"]


def test_private_attributes_that_stay() -> None:
    dataset = read(ExplicitVRLittleEndian)
    cleaned = {0x00090010: b"", 0x00091001: b"x"}
    assert actions_of(dataset, cleaned, Encoding.of(ExplicitVRLittleEndian), Options())["private kept", "private"] == 2
