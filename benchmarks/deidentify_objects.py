"""Objects of every kind to be seeded with identifiers, found and made: for `deidentify_score.py`."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_files
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

#: Of pydicom's own test files, one of each kind.
PACKAGED = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_small_odd.dcm", "SC_rgb_jpeg_dcmtk.dcm",
    "JPEG2000.dcm", "JPGExtended.dcm", "rtplan.dcm", "rtstruct.dcm", "rtdose_1frame.dcm", "waveform_ecg.dcm",
    "test-SR.dcm", "reportsi.dcm", "liver_1frame.dcm", "examples_overlay.dcm", "examples_palette.dcm",
    "image_dfl.dcm", "nested_priv_SQ.dcm", "examples_ybr_color.dcm",
)  # fmt: skip
_STORAGE = "1.2.840.10008.5.1.4.1.1."


def base_objects(shared: Path | None) -> Iterator[tuple[str, FileDataset]]:
    """Objects with a name of their kind; one of each class, manufacturer and transfer syntax."""
    yield from made_objects()
    seen: set[tuple[str, str, str]] = set()
    for path in (*packaged_files(), *(shared_files(shared) if shared else ())):
        # NumberOfFrames of this one is no number: it is damaged, and rightly refused.
        dataset = read(path) if path.name != "badVR.dcm" else None
        if dataset is None or "SOPClassUID" not in dataset or "SOPInstanceUID" not in dataset:
            continue
        kind = (dataset.SOPClassUID, str(dataset.get("Manufacturer")), dataset.file_meta.TransferSyntaxUID)
        if kind not in seen:
            seen.add(kind)
            yield f"{dataset.SOPClassUID.name}, {dataset.file_meta.TransferSyntaxUID.name}", dataset


def packaged_files() -> Iterator[Path]:
    """Files of pydicom's test data by name; those that this installation lacks are left out."""
    for name in PACKAGED:
        yield from (Path(path) for path in get_testdata_files(name) if Path(path).name == name)


def shared_files(shared: Path) -> Iterator[Path]:
    """Files of the shared data, small ones first so that a kind is met in its smallest object."""
    paths = [p for folder in ("dicom_edge", "head_ct") for p in (shared / folder).rglob("*") if p.is_file()]
    yield from sorted(paths, key=lambda path: (path.stat().st_size, path))


def read(path: Path) -> FileDataset | None:
    """A file, None if it is not DICOM."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=path.name == "rtstruct.dcm")
            if "TransferSyntaxUID" not in dataset.file_meta and "SOPClassUID" in dataset:
                dataset = as_file(dataset, ImplicitVRLittleEndian)
            dataset.decode()
            _ = [element.value for element in dataset]
    except (
        InvalidDicomError,
        OSError,
        ValueError,
        NotImplementedError,
        AttributeError,
        TypeError,
        LookupError,
        EOFError,
    ):
        return None
    return dataset if "TransferSyntaxUID" in dataset.file_meta else None


def made_objects() -> Iterator[tuple[str, FileDataset]]:
    """Objects that no test data set holds: presentation state, key objects, encapsulated PDF, plain captures."""
    ct = image(_STORAGE + "2", "CT")
    yield "made: CT, implicit", as_file(ct, ImplicitVRLittleEndian)
    yield "made: presentation state", presentation_state(ct)
    yield "made: key objects", key_objects(ct)
    yield "made: encapsulated PDF", encapsulated_pdf(ct)
    capture = image(_STORAGE + "7", "OT")
    capture.ConversionType = "WSD"
    yield "made: secondary capture", capture
    yield "made: ultrasound", image(_STORAGE + "6.1", "US")
    yield "made: enhanced MR", enhanced(ct)


def image(sop_class: str, modality: str) -> FileDataset:
    """A small image of noise with the header of a scanner."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = modality, "SIEMENS", "Sensation 64"
    dataset.SoftwareVersions, dataset.ConvolutionKernel = "syngo CT 2012B", "H31s"
    dataset.BodyPartExamined, dataset.ScanOptions, dataset.ImageType = (
        "HEAD",
        "HELICAL_CT",
        ["ORIGINAL", "PRIMARY", "AXIAL"],
    )
    dataset.KVP, dataset.SliceThickness, dataset.PatientPosition = "120", "1.5", "HFS"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-112.3, -201.55, 17.25], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.RescaleSlope, dataset.RescaleIntercept = [0.4882813, 0.4882813], "1", "-1024"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 32, 48, 16, 12, 11
    dataset.PixelRepresentation, dataset.InstanceNumber = 0, 1
    dataset.PixelData = np.random.default_rng(7).integers(0, 4096, (32, 48)).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return as_file(dataset, ExplicitVRLittleEndian)


