"""Hide identifiers in every place of a DICOM object: for `deidentify_score.py`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian

from deidentify_plants import STRUCTURE, TEXT_VRS, Plants, dictionary_tags, element, make_writable, vr_of

LISTED_TEXT = ("PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "DA", "DT", "TM", "AS", "UI")

#: Names of devices, protocols and codes: what is there is not checked against a closed vocabulary.
TECHNIQUE = frozenset((
    "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "ReceiveCoilName",
    "TransmitCoilName", "SequenceName", "PulseSequenceName", "FilterType", "ImagedNucleus", "CodeValue",
    "CodingSchemeDesignator", "CodingSchemeVersion", "RescaleType", "BodyPartExamined", "ScanOptions",
    "CodingSchemeName", "MappingResourceName",
))  # fmt: skip

#: Sequences that no row of table E.1-1 lists, in which to hide things.
HARMLESS_SEQUENCES = (
    0x00082218, 0x00081032, 0x00400260, 0x00289145, 0x00409096, 0x00189346, 0x00089215, 0x00180012,
    0x00540220, 0x00540016,
)  # fmt: skip


def plant_identity(dataset: Dataset, plants: Plants) -> None:
    """The header as a scanner writes it, with the patient and those around the patient."""
    person = plants.person
    dataset.SpecificCharacterSet = person.character_set
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = person.name, person.patient_id, person.birth_date
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = (
        person.study_date,
        person.study_time,
        person.accession,
    )
    dataset.SeriesDate, dataset.ContentDate, dataset.AcquisitionDate = (person.study_date,) * 3
    dataset.SeriesTime, dataset.ContentTime, dataset.AcquisitionTime = (person.study_time,) * 3
    dataset.InstitutionName, dataset.InstitutionAddress = person.institution, person.street
    dataset.ReferringPhysicianName, dataset.OperatorsName = person.physician, person.operator
    dataset.DeviceSerialNumber, dataset.StationName = person.serial, person.station
    dataset.IssuerOfPatientID = person.institution
    dataset.PatientTelephoneNumbers, dataset.PatientAddress = person.phone, person.street
    plants.count("identity", 20)


def plant_listed(dataset: Dataset, plants: Plants, listed: Iterable[int]) -> None:
    """Every row of table E.1-1, at the top level; what the object needs to be read stays."""
    for tag in listed:
        if tag in STRUCTURE or tag >> 16 < 8 or tag in dataset:
            continue
        vr = vr_of(tag)
        dataset[tag] = element(tag, vr, plants.value(vr))
        plants.count("row of table E.1-1")


def plant_dictionary(dataset: Dataset, plants: Plants, vrs: Iterable[str]) -> None:
    """Every attribute of the dictionary with one of these VRs that the object does not have."""
    chosen = frozenset(vrs)
    for tag, vr in dictionary_tags():
        if vr in chosen and tag not in dataset:
            dataset[tag] = element(tag, vr, plants.value(vr))
            plants.count(f"{vr} of the dictionary")


def plant_nested(dataset: Dataset, plants: Plants, listed: list[int]) -> None:
    """Rows of the table and texts within sequences of the standard, one to six deep, and below private ones."""
    for depth, outer in enumerate(HARMLESS_SEQUENCES, start=1):
        item = Dataset()
        plant_listed(item, plants, listed[depth :: len(HARMLESS_SEQUENCES)])
        texts = [(tag, vr) for tag, vr in dictionary_tags() if vr in TEXT_VRS]
        for tag, vr in texts[depth :: len(HARMLESS_SEQUENCES) * 3]:
            item[tag] = element(tag, vr, plants.value(vr))
        plant_private(item, plants)
        for level in range(depth % 6):
            shell = Dataset()
            inner = HARMLESS_SEQUENCES[(depth + level) % len(HARMLESS_SEQUENCES)]
            shell[inner] = element(inner, "SQ", DicomSequence([item]))
            shell.CodeMeaning = plants.text()[:64]
            item = shell
        if outer not in dataset:
            dataset[outer] = element(outer, "SQ", DicomSequence([item, plants.code_item()]))
        plants.count("nested", len(item))


def plant_private(dataset: Dataset, plants: Plants) -> None:
    """Private blocks: reserved, unreserved, named like safe ones, with creators that name somebody."""
    person = plants.person
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", plants.value("OB"))
    block.add_new(0x20, "LO", plants.text()[:64])
    inner = Dataset()
    inner.PatientName, inner.PatientID, inner.StudyDate = person.name, person.patient_id, person.study_date
    inner.private_block(0x0009, "INNER", create=True).add_new(0x01, "UT", plants.value("UT"))
    block.add_new(0x30, "SQ", DicomSequence([inner]))
    dataset.private_block(0x0031, person.family, create=True).add_new(0x01, "SH", person.patient_id)
    safe = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    safe.add_new(0x0C, "IS", "".join(filter(str.isdigit, person.patient_id))[:12])
    safe.add_new(0x0D, "CS", person.family.upper()[:16])
    ge = dataset.private_block(0x0043, "GEMS_PARM_01", create=True)
    ge.add_new(0x27, "SH", person.family)
    ge.add_new(0x39, "LO", plants.text()[:64])
    dataset[0x00451001] = element(0x00451001, "LO", plants.text()[:64])
    dataset[0x00110001] = element(0x00110001, "LO", plants.text()[:64])
    dataset[0x60011010] = element(0x60011010, "LT", plants.value("LT"))
    dataset[0x50011010] = element(0x50011010, "LT", plants.value("LT"))
    plants.count("private", 13)


def plant_odd_places(dataset: Dataset, plants: Plants) -> None:
    """Unknown tags, unknown VRs, groups that repeat, padding, what follows a NUL, numbers that are identifiers."""
    person = plants.person
    raw = person.name.split("=")[0].encode("utf-8")
    raw += b" " * (len(raw) % 2)
    for tag in (0x00440F01, 0x0018FFFE, 0x7FE10010, 0x00020099 + 0x00060000, 0x00282F10, 0x00109999, 0x33000010):
        dataset[tag] = element(tag, "UN" if tag % 3 else "LO", raw if tag % 3 else plants.text()[:64])
    for tag in (0x00181030, 0x00181250, 0x00185100 + 0x10, 0x00204000, 0x00404001, 0x00209158, 0x00180022):
        dataset[tag] = element(tag, "UN", raw)
    for group in (0x5000, 0x5002, 0x501E):
        dataset[(group << 16) + 0x2500] = element((group << 16) + 0x2500, "LO", person.family)
        dataset[(group << 16) + 0x3000] = element((group << 16) + 0x3000, "OW", raw)
        dataset[(group << 16) + 0x0022] = element((group << 16) + 0x0022, "LO", plants.text()[:64])
    for group in (0x6000, 0x6002, 0x60FE):
        base = group << 16
        for number, vr, value in (
            (0x0010, "US", 8), (0x0011, "US", 8 * len(raw)), (0x0022, "LO", plants.text()[:64]), (0x0040, "CS", "G"),
            (0x0050, "SS", [1, 1]), (0x0100, "US", 1), (0x0102, "US", 0), (0x1500, "LO", plants.text()[:64]),
            (0x3000, "OW", raw * 4), (0x4000, "LT", plants.value("LT")), (0x0800, "CS", person.family.upper()[:16]),
        ):  # fmt: skip
            dataset[base + number] = element(base + number, vr, value)
    dataset[0xFFFCFFFC] = element(0xFFFCFFFC, "OB", raw * 5)
    dataset[0x00080000] = element(0x00080000, "UL", 73518264)
    dataset.ConvolutionKernel = f"H30f\0{person.family}"
    dataset[0x00181160] = element(0x00181160, "SH", f"FLAT\0\0{person.patient_id}"[:32])
    dataset[0x00181152] = element(0x00181152, "IS", f"200\0{person.family}")
    dataset[0x00181110] = element(0x00181110, "DS", f"949.0 {person.family}"[:30])
    dataset[0x00181120] = element(0x00181120, "DS", person.patient_id)
    dataset[0x00180087] = element(0x00180087, "DS", f"1.5\\{person.birth_date}")
    dataset[0x00201209] = element(0x00201209, "IS", person.birth_date)
    dataset[0x00180015] = element(0x00180015, "CS", person.family.upper()[:16])
    dataset[0x00080070] = element(0x00080070, "LO", f"SIEMENS {person.family}")
    dataset[0x00081090] = element(0x00081090, "LO", f"Sensation 64 {person.serial}")
    dataset[0x00181020] = element(
        0x00181020, "LO", ["syngo CT 2012B", person.station, f"{person.given} {person.family}"]
    )
    plants.count("odd place", 7 + 7 + 9 + 33 + 14)


def plant_icon(dataset: Dataset, plants: Plants) -> None:
    """An icon whose pixels spell a name."""
    raw = (plants.person.family * 20).encode("utf-8")[:64].ljust(64)
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows = icon.Columns = 8
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = raw
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    plants.count("icon")


def plant_bits(dataset: Dataset, plants: Plants) -> None:
    """An overlay in the bits of the pixels that no value uses (PS3.5 8.1.2, retired)."""
    if (
        dataset.file_meta.TransferSyntaxUID.is_compressed
        or dataset.get("BitsAllocated") != 16
        or "PixelData" not in dataset
    ):
        return
    unused = 16 - int(dataset.BitsStored)
    if unused < 1 or dataset.PixelRepresentation:
        return
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    words = np.frombuffer(dataset.PixelData, f"{order}u2").copy()
    bits = np.unpackbits(np.frombuffer(plants.person.family.encode() * 99, np.uint8))
    spelled = np.resize(bits, words.size).astype(words.dtype) << 15
    dataset["PixelData"]._value = ((words & 0x7FFF) | spelled).astype(f"{order}u2").tobytes()
    for number, vr, value in ((0x0010, "US", 8), (0x0011, "US", 8), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
                              (0x0100, "US", 16), (0x0102, "US", 15)):  # fmt: skip
        dataset[0x60040000 + number] = element(0x60040000 + number, vr, value)
    plants.count("unused bits")


def plant_strangers(dataset: Dataset, plants: Plants) -> None:
    """Names that stand nowhere else, in every text attribute that the object does not have."""
    for tag, vr in dictionary_tags():
        if vr in TEXT_VRS and tag not in dataset and not is_technique(tag):
            dataset[tag] = element(tag, vr, plants.stranger(vr))
            plants.count("stranger")


def is_technique(tag: int) -> bool:
    """Attributes in which any word may be the name of a device or a protocol."""
    return keyword_for_tag(tag) in TECHNIQUE


def plant_foreign(dataset: Dataset, plants: Plants) -> None:
    """An object that holds the patient's number alone, and in its texts what other objects of the patient hold."""
    for keyword in ("PatientName", "PatientBirthDate", "ReferringPhysicianName", "OperatorsName", "AccessionNumber",
                    "InstitutionName", "InstitutionAddress", "DeviceSerialNumber", "StationName",
                    "PatientTelephoneNumbers", "PatientAddress"):  # fmt: skip
        dataset[keyword].value = ""
    plant_dictionary(dataset, plants, ("LO", "SH", "ST", "LT", "UT", "UC", "CS"))


