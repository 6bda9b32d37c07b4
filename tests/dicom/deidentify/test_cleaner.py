"""The walk over a data set: what stays is what it was, what goes is gone at every depth, and the result is DICOM."""

import io
import struct

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cormack.dicom import headers
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.deidentify.cleaner import Cleaner
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.pixels import PixelWork
from cormack.dicom.deidentify.process import clean_object
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.survey import identity_of
from cormack.dicom.deidentify.text import known_tokens
from cormack.dicom.deidentify.treat_pixels import PixelPolicy
from cormack.dicom.deidentify.values import Patient, known_numbers

KEY = ProjectKey(bytes(range(32)))
NEW_ID = "SUBJECT01"
SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def ct_image() -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.4.5.1"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20190304", "112233.5", "A47119"
    dataset.Modality, dataset.Manufacturer = "CT", "SIEMENS"
    dataset.ReferringPhysicianName = "Hinterseer^Ottokar"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Vandersloot^Änne", "P-735182", "19310709"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4.1", "1.2.3.4.2"
    dataset.BodyPartExamined, dataset.ConvolutionKernel = "HEAD", "H31s"
    dataset.InstanceNumber = 7
    # Not as pydicom would write them: only raw bytes stay like this.
    dataset.add_new(0x00200032, "DS", ["-115.250", "+3.10", "4.0000 "])
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 4
    dataset.PixelSpacing = [0.5, 0.5]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = struct.pack("<16H", *range(16))
    return dataset


def encoded(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.SourceApplicationEntityTitle = "VANDERSLOOT"
    stream = io.BytesIO()
    dataset.save_as(
        stream,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return b"Vandersloot".ljust(128, b"\0") + stream.getvalue()[128:]


def cleaned(data: bytes | Dataset, *options: Option, known: tuple[str, ...] = (), days: int = -10) -> Dataset:
    data = data if isinstance(data, bytes) else encoded(data)
    patient = Patient(NEW_ID, days, known_tokens(("Vandersloot^Änne", "P-735182", "19310709", *known)))
    with headers.quiet():
        identity = identity_of(headers.parse_file(data))
    with DecodeWorkers() as decoders:
        work = PixelWork(PixelPolicy(), decoders)
        result = clean_object(data, identity, Cleaner(Options.of(options), KEY, patient), work)
    return pydicom.dcmread(io.BytesIO(b"".join(result.parts)))


def raw(dataset: Dataset, keyword: str) -> bytes:
    return dataset.get_item(pydicom.datadict.tag_for_keyword(keyword)).value


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_identity_goes_and_geometry_and_pixels_stay_in_every_encoding(syntax):
    source = ct_image()
    source.file_meta = None
    if syntax == ExplicitVRBigEndian:
        source.PixelData = struct.pack(">16H", *range(16))
    data = encoded(source, syntax)
    result = cleaned(data)
    whole = io.BytesIO()
    result.save_as(whole)
    assert b"andersloot" not in whole.getvalue()
    assert b"ANDERSLOOT" not in whole.getvalue()
    assert result.PatientName == result.PatientID == NEW_ID
    assert result.StudyDate == result.PatientBirthDate == result.ReferringPhysicianName == ""
    assert result.SOPInstanceUID == result.file_meta.MediaStorageSOPInstanceUID == KEY.uid("1.2.3.4.5.1")
    assert result.file_meta.TransferSyntaxUID == (
        ExplicitVRLittleEndian if syntax == DeflatedExplicitVRLittleEndian else syntax
    )
    assert raw(result, "ImagePositionPatient") == b"-115.250\\+3.10\\4.0000 "
    assert result.pixel_array.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]
    assert result.PatientIdentityRemoved == "YES"
    assert result.LongitudinalTemporalInformationModified == "REMOVED"
    assert [item.CodeValue for item in result.DeidentificationMethodCodeSequence] == ["113100"]


def test_nested_items_are_cleaned_like_the_top_level():
    source = ct_image()
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID = CTImageStorage, "1.2.3.4.5.2"
    inner.PatientName, inner.AccessionNumber = "Vandersloot^Änne", "A47119"
    inner.add_new(0x00091001, "LO", "Vandersloot")
    middle = Dataset()
    middle.ReferencedImageSequence = [inner]
    source.SourceImageSequence = [middle]
    kept = cleaned(source).SourceImageSequence[0].ReferencedImageSequence[0]
    assert kept.ReferencedSOPInstanceUID == KEY.uid("1.2.3.4.5.2")
    assert kept.ReferencedSOPClassUID == CTImageStorage
    assert kept.PatientName == NEW_ID
    assert kept.AccessionNumber == ""
    assert 0x00091001 not in kept


def test_dates_move_by_whole_days_under_their_option_and_stay_under_the_other():
    moved = cleaned(ct_image(), Option.RETAIN_LONGITUDINAL_MODIFIED_DATES, days=-4)
    assert (moved.StudyDate, moved.StudyTime) == ("20190228", "112233.5")
    assert moved.PatientBirthDate == ""
    assert moved.LongitudinalTemporalInformationModified == "MODIFIED"
    kept = cleaned(ct_image(), Option.RETAIN_LONGITUDINAL_FULL_DATES, days=-4)
    assert kept.StudyDate == "20190304"
    assert kept.LongitudinalTemporalInformationModified == "UNMODIFIED"


def test_what_an_earlier_run_said_of_dates_stays_true():
    source = ct_image()
    source.LongitudinalTemporalInformationModified = "MODIFIED"
    assert cleaned(source, Option.RETAIN_LONGITUDINAL_FULL_DATES).LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        pytest.param(0x00081250, "LO", b"a sequence by the standard", id="another VR"),
        pytest.param(0x50001200, "US", 1, id="curve"),
        pytest.param(0x60000010, "US", 4, id="overlay"),
        pytest.param(0x60003000, "OW", b"Vandersloot ", id="overlay data"),
        pytest.param(0xFFFCFFFC, "OB", b"Vandersloot ", id="trailing padding"),
        pytest.param(0x00282000, "OB", b"a profile of Vandersloot", id="binary data"),
        pytest.param(0x00283006, "OW", b"SECRET", id="table without descriptor"),
        pytest.param(0x54001010, "OW", b"\1\0\2\0", id="waveform of an image"),
        pytest.param(0x00091010, "LO", "private", id="private"),
        pytest.param(0x00189999, "LO", "no such tag", id="unknown"),
    ],
)
def test_what_is_not_understood_is_dropped(tag, vr, value):
    source = ct_image()
    source.add_new(tag, vr, value)
    assert tag not in cleaned(source)