def as_file(dataset: Dataset, transfer_syntax: str) -> FileDataset:
    """A data set with file meta information, in a transfer syntax."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = transfer_syntax
    plain = Dataset()
    plain.update({e.tag: e for e in dataset})
    return FileDataset(io.BytesIO(), plain, file_meta=meta, preamble=b"\0" * 128)


def companion(ct: Dataset, sop_class: str, modality: str) -> Dataset:
    """A data set of the same study that refers to the image."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = ct.StudyInstanceUID, generate_uid()
    dataset.Modality, dataset.Manufacturer, dataset.InstanceNumber = modality, "SIEMENS", 1
    return dataset


def reference(ct: Dataset) -> Dataset:
    """A reference to an image."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ct.SOPClassUID, ct.SOPInstanceUID
    return item


def presentation_state(ct: Dataset) -> FileDataset:
    """A grayscale presentation state with a text annotation."""
    dataset = companion(ct, _STORAGE + "11.1", "PR")
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedImageSequence = ct.SeriesInstanceUID, [reference(ct)]
    dataset.ReferencedSeriesSequence = [series]
    layer, text, annotation, area = Dataset(), Dataset(), Dataset(), Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = "LAYER1", 1
    text.UnformattedTextValue, text.AnchorPoint, text.AnchorPointVisibility = (
        "Quennerstedt Ysolde 73518264",
        [1.0, 1.0],
        "Y",
    )
    text.AnchorPointAnnotationUnits = "PIXEL"
    annotation.GraphicLayer, annotation.TextObjectSequence = "LAYER1", [text]
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [48, 32]
    area.PresentationSizeMode = "SCALE TO FIT"
    dataset.GraphicLayerSequence, dataset.GraphicAnnotationSequence = [layer], [annotation]
    dataset.DisplayedAreaSelectionSequence = [area]
    dataset.ContentLabel, dataset.ContentDescription, dataset.ContentCreatorName = "TUMOR", "", "Abernathyson^Zebulon"
    dataset.PresentationCreationDate, dataset.PresentationCreationTime = "20180423", "164233"
    return as_file(dataset, ExplicitVRLittleEndian)


def key_objects(ct: Dataset) -> FileDataset:
    """A key object selection: a structured report with a text item."""
    dataset = companion(ct, _STORAGE + "88.59", "KO")
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", "seen by Dr. Abernathyson"
    dataset.ValueType, dataset.ContinuityOfContent, dataset.ContentSequence = "CONTAINER", "SEPARATE", [item]
    return as_file(dataset, ExplicitVRLittleEndian)


def encapsulated_pdf(ct: Dataset) -> FileDataset:
    """A document that nobody can look into."""
    dataset = companion(ct, _STORAGE + "104.1", "DOC")
    dataset.DocumentTitle, dataset.MIMETypeOfEncapsulatedDocument = "Report", "application/pdf"
    dataset.EncapsulatedDocument = b"%PDF-1.4 Quennerstedt 73518264 \n%%EOF "
    return as_file(dataset, ExplicitVRLittleEndian)


def enhanced(ct: Dataset) -> FileDataset:
    """A multi-frame MR with functional groups."""
    dataset = companion(ct, _STORAGE + "4.1", "MR")
    dataset.ImageType, dataset.NumberOfFrames = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], 2
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    frames = []
    for index in range(2):
        frame, position, content, derivation = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0.0, 0.0, 1.5 * index]
        content.FrameAcquisitionDateTime, content.StackID = "20180423164233.918273", "1"
        content.InStackPositionNumber, content.DimensionIndexValues = index + 1, [1, index + 1]
        content.FrameComments = "moved; Dr. Abernathyson informed"
        derivation.SourceImageSequence, derivation.DerivationDescription = [reference(ct)], "mean for Quennerstedt"
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        frame.DerivationImageSequence = [derivation]
        frames.append(frame)
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.9, 0.9], 1.5
    shared.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence = [shared], frames
    dataset.AcquisitionDateTime, dataset.ContentDate, dataset.ContentTime = (
        "20180423164233.918273",
        "20180423",
        "164233",
    )
    dataset.PixelData = np.random.default_rng(8).integers(0, 4096, (2, 8, 8)).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return as_file(dataset, ExplicitVRLittleEndian)