def plant_in_frames(dataset: Dataset, plants: Plants) -> None:
    """Comments, application segments and bytes behind the end of compressed frames; bytes behind plain pixels."""
    raw = f"{plants.person.family} {plants.person.patient_id} ".encode()
    raw += b" " * (len(raw) % 2)
    if not dataset.file_meta.TransferSyntaxUID.is_compressed or "PixelData" not in dataset:
        if "PixelData" in dataset and isinstance(dataset.PixelData, bytes):
            dataset["PixelData"]._value = dataset.PixelData + raw
            plants.count("behind pixels")
        return
    if dataset.file_meta.TransferSyntaxUID.is_deflated:
        return
    frames = [in_frame(frame, raw) for frame in generate_frames(dataset.PixelData, number_of_frames=frames_of(dataset))]
    dataset.PixelData = encapsulate(frames)
    plants.count("in compressed frames", len(frames))


def frames_of(dataset: Dataset) -> int:
    """NumberOfFrames, one if not stated."""
    return int(dataset.get("NumberOfFrames") or 1)


def in_frame(frame: bytes, raw: bytes) -> bytes:
    """A frame with what its coding allows to hide: comment segments, and bytes behind the end."""
    size = (len(raw) + 2).to_bytes(2, "big")
    if frame[:2] == b"\xff\xd8":
        com, app = b"\xff\xfe" + size + raw, b"\xff\xe5" + size + raw
        return frame[:2] + app + com + frame[2:] + raw
    if frame[:2] == b"\xff\x4f":
        length = int.from_bytes(frame[4:6], "big")
        comment = b"\xff\x64" + (len(raw) + 4).to_bytes(2, "big") + b"\0\1" + raw
        return frame[: 4 + length] + comment + frame[4 + length :] + raw
    return frame + raw


