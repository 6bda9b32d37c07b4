"""Where burned-in text can be: a table of kinds of images, each with the reason, matched against the header.

Rests on PS3.3 C.7.6.1 (ImageType, BurnedInAnnotation), C.8.6 (ConversionType) and on filters that CTP's users share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cormack.dicom import headers

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SLICES = frozenset({"CT", "MR", "PT", "NM"})
_NO_WORD = re.compile(r"[^A-Z0-9]+")
_PIXELS_CLEANED = "113101"


@dataclass(frozen=True)
class PixelFacts:
    """What the header says that bears on burned-in text: in upper case, lists of words with a space around each."""

    sop_class: str
    modality: str
    image_type: str
    burned_in: str
    conversion_type: str
    description: str
    samples: int
    photometric: str
    has_place: bool
    was_cleaned: bool


@dataclass(frozen=True)
class Risk:
    """One kind of image; every condition that is not empty must hold.

    Parameters
    ----------
    reason : str
        Why there may be text, in words that follow "refused:".
    sop_classes : tuple of str
        SOP Class UIDs without their common beginning.
    modalities, burned_in, conversion_types : frozenset of str
    image_types, descriptions : tuple of str
        Words one of which is in ImageType, or in the texts that describe the series, as whole words.
    colour : bool
        Only images in colour.
    without_place : bool
        Only images without position and orientation in the patient.
    """

    reason: str
    sop_classes: tuple[str, ...] = ()
    modalities: frozenset[str] = frozenset()
    image_types: tuple[str, ...] = ()
    burned_in: frozenset[str] = frozenset()
    conversion_types: frozenset[str] = frozenset()
    descriptions: tuple[str, ...] = ()
    colour: bool = False
    without_place: bool = False

    def applies(self, facts: PixelFacts) -> bool:
        """True if all stated conditions hold."""
        tail = facts.sop_class.removeprefix(_STORAGE)
        conditions = (
            (self.sop_classes, tail in self.sop_classes),
            (self.modalities, facts.modality in self.modalities),
            (self.image_types, any(f" {words} " in facts.image_type for words in self.image_types)),
            (self.burned_in, facts.burned_in in self.burned_in),
            (self.conversion_types, facts.conversion_type in self.conversion_types),
            (self.descriptions, any(f" {words} " in facts.description for words in self.descriptions)),
            (self.colour, facts.samples > 1 or facts.photometric == "PALETTE COLOR"),
            (self.without_place, not facts.has_place),
        )
        return all(holds for stated, holds in conditions if stated)


#: Projection X-ray carries burned-in text on some machines only: their own statement is believed, its absence is not.
_NOT_DENIED = frozenset({"", "YES"})

RISKS = (
    Risk("the header states burned-in annotation", burned_in=frozenset({"YES"})),
    Risk("a secondary capture can hold whatever was on a screen", sop_classes=("7", "7.1", "7.2", "7.3", "7.4")),
    Risk("ultrasound images show the patient's name in most cases", sop_classes=("3", "3.1", "6", "6.1", "6.2")),
    Risk("ultrasound images show the patient's name in most cases", modalities=frozenset({"US", "IVUS", "BDUS"})),
    Risk(
        "endoscopy and photography can show names",
        sop_classes=("77.1.1", "77.1.1.1", "77.1.2.1", "77.1.4", "77.1.4.1", "77.1.7"),
    ),
    Risk("endoscopy and photography can show names", modalities=frozenset({"ES", "GM", "XC", "DMS"})),
    Risk("the label of a slide can show a name", sop_classes=("77.1.3", "77.1.6"), image_types=("LABEL", "OVERVIEW")),
    Risk(
        "ophthalmic images in colour are often pages with text",
        sop_classes=("77.1.5.1", "77.1.5.2", "77.1.5.4"),
        colour=True,
    ),
    Risk(
        "X-ray images may show text where the header does not deny it",
        sop_classes=(
            *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1"),
            *("12.1", "12.1.1", "12.2", "12.2.1", "13.1.3", "13.1.4", "481.1"),
        ),
        burned_in=_NOT_DENIED,
    ),
    Risk(
        "X-ray images may show text where the header does not deny it",
        modalities=frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX", "RG", "DF", "CF", "XRF", "RTIMAGE"}),
        burned_in=_NOT_DENIED,
    ),
    Risk("bone densitometry comes as pages with text", modalities=frozenset({"BMD", "BD", "DEXA"})),
    Risk(
        "scanned documents and films show names",
        modalities=frozenset({"DOC", "HC", "OT", "SC", "SD", "REPORT", "FILM_CT"}),
    ),
    Risk(
        "a screen, document or film was captured",
        conversion_types=frozenset({"DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"}),
    ),
    Risk(
        "the image type is that of a screen save or a page of a report",
        image_types=(
            *("SCREEN", "SCREENSAVE", "SCREENSHOT", "SAVE", "CAPTURE", "DOSE", "REPORT", "PROT", "PROTOCOL"),
            *("VOLREN", "AVA", "GRAPH", "CHART", "DOCUMENT"),
        ),
        modalities=_SLICES | {""},
    ),
    Risk("a secondary localizer shows lines and text", image_types=("SECONDARY LOCALIZER",)),
    Risk(
        "the description is that of a screen save or a page of a report",
        descriptions=(
            "DOSE REPORT",
            "DOSE INFO",
            "DOSE RECORD",
            "DOSE SUMMARY",
            "EXAM PROTOCOL",
            "PATIENT PROTOCOL",
            "EXAM SUMMARY",
            "SCREEN SAVE",
            "SCREENSAVE",
            "SCREEN SHOT",
            "SCREENSHOT",
            "SCREEN CAPTURE",
            "SECONDARY CAPTURE",
            "ELECTRONIC FILM",
            "SCANNED",
            "AVA REPORT",
            "MEDRAD",
            "INJECTION PROFILE",
            "SMARTPREP GRAPH",
        ),
    ),
    Risk("a CT, MR, PET or NM image in colour is a rendering or a page", modalities=_SLICES, colour=True),
    Risk(
        "a CT or MR image without place in the patient is a page, no slice",
        sop_classes=("2", "4"),
        without_place=True,
    ),
)


@lru_cache(maxsize=4096)
def find_risk(facts: PixelFacts) -> Risk | None:
    """The first kind of image in the table that fits; None where burned-in text is not to be expected."""
    if facts.was_cleaned and facts.burned_in == "NO":
        return None
    return next((risk for risk in RISKS if risk.applies(facts)), None)


def pixel_facts(dataset: Any, samples: int, photometric: str) -> PixelFacts:
    """Read the facts of a data set, of which samples per pixel and photometric interpretation are known."""
    return PixelFacts(
        sop_class=headers.text(dataset, "SOPClassUID") or "",
        modality=_upper(dataset, "Modality"),
        image_type=_words(dataset, "ImageType"),
        burned_in=_upper(dataset, "BurnedInAnnotation"),
        conversion_type=_upper(dataset, "ConversionType"),
        description=_words(dataset, "SeriesDescription", "ProtocolName", "ImageComments"),
        samples=samples,
        photometric=photometric,
        has_place="ImageOrientationPatient" in dataset and "ImagePositionPatient" in dataset,
        was_cleaned=_was_cleaned(dataset),
    )


def _upper(dataset: Any, keyword: str) -> str:
    return (headers.text(dataset, keyword) or "").upper()


def _words(dataset: Any, *keywords: str) -> str:
    """Words of some texts in upper case, a space around each; letters and digits only."""
    texts = " ".join(headers.text(dataset, keyword, limit=256) or "" for keyword in keywords).upper()
    return f" {' '.join(_NO_WORD.sub(' ', texts).split())} "


def _was_cleaned(dataset: Any) -> bool:
    """True if an earlier de-identification states that it removed burned-in text (CID 7050, 113101)."""
    if _upper(dataset, "PatientIdentityRemoved") != "YES":
        return False
    codes = headers.value(dataset, "DeidentificationMethodCodeSequence") or ()
    return any(headers.text(item, "CodeValue") == _PIXELS_CLEANED for item in codes)
