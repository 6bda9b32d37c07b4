"""The twelve options of the Basic Application Level Confidentiality Profile (PS3.15 E.3) and a choice among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cormack.core.errors import InputError


class Option(StrEnum):
    """An option of the profile; the value is the switch of the command line, without dashes."""

    RETAIN_LONGITUDINAL_MODIFIED_DATES = "retain-longitudinal-modified-dates"
    RETAIN_LONGITUDINAL_FULL_DATES = "retain-longitudinal-full-dates"
    RETAIN_UIDS = "retain-uids"
    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    RETAIN_INSTITUTION = "retain-institution"
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    CLEAN_GRAPHICS = "clean-graphics"
    CLEAN_PIXEL_DATA = "clean-pixel-data"
    CLEAN_RECOGNIZABLE_VISUAL_FEATURES = "clean-recognizable-visual-features"

    @property
    def code(self) -> MethodCode:
        """The code of CID 7050 that (0012,0064) states for this option."""
        return _CODES[self]


class MethodCode(NamedTuple):
    """One row of CID 7050 De-identification Method."""

    value: str
    scheme: str
    meaning: str


BASIC_PROFILE_CODE = MethodCode("113100", "DCM", "Basic Application Confidentiality Profile")

_DATES = "Retain Longitudinal Temporal Information"
_CODES = {
    Option.CLEAN_PIXEL_DATA: MethodCode("113101", "DCM", "Clean Pixel Data Option"),
    Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES: MethodCode("113102", "DCM", "Clean Recognizable Visual Features Option"),
    Option.CLEAN_GRAPHICS: MethodCode("113103", "DCM", "Clean Graphics Option"),
    Option.CLEAN_STRUCTURED_CONTENT: MethodCode("113104", "DCM", "Clean Structured Content Option"),
    Option.CLEAN_DESCRIPTORS: MethodCode("113105", "DCM", "Clean Descriptors Option"),
    Option.RETAIN_LONGITUDINAL_FULL_DATES: MethodCode("113106", "DCM", f"{_DATES} Full Dates Option"),
    Option.RETAIN_LONGITUDINAL_MODIFIED_DATES: MethodCode("113107", "DCM", f"{_DATES} Modified Dates Option"),
    Option.RETAIN_PATIENT_CHARACTERISTICS: MethodCode("113108", "DCM", "Retain Patient Characteristics Option"),
    Option.RETAIN_DEVICE_IDENTITY: MethodCode("113109", "DCM", "Retain Device Identity Option"),
    Option.RETAIN_UIDS: MethodCode("113110", "DCM", "Retain UIDs Option"),
    Option.RETAIN_SAFE_PRIVATE: MethodCode("113111", "DCM", "Retain Safe Private Option"),
    Option.RETAIN_INSTITUTION: MethodCode("113112", "DCM", "Retain Institution Identity Option"),
}


@dataclass(frozen=True)
class Options:
    """The options chosen for one run; none means the plain Basic Application Level Confidentiality Profile.

    Raises
    ------
    InputError
        Both options that retain dates were chosen.

    """

    chosen: frozenset[Option] = frozenset()

    def __post_init__(self) -> None:
        if {Option.RETAIN_LONGITUDINAL_MODIFIED_DATES, Option.RETAIN_LONGITUDINAL_FULL_DATES} <= self.chosen:
            raise InputError(
                f"{Option.RETAIN_LONGITUDINAL_MODIFIED_DATES} and {Option.RETAIN_LONGITUDINAL_FULL_DATES} were both "
                "chosen; dates are either modified or kept: choose one of the two"
            )

    @classmethod
    def of(cls, options: Iterable[Option]) -> Options:
        """Choose these options."""
        return cls(frozenset(options))

    def __contains__(self, option: Option) -> bool:
        return option in self.chosen

    @property
    def longitudinal_temporal_information(self) -> str:
        """The value of (0028,0303) Longitudinal Temporal Information Modified that is true under these options."""
        if Option.RETAIN_LONGITUDINAL_MODIFIED_DATES in self.chosen:
            return "MODIFIED"
        return "UNMODIFIED" if Option.RETAIN_LONGITUDINAL_FULL_DATES in self.chosen else "REMOVED"

    def method_codes(self) -> tuple[MethodCode, ...]:
        """The codes for (0012,0064) De-identification Method Code Sequence: the profile, then the options."""
        return (BASIC_PROFILE_CODE, *sorted(option.code for option in self.chosen))