def test_values_that_are_not_what_their_vr_says_are_emptied():
    source = ct_image()
    data = encoded(source)
    for keyword, old, new in (("KVP", b"120 ", b"J.Doe "), ("GantryDetectorTilt", b"0.0 ", b"12;3")):
        source = ct_image()
        setattr(source, keyword, old.decode().strip())
        data = encoded(source).replace(_element(keyword, old), _element(keyword, new))
        assert new in data
        assert raw(cleaned(data), keyword) is None


def _element(keyword: str, value: bytes) -> bytes:
    tag = pydicom.datadict.tag_for_keyword(keyword)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"DS", len(value)) + value


def test_text_ends_at_its_first_nul():
    source = ct_image()
    source.ConvolutionKernel = "H31s\0Geheim"
    result = cleaned(source)
    assert result.ConvolutionKernel == "H31s"


def test_codes_and_machine_names_survive_a_patient_who_is_called_like_them():
    source = ct_image()
    source.PatientName = "Head^Axial"
    result = cleaned(source, known=("Head^Axial", "Siemens^Ax"))
    assert result.BodyPartExamined == "HEAD"
    assert list(result.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert result.Modality == "CT"


def test_known_identifiers_are_found_in_codes_texts_and_numbers():
    source = ct_image()
    source.ImageType = ["ORIGINAL", "PRIMARY", "VANDERSLOOT"]
    source.ConvolutionKernel = "H31s Vandersloot"
    source.XRayTubeCurrent = 735182
    source.ImageComments = "Vandersloot"
    result = cleaned(source, known=("735182",))
    assert list(result.ImageType)[:2] == ["ORIGINAL", "PRIMARY"]
    assert "VANDERSLOOT" not in str(result.ImageType)
    assert result.ConvolutionKernel == "H31s"
    assert result.XRayTubeCurrent is None
    assert "ImageComments" not in result


def test_a_public_code_keeps_its_number_and_another_does_not():
    for scheme, value, stays in (("SCT", "69536005", True), ("99LOCAL", "69536005", False), ("SCT", "735182", False)):
        source = ct_image()
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "Head"
        source.AnatomicRegionSequence = [item]
        kept = cleaned(source, known=("735182",)).AnatomicRegionSequence[0]
        assert (kept.CodeValue == value) is stays
        assert kept.CodeMeaning == "Head"


@pytest.mark.parametrize("options", [(), (Option.RETAIN_SAFE_PRIVATE,)])
def test_private_attributes_stay_only_if_safe_and_with_their_creator(options):
    source = ct_image()
    block = source.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", "1000")
    block.add_new(0x08, "CS", "SECRET")
    other = source.private_block(0x0021, "SECRET MAKER", create=True)
    other.add_new(0x0C, "IS", "1000")
    result = cleaned(source, *options)
    private = [element.tag for element in result if element.tag.is_private]
    assert private == ([0x00190010, 0x0019100C] if options else [])


def test_a_private_attribute_without_its_creator_goes():
    source = ct_image()
    source.add_new(0x0019100C, "IS", "1000")
    assert not any(e.tag.is_private for e in cleaned(source, Option.RETAIN_SAFE_PRIVATE))


def test_sequences_nested_too_deep_are_refused():
    source = ct_image()
    item = Dataset()
    for _ in range(70):
        outer = Dataset()
        outer.ReferencedImageSequence = [item]
        item = outer
    source.SourceImageSequence = [item]
    with pytest.raises(Refusal) as refusal:
        cleaned(source)
    assert refusal.value.reason is Reason.TOO_DEEP


@pytest.mark.parametrize("cut", [1, 20, 31])
def test_a_cut_object_is_refused(cut):
    with pytest.raises(Refusal) as refusal:
        cleaned(encoded(ct_image())[:-cut])
    assert refusal.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("junk", [b"JOHN DOE 735182 Vandersloot and more", b"\x10\0\x10\0PN\x0b\0Vandersloot"])
def test_what_stands_behind_the_pixels_is_not_carried_over(junk):
    result = cleaned(encoded(ct_image()) + junk)
    whole = io.BytesIO()
    result.save_as(whole)
    assert b"andersloot" not in whole.getvalue()
    assert result.PatientName == NEW_ID


def test_an_image_that_ends_before_its_pixels_is_refused():
    source = ct_image()
    del source.PixelData
    with pytest.raises(Refusal) as refusal:
        cleaned(source)
    assert refusal.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("sop_class", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", Reason.STRUCTURED_REPORT),
        ("1.2.840.10008.5.1.4.1.1.104.1", Reason.ENCAPSULATED),
        ("1.3.12.2.1107.5.9.1", Reason.UNKNOWN_CLASS),
    ],
)
def test_kinds_that_cannot_be_cleaned_are_refused(sop_class, reason):
    source = ct_image()
    source.SOPClassUID = sop_class
    with pytest.raises(Refusal) as refusal:
        cleaned(source)
    assert refusal.value.reason is reason
    assert refusal.value.sop_class == sop_class


def test_a_second_cleaning_changes_nothing():
    first = cleaned(ct_image(), Option.RETAIN_LONGITUDINAL_MODIFIED_DATES)
    stream = io.BytesIO()
    first.save_as(stream)
    second = cleaned(stream.getvalue(), Option.RETAIN_LONGITUDINAL_MODIFIED_DATES, days=0)
    assert first == second


def test_other_character_sets_are_kept_with_what_they_say():
    source = ct_image()
    source.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    source.PatientName = "Yamada^Tarou=山田^太郎"
    source.Manufacturer = "SIEMENS"
    result = cleaned(source, known=("Yamada^Tarou=山田^太郎",))
    assert result.SpecificCharacterSet[1] == "ISO 2022 IR 87"
    assert result.PatientName == NEW_ID


def test_a_character_set_that_does_not_exist_is_not_kept():
    data = encoded(ct_image()).replace(b"ISO_IR 100", b"VDSLOOT^Ae")
    assert "SpecificCharacterSet" not in cleaned(data)


def test_numbers_with_leading_zeros_are_no_small_numbers():
    assert known_numbers(frozenset({"00001", "000000", "0012345", "1234", "abc12345"})) == {12345}


def test_a_made_up_uid_under_the_standards_root_is_replaced_even_where_uids_are_retained():
    dataset = ct_image()
    dataset.FrameOfReferenceUID = "1.2.840.10008.5.1.4.20180423.73518264"
    dataset.StudyInstanceUID = "1.2.826.0.1.99.7"
    out = cleaned(dataset, Option.RETAIN_UIDS, Option.RETAIN_LONGITUDINAL_MODIFIED_DATES)
    assert out.FrameOfReferenceUID.startswith("2.25.")
    assert out.StudyInstanceUID == "1.2.826.0.1.99.7"
    assert out.SOPClassUID == dataset.SOPClassUID
