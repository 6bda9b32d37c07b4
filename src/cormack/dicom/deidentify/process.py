"""The second pass for one object: from the bytes of a file to the bytes of the file that takes its place."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import Any

from pydicom.uid import UID

from cormack.core.errors import DicomError
from cormack.dicom import headers
from cormack.dicom.deidentify.character_set import CharacterSet
from cormack.dicom.deidentify.cleaner import Cleaner
from cormack.dicom.deidentify.encoding import Encoding, written_syntax
from cormack.dicom.deidentify.file_meta import file_head
from cormack.dicom.deidentify.ledger import Actions, actions_of
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.pixel_element import pixel_parts
from cormack.dicom.deidentify.pixels import PixelWork, Treated, treated
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.sop_classes import SopKind, sop_kind
from cormack.dicom.deidentify.statements import statements
from cormack.dicom.deidentify.survey import identity_of, sop_uids, text_of
from cormack.dicom.deidentify.values import ValueCleaner

_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_NAME, _ID = 0x00100010, 0x00100020


@dataclass(frozen=True)
class CleanedObject:
    """An object without identity, ready to be written.

    Parameters
    ----------
    parts : tuple of bytes
        The file in parts, to be written one after the other.
    place : tuple of str
        Names of the folders and the file, made of keyed hashes and the pseudonym.
    sop_class : str
        UID of the kind of object.
    pixels : str
        What was done to the pixels.
    actions : Actions
        What was done to attributes, counted.
    """

    parts: tuple[bytes, ...]
    place: tuple[str, str, str, str]
    sop_class: str
    pixels: str
    actions: Actions


def clean_object(data: bytes, identity: str, cleaner: Cleaner, pixels: PixelWork) -> CleanedObject:
    """De-identify one object.

    Parameters
    ----------
    data : bytes
        The file as read.
    identity : str
        Whose it was in the survey.
    cleaner : Cleaner
        Of that patient.
    pixels : PixelWork
        How pixels are treated.

    Raises
    ------
    Refusal
        If the object must not be written, with the reason.
    """
    with headers.quiet():
        try:
            dataset = headers.parse_file(data)
        except DicomError as error:
            raise Refusal(Reason.DAMAGED) from error
        sop_class, sop_instance = sop_uids(dataset)
        try:
            _check(dataset, sop_class, sop_instance, identity, cleaner.options)
            return _clean(treated(dataset, sop_instance, pixels), sop_class, sop_instance, cleaner)
        except Refusal as refusal:
            refusal.sop_class = sop_class
            raise
        except (DicomError, *headers.BACKEND_ERRORS) as error:
            # Of what the parser put off until a value was asked for.
            raise Refusal(Reason.DAMAGED, sop_class=sop_class) from error


def _clean(work: Treated, sop_class: str, sop_instance: str, cleaner: Cleaner) -> CleanedObject:
    dataset = work.dataset
    syntax = _transfer_syntax(dataset)
    encoding = Encoding.of(syntax)
    elements = cleaner.clean(dataset, sop_class, encoding)
    actions = actions_of(dataset, elements, encoding, cleaner.options)
    pixels = pixel_parts(dataset, encoding, syntax)
    if not pixels and _has_grid(dataset) and sop_kind(sop_class) is SopKind.IMAGE:
        raise Refusal(Reason.TRUNCATED)
    values = ValueCleaner(cleaner.patient, cleaner.key, cleaner.options, CharacterSet())
    instance = values.uid(sop_instance)
    elements.update(
        statements(dataset, cleaner.options, encoding, text_removed=work.text_removed, face_removed=work.face_removed)
    )
    new_id = cleaner.patient.new_id.encode("ascii")
    for tag, vr, value in (
        (_SOP_CLASS, "UI", sop_class.encode("ascii")),
        (_SOP_INSTANCE, "UI", instance.encode("ascii")),
        (_NAME, "PN", new_id),
        (_ID, "LO", new_id),
    ):
        elements[tag] = encoding.element(tag, vr, value)
    header = b"".join(elements[tag] for tag in sorted(elements))
    if cleaner.sweep.finds_word(header):
        raise Refusal(Reason.IDENTIFIER_LEFT)
    study, series = (values.uid(text_of(dataset, k)) for k in ("StudyInstanceUID", "SeriesInstanceUID"))
    folders = (cleaner.patient.new_id, hashed_name(cleaner.key, study), hashed_name(cleaner.key, series))
    return CleanedObject(
        (file_head(sop_class, instance, syntax), header, *pixels),
        (*folders, f"{hashed_name(cleaner.key, instance)}.dcm"),
        sop_class,
        work.kind,
        actions,
    )


def _has_grid(dataset: Any) -> bool:
    """True for an image that must have pixels: size and depth are stated, and no address to fetch them from."""
    return all(keyword in dataset for keyword in ("Rows", "Columns", "BitsAllocated")) and (
        "PixelDataProviderURL" not in dataset
    )


def _check(dataset: Any, sop_class: str, sop_instance: str, identity: str, options: Options) -> None:
    if not dataset:
        # What the parser makes of pixel data without an end.
        raise Refusal(Reason.TRUNCATED)
    if not (sop_class and sop_instance):
        raise Refusal(Reason.NO_IDENTITY)
    if identity_of(dataset) != identity:
        raise Refusal(Reason.CHANGED)
    kind = sop_kind(sop_class)
    if kind is SopKind.UNKNOWN:
        raise Refusal(Reason.UNKNOWN_CLASS)
    if kind is SopKind.ENCAPSULATED:
        raise Refusal(Reason.ENCAPSULATED)
    if kind is SopKind.STRUCTURED_REPORT and Option.CLEAN_STRUCTURED_CONTENT not in options:
        raise Refusal(Reason.STRUCTURED_REPORT)


def _transfer_syntax(dataset: Any) -> str:
    """The transfer syntax to write under; of a file that states none, the one that its bytes show."""
    meta = getattr(dataset, "file_meta", None)
    stated = text_of(meta, "TransferSyntaxUID") if meta is not None else ""
    if not stated:
        implicit, little = dataset.original_encoding
        return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"
    if not UID(stated).is_transfer_syntax:
        raise Refusal(Reason.UNKNOWN_SYNTAX)
    return written_syntax(stated)


def hashed_name(key: ProjectKey, uid: str) -> str:
    """A file or folder name that tells nothing without the key, and is the same for the same UID."""
    digest = hmac.digest(key.derive("file names"), uid.encode("utf-8", "surrogatepass"), "sha256")
    return base64.b32encode(digest[:10]).decode("ascii")
