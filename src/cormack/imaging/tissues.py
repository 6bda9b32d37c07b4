"""Hounsfield units that tissues usually have, to mark in a histogram."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """A tissue with its usual range at about 120 kV, without contrast medium, and a colour to draw it in."""

    name: str
    low_hu: float
    high_hu: float
    color: str


#: Usual ranges; they overlap, and shift with tube voltage, calibration, beam hardening and the reconstruction kernel.
#: Fat: Yoshizumi et al., Radiology 1999 (doi 10.1148/radiology.211.1.r99ap15283: −190 to −30 covers the noise of single
#: voxels; the usual mean is −115 to −85). Lung: Kauczor et al., AJR 2000 (doi 10.2214/ajr.175.5.1751347). Muscle:
#: Aubrey et al., Acta Physiol 2014 (doi 10.1111/apha.12224). The others as in the table of "Hounsfield scale" on
#: Wikipedia and Kamalian, Lev, Gupta, Handb Clin Neurol 2016 (doi 10.1016/B978-0-444-53485-9.00001-5).
#: Colours tell apart under the common colour-vision deficiencies (Okabe and Ito 2008).
TISSUES: tuple[Tissue, ...] = (
    Tissue("air", -1024, -950, "#0072b2"),
    Tissue("lung", -950, -500, "#56b4e9"),
    Tissue("fat", -115, -85, "#e69f00"),
    Tissue("water, CSF", -5, 15, "#009e73"),
    Tissue("muscle", 35, 55, "#d55e00"),
    Tissue("blood", 35, 75, "#a50026"),
    Tissue("liver", 50, 65, "#8c510a"),
    Tissue("spongy bone", 200, 700, "#999999"),
    Tissue("compact bone", 700, 1900, "#555555"),
    Tissue("metal", 2500, 3071, "#cc79a7"),
)
