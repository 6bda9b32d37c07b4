"""What is there: patients, studies, series, from headers alone.

A series is what can be stacked: images of one patient and one SeriesInstanceUID with one size, orientation, pixel
spacing and kind. One SeriesInstanceUID that mixes several is split by geometry, never by exposure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median_high
from typing import Any

import numpy as np

from cormack.core.errors import DicomError, GeometryError, InputError
from cormack.core.kernels import KernelClass, kernel_class
from cormack.dicom import headers
from cormack.dicom.geometry import StackGeometry, stack_geometry
from cormack.dicom.instance import DICOMDIR, TAGS, Instance, instances_of
from cormack.dicom.source import Source
from cormack.dicom.split import LOCALIZER_TYPES, split

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class SeriesEntry:
    """Images that can be stacked, or a group that cannot and why not.

    Parameters
    ----------
    instances : tuple of Instance
        Usable images, by InstanceNumber.
    patient, study : int
        Ordinals, counted from 1 in the order of the files; `studies` is how many there are in all.
    part, parts : int
        Which part of its SeriesInstanceUID this is, after the split by geometry.
    left_out : mapping of str to int
        Images of the series that cannot be used, counted by reason.
    """

    source: Source = field(repr=False)
    instances: tuple[Instance, ...] = field(repr=False)
    patient: int = 1
    study: int = 1
    part: int = 1
    parts: int = 1
    left_out: Mapping[str, int] = field(default_factory=dict)
    studies: int = 1

    @property
    def first(self) -> Instance:
        """The image that stands for the series."""
        return self.instances[0]

    @property
    def number(self) -> int | None:
        """SeriesNumber (0020,0011)."""
        return self.first.series_number

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return self.first.modality or "unknown"

    @cached_property
    def image_type(self) -> tuple[str, ...]:
        """ImageType values that all images share, in order."""
        common = set(self.first.image_type).intersection(*(set(i.image_type) for i in self.instances))
        return tuple(t for t in self.first.image_type if t in common)

    @property
    def is_localizer(self) -> bool:
        """True if ImageType says so."""
        return not LOCALIZER_TYPES.isdisjoint(self.image_type)

    @property
    def kernel(self) -> str | None:
        """ConvolutionKernel of most images."""
        return Counter(i.kernel for i in self.instances).most_common(1)[0][0]

    @property
    def kernel_class(self) -> KernelClass | None:
        """How sharp the kernel is."""
        return kernel_class(self.kernel, self.first.manufacturer)

    @property
    def thickness_mm(self) -> float | None:
        """Median SliceThickness."""
        known = [i.thickness_mm for i in self.instances if i.thickness_mm is not None]
        return median_high(known) if known else None

    @property
    def stated_tilt_deg(self) -> float | None:
        """Median GantryDetectorTilt (0018,1120), as stated."""
        known = [i.tilt_deg for i in self.instances if i.tilt_deg is not None]
        return float(np.median(known)) if known else None

    @property
    def contrast_by(self) -> str | None:
        """What tells of a contrast medium: the `header` names it, or the `description` does; None if neither."""
        if any(i.contrast for i in self.instances):
            return "header"
        return "description" if any(i.described_contrast for i in self.instances) else None

    @property
    def contrast(self) -> bool:
        """True if the header or a description tells of a contrast medium."""
        return self.contrast_by is not None

    @property
    def described_plain(self) -> bool:
        """True if a description says that there is no contrast medium."""
        return not self.contrast and any(i.described_contrast is False for i in self.instances)

    @property
    def component(self) -> str | None:
        """MR: `magnitude`, `phase`, `real` or `imaginary`; None where the header does not say."""
        return next((i.component for i in self.instances if i.component), None)

    @cached_property
    def _geometry(self) -> StackGeometry | str:
        spacing = self.first.pixel_spacing
        positions = [i.position for i in self.instances if i.position]
        orientations = [i.orientation for i in self.instances if i.orientation]
        if spacing is None or not len(positions) == len(orientations) == len(self.instances):
            return "no position, orientation or pixel spacing"
        try:
            return stack_geometry(orientations, positions, spacing)
        except GeometryError as error:
            return str(error)

    @property
    def geometry(self) -> StackGeometry | None:
        """Slices in space; None where `geometry_problem` says why there is none."""
        return self._geometry if isinstance(self._geometry, StackGeometry) else None

    @property
    def geometry_problem(self) -> str | None:
        """Why the images make no stack; None if they do."""
        return self._geometry if isinstance(self._geometry, str) else None

    @property
    def field_of_view_mm(self) -> float:
        """Longer side of the images; 0 where PixelSpacing is missing."""
        spacing = self.first.pixel_spacing or (0.0, 0.0)
        return max(spacing[0] * self.first.rows, spacing[1] * self.first.columns)

    @property
    def broken(self) -> str | None:
        """Why no image of the series can be used; None if some can."""
        return self.first.problem

    @property
    def n_slices(self) -> int:
        """Number of different positions; of images, where they have none."""
        return len(self.geometry.order) if self.geometry else len(self.instances)

    @property
    def label(self) -> str:
        """Name for people, without anything of a person: number, part, count."""
        name = f"series {self.number}" if self.number is not None else "a series without number"
        if self.studies > 1:
            name += f" of study {self.study}"
        if self.parts > 1:
            name += f" part {self.part} of {self.parts}"
        return f"{name} ({len(self.instances)} image{'s' if len(self.instances) != 1 else ''})"


@dataclass(frozen=True, eq=False)
class Inventory:
    """All series of a source, and what was skipped and why, by count."""

    source: Source = field(repr=False)
    series: tuple[SeriesEntry, ...]
    n_files: int
    n_instances: int
    skipped: Mapping[str, int]

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len({entry.patient for entry in self.series})

    @property
    def n_studies(self) -> int:
        """Number of studies."""
        return len({entry.study for entry in self.series})


def take_inventory(source: Source, *, on_progress: Progress | None = None) -> Inventory:
    """Read all headers of a source and group them.

    Raises
    ------
    InputError
        If no file is DICOM, or none can be read.
    """
    skipped = Counter(source.skipped)
    instances: list[Instance] = []
    total = len(source.items)
    step = max(1, total // 200)
    with headers.quiet():
        for done, item in enumerate(source.items, start=1):
            try:
                instances.extend(_read_instances(source, item.index))
            except headers.NotDicom:
                skipped["not DICOM"] += 1
            except DicomError as error:
                skipped[_short(error)] += 1
            if on_progress is not None and (done % step == 0 or done == total):
                on_progress(done, total)
    if not instances:
        raise InputError(_nothing(skipped))
    kept, doubled = _without_copies(instances)
    if doubled:
        skipped["copy of another file"] += doubled
    directories = [i for i in kept if i.sop_class == DICOMDIR]
    if directories:
        skipped["DICOMDIR"] += len(directories)
        kept = [i for i in kept if i.sop_class != DICOMDIR]
        if not kept:
            raise InputError(_nothing(skipped))
    return Inventory(source, _group(source, kept), total, len(kept), dict(skipped))


def _read_instances(source: Source, index: int) -> list[Instance]:
    item = source.items[index]
    dataset, offset = headers.parse_item(source, item, TAGS)
    try:
        found = list(instances_of(dataset, offset, index, item.size))
    except headers.BACKEND_ERRORS as error:
        raise DicomError("a header cannot be understood; the file is damaged") from error
    if not found[0].sop_class and not (found[0].rows and found[0].columns):
        # Group 2 or 8 at its start, but nothing that an instance must have.
        raise headers.NotDicom
    return found


def _short(error: DicomError) -> str:
    return "unreadable file" if "cannot be read" in str(error) or "cut short" in str(error) else "damaged DICOM file"


def _nothing(skipped: Mapping[str, int]) -> str:
    counts = ", ".join(f"{n} x {reason}" for reason, n in sorted(skipped.items()))
    hint = "; give the folder that the DICOMDIR lies in" if "DICOMDIR" in skipped else ""
    return f"no DICOM image was found ({counts}); expected the DICOM files of a scan{hint}"


def _without_copies(instances: list[Instance]) -> tuple[list[Instance], int]:
    """Drop instances that occur again with the same identity and place; the first file stays."""
    seen: set[object] = set()
    copies: set[int] = set()
    kept = []
    for instance in instances:
        identity: object = (
            instance.key,
            instance.series_uid,
            instance.patient_key,
            instance.position,
            instance.instance_number,
        )
        if instance.sop_uid and identity in seen:
            copies.add(instance.item)
            continue
        seen.add(identity)
        kept.append(instance)
    return kept, len(copies)


def _group(source: Source, instances: list[Instance]) -> tuple[SeriesEntry, ...]:
    patients: dict[str, int] = {}
    studies: dict[tuple[str, str], int] = {}
    by_series: dict[tuple[str, str, str], list[Instance]] = defaultdict(list)
    for instance in instances:
        patients.setdefault(instance.patient_key, len(patients) + 1)
        studies.setdefault((instance.patient_key, instance.study_uid), len(studies) + 1)
        by_series[(instance.patient_key, instance.study_uid, instance.series_uid)].append(instance)
    entries: list[SeriesEntry] = []
    for (patient, study, _), members in by_series.items():
        groups = split(members)
        for part, (usable, broken) in enumerate(groups, start=1):
            place = patients[patient], studies[(patient, study)], part, len(groups)
            entries.append(SeriesEntry(source, tuple(usable), *place, broken, len(studies)))
    return tuple(sorted(entries, key=_order))


def _order(entry: SeriesEntry) -> tuple[Any, ...]:
    number = entry.number
    return entry.patient, entry.study, number is None, number or 0, entry.part
