"""Hide identifiers in every place of a DICOM object: for `deidentify_score.py`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import pydicom
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian

from deidentify_planting_binary import plant_bits, plant_bulk, plant_icon, plant_in_frames
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


def plant_existing(dataset: Dataset, plants: Plants, listed: frozenset[int]) -> None:
    """Identifiers behind what is written in unlisted texts of an object, at any depth; more content in reports."""
    for found in list(dataset):
        if found.VR == "SQ":
            for item in found.value:
                plant_existing(item, plants, listed)
        elif found.VR in TEXT_VRS and found.tag not in STRUCTURE | listed and not found.keyword.startswith("Coding"):
            old = str(found.value) if found.VM == 1 else ""
            found.value = plants.text()[:64] if found.VR in ("PN", "CS", "AE") else f"{old} {plants.text()}"[:64]
            plants.count("behind existing text")
    if "ContentSequence" in dataset:
        dataset.ContentSequence.extend(content_items(plants))
        plants.count("content item", 6)


def content_items(plants: Plants) -> list[Dataset]:
    """Items of a report's content: text, person, date, time, UID, number."""
    person = plants.person
    values = {
        "TEXT": ("TextValue", plants.value("UT")), "PNAME": ("PersonName", person.name),
        "DATE": ("Date", person.study_date), "TIME": ("Time", person.study_time), "UIDREF": ("UID", plants.value("UI")),
        "DATETIME": ("DateTime", person.study_date + person.study_time),
    }  # fmt: skip
    items = []
    for kind, (keyword, value) in values.items():
        item = Dataset()
        item.RelationshipType, item.ValueType = "CONTAINS", kind
        item.ConceptNameCodeSequence = [plants.code_item()]
        setattr(item, keyword, value)
        items.append(item)
    return items


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

    def existing(dataset: FileDataset, plants: Plants) -> None:
        plant_existing(dataset, plants, frozenset(listed))

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
        "existing": existing,
        "bulk": plant_bulk,
    }


def as_readable(dataset: FileDataset) -> FileDataset:
    """Deflated and big-endian files keep their syntax; a missing one becomes explicit little endian."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset
