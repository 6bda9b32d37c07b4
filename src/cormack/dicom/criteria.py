"""The tables of selection: what rejects a series by its headers, and what makes one of several the better one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cormack.core.kernels import KernelClass
from cormack.dicom.instance import SECONDARY_CAPTURE
from cormack.dicom.inventory import SeriesEntry
from cormack.dicom.rules import SelectionRules

Test = Callable[[SeriesEntry, SelectionRules], str | None]


def _no_images(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.broken:
        return f"its images cannot be used: {entry.broken}"
    return None if entry.first.has_pixels else f"holds no images ({entry.modality})"


def _other_modality(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    return None if entry.modality == rules.modality else f"is {entry.modality}, not {rules.modality}"


def _capture(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.first.sop_class.startswith(SECONDARY_CAPTURE) or "SCREEN SAVE" in entry.image_type:
        return "is a screen capture or dose page"
    return None


def _colour(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    return "holds colour images" if entry.first.samples != 1 else None


def _other_values(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    kind = entry.first.rescale_type
    if entry.modality != "CT" or kind is None or kind.startswith(("HU", "US")):
        return None
    return "holds other values than Hounsfield units, by its RescaleType"


def _localizer(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.is_localizer:
        return "is a localizer (scout)"
    geometry = entry.geometry
    if geometry is not None and geometry.plane != "axial" and len(entry.instances) <= rules.scout_slices:
        return f"is a localizer (scout) by its {geometry.plane} plane and few images"
    return None


def _no_geometry(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    return f"makes no stack: {entry.geometry_problem}" if entry.geometry_problem else None


def _too_few(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    if entry.n_slices >= rules.min_slices:
        return None
    if entry.n_slices == 1 and len(entry.instances) > 1:
        return f"its {len(entry.instances)} images lie at one position; a volume needs at least {rules.min_slices}"
    words = "one slice" if entry.n_slices == 1 else f"{entry.n_slices} slices"
    return f"has {words} only; a volume needs at least {rules.min_slices}"


def _other_part(entry: SeriesEntry, rules: SelectionRules) -> str | None:
    part = entry.first.body_part
    if part in rules.other_parts and entry.field_of_view_mm > rules.wide_mm:
        return f"shows another body part ({part.lower()}) by its header and its wide field of view"
    return None


#: Tried from top to bottom; the first that speaks rejects. The third column: may the user overrule it with `series`?
REJECTIONS: tuple[tuple[str, Test, bool], ...] = (
    ("no-images", _no_images, False),
    ("other-modality", _other_modality, True),
    ("secondary-capture", _capture, True),
    ("colour", _colour, False),
    ("localizer", _localizer, True),
    ("other-values", _other_values, True),
    ("no-geometry", _no_geometry, False),
    ("too-few-slices", _too_few, False),
    ("other-body-part", _other_part, True),
)

#: T1-weighted images have echo times below this (ms), T2-weighted ones and FLAIR above.
LONG_ECHO_MS = 40.0
_KERNEL_RANK = {KernelClass.SOFT: 0, None: 1, KernelClass.MEDIUM: 1, KernelClass.SHARP: 2}


@dataclass(frozen=True)
class Look:
    """What the images of a series show; None where they could not be read, or do not tell.

    Parameters
    ----------
    head : bool or None
        Brain within a skull.
    missing : tuple of str, or None
        What of the head lies beyond the ends of an axial stack: `vertex`, `base`; empty if it shows the brain whole.
    filled_vessels : bool or None
        Vessels filled with contrast medium.
    """

    head: bool | None = None
    missing: tuple[str, ...] | None = None
    filled_vessels: bool | None = None


@dataclass(frozen=True)
class Candidate:
    """A series that could be chosen, and what its images show where they were looked at."""

    entry: SeriesEntry
    look: Look = Look()

    @property
    def contrast_by(self) -> str | None:
        """What tells of a contrast medium: `header`, `description` or `image`; None if none of them."""
        if self.entry.contrast or self.entry.described_plain:
            return self.entry.contrast_by
        return "image" if self.look.filled_vessels else None


Preference = Callable[[Candidate, SelectionRules], float]


def _extent(candidate: Candidate) -> float:
    entry = candidate.entry
    return entry.geometry.extent_mm if entry.geometry else 0.0


def _spacing(candidate: Candidate, rules: SelectionRules) -> float:
    entry = candidate.entry
    spacing = (entry.geometry.spacing_mm if entry.geometry else None) or 1e3
    return max(rules.thin_mm, spacing, entry.thickness_mm or 0.0)


#: By name: what is better is smaller, and why the winner won. The rules say which names count, and in which order.
PREFERENCES: dict[str, tuple[Preference, str]] = {
    "head-in-image": (lambda c, r: float(not c.look.head), "its images show a head"),
    "whole-head": (lambda c, r: float(len(c.look.missing or ())), "it shows more of the head's ends"),
    "enough-coverage": (lambda c, r: max(0.0, round(r.min_extent_mm - _extent(c), -1)), "it covers more"),
    "head-sized": (lambda c, r: float(c.entry.field_of_view_mm > r.wide_mm), "its field of view is that of a head"),
    "axial": (
        lambda c, r: float(c.entry.geometry is None or c.entry.geometry.plane != "axial"),
        "its slices are axial",
    ),
    "original": (lambda c, r: float("DERIVED" in c.entry.image_type), "it is original, not derived"),
    "magnitude": (lambda c, r: float(c.entry.component not in (None, "magnitude")), "its values are magnitudes"),
    "short-echo": (
        lambda c, r: float((c.entry.first.echo_time_ms or 0.0) > LONG_ECHO_MS),
        "its echo time is that of T1 weighting",
    ),
    "softer-kernel": (lambda c, r: float(_KERNEL_RANK[c.entry.kernel_class]), "its kernel is softer"),
    "thinner": (lambda c, r: round(_spacing(c, r), 1), "its slices are thinner"),
    "coverage": (lambda c, r: -round(_extent(c), -1), "it covers more"),
    "no-contrast": (lambda c, r: float(c.contrast_by is not None), "it was made without contrast agent"),
    "more-slices": (lambda c, r: -float(c.entry.n_slices), "it has more slices"),
    "number": (
        lambda c, r: float(c.entry.number if c.entry.number is not None else 1e9),
        "it has the lower series number",
    ),
    "part": (lambda c, r: float(c.entry.part), "it is the larger part"),
}
