"""Rules that say which rectangles of which images hold burned-in text, as those of CTP's DicomPixelAnonymizer."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.dicom import headers

#: Conditions of a rule and the attributes that they are compared with: contained in it, upper and lower case alike.
_CONTAINED = {
    "manufacturer": ("Manufacturer",),
    "model": ("ManufacturerModelName",),
    "software": ("SoftwareVersions",),
    "image_type": ("ImageType",),
    "series_description": ("SeriesDescription",),
    "comments_on_radiation_dose": ("CommentsOnRadiationDose",),
}
#: Conditions that must be equal.
_EQUAL = {"modality": "Modality", "sop_class": "SOPClassUID", "burned_in": "BurnedInAnnotation"}
_SIZES = {"rows": "Rows", "columns": "Columns"}
_OTHERS = ("name", "source", "regions")
_KEYS = (*_CONTAINED, *_EQUAL, *_SIZES, *_OTHERS)


@dataclass(frozen=True)
class Region:
    """A rectangle in pixels: left and top from zero, width and height."""

    left: int
    top: int
    width: int
    height: int

    def inside(self, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of the rectangle without a margin, of which one pixel stays at least."""
        across, down = (min(margin, (side - 1) // 2) for side in (self.width, self.height))
        return (
            slice(self.top + down, self.top + self.height - down),
            slice(self.left + across, self.left + self.width - across),
        )


@dataclass(frozen=True)
class RegionRule:
    """Conditions that must all hold, and the rectangles to blank where they do."""

    name: str
    texts: Mapping[str, str]
    sizes: Mapping[str, int]
    regions: tuple[Region, ...]

    def matches(self, dataset: Any) -> bool:
        """True if all conditions hold for a data set."""
        return all(headers.integer(dataset, _SIZES[key]) == size for key, size in self.sizes.items()) and all(
            _holds(dataset, key, wanted) for key, wanted in self.texts.items()
        )


@dataclass(frozen=True)
class RegionRules:
    """A table of rules; the rectangles of all that match are blanked."""

    rules: tuple[RegionRule, ...] = ()

    def regions(self, dataset: Any) -> tuple[Region, ...]:
        """Rectangles to blank in an image; empty if no rule matches."""
        return tuple(region for rule in self.rules if rule.matches(dataset) for region in rule.regions)

    def __add__(self, other: RegionRules) -> RegionRules:
        return RegionRules(self.rules + other.rules)


@cache
def built_in_rules() -> RegionRules:
    """The rules that Cormack comes with."""
    text = resources.files("cormack.dicom.deidentify").joinpath("data", "regions.toml").read_text("utf-8")
    return _parse(tomllib.loads(text), "the built-in table")


def read_rules(path: Path) -> RegionRules:
    """Rules of a TOML file, to be used beside the built-in ones.

    Raises
    ------
    InputError
        If the file cannot be read or a rule is wrong; the message names the rule and what is allowed.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the pixel rules {path} cannot be read; give a TOML file in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the pixel rules {path} are no TOML: {error}") from error
    return _parse(table, str(path))


def mask_of(regions: tuple[Region, ...], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """True in all rectangles, shape (rows, columns); what lies outside of the image is left out."""
    mask = np.zeros((rows, columns), bool)
    for region in regions:
        mask[region.inside()] = True
    return mask


def _holds(dataset: Any, key: str, wanted: str) -> bool:
    if key in _EQUAL:
        return (headers.text(dataset, _EQUAL[key]) or "").upper() == wanted.upper()
    return any(wanted.upper() in (headers.text(dataset, keyword, 256) or "").upper() for keyword in _CONTAINED[key])


def _parse(table: Mapping[str, Any], origin: str) -> RegionRules:
    entries = table.get("rule")
    if not isinstance(entries, list) or not entries or set(table) != {"rule"}:
        raise InputError(f"{origin} must hold one or more tables [[rule]] and nothing else")
    return RegionRules(tuple(_rule(entry, f"rule {n} of {origin}") for n, entry in enumerate(entries, 1)))


def _rule(entry: Any, where: str) -> RegionRule:
    if not isinstance(entry, dict):
        raise InputError(f"{where} must be a table; begin it with [[rule]]")
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise InputError(f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(_KEYS)}")
    texts = {key: entry[key] for key in (*_CONTAINED, *_EQUAL) if key in entry}
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{key} of {where} must be a text that is not empty, not {text!r}")
    sizes = {key: entry[key] for key in _SIZES if key in entry}
    for key, size in sizes.items():
        if not _is_whole(size) or size < 1:
            raise InputError(f"{key} of {where} must be a whole number above zero, not {size!r}")
    if not texts:
        raise InputError(f"{where} would match every image; give at least one of {', '.join((*_CONTAINED, *_EQUAL))}")
    return RegionRule(str(entry.get("name", "")), texts, sizes, _regions(entry.get("regions"), where))


def _regions(found: Any, where: str) -> tuple[Region, ...]:
    form = "regions = [[left, top, width, height], ...] in pixels"
    if not isinstance(found, list) or not found:
        raise InputError(f"{where} has no rectangles; give {form}")
    for rectangle in found:
        whole = isinstance(rectangle, list) and len(rectangle) == 4 and all(map(_is_whole, rectangle))
        if not whole or min(rectangle) < 0 or 0 in rectangle[2:]:
            raise InputError(f"{where} has the rectangle {rectangle!r}; give {form}, width and height above zero")
    return tuple(Region(*rectangle) for rectangle in found)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