def written(dataset: FileDataset, plants: Plants, *, meta: bool = True) -> bytes:
    """The object as a file, with identifiers in preamble, file meta information and behind the last element."""
    person = plants.person
    raw = f"{person.family} {person.given} {person.patient_id}".encode()
    meta_set = dataset.file_meta
    if meta:
        dataset.preamble = (raw + b" " * 128)[:128]
        meta_set.SourceApplicationEntityTitle = person.station[:16]
        meta_set.SendingApplicationEntityTitle = person.family.encode("ascii", "ignore").decode()[:16]
        meta_set.ReceivingApplicationEntityTitle = person.station[:16]
        meta_set.ImplementationVersionName = person.family.encode("ascii", "ignore").decode()[:16]
        meta_set.ImplementationClassUID = f"1.2.826.0.1.99.{person.study_date}"
        meta_set.PrivateInformationCreatorUID = f"1.2.826.0.1.98.{person.study_date}"
        meta_set.PrivateInformation = raw + b" " * (len(raw) % 2)
        plants.count("file meta and preamble", 8)
    meta_set.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    make_writable(dataset)
    target = io.BytesIO()
    pydicom.dcmwrite(target, dataset, enforce_file_format=True)
    return target.getvalue()


def all_plantings(listed: list[int]) -> dict[str, Callable[[FileDataset, Plants], None]]:
    """Kinds of planting by name; each leaves a readable object."""

    def texts(dataset: FileDataset, plants: Plants) -> None:
        plant_listed(dataset, plants, listed)
        plant_dictionary(dataset, plants, TEXT_VRS)

    def numbers(dataset: FileDataset, plants: Plants) -> None:
        plant_dictionary(
            dataset, plants, ("DA", "TM", "DT", "AS", "UI", "IS", "DS", "UL", "SL", "FD", "FL", "OB", "UN")
        )

    def nested(dataset: FileDataset, plants: Plants) -> None:
        plant_nested(dataset, plants, listed)
        plant_private(dataset, plants)

    def odd(dataset: FileDataset, plants: Plants) -> None:
        plant_odd_places(dataset, plants)
        plant_icon(dataset, plants)
        plant_bits(dataset, plants)
        plant_in_frames(dataset, plants)

    return {
        "texts": texts,
        "numbers": numbers,
        "nested": nested,
        "odd": odd,
        "foreign": plant_foreign,
        "strangers": plant_strangers,
    }


def as_readable(dataset: FileDataset) -> FileDataset:
    """Deflated and big-endian files keep their syntax; a missing one becomes explicit little endian."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset
