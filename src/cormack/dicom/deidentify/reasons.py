"""Why an object was refused or skipped: a code for tables, a sentence for people, never a value of the object."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Codes; `sentence` says what each means."""

    NOT_DICOM = "not-dicom"
    DICOMDIR = "dicomdir"
    COPY = "copy"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    TOO_DEEP = "nested-too-deep"
    NO_IDENTITY = "no-identity"
    UNKNOWN_CLASS = "unknown-sop-class"
    UNKNOWN_SYNTAX = "unknown-transfer-syntax"
    STRUCTURED_REPORT = "structured-report"
    ENCAPSULATED = "encapsulated-document"
    PATIENT_NOT_LISTED = "patient-not-listed"
    PIXELS = "pixels"
    FACE = "face"
    IDENTIFIER_LEFT = "identifier-left"
    CHANGED = "input-changed"
    CRASHED = "crashed"
    INTERNAL = "internal"

    @property
    def sentence(self) -> str:
        """The reason in words, to stand after a number of objects."""
        return _SENTENCES[self]

    @property
    def is_refusal(self) -> bool:
        """True if an object was left out that should have had a place in the output."""
        return self not in (Reason.NOT_DICOM, Reason.DICOMDIR, Reason.COPY)


_SENTENCES = {
    Reason.NOT_DICOM: "not DICOM",
    Reason.DICOMDIR: "DICOMDIR, an index that only names other files",
    Reason.COPY: "copy of another file",
    Reason.DAMAGED: "damaged: it cannot be parsed",
    Reason.TRUNCATED: "cut short",
    Reason.TOO_LARGE: "larger than is read",
    Reason.TOO_DEEP: "sequences nested deeper than is read",
    Reason.NO_IDENTITY: "no SOP Class or SOP Instance UID",
    Reason.UNKNOWN_CLASS: "of a SOP class that Cormack does not know",
    Reason.UNKNOWN_SYNTAX: "of a transfer syntax that Cormack does not know",
    Reason.STRUCTURED_REPORT: "a structured report; clean-structured-content cleans such objects",
    Reason.ENCAPSULATED: "an encapsulated document, which cannot be cleaned",
    Reason.PATIENT_NOT_LISTED: "of a patient who is not on the list of subjects",
    Reason.PIXELS: "pixels that may show an identity",
    Reason.FACE: "face could not be removed",
    Reason.IDENTIFIER_LEFT: "a known identifier would have been left in it",
    Reason.CHANGED: "changed while it was being read",
    Reason.CRASHED: "the process that worked on it ended",
    Reason.INTERNAL: "Cormack failed on it",
}


class Refusal(Exception):  # noqa: N818 - a verdict on one object that this room's callers turn into a value
    """An object must not be written; holds the reason and nothing of the object.

    Parameters
    ----------
    reason : Reason
    detail : str
        More words, never values of the object.
    sop_class : str
        UID of the kind of object, where it is known.
    """

    def __init__(self, reason: Reason, detail: str = "", *, sop_class: str = "") -> None:
        super().__init__(reason.sentence)
        self.reason, self.detail, self.sop_class = reason, detail, sop_class
