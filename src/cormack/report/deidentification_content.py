"""What the report and the audit of a de-identification are made of: counts and choices, and no value of any header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.core.findings import Finding


@dataclass(frozen=True)
class RefusedObjects:
    """Objects of one SOP class that were refused for one reason, in words ("burned-in text was not looked for")."""

    sop_class: str
    reason: str
    count: int


@dataclass(frozen=True)
class DeidentificationContent:
    """Everything that the report and the audit say.

    Parameters
    ----------
    options : tuple of str
        The switches chosen, as the command line names them ("retain-uids"), without dashes in front.
    method_codes : tuple of (value, scheme, meaning)
        What (0012,0064) says in every object written.
    edition : str
        The edition of PS3.15 whose table E.1-1 was followed.
    key_label : str
        `ProjectKey.label`: a keyed hash that tells two keys apart, never the key.
    patients, studies, series : int
        Of the objects that were written.
    objects : int
        DICOM objects found; each was written, refused or left aside.
    written : mapping of str to int
        Objects written, by the name of their SOP class.
    refused : tuple of RefusedObjects
    left_aside : mapping of str to int
        What was neither written nor refused: "DICOMDIR", "not DICOM", "done before" and how many.
    actions : mapping of str to mapping of str to int
        What was done ("removed", "emptied", "replaced", "UIDs mapped", "dates shifted", "texts cleaned",
        "private kept") to how many elements, by the class of the attribute ("people", "dates and times", "UIDs",
        "texts", "private", "curves and overlays", "other", ...). Elements that were kept as they are do not count.
    pixels : mapping of str to int
        Objects by what was done to their pixels: "untouched", "scrubbed", "blanked", "painted".
    faces : mapping of str to int
        Objects by what was found of a face and done about it; empty without that option.
    chosen_subjects : bool
        A list of subjects gave the new PatientIDs.
    lookup_written : bool
        An encrypted look-up table was written.
    findings : tuple of Finding
    versions, seconds : mapping
        Software versions by package; wall seconds by step.
    created : str
        Date and time of the run, as it should be shown.
    """

    options: tuple[str, ...]
    method_codes: tuple[tuple[str, str, str], ...]
    edition: str
    key_label: str
    patients: int
    studies: int
    series: int
    objects: int
    written: Mapping[str, int]
    refused: tuple[RefusedObjects, ...] = ()
    left_aside: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pixels: Mapping[str, int] = field(default_factory=dict)
    faces: Mapping[str, int] = field(default_factory=dict)
    chosen_subjects: bool = False
    lookup_written: bool = False
    findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    created: str = ""

    @property
    def written_count(self) -> int:
        """Objects written."""
        return sum(self.written.values())

    @property
    def refused_count(self) -> int:
        """Objects refused."""
        return sum(group.count for group in self.refused)
